//! Text → sqlparser's tree, and what berth reads itself because the parser does not.

use std::sync::LazyLock;

use regex::Regex;
use sqlparser::ast::{Expr, FunctionDesc, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer, Whitespace};

use super::{Refusal, depth, refuse};

/// How deep a statement may nest: each level takes stack.
const DEPTH_MAX: usize = 100;

/// Parses one statement.
pub(super) fn statement(text: &str) -> Result<Statement, Refusal> {
    let mut statements = parser(text)?.parse_statements().map_err(|error| unreadable(&error.to_string()))?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(statement),
        _ => refuse("expected one statement"),
    }
}

/// Parses an expression that the model keeps as text.
pub(super) fn expression(text: &str) -> Result<Expr, Refusal> {
    parser(text)?.parse_expr().map_err(|error| unreadable(&error.to_string()))
}

fn parser(text: &str) -> Result<Parser<'static>, Refusal> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location();
    let tokens = tokens.map_err(|error| unreadable(&error.to_string()))?;
    depth::check(&tokens)?;
    Ok(Parser::new(&PostgreSqlDialect {}).with_recursion_limit(DEPTH_MAX).with_tokens_with_locations(tokens))
}

fn unreadable(error: &str) -> Refusal {
    Refusal(format!("cannot be read: {}", error.trim_start_matches("sql parser error: ")))
}

/// Takes `SEQUENCE NAME x` out of `ADD GENERATED … AS IDENTITY (…)`, as `pg_dump` writes it, and gives the name.
pub(super) fn take_sequence_name(text: &str) -> (String, Option<String>) {
    static CLAUSE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?i)\bsequence\s+name\s+(?:"?\w+"?\.)?("[^"]+"|\w+)"#).ok());
    let identity = text.to_ascii_lowercase().contains("as identity");
    match CLAUSE.as_ref().filter(|_| identity).and_then(|clause| Some((clause, clause.captures(text)?))) {
        Some((clause, found)) => {
            let name = found.get(1).map(|name| name.as_str().trim_matches('"').to_owned());
            (clause.replace(text, "").into_owned(), name)
        }
        None => (text.to_owned(), None),
    }
}

/// Takes `WITH [CASCADED | LOCAL] CHECK OPTION` off the end of `CREATE VIEW`, which the parser does not know, and gives the
/// word.
pub(super) fn take_check_option(text: &str) -> (String, Option<String>) {
    static CLAUSE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?is)\bwith\s+(?:(cascaded|local)\s+)?check\s+option\s*$").ok());
    match CLAUSE.as_ref().and_then(|clause| Some((clause, clause.captures(text)?))) {
        Some((clause, found)) => {
            let word = found.get(1).map_or_else(|| "cascaded".to_owned(), |word| word.as_str().to_ascii_lowercase());
            (clause.replace(text, "").into_owned(), Some(word))
        }
        None => (text.to_owned(), None),
    }
}

/// Takes out of `CREATE FUNCTION` what is for the planner and what the parser does not know: `ROWS n`, `COST n`,
/// `LEAKPROOF`, `SUPPORT name`, `WINDOW`. Gives the number of rows as well.
pub(super) fn take_planner_hints(text: &str) -> (String, Option<u64>) {
    let (mut kept, mut rows, mut depth, mut in_body) = (String::new(), None, 0_usize, false);
    let without_comment = |token| if is_comment(&token) { Token::Whitespace(Whitespace::Newline) } else { token };
    let mut tokens = tokens(text).into_iter().map(without_comment).peekable();
    let is = |token: &Token, word: &str| matches!(token, Token::Word(of) if of.value.eq_ignore_ascii_case(word));
    while let Some(token) = tokens.next() {
        match &token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => {}
        }
        in_body |= is(&token, "atomic") || is(&token, "return");
        let hint = ["rows", "cost", "support", "leakproof", "window", "not"].into_iter().find(|word| is(&token, word));
        let mut next = || {
            while tokens.next_if(|token| matches!(token, Token::Whitespace(_))).is_some() {}
            tokens.peek().cloned()
        };
        match hint.filter(|_| depth == 0 && !in_body) {
            Some("leakproof" | "window") => continue,
            Some("not") if next().is_some_and(|next| is(&next, "leakproof")) => continue,
            Some("not") | None => {}
            Some(hint @ ("rows" | "cost")) => {
                if let Some(Token::Number(number, _)) = next() {
                    rows = if hint == "rows" { number.parse().ok() } else { rows };
                    tokens.next();
                    continue;
                }
            }
            Some(_) => {
                next();
                tokens.next();
                continue;
            }
        }
        kept += &token.to_string();
    }
    (kept, rows)
}

/// True for `CREATE [OR REPLACE] FUNCTION`.
pub(super) fn creates_function(text: &str) -> bool {
    let words: Vec<String> = text.split_whitespace().take(4).map(str::to_ascii_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    matches!(words.as_slice(), ["create", "function", ..] | ["create", "or", "replace", "function"])
}

/// The function that `COMMENT ON FUNCTION` is about, and what it says; `None` for any other statement.
pub(super) fn comment_on_function(text: &str) -> Result<Option<(FunctionDesc, Option<String>)>, Refusal> {
    static HEAD: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?is)^comment\s+on\s+(?:function|routine)\s+(.*)$").ok());
    let Some(found) = HEAD.as_ref().and_then(|head| head.captures(text)) else { return Ok(None) };
    let tokens = tokens(found.get(1).map(|rest| rest.as_str()).unwrap_or_default());
    let is = |token: &Token| matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("is"));
    let Some(place) = tokens.iter().rposition(is) else { return refuse("expected IS after COMMENT ON FUNCTION") };
    let text = |tokens: &[Token]| tokens.iter().map(ToString::to_string).collect::<String>();
    let (function, comment) = tokens.split_at(place);
    let Statement::DropFunction(drop) = statement(&format!("DROP FUNCTION {}", text(function)))? else {
        return refuse("expected a function after COMMENT ON FUNCTION");
    };
    let [of] = drop.func_desc.as_slice() else { return refuse("COMMENT is on one function") };
    let said = expression(&text(comment.get(1..).unwrap_or_default()))?;
    let comment = match &said {
        Expr::Value(value) => value.value.clone().into_string(),
        _ => None,
    };
    Ok(Some((of.clone(), comment)))
}

fn is_comment(token: &Token) -> bool {
    matches!(token, Token::Whitespace(Whitespace::MultiLineComment(_) | Whitespace::SingleLineComment { .. }))
}

/// The statements of a function's body.
pub(super) fn statements(text: &str) -> Result<Vec<Statement>, Refusal> {
    parser(text)?.parse_statements().map_err(|error| unreadable(&error.to_string()))
}

/// The sequence and the number of `ALTER SEQUENCE s RESTART WITH n`, which the parser does not know.
pub(super) fn restarted_sequence(text: &str) -> Option<(String, i64)> {
    static STATEMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"(?is)^alter\s+sequence\s+(?:if\s+exists\s+)?(?:"?public"?\.)?("[^"]+"|\w+)\s+restart\s+(?:with\s+)?(\d+)$"#,
        )
        .ok()
    });
    let found = STATEMENT.as_ref()?.captures(text)?;
    let written = found.get(1)?.as_str();
    let name = written.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
    let name = name.map_or_else(|| written.to_lowercase(), str::to_owned);
    Some((name, found.get(2)?.as_str().parse().ok()?))
}

/// The statements that make roles under a guard, in the two usual ways, since PostgreSQL has no `IF NOT EXISTS` for it:
/// `DO $$ BEGIN … EXCEPTION WHEN duplicate_object THEN NULL; END $$` and
/// `DO $$ BEGIN IF NOT EXISTS (…) THEN CREATE ROLE …; END IF; END $$`. `None` for any other `DO`.
pub(super) fn guarded_roles(text: &str) -> Option<Vec<String>> {
    static BLOCK: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?is)^do\s+(?:language\s+plpgsql\s+)?\$\w*\$\s*begin\s+(.*?)\s*(?:exception\s+when\s+(?:duplicate_object|unique_violation|others|\s+or\s+)+\s+then\s+(?:null|raise\s+notice\s+[^;]*)\s*;\s*)?end\s*;?\s*\$\w*\$\s*(?:language\s+plpgsql)?$",
        )
        .ok()
    });
    static GUARD: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?is)if\s+not\s+exists\s*\(\s*select\b[^;]*?\bpg_(?:catalog\.pg_)?roles\b[^;]*?\)\s*then\s+(.*?)\s*end\s+if\s*;",
        )
        .ok()
    });
    let body = BLOCK.as_ref()?.captures(text)?.get(1)?.as_str();
    let plain = GUARD.as_ref()?.replace_all(body, "$1").into_owned();
    let statements: Vec<String> = plain
        .split(';')
        .map(|statement| statement.trim().to_owned())
        .filter(|statement| !statement.is_empty())
        .collect();
    let only_roles = statements.iter().all(|statement| {
        let words: Vec<String> = statement.split_whitespace().take(2).map(str::to_ascii_lowercase).collect();
        matches!(words.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), ["create", "role"] | ["grant", _])
    });
    (only_roles && !statements.is_empty()).then_some(statements)
}

/// True when an expression that is kept as text names the column.
pub(super) fn mentions(expression: &str, column: &str) -> bool {
    tokens(expression).iter().any(|token| is_name(token, column))
}

/// True when an expression has a query in it.
pub(super) fn has_query(expression: &str) -> bool {
    tokens(expression).iter().any(|token| matches!(token, Token::Word(word) if word.keyword == Keyword::SELECT))
}

/// Replaces a column's name in an expression that is kept as text.
pub(super) fn rename_column(expression: &str, from: &str, to: &str) -> String {
    let quoted = format!("\"{}\"", to.replace('"', "\"\""));
    let renamed = |token: &Token| if is_name(token, from) { quoted.clone() } else { token.to_string() };
    tokens(expression).iter().map(renamed).collect()
}

/// The tokens of an expression that was read before, and so can be read again.
fn tokens(expression: &str) -> Vec<Token> {
    Tokenizer::new(&PostgreSqlDialect {}, expression).with_unescape(false).tokenize().unwrap_or_default()
}

fn is_name(token: &Token, name: &str) -> bool {
    let Token::Word(word) = token else { return false };
    if word.quote_style.is_some() { word.value == name } else { word.value.to_lowercase() == name }
}
