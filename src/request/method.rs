//! Verbs, paths and what they address.

/// The verb of a request to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Read.
    Get,
    /// Read, headers only.
    Head,
    /// Insert, or call a function.
    Post,
    /// Upsert one row.
    Put,
    /// Update.
    Patch,
    /// Delete.
    Delete,
    /// Ask what may be done.
    Options,
}

/// What a path addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// `/`: the description of everything.
    Root,
    /// `/{table}`.
    Relation(String),
    /// `/rpc/{function}`.
    Function(String),
}
