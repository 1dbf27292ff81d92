//! `and=(…)` and `or=(…)`.
//!
//! ```text
//! tree        = field "." filter / [ "not." ] ( "and" / "or" ) "(" tree *( "," tree ) ")"
//! tree-value  = quoted / "{" *( any but "{" and "}" ) "}" / *( any but "," and ")" )
//! key         = *( name "." ) ( "and" / "or" )              ; "not" among the names negates the tree
//! ```
//!
//! `field` is in `field.rs`, `filter` in `filter.rs`, with `tree-value` for its `value`.

use super::Error;
use super::field::{embed_names, field};
use super::filter::{EmbedPath, Filter, Logic, LogicTree, negation, operation, plain_element, quoted_element};
use super::lex::{self, Bound, DEPTH_MAX, Failure, ITEMS_MAX, Lexer, Parsed};

/// Parses one `key=value` whose key ends in `and` or `or`.
pub(super) fn parse(key: &str, value: &str) -> Result<(EmbedPath, LogicTree), Error> {
    let mut path = lex::parse("failed to parse logic path", key, key, embed_names)?;
    let operator = path.pop().unwrap_or_default();
    let names = path.len();
    path.retain(|name| name != "not");
    let negation = if path.len() < names { "not." } else { "" };
    // The operator of the key and the conditions of the value together follow the grammar of a tree.
    let text = format!("{negation}{operator}{value}");
    let tree = lex::parse("failed to parse logic tree", value, &text, |lexer| tree(lexer, 0))?;
    Ok((path, tree))
}

fn tree(lexer: &mut Lexer<'_>, depth: usize) -> Parsed<LogicTree> {
    lexer.count_item()?;
    if let Some(filter) = lexer.perhaps(leaf)? {
        return Ok(LogicTree::Leaf(filter));
    }
    let negated = lexer.label("negation operator (not)", negation)?;
    let operator = lexer.label("logic operator (and, or)", logic)?;
    if depth >= DEPTH_MAX {
        return Err(Failure::TooLarge(Bound::Depth));
    }
    lexer.lexeme(|lexer| lexer.symbol('(', "("))?;
    let children = lexer.separated((ITEMS_MAX, Bound::Items), |lexer| tree(lexer, depth + 1), Lexer::comma)?;
    lexer.lexeme(|lexer| lexer.symbol(')', ")"))?;
    Ok(LogicTree::Node { negated, operator, children })
}

fn leaf(lexer: &mut Lexer<'_>) -> Parsed<Filter> {
    let field = field(lexer)?;
    lexer.delimiter()?;
    let (negated, operation) = operation(lexer, value)?;
    Ok(Filter { field, negated, operation })
}

fn logic(lexer: &mut Lexer<'_>) -> Parsed<Logic> {
    match lexer.perhaps(|lexer| lexer.word("and"))? {
        Some(()) => Ok(Logic::And),
        None => lexer.word("or").map(|()| Logic::Or),
    }
}

fn value(lexer: &mut Lexer<'_>) -> Parsed<String> {
    if let Some(quoted) = lexer.perhaps(quoted_element)? {
        return Ok(quoted);
    }
    Ok(match lexer.perhaps(array)? {
        Some(array) => array,
        None => plain_element(lexer),
    })
}

/// An array literal of Postgres, commas and all.
fn array(lexer: &mut Lexer<'_>) -> Parsed<String> {
    lexer.symbol('{', "{")?;
    let inner = lexer.take_while(|character| !matches!(character, '{' | '}'), &[]);
    lexer.symbol('}', "}")?;
    Ok(format!("{{{inner}}}"))
}
