//! Media types whose bodies code of the database makes (Postgres only).
//!
//! A domain that is called like a media type (`CREATE DOMAIN "image/png" AS bytea`) stands for it: a function that
//! returns the domain gives the body, and an aggregate that does makes one of rows. `*/*` stands for any media type.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/media_type_handlers.html>.

use std::collections::BTreeMap;

use super::QualifiedName;

/// What a body is made of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum BodySource {
    /// Rows of any table.
    AnyRows,
    /// Rows of this table, view or composite type.
    Rows(QualifiedName),
    /// What this function gives.
    Function(QualifiedName),
}

/// The media types that a database makes by itself, in lower case, with the aggregate that does; a function's value is
/// the body, so it needs none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MediaHandlers {
    /// By what the body is made of.
    pub by_source: BTreeMap<BodySource, BTreeMap<String, Option<QualifiedName>>>,
    /// `ST_AsGeoJSON` of `PostGIS` is there.
    pub has_geojson: bool,
}

impl MediaHandlers {
    /// What makes a body of that media type; `None` when nothing does.
    #[must_use]
    pub fn find(&self, source: &BodySource, media: &str) -> Option<&Option<QualifiedName>> {
        self.by_source.get(source)?.get(media)
    }
}
