//! The body of a write or a call.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/tables_views.html#insert>

use bytes::Bytes;
use serde_json::{Map, Value};
use serde_json::value::RawValue;

use super::{Error, MediaType, Resource};

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
    pub json: Box<RawValue>,
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

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rows(a), Self::Rows(b)) => a.json.get() == b.json.get() && a.keys == b.keys,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Rows(_), Self::Bytes(_)) | (Self::Bytes(_), Self::Rows(_)) => false,
        }
    }
}

/// Most columns of a CSV body: SQLite's default bound on the columns of a table is 2000.
const MAX_CSV_COLUMNS: usize = 2_000;

impl Payload {
    /// Reads a body. `columns`: the value of `columns=`, which makes up for objects with different keys.
    ///
    /// # Errors
    /// [`Error::InvalidBody`], with the text that `PostgREST` has for it.
    pub(super) fn parse(
        body: &Bytes,
        media: &MediaType,
        resource: &Resource,
        columns: Option<&[String]>,
    ) -> Result<Self, Error> {
        let is_call = matches!(resource, Resource::Function(_));
        match media {
            MediaType::Json => Rows::from_json(body, is_call, columns).map(Self::Rows),
            MediaType::Csv => Rows::from_csv(body, columns).map(Self::Rows),
            MediaType::UrlEncoded => Rows::from_form(body, columns).map(Self::Rows),
            MediaType::Text | MediaType::Xml | MediaType::OctetStream if is_call => Ok(Self::Bytes(body.clone())),
            MediaType::Any
            | MediaType::ArrayJson { .. }
            | MediaType::ObjectJson { .. }
            | MediaType::GeoJson
            | MediaType::Text
            | MediaType::Xml
            | MediaType::OpenApi
            | MediaType::OctetStream
            | MediaType::Plan { .. }
            | MediaType::Other(_) => Err(invalid(&format!("Content-Type not acceptable: {}", media.name()))),
        }
    }
}

impl Rows {
    fn from_json(body: &Bytes, is_call: bool, columns: Option<&[String]>) -> Result<Self, Error> {
        if body.is_empty() && is_call {
            return Self::new(Shape::Object, vec![Map::new()], "{}".to_owned(), columns);
        }
        let unreadable = || invalid("Empty or invalid json");
        let text = std::str::from_utf8(body).map_err(|_| unreadable())?;
        let (shape, objects) = match serde_json::from_str(text).map_err(|_| unreadable())? {
            Value::Object(object) => (Shape::Object, vec![object]),
            Value::Array(elements) => (Shape::Array, elements.into_iter().map(object).collect::<Result<_, _>>()?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return Err(unmatched()),
        };
        Self::new(shape, objects, text.to_owned(), columns)
    }

    fn from_csv(body: &Bytes, columns: Option<&[String]>) -> Result<Self, Error> {
        let mut reader = csv::ReaderBuilder::new().from_reader(body.as_ref());
        let uneven = || invalid("All lines must have same number of fields");
        let header = reader.headers().map_err(|_| invalid("Empty or invalid csv"))?.clone();
        if header.is_empty() || header.len() > MAX_CSV_COLUMNS {
            return Err(invalid("Empty or invalid csv"));
        }
        let mut objects = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|_| uneven())?;
            let cells = header.iter().zip(record.iter()).map(|(name, cell)| {
                let value = if cell == "NULL" { Value::Null } else { Value::String(cell.to_owned()) };
                (name.to_owned(), value)
            });
            objects.push(cells.collect());
        }
        Self::from_objects(Shape::Array, objects, columns)
    }

    fn from_form(body: &Bytes, columns: Option<&[String]>) -> Result<Self, Error> {
        let object = form_urlencoded::parse(body)
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect();
        Self::from_objects(Shape::Object, vec![object], columns)
    }

    /// For bodies that are not JSON: the JSON text is written from the objects.
    fn from_objects(shape: Shape, objects: Vec<Map<String, Value>>, columns: Option<&[String]>) -> Result<Self, Error> {
        let json = match (shape, objects.as_slice()) {
            (Shape::Object, [object]) => serde_json::to_string(object),
            _ => serde_json::to_string(&objects),
        };
        Self::new(shape, objects, json.map_err(|_| invalid("Empty or invalid json"))?, columns)
    }

    fn new(
        shape: Shape,
        objects: Vec<Map<String, Value>>,
        json: String,
        columns: Option<&[String]>,
    ) -> Result<Self, Error> {
        let keys = match (columns, objects.first()) {
            (Some(columns), _) => columns.to_vec(),
            (None, Some(first)) => {
                let same = |other: &Map<String, Value>| {
                    other.len() == first.len() && other.keys().all(|key| first.contains_key(key))
                };
                if !objects.iter().all(same) {
                    return Err(unmatched());
                }
                first.keys().cloned().collect()
            }
            (None, None) => Vec::new(),
        };
        let json = RawValue::from_string(json).map_err(|_| invalid("Empty or invalid json"))?;
        Ok(Self { json, shape, objects, keys })
    }
}

fn object(value: Value) -> Result<Map<String, Value>, Error> {
    match value {
        Value::Object(object) => Ok(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(unmatched()),
    }
}

fn unmatched() -> Error {
    invalid("All object keys must match")
}

fn invalid(text: &str) -> Error {
    Error::InvalidBody(text.to_owned())
}
