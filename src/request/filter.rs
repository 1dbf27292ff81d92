//! Filters: `column=operator.value`, and the types of the `and`/`or` trees that `logic.rs` reads.
//!
//! ```text
//! filter    = [ "not." ] operation
//! operation = "in." list / "is." is-value / "isdistinct." value
//!           / full-text [ "(" identifier ")" ] "." value
//!           / simple "." value
//!           / compare [ "(any)" / "(all)" ] "." value
//! full-text = "fts" / "plfts" / "phfts" / "wfts"
//! simple    = "neq" / "cs" / "cd" / "ov" / "sl" / "sr" / "nxr" / "nxl" / "adj"
//! compare   = "eq" / "gte" / "gt" / "lte" / "lt" / "like" / "ilike" / "match" / "imatch"
//! is-value  = "null" / "not_null" / "true" / "false" / "unknown"    ; in any case
//! list      = "(" element *( "," element ) ")"
//! element   = quoted / *( any but "," and ")" )                     ; quoted only when "," or ")" follows
//! value     = *any                                                  ; in a tree: see there
//! ```

use super::field::identifier;
pub(super) use super::lex::LIST_MAX;
use super::lex::{self, Bound, Lexer, Parsed};

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
    /// `in.(a,b)`; empty for `in.()`, which holds for nothing.
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

impl Comparison {
    /// True for operators whose right side is a pattern, always text.
    #[must_use]
    pub fn is_pattern(self) -> bool {
        match self {
            Self::Like | Self::ILike | Self::Match | Self::IMatch => true,
            Self::Equal | Self::NotEqual | Self::Greater | Self::GreaterOrEqual | Self::Less | Self::LessOrEqual => {
                false
            }
        }
    }

    /// True for operators that ask which of two values comes first.
    #[must_use]
    pub fn is_by_place(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual | Self::Less | Self::LessOrEqual)
    }
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

/// `[not.]operator.value`, where `value` reads the value of most operators; gives whether it is negated.
pub(super) fn operation<'a>(
    lexer: &mut Lexer<'a>,
    value: impl Fn(&mut Lexer<'a>) -> Parsed<String>,
) -> Parsed<(bool, Operation)> {
    let negated = negation(lexer)?;
    let operation = lexer.label("operator (eq, gt, ...)", |lexer| {
        if lexer.perhaps(|lexer| operator_word(lexer, "in"))?.is_some() {
            return list(lexer).map(Operation::In);
        }
        if lexer.perhaps(|lexer| operator_word(lexer, "is"))?.is_some() {
            return is_value(lexer).map(Operation::Is);
        }
        if lexer.perhaps(|lexer| operator_word(lexer, "isdistinct"))?.is_some() {
            return value(lexer).map(Operation::IsDistinctFrom);
        }
        if let Some((operator, language)) = lexer.perhaps(full_text)? {
            return Ok(Operation::FullText { operator, language, value: value(lexer)? });
        }
        match lexer.perhaps(simple)? {
            Some(Simple::NotEqual) => {
                let operator = Comparison::NotEqual;
                Ok(Operation::Compare { operator, quantifier: None, value: value(lexer)? })
            }
            Some(Simple::Contain(operator)) => Ok(Operation::Contain { operator, value: value(lexer)? }),
            None => {
                let (operator, quantifier) = lexer.attempt(compare)?;
                Ok(Operation::Compare { operator, quantifier, value: value(lexer)? })
            }
        }
    })?;
    Ok((negated, operation))
}

/// `not.`, or nothing.
pub(super) fn negation(lexer: &mut Lexer<'_>) -> Parsed<bool> {
    Ok(lexer.perhaps(|lexer| operator_word(lexer, "not"))?.is_some())
}

/// A quoted value, when `,`, `)` or the end follows.
pub(super) fn quoted_element(lexer: &mut Lexer<'_>) -> Parsed<String> {
    let value = lexer.quoted()?.into_owned();
    lexer.not_followed_by(|character| !matches!(character, ',' | ')'))?;
    Ok(value)
}

/// Characters up to `,` or `)`.
pub(super) fn plain_element(lexer: &mut Lexer<'_>) -> String {
    lexer.take_while(|character| !matches!(character, ',' | ')'), &[]).to_owned()
}

fn operator_word(lexer: &mut Lexer<'_>, word: &'static str) -> Parsed<()> {
    lexer.word(word)?;
    lexer.delimiter()
}

/// The first of `words` that stands here.
fn one_of<T: Copy>(lexer: &mut Lexer<'_>, words: &[(&'static str, T)]) -> Parsed<T> {
    let (last, others) = words.split_last().ok_or(lex::Failure::Syntax)?;
    for (word, meaning) in others {
        if lexer.perhaps(|lexer| lexer.word(word))?.is_some() {
            return Ok(*meaning);
        }
    }
    lexer.attempt(|lexer| lexer.word(last.0)).map(|()| last.1)
}

fn full_text(lexer: &mut Lexer<'_>) -> Parsed<(FullText, Option<String>)> {
    const WORDS: [(&str, FullText); 4] = [
        ("fts", FullText::Query),
        ("plfts", FullText::Plain),
        ("phfts", FullText::Phrase),
        ("wfts", FullText::WebSearch),
    ];
    let operator = one_of(lexer, &WORDS)?;
    let language = lexer.perhaps(|lexer| {
        lexer.symbol('(', "(")?;
        let language = identifier(lexer)?.to_owned();
        lexer.symbol(')', ")")?;
        Ok(language)
    })?;
    lexer.delimiter()?;
    Ok((operator, language))
}

/// Operators that take neither `any` nor `all`.
#[derive(Debug, Clone, Copy)]
enum Simple {
    NotEqual,
    Contain(Containment),
}

fn simple(lexer: &mut Lexer<'_>) -> Parsed<Simple> {
    const WORDS: [(&str, Simple); 9] = [
        ("neq", Simple::NotEqual),
        ("cs", Simple::Contain(Containment::Contains)),
        ("cd", Simple::Contain(Containment::ContainedIn)),
        ("ov", Simple::Contain(Containment::Overlap)),
        ("sl", Simple::Contain(Containment::StrictlyLeft)),
        ("sr", Simple::Contain(Containment::StrictlyRight)),
        ("nxr", Simple::Contain(Containment::NotExtendsRight)),
        ("nxl", Simple::Contain(Containment::NotExtendsLeft)),
        ("adj", Simple::Contain(Containment::Adjacent)),
    ];
    let operator = one_of(lexer, &WORDS)?;
    lexer.delimiter()?;
    Ok(operator)
}

fn compare(lexer: &mut Lexer<'_>) -> Parsed<(Comparison, Option<Quantifier>)> {
    // The longer of two words with the same beginning stands first.
    const WORDS: [(&str, Comparison); 9] = [
        ("eq", Comparison::Equal),
        ("gte", Comparison::GreaterOrEqual),
        ("gt", Comparison::Greater),
        ("lte", Comparison::LessOrEqual),
        ("lt", Comparison::Less),
        ("like", Comparison::Like),
        ("ilike", Comparison::ILike),
        ("match", Comparison::Match),
        ("imatch", Comparison::IMatch),
    ];
    let operator = one_of(lexer, &WORDS)?;
    let quantifier = lexer.perhaps(|lexer| {
        lexer.symbol('(', "(")?;
        let quantifier = one_of(lexer, &[("any", Quantifier::Any), ("all", Quantifier::All)])?;
        lexer.symbol(')', ")")?;
        Ok(quantifier)
    })?;
    lexer.delimiter()?;
    Ok((operator, quantifier))
}

fn is_value(lexer: &mut Lexer<'_>) -> Parsed<IsValue> {
    const WORDS: [(&str, IsValue); 5] = [
        ("null", IsValue::Null),
        ("not_null", IsValue::NotNull),
        ("true", IsValue::True),
        ("false", IsValue::False),
        ("unknown", IsValue::Unknown),
    ];
    lexer.label("isVal: (null, not_null, true, false, unknown)", |lexer| {
        for (word, value) in WORDS {
            if lexer.perhaps(|lexer| lexer.word_in_any_case(word))?.is_some() {
                return Ok(value);
            }
        }
        Err(lex::Failure::Syntax)
    })
}

fn list(lexer: &mut Lexer<'_>) -> Parsed<Vec<String>> {
    lexer.lexeme(|lexer| lexer.symbol('(', "("))?;
    let element = |lexer: &mut Lexer<'_>| {
        Ok(match lexer.perhaps(quoted_element)? {
            Some(quoted) => quoted,
            None => plain_element(lexer),
        })
    };
    let elements = lexer.separated((LIST_MAX, Bound::List), element, |lexer| lexer.symbol(',', ","))?;
    lexer.lexeme(|lexer| lexer.symbol(')', ")"))?;
    // One empty element is how PostgREST reads the empty list.
    let is_empty = elements.len() == 1 && elements.iter().all(String::is_empty);
    Ok(if is_empty { Vec::new() } else { elements })
}
