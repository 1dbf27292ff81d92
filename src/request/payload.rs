//! The body of a write or a call.
//!
//! | media type | to a relation | to a function |
//! |---|---|---|
//! | JSON, also without `Content-Type` | an object, or an array of objects with equal keys | the same; empty is `{}` |
//! | `application/x-ndjson` | an array; an object on each line, lines of white space are none | refused |
//! | `text/csv` | an array; the first line names the keys, `NULL` is null, all else text | the same |
//! | `application/x-www-form-urlencoded` | one object of texts | arguments |
//! | `text/plain`, `text/xml`, `application/octet-stream` | refused | kept as they are |
//!
//! `columns=` says which keys count, so that the objects of an array need not have the same ones. Any other JSON value
//! counts as `[]`. An empty array has no rows; `[{}]` has one row of nothing but defaults.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::{Error, MediaType, Resource, query};

/// A body, read as its media type says.
#[derive(Debug, Clone)]
pub enum Payload {
    /// JSON objects, all with the same keys unless `columns=` was given; also what CSV and forms become.
    Rows(Rows),
    /// The body of a call with one unnamed parameter, or with a media type that is not JSON.
    Bytes(Bytes),
}

/// The objects of a JSON body.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The body as JSON text.
    pub json: String,
    /// Whether the body was one object or an array of them.
    pub shape: Shape,
    /// The objects; a member's value is kept as JSON.
    pub objects: Vec<serde_json::Map<String, serde_json::Value>>,
    /// Keys of the first object, in its order; with `columns=` the columns named there.
    pub keys: Vec<String>,
}

/// One object or an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `{…}`
    Object,
    /// `[{…}, …]`
    Array,
}

/// What a request says about its body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope<'a> {
    pub(super) media: &'a MediaType,
    pub(super) resource: &'a Resource,
    /// `columns=`, where it says which keys count: not on `PUT`.
    pub(super) columns: Option<&'a [String]>,
}

/// The pairs of a form, in order; a key may come again.
pub(super) type Pairs = Vec<(String, String)>;

impl Payload {
    /// Reads a body. The pairs are those of a form sent to a function; empty otherwise.
    ///
    /// # Errors
    /// [`Error::InvalidBody`] in `PostgREST`'s words.
    pub(super) fn parse(body: &Bytes, envelope: Envelope<'_>) -> Result<(Self, Pairs), Error> {
        let is_call = matches!(envelope.resource, Resource::Function(_));
        match (envelope.media, is_call) {
            (MediaType::Json, true) if body.is_empty() && envelope.columns.is_none() => {
                Ok((Self::Rows(Rows::parse_json(b"{}", None)?), Vec::new()))
            }
            (MediaType::Json, _) => Ok((Self::Rows(Rows::parse_json(body, envelope.columns)?), Vec::new())),
            (MediaType::NdJson, false) => Ok((Self::Rows(Rows::parse_lines(body, envelope.columns)?), Vec::new())),
            (MediaType::Csv, _) => Ok((Self::Rows(Rows::parse_csv(body)?), Vec::new())),
            (MediaType::UrlEncoded, _) => {
                let pairs = form(body)?;
                let rows = Self::Rows(Rows::of_pairs(&pairs)?);
                Ok((rows, if is_call { pairs } else { Vec::new() }))
            }
            (MediaType::Text | MediaType::Xml | MediaType::OctetStream, true) => {
                Ok((Self::Bytes(body.clone()), Vec::new()))
            }
            (other, _) => Err(Error::InvalidBody(format!("Content-Type not acceptable: {other}"))),
        }
    }
}

impl Rows {
    fn parse_json(body: &[u8], columns: Option<&[String]>) -> Result<Self, Error> {
        let unreadable = || Error::InvalidBody("Empty or invalid json".to_owned());
        let value: Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
        let json = str::from_utf8(body.trim_ascii()).map_err(|_| unreadable())?.to_owned();
        let (shape, objects) = match value {
            Value::Object(object) => (Shape::Object, vec![object]),
            Value::Array(items) => (Shape::Array, only_objects(items)?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Self::of_objects(Vec::new()),
        };
        let keys = match columns {
            Some(columns) => columns.to_vec(),
            None => uniform_keys(&objects)?,
        };
        Ok(Self { json, shape, objects, keys })
    }

    fn parse_lines(body: &[u8], columns: Option<&[String]>) -> Result<Self, Error> {
        let mut json = Vec::with_capacity(body.len().saturating_add(2));
        let mut objects: Vec<Map<String, Value>> = Vec::new();
        let lines = body.split(|byte| *byte == b'\n').zip(1_u64..);
        for (line, number) in lines.filter(|(line, _)| !line.trim_ascii().is_empty()) {
            let object: Map<String, Value> = serde_json::from_slice(line)
                .map_err(|_| Error::InvalidBody(format!("line {number} of the body is no JSON object")))?;
            let differs = |first: &Map<String, Value>| !has_same_keys(first, &object);
            if columns.is_none() && objects.first().is_some_and(differs) {
                return Err(Error::InvalidBody(format!("All object keys must match; those of line {number} do not")));
            }
            json.push(if objects.is_empty() { b'[' } else { b',' });
            json.extend_from_slice(line.trim_ascii());
            objects.push(object);
        }
        if objects.is_empty() {
            json.push(b'[');
        }
        json.push(b']');
        let json = String::from_utf8(json).map_err(|_| Error::InvalidBody("the body is not UTF-8".to_owned()))?;
        let first_keys = || objects.first().map(|object| object.keys().cloned().collect()).unwrap_or_default();
        let keys = columns.map_or_else(first_keys, <[String]>::to_vec);
        Ok(Self { json, shape: Shape::Array, objects, keys })
    }

    fn parse_csv(body: &[u8]) -> Result<Self, Error> {
        let unreadable = |error: csv::Error| Error::InvalidBody(format!("invalid csv: {error}"));
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(body);
        let headers = reader.headers().map_err(unreadable)?.clone();
        if headers.is_empty() {
            return Err(Error::InvalidBody("parse error (not enough input) at \"\"".to_owned()));
        }
        let mut objects: Vec<Map<String, Value>> = Vec::new();
        for record in reader.records() {
            let record = record.map_err(unreadable)?;
            let cell = |text: &str| if text == "NULL" { Value::Null } else { Value::String(text.to_owned()) };
            objects.push(headers.iter().zip(&record).map(|(name, text)| (name.to_owned(), cell(text))).collect());
        }
        if objects.windows(2).any(|pair| matches!(pair, [one, other] if one.len() != other.len())) {
            return Err(Error::InvalidBody("All lines must have same number of fields".to_owned()));
        }
        Self::of_objects(objects)
    }

    /// One object; the last of several pairs with the same key counts.
    fn of_pairs(pairs: &[(String, String)]) -> Result<Self, Error> {
        let object = pairs.iter().map(|(key, value)| (key.clone(), Value::String(value.clone()))).collect();
        Ok(Self { shape: Shape::Object, json: text_of(&object)?, ..Self::of_objects(vec![object])? })
    }

    /// An array of objects that have the same keys.
    fn of_objects(objects: Vec<Map<String, Value>>) -> Result<Self, Error> {
        let json = text_of(&objects)?;
        let keys = objects.first().map(|object| object.keys().cloned().collect()).unwrap_or_default();
        Ok(Self { json, shape: Shape::Array, objects, keys })
    }
}

fn text_of(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::InvalidBody(error.to_string()))
}

fn keys_differ() -> Error {
    Error::InvalidBody("All object keys must match".to_owned())
}

fn only_objects(items: Vec<Value>) -> Result<Vec<Map<String, Value>>, Error> {
    let object = |item| match item {
        Value::Object(object) => Ok(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(keys_differ()),
    };
    items.into_iter().map(object).collect()
}

/// The keys that all objects have, in the order of the first.
fn uniform_keys(objects: &[Map<String, Value>]) -> Result<Vec<String>, Error> {
    let Some((first, others)) = objects.split_first() else { return Ok(Vec::new()) };
    if others.iter().all(|object| has_same_keys(first, object)) {
        Ok(first.keys().cloned().collect())
    } else {
        Err(keys_differ())
    }
}

fn has_same_keys(first: &Map<String, Value>, object: &Map<String, Value>) -> bool {
    object.len() == first.len() && object.keys().all(|key| first.contains_key(key))
}

fn form(body: &[u8]) -> Result<Pairs, Error> {
    let unreadable = || Error::InvalidBody("invalid form: not UTF-8".to_owned());
    let text = std::str::from_utf8(body).map_err(|_| unreadable())?;
    let pairs = query::pairs(text)
        .map_err(|error| if matches!(error, Error::QueryParameter { .. }) { unreadable() } else { error })?;
    Ok(pairs.into_iter().map(|(key, value)| (key.into_owned(), value.unwrap_or_default().into_owned())).collect())
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rows(a), Self::Rows(b)) => a.json == b.json && a.keys == b.keys,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Rows(_), Self::Bytes(_)) | (Self::Bytes(_), Self::Rows(_)) => false,
        }
    }
}
