//! `and=(…)` and `or=(…)`.
//!
//! ```text
//! key    = { name "." } [ "not." ] ( "and" | "or" )
//! value  = "(" tree { "," tree } ")"
//! tree   = field "." operation | [ "not." ] ( "and" | "or" ) "(" tree { "," tree } ")"
//! ```

use super::filter::{EmbedPath, Filter, Logic, LogicTree, operation};
use super::lex::{Cursor, Fault};
use super::Error;

/// Deepest nesting: nobody writes more by hand, and the stack holds it many times over.
const MAX_DEPTH: usize = 32;

/// Most filters of one tree: SQLite's default bound on the depth of an expression is 1000.
const MAX_LEAVES: usize = 900;

/// Reads one parameter.
///
/// # Errors
/// [`Error::QueryParameter`]; [`Error::TooLarge`] past the bounds of this module.
pub(super) fn parse(key: &str, value: &str) -> Result<(EmbedPath, LogicTree), Error> {
    let mut path: EmbedPath = Vec::new();
    let mut cursor = Cursor::new(key);
    loop {
        path.push(cursor.name().map_err(|fault| fault.into_error("logic path", key))?);
        if !cursor.eat(".") {
            break;
        }
    }
    cursor.expect_end().map_err(|fault| fault.into_error("logic path", key))?;
    let operator = if path.pop().as_deref() == Some("or") { Logic::Or } else { Logic::And };
    let negated = path.last().is_some_and(|name| name == "not");
    path.retain(|name| name != "not");

    let mut reader = Reader { cursor: Cursor::new(value), leaves: 0 };
    let read = reader.children(0).and_then(|children| reader.cursor.expect_end().map(|()| children));
    let children = read.map_err(|fault| fault.into_error("logic tree", value))?;
    Ok((path, LogicTree::Node { negated, operator, children }))
}

struct Reader<'a> {
    cursor: Cursor<'a>,
    leaves: usize,
}

impl Reader<'_> {
    fn children(&mut self, depth: usize) -> Result<Vec<LogicTree>, Fault> {
        if depth == MAX_DEPTH {
            return Err(self.cursor.fault(&format!("at most {MAX_DEPTH} levels of logic")));
        }
        self.cursor.skip_blanks();
        self.cursor.expect("(")?;
        let mut children = Vec::new();
        loop {
            self.cursor.skip_blanks();
            children.push(self.tree(depth)?);
            self.cursor.skip_blanks();
            if !self.cursor.eat(",") {
                break;
            }
        }
        self.cursor.expect(")")?;
        self.cursor.skip_blanks();
        Ok(children)
    }

    fn tree(&mut self, depth: usize) -> Result<LogicTree, Fault> {
        let mut ahead = self.cursor.clone();
        let negated = ahead.eat("not.");
        let operator = if ahead.eat("and") {
            Some(Logic::And)
        } else if ahead.eat("or") {
            Some(Logic::Or)
        } else {
            None
        };
        if let Some(operator) = operator
            && ahead.rest().trim_start_matches([' ', '\t']).starts_with('(')
        {
            self.cursor = ahead;
            let children = self.children(depth + 1)?;
            return Ok(LogicTree::Node { negated, operator, children });
        }
        self.leaves += 1;
        if self.leaves > MAX_LEAVES {
            return Err(self.cursor.fault(&format!("at most {MAX_LEAVES} filters")));
        }
        const EXPECTED: &str = "field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)";
        let field = self.cursor.clone().field().map_err(|_| self.cursor.fault(EXPECTED)).and(self.cursor.field())?;
        self.cursor.expect(".")?;
        let (negated, operation) = operation(&mut self.cursor, value)?;
        Ok(LogicTree::Leaf(Filter { field, negated, operation }))
    }
}

/// A value inside a tree ends at `,` or `)`, unless it is quoted or an array literal.
fn value(cursor: &mut Cursor<'_>) -> Result<String, Fault> {
    if cursor.peek() == Some('"') {
        let mut ahead = cursor.clone();
        if let Ok(text) = ahead.quoted()
            && matches!(ahead.peek(), None | Some(',' | ')'))
        {
            *cursor = ahead;
            return Ok(text);
        }
    }
    if cursor.peek() == Some('{') {
        let mut ahead = cursor.clone();
        let start = ahead.rest();
        ahead.eat("{");
        ahead.take_while(|c| c != '{' && c != '}');
        if ahead.eat("}") {
            *cursor = ahead;
            let length = start.len() - cursor.rest().len();
            return Ok(start.get(..length).unwrap_or_default().to_owned());
        }
    }
    Ok(cursor.take_while(|c| c != ',' && c != ')').to_owned())
}
