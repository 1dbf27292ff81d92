//! Verbs, paths and what they address.

use percent_encoding::percent_decode_str;

use super::Error;

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

/// The same routes stand under this prefix too, where supabase-js looks for them.
const SUPABASE_PREFIX: &str = "/rest/v1";

impl Resource {
    /// Reads a path.
    ///
    /// # Errors
    /// [`Error::InvalidPath`] when it addresses nothing.
    pub(super) fn parse(path: &str) -> Result<Self, Error> {
        let path = match path.strip_prefix(SUPABASE_PREFIX) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
            Some(_) | None => path,
        };
        let mut segments = path.split('/').skip(1);
        let resource = match (segments.next(), segments.next(), segments.next()) {
            (None | Some(""), None, _) => Self::Root,
            (Some("rpc"), Some(function), None) => Self::Function(segment(function)?),
            (Some(table), None | Some(""), None) => Self::Relation(segment(table)?),
            _ => return Err(Error::InvalidPath),
        };
        Ok(resource)
    }
}

fn segment(encoded: &str) -> Result<String, Error> {
    let decoded = percent_decode_str(encoded).decode_utf8().map_err(|_| Error::InvalidPath)?;
    if decoded.is_empty() || decoded.contains('\0') { Err(Error::InvalidPath) } else { Ok(decoded.into_owned()) }
}

impl Method {
    /// Reads a verb, as far as the resource takes it.
    ///
    /// # Errors
    /// [`Error::InvalidFunctionMethod`], [`Error::UnsupportedMethod`].
    pub(super) fn parse(verb: &str, resource: &Resource) -> Result<Self, Error> {
        let method = match verb {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => return Err(Self::refused(verb, resource)),
        };
        let changes_rows = matches!(method, Self::Put | Self::Patch | Self::Delete);
        match resource {
            Resource::Function(_) if changes_rows => Err(Self::refused(verb, resource)),
            Resource::Root if changes_rows || method == Self::Post => Err(Self::refused(verb, resource)),
            Resource::Function(_) | Resource::Root | Resource::Relation(_) => Ok(method),
        }
    }

    fn refused(verb: &str, resource: &Resource) -> Error {
        match resource {
            Resource::Function(_) => Error::InvalidFunctionMethod(verb.to_owned()),
            Resource::Root | Resource::Relation(_) => Error::UnsupportedMethod(verb.to_owned()),
        }
    }
}
