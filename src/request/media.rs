//! Media types: what a sender takes and what a body is.

/// A media type berth knows by name, or any other by its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `*/*`, also the meaning of no `Accept` header.
    Any,
    /// `application/json`.
    Json,
    /// `application/vnd.pgrst.array+json`; with nulls left out when `nulls=stripped`.
    ArrayJson {
        /// Members that are null are left out.
        strip_nulls: bool,
    },
    /// `application/vnd.pgrst.object+json`: one row, as an object.
    ObjectJson {
        /// Members that are null are left out.
        strip_nulls: bool,
    },
    /// `application/geo+json`.
    GeoJson,
    /// `text/csv`.
    Csv,
    /// `text/plain`.
    Text,
    /// `text/xml`.
    Xml,
    /// `application/openapi+json`.
    OpenApi,
    /// `application/x-www-form-urlencoded`.
    UrlEncoded,
    /// `application/octet-stream`.
    OctetStream,
    /// `application/vnd.pgrst.plan`: how the engine would run it.
    Plan {
        /// The media type whose query is explained.
        of: Box<MediaType>,
        /// `+json` or `+text`.
        json: bool,
        /// `analyze`, `verbose`, `settings`, `buffers`, `wal`.
        options: Vec<String>,
    },
    /// Anything else, as sent (without parameters, lower case).
    Other(String),
}
