//! How a call of a function brings its arguments.
//!
//! | verb | body | arguments |
//! |---|---|---|
//! | `GET`, `HEAD` | none | parameters of the query string that have no operator |
//! | `POST` | a form | its pairs |
//! | `POST` | JSON or CSV | the members of the object, of an array those of its first object |
//! | `POST` | `text/plain`, `text/xml`, `application/octet-stream` | none but the body itself |
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/functions.html>

use std::collections::BTreeSet;

use bytes::Bytes;

use super::method::Method;
use super::payload::Rows;
use super::{MediaType, Payload, Request};

/// What a call gives to a function.
#[derive(Debug, Clone)]
pub enum Arguments {
    /// Names and texts in order; a name may come again.
    Texts(Vec<(String, String)>),
    /// Members of JSON objects.
    Members(Rows),
    /// The body as it is.
    Body(Bytes),
}

/// What may be passed whole to a function's only parameter, when that has no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// A JSON body, as `json` or `jsonb`.
    Json,
    /// A `text/plain` body, as `text`.
    Text,
    /// A `text/xml` body, as `xml`.
    Xml,
    /// An `application/octet-stream` body, as `bytea`.
    Bytes,
}

impl Arguments {
    /// Takes the arguments out of a request.
    #[must_use]
    pub fn take(request: &mut Request) -> Self {
        let texts = std::mem::take(&mut request.arguments);
        match request.payload.take() {
            Some(Payload::Rows(rows)) if request.content != MediaType::UrlEncoded => Self::Members(rows),
            Some(Payload::Bytes(body)) => Self::Body(body),
            Some(Payload::Rows(_)) | None => Self::Texts(texts),
        }
    }

    /// The names of the arguments, sorted.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        match self {
            Self::Texts(texts) => texts.iter().map(|(name, _)| name.clone()).collect(),
            Self::Members(rows) => rows.keys.iter().cloned().collect(),
            Self::Body(_) => BTreeSet::new(),
        }
    }
}

impl Whole {
    /// What the body of a request may be passed as; `None` for what has names in any case.
    #[must_use]
    pub fn of(request: &Request) -> Option<Self> {
        match (request.method, &request.content) {
            (Method::Post, MediaType::Json) => Some(Self::Json),
            (Method::Post, MediaType::Text) => Some(Self::Text),
            (Method::Post, MediaType::Xml) => Some(Self::Xml),
            (Method::Post, MediaType::OctetStream) => Some(Self::Bytes),
            (_, _) => None,
        }
    }
}
