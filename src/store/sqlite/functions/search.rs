//! Text search. Documents and queries are text, in Postgres' form.
//!
//! | function | Postgres |
//! |---|---|
//! | `berth_to_tsvector(configuration, text)` | `to_tsvector(configuration, text)` |
//! | `berth_json_to_tsvector(configuration, json)` | `to_tsvector(configuration, json)` |
//! | `berth_to_tsquery(configuration, text)` and its like | `to_tsquery(configuration, text)` |
//! | `berth_ts_match(tsvector, tsquery)` | `tsvector @@ tsquery` |
//! | `berth_setweight(tsvector, letter)` | `setweight(tsvector, letter)` |
//! | `berth_ts_join(tsvector, tsvector)` | `tsvector || tsvector` |
//! | `berth_ts_words(tsvector)` | none: what an index of FTS5 takes, see `search::index` |

use rusqlite::functions::Context;
use rusqlite::{Connection, Result};

use super::{Fault, add, add_of, failed, text};
use crate::search::{self, Configuration, Form, Query, Vector, Weight, index};

impl From<search::Error> for Fault {
    fn from(error: search::Error) -> Self {
        Self { code: error.code, message: error.message }
    }
}

/// Adds the functions to a connection.
pub(super) fn register(connection: &Connection) -> Result<()> {
    add(connection, "berth_to_tsvector", |context| of_text(context, Configuration::vector))?;
    add(connection, "berth_json_to_tsvector", |context| of_text(context, of_json))?;
    for (name, form) in [
        ("berth_to_tsquery", Form::Query),
        ("berth_plainto_tsquery", Form::Plain),
        ("berth_phraseto_tsquery", Form::Phrase),
        ("berth_websearch_to_tsquery", Form::WebSearch),
    ] {
        add(connection, name, move |context| query(context, form))?;
    }
    add(connection, "berth_ts_match", matches)?;
    add(connection, "berth_setweight", set_weight)?;
    add(connection, "berth_ts_join", join)?;
    add_of(connection, "berth_ts_words", 1, |context| Ok(vector(context, 0)?.map(|vector| index::document(&vector))))
}

/// The configuration that the first argument names; kept by SQLite for the statement, in which it is a constant.
fn configuration(context: &Context<'_>) -> Result<Option<Configuration>> {
    if text(context.get_raw(0)).is_none() {
        return Ok(None);
    }
    let named = context.get_or_create_aux(0, |name| {
        Configuration::named(&text(name).unwrap_or_default()).map_err(|error| failed(error.into()))
    })?;
    Ok(Some(*named))
}

fn of_text(context: &Context<'_>, words: fn(Configuration, &str) -> Vector) -> Result<Option<String>> {
    let (Some(configuration), Some(text)) = (configuration(context)?, text(context.get_raw(1))) else {
        return Ok(None);
    };
    Ok(Some(words(configuration, &text).to_string()))
}

/// What the strings of a document are found by; its keys, numbers and booleans are no words.
fn of_json(configuration: Configuration, document: &str) -> Vector {
    let document: serde_json::Value = serde_json::from_str(document).unwrap_or_default();
    let mut strings = Vec::new();
    add_strings(&document, &mut strings);
    configuration.vector_of_all(strings)
}

/// Calls itself for what is nested; the parser of JSON has bounded the depth.
fn add_strings<'a>(document: &'a serde_json::Value, strings: &mut Vec<&'a str>) {
    match document {
        serde_json::Value::String(text) => strings.push(text),
        serde_json::Value::Array(elements) => elements.iter().for_each(|element| add_strings(element, strings)),
        serde_json::Value::Object(members) => members.values().for_each(|member| add_strings(member, strings)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

fn query(context: &Context<'_>, form: Form) -> Result<Option<String>> {
    let (Some(configuration), Some(text)) = (configuration(context)?, text(context.get_raw(1))) else {
        return Ok(None);
    };
    let read = Query::read(form, configuration, &text).map_err(|error| failed(error.into()))?;
    Ok(Some(read.to_string()))
}

fn matches(context: &Context<'_>) -> Result<Option<bool>> {
    let (Some(vector), Some(_)) = (vector(context, 0)?, text(context.get_raw(1))) else { return Ok(None) };
    let query = context.get_or_create_aux(1, |query| {
        Query::of_lexemes(&text(query).unwrap_or_default()).map_err(|error| failed(error.into()))
    })?;
    Ok(Some(query.matches(&vector)))
}

fn set_weight(context: &Context<'_>) -> Result<Option<String>> {
    let (Some(vector), Some(letter)) = (vector(context, 0)?, text(context.get_raw(1))) else { return Ok(None) };
    let mut letters = letter.chars();
    let weight = letters.next().and_then(Weight::of).filter(|_| letters.next().is_none());
    let Some(weight) = weight else {
        let code = letter.bytes().next().unwrap_or_default();
        return Err(failed(Fault { code: "22023", message: format!("unrecognized weight: {code}") }));
    };
    Ok(Some(vector.with_weight(weight).to_string()))
}

fn join(context: &Context<'_>) -> Result<Option<String>> {
    let (Some(first), Some(second)) = (vector(context, 0)?, vector(context, 1)?) else { return Ok(None) };
    Ok(Some(first.joined(second).to_string()))
}

/// The argument as a document; `None` for null.
fn vector(context: &Context<'_>, argument: usize) -> Result<Option<Vector>> {
    let Some(text) = text(context.get_raw(argument)) else { return Ok(None) };
    Vector::read(&text).map(Some).map_err(|error| failed(error.into()))
}
