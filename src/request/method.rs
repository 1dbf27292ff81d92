//! Verbs, paths and what they address.
//!
//! ```text
//! path = [ "/rest/v1" ] ( "" / "/" / "/" table / "/rpc/" function )
//! ```
//!
//! `table` and `function` are one percent-encoded segment each. The prefix is where supabase-js looks.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::Error;

/// Where supabase-js expects the API.
const SUPABASE_PREFIX: &str = "/rest/v1";

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

impl Resource {
    /// Reads a percent-encoded path.
    ///
    /// # Errors
    /// [`Error::InvalidPath`] for any other number of segments, an empty one, or one that is not UTF-8 text.
    pub(super) fn parse(path: &str) -> Result<Self, Error> {
        let path = match path.strip_prefix(SUPABASE_PREFIX) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
            Some(_) | None => path,
        };
        let path = path.strip_prefix('/').unwrap_or(path);
        if path.is_empty() {
            return Ok(Self::Root);
        }
        match path.split_once('/') {
            None => segment(path).map(Self::Relation),
            Some(("rpc", function)) if !function.contains('/') => segment(function).map(Self::Function),
            Some(_) => Err(Error::InvalidPath),
        }
    }
}

/// One segment decoded; no name in a database is empty or has a NUL.
fn segment(encoded: &str) -> Result<String, Error> {
    let name = percent_decode_str(encoded).decode_utf8().map(Cow::into_owned).map_err(|_| Error::InvalidPath)?;
    if name.is_empty() || name.contains('\0') { Err(Error::InvalidPath) } else { Ok(name) }
}

impl Method {
    /// Reads a verb that is sent to `resource`.
    ///
    /// # Errors
    /// [`Error::InvalidFunctionMethod`] for what functions do not take, [`Error::UnsupportedMethod`] for what
    /// relations or the root do not take.
    pub(super) fn parse(verb: &str, resource: &Resource) -> Result<Self, Error> {
        let method = match verb {
            "GET" => Some(Self::Get),
            "HEAD" => Some(Self::Head),
            "POST" => Some(Self::Post),
            "PUT" => Some(Self::Put),
            "PATCH" => Some(Self::Patch),
            "DELETE" => Some(Self::Delete),
            "OPTIONS" => Some(Self::Options),
            _ => None,
        };
        match (resource, method) {
            (_, Some(method @ (Self::Get | Self::Head | Self::Options))) => Ok(method),
            (Resource::Function(_) | Resource::Relation(_), Some(Self::Post)) => Ok(Self::Post),
            (Resource::Relation(_), Some(method)) => Ok(method),
            (Resource::Function(_), _) => Err(Error::InvalidFunctionMethod(verb.to_owned())),
            (Resource::Relation(_) | Resource::Root, _) => Err(Error::UnsupportedMethod(verb.to_owned())),
        }
    }

    /// The header that names the schema: reads ask for one, writes bring one.
    pub(super) fn profile_header(self) -> &'static str {
        match self {
            Self::Get | Self::Head | Self::Options => "accept-profile",
            Self::Post | Self::Put | Self::Patch | Self::Delete => "content-profile",
        }
    }
}
