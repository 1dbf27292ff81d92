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
//! | `berth_ts_strip(tsvector)`, `berth_ts_length(tsvector)` | `strip(tsvector)`, `length(tsvector)` |
//! | `berth_ts_rank(weights, tsvector, tsquery, normalization)` | `ts_rank` of the same; the weights are an array as JSON, or nothing |
//! | `berth_ts_rank_cd` of the same | `ts_rank_cd` |
//! | `berth_ts_headline(configuration, text, tsquery, options)` | `ts_headline` of the same |
//! | `berth_tsquery(text)` | `text::tsquery` |
//! | `berth_ts_and(tsquery, tsquery)`, `berth_ts_or` | `tsquery && tsquery`, `tsquery || tsquery` |
//! | `berth_ts_not(tsquery)` | `!! tsquery` |
//! | `berth_ts_words(tsvector)` | none: what an index of FTS5 takes, see `search::index` |

use std::sync::Arc;

use rusqlite::functions::Context;
use rusqlite::{Connection, Result};

use super::{Fault, Patience, add, add_of, failed, text};
use crate::search::headline::{self, Options};
use crate::search::rank::{self, Normalization, Weights};
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
    add_of(connection, "berth_ts_strip", 1, |context| Ok(vector(context, 0)?.map(|of| of.stripped().to_string())))?;
    add_of(connection, "berth_ts_length", 1, |context| Ok(vector(context, 0)?.map(|of| word_count(&of))))?;
    add_of(connection, "berth_ts_rank", 4, |context| {
        rank(context, |weights, vector, query, normalization| Ok(rank::rank(weights, vector, query, normalization)))
    })?;
    add_of(connection, "berth_ts_rank_cd", 4, |context| rank(context, rank_by_covers))?;
    add_of(connection, "berth_ts_headline", 4, shown)?;
    add_of(connection, "berth_tsquery", 1, |context| combined(context, |[query]| query))?;
    add_of(connection, "berth_ts_not", 1, |context| combined(context, |[query]| query.denied()))?;
    add(connection, "berth_ts_and", |context| combined(context, |[one, other]| one.and(other)))?;
    add(connection, "berth_ts_or", |context| combined(context, |[one, other]| one.or(other)))?;
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
    Ok(Some(read_query(context, 1)?.matches(&vector)))
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

/// How well a document fits a query, by one of the two ways to tell.
fn rank(
    context: &Context<'_>,
    rank: fn(&Weights, &Vector, &Query, Normalization) -> std::result::Result<f32, Fault>,
) -> Result<Option<f64>> {
    let (Some(vector), Some(_)) = (vector(context, 1)?, text(context.get_raw(2))) else { return Ok(None) };
    if text(context.get_raw(0)).is_none() {
        return Ok(None);
    }
    let weights = context.get_or_create_aux(0, |given| match text(given).unwrap_or_default() {
        none if none.is_empty() => Ok(Weights::default()),
        weights => weights_of(&weights).map_err(|error| failed(error.into())),
    })?;
    let Some(normalization) = context.get::<Option<i64>>(3)? else { return Ok(None) };
    let rank = rank(&weights, &vector, &*read_query(context, 2)?, Normalization(normalization)).map_err(failed)?;
    Ok(Some(f64::from(rank)))
}

fn rank_by_covers(
    weights: &Weights,
    vector: &Vector,
    query: &Query,
    normalization: Normalization,
) -> std::result::Result<f32, Fault> {
    let mut patience = Patience::default();
    rank::rank_by_covers(weights, vector, query, normalization, &mut || patience.step())
}

fn word_count(vector: &Vector) -> i64 {
    i64::try_from(vector.words().count()).unwrap_or(i64::MAX)
}

/// Weights as an array in JSON.
fn weights_of(json: &str) -> std::result::Result<Weights, search::Error> {
    Weights::new(&serde_json::from_str::<Vec<Option<f32>>>(json).unwrap_or_default())
}

/// The part of a text that shows why it is found.
fn shown(context: &Context<'_>) -> Result<Option<String>> {
    let (Some(configuration), Some(document)) = (configuration(context)?, text(context.get_raw(1))) else {
        return Ok(None);
    };
    let (Some(_), Some(_)) = (text(context.get_raw(2)), text(context.get_raw(3))) else { return Ok(None) };
    let query = read_query(context, 2)?;
    let options = context.get_or_create_aux(3, |options| {
        Options::read(&text(options).unwrap_or_default()).map_err(|error| failed(error.into()))
    })?;
    let mut patience = Patience::default();
    let shown = headline::headline(configuration, &document, &query, &options, &mut || patience.step());
    shown.map(Some).map_err(failed)
}

/// Makes a query of others.
fn combined<const COUNT: usize>(context: &Context<'_>, combine: fn([Query; COUNT]) -> Query) -> Result<Option<String>> {
    let mut queries = Vec::with_capacity(COUNT);
    for argument in 0..COUNT {
        let Some(text) = text(context.get_raw(argument)) else { return Ok(None) };
        queries.push(Query::of_lexemes(&text).map_err(|error| failed(error.into()))?);
    }
    Ok(<[Query; COUNT]>::try_from(queries).ok().map(|queries| combine(queries).to_string()))
}

/// The argument as a query; kept by SQLite where it is a constant.
fn read_query(context: &Context<'_>, argument: i32) -> Result<Arc<Query>> {
    context.get_or_create_aux(argument, |query| {
        Query::of_lexemes(&text(query).unwrap_or_default()).map_err(|error| failed(error.into()))
    })
}

/// The argument as a document; `None` for null.
fn vector(context: &Context<'_>, argument: usize) -> Result<Option<Vector>> {
    let Some(text) = text(context.get_raw(argument)) else { return Ok(None) };
    Vector::read(&text).map(Some).map_err(|error| failed(error.into()))
}
