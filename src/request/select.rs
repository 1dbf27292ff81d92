//! `select=`.
//!
//! ```text
//! select    = [ item *( "," item ) ]
//! item      = "..." name *2embed "(" select ")"
//!           / [ alias ] name *2embed "(" select ")"                    ; name is not "count"
//!           / "*"
//!           / [ alias ] "count()" [ cast ]
//!           / [ alias ] field [ cast ] [ "." aggregate "()" ] [ cast ]
//! alias     = name ":"                                                 ; not before ":"
//! embed     = "!" ( "left" / "inner" / name )
//! cast      = "::" identifier
//! aggregate = "sum" / "avg" / "countdistinct" / "count" / "max" / "min"    ; `countdistinct` is berth's own
//! ```
//!
//! `field`, `name` and `identifier` are in `field.rs`. `,`, `)` or the end stands behind each item.

use std::borrow::Cow;

use super::field::{field, identifier, name};
use super::lex::{self, Bound, DEPTH_MAX, Failure, ITEMS_MAX, Lexer, Parsed};
use super::{Error, Field};

/// One item of `select=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectItem {
    /// A column, a way into its JSON, `*`, or an aggregate.
    Field {
        /// What; `*` with an aggregate stands for `count()`.
        field: Field,
        /// `.sum()` and its like.
        aggregate: Option<Aggregate>,
        /// `::type` behind the aggregate.
        aggregate_cast: Option<String>,
        /// `::type` behind the field.
        cast: Option<String>,
        /// `alias:`.
        alias: Option<String>,
    },
    /// `alias:relation!hint!inner(…)`.
    Relation {
        /// What it is called in the database (table, foreign key, column).
        name: String,
        /// What it is called in the answer.
        alias: Option<String>,
        /// Which relationship, when there are several.
        hint: Option<String>,
        /// Whether rows without a match stay.
        join: Option<Join>,
        /// What is taken from it.
        select: Vec<SelectItem>,
    },
    /// `...relation(…)`: its columns among those of the level above.
    Spread {
        /// What it is called in the database.
        name: String,
        /// Which relationship, when there are several.
        hint: Option<String>,
        /// Whether rows without a match stay.
        join: Option<Join>,
        /// What is taken from it.
        select: Vec<SelectItem>,
    },
}

/// Aggregate functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// `avg`
    Avg,
    /// `count`
    Count,
    /// `countdistinct`: of equal values one counts. Its result is called `count`.
    CountDistinct,
    /// `max`
    Max,
    /// `min`
    Min,
    /// `sum`
    Sum,
}

/// Whether a row without an embedded one stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// It does.
    Left,
    /// It does not.
    Inner,
}

/// Parses the value of `select=`; everything for the empty text.
pub(super) fn parse(value: &str) -> Result<Vec<SelectItem>, Error> {
    let items = lex::parse("failed to parse select parameter", value, value, |lexer| forest(lexer, 0))?;
    Ok(if items.is_empty() { everything() } else { items })
}

/// `*`, what a request without `select=` takes.
pub(super) fn everything() -> Vec<SelectItem> {
    vec![star()]
}

fn star() -> SelectItem {
    let field = Field { name: "*".to_owned(), path: Vec::new() };
    SelectItem::Field { field, aggregate: None, aggregate_cast: None, cast: None, alias: None }
}

fn forest(lexer: &mut Lexer<'_>, depth: usize) -> Parsed<Vec<SelectItem>> {
    let items =
        lexer.optional(|lexer| lexer.separated((ITEMS_MAX, Bound::Items), |lexer| item(lexer, depth), Lexer::comma))?;
    Ok(items.unwrap_or_default())
}

fn item(lexer: &mut Lexer<'_>, depth: usize) -> Parsed<SelectItem> {
    lexer.count_item()?;
    if let Some(Head { name, hint, join, .. }) = lexer.perhaps(spread_head)? {
        return Ok(SelectItem::Spread { name, hint, join, select: nested(lexer, depth)? });
    }
    if let Some(Head { name, alias, hint, join }) = lexer.perhaps(relation_head)? {
        return Ok(SelectItem::Relation { name, alias, hint, join, select: nested(lexer, depth)? });
    }
    lexer.lexeme(field_item)
}

fn nested(lexer: &mut Lexer<'_>, depth: usize) -> Parsed<Vec<SelectItem>> {
    if depth >= DEPTH_MAX {
        return Err(Failure::TooLarge(Bound::Depth));
    }
    lexer.symbol('(', "(")?;
    let items = forest(lexer, depth + 1)?;
    lexer.symbol(')', ")")?;
    Ok(items)
}

/// What stands before the parenthesis of an embedded resource.
#[derive(Debug)]
struct Head {
    name: String,
    alias: Option<String>,
    hint: Option<String>,
    join: Option<Join>,
}

fn spread_head(lexer: &mut Lexer<'_>) -> Parsed<Head> {
    lexer.lexeme(|lexer| {
        lexer.word("...")?;
        let name = name(lexer)?;
        head(lexer, name, None)
    })
}

fn relation_head(lexer: &mut Lexer<'_>) -> Parsed<Head> {
    lexer.lexeme(|lexer| {
        let alias = alias(lexer)?;
        let name = name(lexer)?;
        // `count()` is the aggregate, not a relation.
        if name == "count" {
            return Err(Failure::Syntax);
        }
        head(lexer, name, alias)
    })
}

fn head(lexer: &mut Lexer<'_>, name: Cow<'_, str>, alias: Option<String>) -> Parsed<Head> {
    let (mut hint, mut join) = (None, None);
    for _ in 0..2 {
        match lexer.optional(embed_parameter)? {
            Some(EmbedParameter::Join(found)) => join = join.or(Some(found)),
            Some(EmbedParameter::Hint(found)) => hint = hint.or(Some(found)),
            None => {}
        }
    }
    lexer.look_ahead(|lexer| lexer.word("("))?;
    Ok(Head { name: name.into_owned(), alias, hint, join })
}

#[derive(Debug)]
enum EmbedParameter {
    Join(Join),
    Hint(String),
}

fn embed_parameter(lexer: &mut Lexer<'_>) -> Parsed<EmbedParameter> {
    lexer.symbol('!', "!")?;
    for (word, join) in [("left", Join::Left), ("inner", Join::Inner)] {
        if lexer.perhaps(|lexer| lexer.word(word))?.is_some() {
            return Ok(EmbedParameter::Join(join));
        }
    }
    lexer.attempt(name).map(|hint| EmbedParameter::Hint(hint.into_owned()))
}

fn field_item(lexer: &mut Lexer<'_>) -> Parsed<SelectItem> {
    let whole_row = lexer.perhaps(|lexer| {
        lexer.word("*")?;
        item_end(lexer)
    })?;
    if whole_row.is_some() {
        return Ok(star());
    }
    if let Some(count) = lexer.perhaps(count_item)? {
        return Ok(count);
    }
    let alias = alias(lexer)?;
    let field = field(lexer)?;
    let cast = lexer.optional(cast)?;
    let aggregate = lexer.perhaps(aggregate)?;
    let aggregate_cast = lexer.optional(self::cast)?;
    item_end(lexer)?;
    Ok(SelectItem::Field { field, aggregate, aggregate_cast, cast, alias })
}

fn count_item(lexer: &mut Lexer<'_>) -> Parsed<SelectItem> {
    let alias = alias(lexer)?;
    lexer.word("count()")?;
    let aggregate_cast = lexer.optional(cast)?;
    item_end(lexer)?;
    let field = Field { name: "*".to_owned(), path: Vec::new() };
    Ok(SelectItem::Field { field, aggregate: Some(Aggregate::Count), aggregate_cast, cast: None, alias })
}

fn alias(lexer: &mut Lexer<'_>) -> Parsed<Option<String>> {
    lexer.perhaps(|lexer| {
        let alias = name(lexer)?;
        lexer.symbol(':', ":")?;
        lexer.not_followed_by(|character| character == ':')?;
        Ok(alias.into_owned())
    })
}

fn cast(lexer: &mut Lexer<'_>) -> Parsed<String> {
    lexer.word("::")?;
    Ok(identifier(lexer)?.to_owned())
}

fn aggregate(lexer: &mut Lexer<'_>) -> Parsed<Aggregate> {
    // The longer of two words with the same beginning stands first.
    const WORDS: [(&str, Aggregate); 6] = [
        ("sum", Aggregate::Sum),
        ("avg", Aggregate::Avg),
        ("countdistinct", Aggregate::CountDistinct),
        ("count", Aggregate::Count),
        ("max", Aggregate::Max),
        ("min", Aggregate::Min),
    ];
    lexer.symbol('.', ".")?;
    for (word, aggregate) in WORDS {
        if lexer.perhaps(|lexer| lexer.word(word))?.is_some() {
            lexer.word("()")?;
            return Ok(aggregate);
        }
    }
    Err(Failure::Syntax)
}

/// `,`, `)` or the end, none of which is taken.
fn item_end(lexer: &mut Lexer<'_>) -> Parsed<()> {
    for word in [")", ","] {
        if lexer.optional(|lexer| lexer.look_ahead(|lexer| lexer.word(word)))?.is_some() {
            return Ok(());
        }
    }
    lexer.end()
}
