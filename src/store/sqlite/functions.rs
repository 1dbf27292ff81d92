//! Functions that SQLite lacks and rendered SQL calls; each gives null when an argument is null.
//!
//! | function | Postgres |
//! |---|---|
//! | `berth_like(pattern, text)`, `berth_ilike(pattern, text)` | `text LIKE pattern`, `text ILIKE pattern` |
//! | `berth_match(pattern, text)`, `berth_imatch(pattern, text)` | `text ~ pattern`, `text ~* pattern` |
//! | `berth_json(json, operand)`, `berth_json_text(json, operand)` | `json -> operand`, `json ->> operand` |
//! | `berth_has_key(json, text)` | `json ? text` |
//! | `berth_cast(text, type)` | `text::type` |
//! | `berth_convert(value, from, to)` | `value::to` of a value of type `from` |
//! | `berth_convert_here(value, from, to)` | the same in the zone of who asks |
//! | `berth_round(float)` | `round(float)` |
//! | `berth_decimal(value)` | `value::numeric::text` of a number, or of the text of one |
//! | `berth_decimal(value, digits)` | the same with so many digits behind the point |
//! | `berth_contains(a, b)` | `a @> b` of `jsonb` |
//! | `berth_array_contains(a, b)`, `berth_overlaps(a, b)` | `a @> b` and `a && b` of arrays |
//! | `berth_cell(row, place)` | none: a value of a row that was kept, see `cell` |
//! | `berth_key(value, type)` | none: bytes that sort as the values of the type do, see `plan::value::key` |
//!
//! The collation `decimal` compares texts as the decimals they spell.
//!
//! What is embedded is written by the functions of `rows`, sums and means are those of `sum`, the greatest and least of
//! what sorts by keys those of `key`, those of text search are in `search`, other functions of text in `text`, those of
//! arrays in `array`, of JSON in `document`, of dates and times in `moment`; operators on numbers
//! are in `arithmetic`, and the one row of a query is taken by that of `only`.
//!
//! What fails gives an error whose text begins with Postgres' code and a colon, e.g.
//! `2201B: invalid regular expression: parentheses () not balanced`.
//!
//! Case is folded character by character with Unicode's lower case, as Postgres does under a UTF-8 locale. Regular
//! expressions are those of the `regex` crate, brought near Postgres': no back references and no look-around.
//!
//! Source: <https://www.postgresql.org/docs/15/functions-matching.html>,
//! <https://www.postgresql.org/docs/15/functions-json.html>.

mod arithmetic;
mod array;
mod cast;
pub(super) mod cell;
mod containment;
mod convert;
mod document;
mod exact;
pub(super) mod json;
mod key;
mod like;
mod moment;
mod only;
mod pattern;
mod rows;
mod search;
mod sum;
#[cfg(test)]
mod tests;
mod text;

use std::borrow::Cow;
use std::sync::Arc;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{ToSql, ValueRef};
use rusqlite::{Connection, Error, Result};
use thiserror::Error as ThisError;

use super::{bind, interrupt};
use crate::catalog::type_name::{DECIMAL, Held, Origin};
use crate::catalog::{TypeKind, TypeName};
use crate::plan::value::{decimal, form};
use like::Case;

/// Why a function failed, as the text that SQLite hands on: code, colon, Postgres' message.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("{code}: {message}")]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) message: String,
}

/// Steps between two looks at the clock: some microseconds.
const STEPS: u32 = 4_096;

/// Counts the steps of a function that may take long: SQLite asks nobody whether its time is over while it runs.
#[derive(Debug, Default)]
struct Patience {
    steps: u32,
}

impl Patience {
    /// One more step.
    ///
    /// # Errors
    /// 57014 when the statement's time is over.
    fn step(&mut self) -> std::result::Result<(), Fault> {
        self.steps += 1;
        if self.steps < STEPS {
            return Ok(());
        }
        self.steps = 0;
        Self::look()
    }

    /// Looks at the clock.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    fn look() -> std::result::Result<(), Fault> {
        if !interrupt::is_due() {
            return Ok(());
        }
        Err(Fault { code: "57014", message: "canceling statement due to statement timeout".to_owned() })
    }
}

/// Adds the functions to a connection.
///
/// They touch nothing, so views and triggers may use them; all but those of [`session`](super::session) depend on their
/// arguments alone.
///
/// # Errors
/// What SQLite says when it takes no function, e.g. because a statement is running.
pub fn register(connection: &Connection) -> Result<()> {
    add(connection, "berth_like", |context| like_function(context, Case::Kept))?;
    add(connection, "berth_ilike", |context| like_function(context, Case::Folded))?;
    add(connection, "berth_match", |context| match_function(context, Case::Kept))?;
    add(connection, "berth_imatch", |context| match_function(context, Case::Folded))?;
    add(connection, "berth_json", |context| json_function(context, json::get))?;
    add(connection, "berth_json_text", |context| json_function(context, json::get_text))?;
    add(connection, "berth_has_key", key_function)?;
    add(connection, "berth_cast", cast::cast)?;
    add_of(connection, "berth_convert", 3, convert::convert)?;
    // Not deterministic: who asks is none of its arguments.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("berth_convert_here", 3, flags, convert::convert_here)?;
    add_of(connection, "berth_decimal", 1, |context| Ok(bind::print(context.get_raw(0), &TypeKind::NUMERIC)))?;
    add_of(connection, "berth_round", 1, |context| Ok(context.get::<Option<f64>>(0)?.map(f64::round_ties_even)))?;
    add(connection, "berth_decimal", scaled_function)?;
    connection.create_collation(DECIMAL, decimal::compare)?;
    add(connection, "berth_contains", |context| pair_function(context, containment::contains))?;
    add(connection, "berth_array_contains", |context| pair_function(context, containment::array_contains))?;
    add(connection, "berth_overlaps", |context| pair_function(context, containment::overlaps))?;
    add(connection, "berth_cell", cell::cell)?;
    arithmetic::register(connection)?;
    key::register(connection)?;
    only::register(connection)?;
    rows::register(connection)?;
    search::register(connection)?;
    super::session::register(connection)?;
    text::register(connection)?;
    array::register(connection)?;
    document::register(connection)?;
    moment::register(connection)?;
    sum::register(connection)
}

fn add<Answer: ToSql>(
    connection: &Connection,
    name: &str,
    function: impl Fn(&Context<'_>) -> Result<Answer> + Send + 'static,
) -> Result<()> {
    add_of(connection, name, 2, function)
}

fn add_of<Answer: ToSql>(
    connection: &Connection,
    name: &str,
    arguments: i32,
    function: impl Fn(&Context<'_>) -> Result<Answer> + Send + 'static,
) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function(name, arguments, flags, move |context| function(context))
}

pub(super) fn failed(fault: Fault) -> Error {
    Error::UserFunctionError(Box::new(fault))
}

/// The argument as text: numbers as SQLite shows them; `None` for null and for bytes, which have no text.
fn text(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value {
        ValueRef::Null | ValueRef::Blob(_) => None,
        ValueRef::Text(bytes) => Some(bind::text(bytes)),
        ValueRef::Integer(integer) => Some(Cow::Owned(integer.to_string())),
        ValueRef::Real(real) => {
            let mut printed = Vec::new();
            form::write_double(&mut printed, real);
            Some(Cow::Owned(String::from_utf8_lossy(&printed).into_owned()))
        }
    }
}

/// A decimal with a number of digits behind the point.
fn scaled_function(context: &Context<'_>) -> Result<Option<String>> {
    let scale = context.get::<u32>(1)?;
    Ok(bind::print(context.get_raw(0), &TypeKind::Numeric { precision: None, scale: Some(scale), held: Held::Text }))
}

fn like_function(context: &Context<'_>, case: Case) -> Result<Option<bool>> {
    let (Some(_), Some(subject)) = (text(context.get_raw(0)), text(context.get_raw(1))) else { return Ok(None) };
    // Kept by SQLite for the statement when the pattern is a constant or a bound value.
    let pattern = context.get_or_create_aux(0, |value| {
        let pattern = like::Pattern::new(&text(value).unwrap_or_default(), case).map_err(failed)?;
        Ok::<_, Error>(pattern)
    })?;
    pattern.is_match(&subject).map(Some).map_err(failed)
}

fn match_function(context: &Context<'_>, case: Case) -> Result<Option<bool>> {
    let (Some(_), Some(subject)) = (text(context.get_raw(0)), text(context.get_raw(1))) else { return Ok(None) };
    let pattern = context.get_or_create_aux(0, |value| {
        let pattern = pattern::Pattern::new(&text(value).unwrap_or_default(), case).map_err(failed)?;
        Ok::<_, Error>(pattern)
    })?;
    pattern.is_match(&subject).map(Some).map_err(failed)
}

/// The type that an argument names: a constant, which SQLite keeps for the statement.
fn type_at(context: &Context<'_>, place: i32) -> Result<Arc<TypeName>> {
    context.get_or_create_aux(place, |name: ValueRef<'_>| {
        Ok::<_, Error>(TypeName::parse(name.as_str().unwrap_or_default(), Origin::Postgres))
    })
}

/// An argument as JSON; `None` for null, and for what is no JSON.
fn argument(context: &Context<'_>, place: usize) -> Option<serde_json::Value> {
    text(context.get_raw(place)).and_then(|document| serde_json::from_str(&document).ok())
}

fn json_function(context: &Context<'_>, get: fn(&str, json::Operand<'_>) -> Option<String>) -> Result<Option<String>> {
    let Some(document) = text(context.get_raw(0)) else { return Ok(None) };
    Ok(match context.get_raw(1) {
        ValueRef::Integer(index) => get(&document, json::Operand::Index(index)),
        other @ (ValueRef::Null | ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_)) => {
            text(other).and_then(|key| get(&document, json::Operand::Key(&key)))
        }
    })
}

/// Whether the text is a member's name of an object, or an element of an array.
fn key_function(context: &Context<'_>) -> Result<Option<bool>> {
    Ok(argument(context, 0).zip(text(context.get_raw(1))).map(|(document, key)| has_key(&document, &key)))
}

/// Whether the text is a member's name, an element, or the document itself.
fn has_key(document: &serde_json::Value, key: &str) -> bool {
    match document {
        serde_json::Value::Object(members) => members.contains_key(key),
        serde_json::Value::Array(elements) => elements.iter().any(|element| element.as_str() == Some(key)),
        serde_json::Value::String(text) => text == key,
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => false,
    }
}

fn pair_function<Answer>(
    context: &Context<'_>,
    answer: fn(&serde_json::Value, &serde_json::Value) -> Answer,
) -> Result<Option<Answer>> {
    Ok(argument(context, 0).zip(argument(context, 1)).map(|(left, right)| answer(&left, &right)))
}
