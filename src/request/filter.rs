//! Filters: `column=operator.value`, and the `and`/`or` trees.
//!
//! ```text
//! key       = { name "." } name { arrow operand }
//! value     = [ "not." ] operation
//! operation = "in.(" element { "," element } ")" | "is." is-value | "isdistinct." text
//!           | fts [ "(" language ")" ] "." text | containment "." text
//!           | comparison [ "(" ( "any" | "all" ) ")" ] "." text
//! ```
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/tables_views.html#horizontal-filtering>

use super::Error;
use super::lex::{Cursor, Fault};

/// The way from the top level to an embedded resource, by the names used in the request; empty for the top level.
pub type EmbedPath = Vec<String>;

/// A column, perhaps with a way into its JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The column's name, or `*`.
    pub name: String,
    /// `->a->>b`.
    pub path: Vec<JsonStep>,
}

/// One arrow into JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonStep {
    /// `->` keeps JSON, `->>` gives text.
    pub arrow: Arrow,
    /// What stands behind it.
    pub operand: JsonOperand,
}

/// Which arrow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrow {
    /// `->`.
    Json,
    /// `->>`.
    Text,
}

/// A member's name or an element's index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonOperand {
    /// Name of an object's member.
    Key(String),
    /// Index in an array; negative counts from its end.
    Index(i64),
}

/// One test of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// What is tested.
    pub field: Field,
    /// `not.` stands before the operator.
    pub negated: bool,
    /// The test.
    pub operation: Operation,
}

/// The test of a filter, values still as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// An operator that `any`/`all` may modify.
    Compare {
        /// Which.
        operator: Comparison,
        /// `eq(any).{1,2}`.
        quantifier: Option<Quantifier>,
        /// The text behind the operator; with a quantifier a Postgres array literal.
        value: String,
    },
    /// An operator of arrays and ranges.
    Contain {
        /// Which.
        operator: Containment,
        /// The text behind it.
        value: String,
    },
    /// `in.(a,b)`.
    In(Vec<String>),
    /// `is.null` and its like.
    Is(IsValue),
    /// `isdistinct.value`.
    IsDistinctFrom(String),
    /// Full-text search.
    FullText {
        /// Which.
        operator: FullText,
        /// `fts(french)`.
        language: Option<String>,
        /// The query.
        value: String,
    },
}

/// Operators on one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `eq`
    Equal,
    /// `neq`
    NotEqual,
    /// `gt`
    Greater,
    /// `gte`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `lte`
    LessOrEqual,
    /// `like`, `*` standing for `%`
    Like,
    /// `ilike`
    ILike,
    /// `match`
    Match,
    /// `imatch`
    IMatch,
}

/// Operators on arrays, JSON and ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Containment {
    /// `cs`
    Contains,
    /// `cd`
    ContainedIn,
    /// `ov`
    Overlap,
    /// `sl`
    StrictlyLeft,
    /// `sr`
    StrictlyRight,
    /// `nxr`
    NotExtendsRight,
    /// `nxl`
    NotExtendsLeft,
    /// `adj`
    Adjacent,
}

/// Full-text operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FullText {
    /// `fts`: `to_tsquery`
    Query,
    /// `plfts`: `plainto_tsquery`
    Plain,
    /// `phfts`: `phraseto_tsquery`
    Phrase,
    /// `wfts`: `websearch_to_tsquery`
    WebSearch,
}

/// How many of the values an operator must hold for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// At least one.
    Any,
    /// Each.
    All,
}

/// Operands of `is`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsValue {
    /// `null`
    Null,
    /// `not_null`
    NotNull,
    /// `true`
    True,
    /// `false`
    False,
    /// `unknown`
    Unknown,
}

/// A tree of filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogicTree {
    /// `and(…)` or `or(…)`.
    Node {
        /// `not.` stands before it.
        negated: bool,
        /// Which.
        operator: Logic,
        /// At least one.
        children: Vec<LogicTree>,
    },
    /// A filter.
    Leaf(Filter),
}

/// How the children of a node are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logic {
    /// Each must hold.
    And,
    /// One must hold.
    Or,
}

/// What is said when no operator is found.
const OPERATOR: &str = "\"not\" or operator (eq, gt, ...)";

/// Reads a key such as `a.b.column->x` into the embed and the field.
pub(super) fn tree_path(key: &str) -> Result<(EmbedPath, Field), Error> {
    let fail = |fault: Fault| fault.into_error("tree path", key);
    let mut cursor = Cursor::new(key);
    let mut path = vec![cursor.name().map_err(fail)?];
    while cursor.eat(".") {
        path.push(cursor.name().map_err(fail)?);
    }
    let steps = cursor.json_path().map_err(fail)?;
    cursor.expect_end().map_err(fail)?;
    let name = path.pop().unwrap_or_default();
    Ok((path, Field { name, path: steps }))
}

/// Reads a filter.
pub(super) fn parse(key: &str, value: &str) -> Result<(EmbedPath, Filter), Error> {
    let (path, field) = tree_path(key)?;
    let mut cursor = Cursor::new(value);
    let read = operation(&mut cursor, |cursor| Ok(cursor.take_rest().to_owned()))
        .and_then(|read| cursor.expect_end().map(|()| read));
    let (negated, operation) = read.map_err(|fault| fault.into_error("filter", value))?;
    Ok((path, Filter { field, negated, operation }))
}

/// True when the text begins like an operation: then it is a filter and not a function's argument.
pub(super) fn is_operation(value: &str) -> bool {
    operation(&mut Cursor::new(value), |cursor| Ok(cursor.take_rest().to_owned())).is_ok()
}

/// Reads `[not.]operator.value`; `text` reads a value where it stands (it ends elsewhere inside a logic tree).
pub(super) fn operation(
    cursor: &mut Cursor<'_>,
    text: impl Fn(&mut Cursor<'_>) -> Result<String, Fault>,
) -> Result<(bool, Operation), Fault> {
    let negated = cursor.eat("not.");
    let start = cursor.clone();
    let name = cursor.take_while(|c| c.is_ascii_lowercase());
    let operation = if let Some(operator) = comparison(name) {
        let quantifier = quantifier(cursor)?;
        cursor.expect(".").map_err(|_| cursor.fault("delimiter (.)"))?;
        Operation::Compare { operator, quantifier, value: text(cursor)? }
    } else if let Some(operator) = containment(name) {
        cursor.expect(".").map_err(|_| cursor.fault("delimiter (.)"))?;
        Operation::Contain { operator, value: text(cursor)? }
    } else if let Some(operator) = full_text(name) {
        let language = language(cursor)?;
        cursor.expect(".").map_err(|_| cursor.fault("delimiter (.)"))?;
        Operation::FullText { operator, language, value: text(cursor)? }
    } else {
        match name {
            "in" if cursor.eat(".") => Operation::In(list(cursor)?),
            "is" if cursor.eat(".") => Operation::Is(is_value(cursor)?),
            "isdistinct" if cursor.eat(".") => Operation::IsDistinctFrom(text(cursor)?),
            _ => {
                *cursor = start;
                return Err(cursor.fault(OPERATOR));
            }
        }
    };
    Ok((negated, operation))
}

fn comparison(name: &str) -> Option<Comparison> {
    Some(match name {
        "eq" => Comparison::Equal,
        "neq" => Comparison::NotEqual,
        "gt" => Comparison::Greater,
        "gte" => Comparison::GreaterOrEqual,
        "lt" => Comparison::Less,
        "lte" => Comparison::LessOrEqual,
        "like" => Comparison::Like,
        "ilike" => Comparison::ILike,
        "match" => Comparison::Match,
        "imatch" => Comparison::IMatch,
        _ => return None,
    })
}

fn containment(name: &str) -> Option<Containment> {
    Some(match name {
        "cs" => Containment::Contains,
        "cd" => Containment::ContainedIn,
        "ov" => Containment::Overlap,
        "sl" => Containment::StrictlyLeft,
        "sr" => Containment::StrictlyRight,
        "nxr" => Containment::NotExtendsRight,
        "nxl" => Containment::NotExtendsLeft,
        "adj" => Containment::Adjacent,
        _ => return None,
    })
}

fn full_text(name: &str) -> Option<FullText> {
    Some(match name {
        "fts" => FullText::Query,
        "plfts" => FullText::Plain,
        "phfts" => FullText::Phrase,
        "wfts" => FullText::WebSearch,
        _ => return None,
    })
}

fn quantifier(cursor: &mut Cursor<'_>) -> Result<Option<Quantifier>, Fault> {
    if cursor.eat("(any)") {
        Ok(Some(Quantifier::Any))
    } else if cursor.eat("(all)") {
        Ok(Some(Quantifier::All))
    } else if cursor.peek() == Some('(') {
        Err(cursor.fault("\"(any)\" or \"(all)\""))
    } else {
        Ok(None)
    }
}

fn language(cursor: &mut Cursor<'_>) -> Result<Option<String>, Fault> {
    if !cursor.eat("(") {
        return Ok(None);
    }
    let name = cursor.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | ' ')).trim().to_owned();
    cursor.expect(")")?;
    Ok(Some(name))
}

fn is_value(cursor: &mut Cursor<'_>) -> Result<IsValue, Fault> {
    let ahead = cursor.clone();
    let word = cursor.take_while(|c| c.is_ascii_alphabetic() || c == '_').to_ascii_lowercase();
    Ok(match word.as_str() {
        "null" => IsValue::Null,
        "not_null" => IsValue::NotNull,
        "true" => IsValue::True,
        "false" => IsValue::False,
        "unknown" => IsValue::Unknown,
        _ => return Err(ahead.fault("isVal: (null, not_null, true, false, unknown)")),
    })
}

/// `(a,"b,c")`; `()` is the empty list.
fn list(cursor: &mut Cursor<'_>) -> Result<Vec<String>, Fault> {
    cursor.skip_blanks();
    cursor.expect("(")?;
    let mut elements = Vec::new();
    if cursor.eat(")") {
        return Ok(elements);
    }
    loop {
        elements.push(element(cursor));
        if !cursor.eat(",") {
            break;
        }
    }
    cursor.expect(")")?;
    cursor.skip_blanks();
    Ok(elements)
}

/// An element is quoted as a whole or taken as it is up to `,` or `)`.
fn element(cursor: &mut Cursor<'_>) -> String {
    let mut ahead = cursor.clone();
    if let Ok(quoted) = ahead.quoted()
        && matches!(ahead.peek(), None | Some(',' | ')'))
    {
        *cursor = ahead;
        return quoted;
    }
    cursor.take_while(|c| c != ',' && c != ')').to_owned()
}
