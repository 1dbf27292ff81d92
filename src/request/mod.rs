//! From the bytes of an HTTP request to what its sender wants, without knowing any schema.
//!
//! [`Raw`] is what arrived; [`Request::parse`] reads it. Nothing says yet that the wish makes sense: tables, columns
//! and types are looked up by planning. Start at [`Request`]; each file beside this one reads one part of it.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/url_grammar.html>

pub mod batch;
pub mod call;
pub mod digest;
pub mod distinct;
pub mod error;
mod fault;
mod field;
pub mod filter;
mod lex;
mod logic;
pub mod media;
pub mod method;
pub mod once;
pub mod order;
pub mod origin;
mod parameter;
mod parse;
pub mod payload;
pub mod prefer;
mod query;
pub mod range;
pub mod seek;
pub mod select;
pub mod tag;
#[cfg(test)]
mod tests;

use bytes::Bytes;

pub use batch::Batch;
pub use distinct::Distinct;
pub use error::Error;
pub use filter::{EmbedPath, Field, Filter, LogicTree};
pub use media::MediaType;
pub use method::{Method, Resource};
pub use once::Once;
pub use order::OrderTerm;
pub use origin::Origin;
pub use payload::Payload;
pub use prefer::Preferences;
pub use range::Range;
pub use seek::Seek;
pub use select::SelectItem;
pub use tag::{Conditions, Tag};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Raw {
    /// The verb as sent, e.g. `GET`.
    pub method: String,
    /// The path, percent-encoded, without the query, e.g. `/rest/v1/films`.
    pub path: String,
    /// What stands behind `?`, percent-encoded; empty without one.
    pub query: String,
    /// Header names in lower case with their values, in order of arrival.
    pub headers: Vec<(String, String)>,
    /// The body, at most `MAX_BODY` bytes.
    pub body: Bytes,
}

impl Raw {
    /// The first header of that lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The read of the address that a write is sent to: what the conditions on the write are about.
    #[must_use]
    pub fn reading(&self) -> Self {
        let profile = self.header("content-profile").map(|schema| ("accept-profile".to_owned(), schema.to_owned()));
        Self {
            method: "GET".to_owned(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers: profile.into_iter().collect(),
            body: Bytes::new(),
        }
    }
}

/// What the sender wants.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The verb.
    pub method: Method,
    /// What it is applied to.
    pub resource: Resource,
    /// `Accept-Profile` (reads) or `Content-Profile` (writes), when sent.
    pub profile: Option<String>,
    /// `select=`; `*` without one.
    pub select: Vec<SelectItem>,
    /// `column=operator.value` with the embed it belongs to; all must hold.
    pub filters: Vec<(EmbedPath, Filter)>,
    /// `and=` and `or=` with the embed they belong to; all must hold.
    pub logic: Vec<(EmbedPath, LogicTree)>,
    /// `order=` per embed.
    pub order: Vec<(EmbedPath, Vec<OrderTerm>)>,
    /// Which rows count as the same, and are given once; `None`: each is given.
    pub distinct: Option<Distinct>,
    /// A page by the keys of its rows.
    pub seek: Option<Seek>,
    /// Rows wanted of the top level: `limit`, `offset` and the `Range` header together.
    pub range: Range,
    /// `limit` and `offset` of embeds.
    pub embed_ranges: Vec<(EmbedPath, Range)>,
    /// `columns=`, for writes.
    pub columns: Option<Vec<String>>,
    /// `on_conflict=`, for upserts.
    pub on_conflict: Option<Vec<String>>,
    /// What the body is said to be; JSON when nothing is said.
    pub content: MediaType,
    /// The body, for verbs that take one.
    pub payload: Option<Payload>,
    /// Arguments of a function, by name, in order: query parameters without an operator when it is called by `GET`, the
    /// pairs of a form when by `POST`. A name may come again.
    pub arguments: Vec<(String, String)>,
    /// The `Prefer` headers.
    pub preferences: Preferences,
    /// Media types the sender takes, best first; [`MediaType::Any`] without an `Accept` header.
    pub accept: Vec<MediaType>,
    /// Parameters sorted by name and encoded afresh: the `Content-Location` of the answer.
    pub canonical_query: String,
}
