//! The body of a write or a call.

use bytes::Bytes;
use serde_json::value::RawValue;

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
