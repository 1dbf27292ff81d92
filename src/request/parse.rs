//! [`Request::parse`]: the parts of a request, read in the order in which `PostgREST` finds faults in them.

use super::parameter::Audience;
use super::payload::{Envelope, Pairs};
use super::prefer::Handling;
use super::query::Query;
use super::{Error, MediaType, Method, Payload, Preferences, Raw, Request, Resource, Seek, seek};

impl Request {
    /// Reads what a request asks for: path, verb, query, range, body, preferences.
    ///
    /// # Errors
    /// The first fault found, in that order; see [`Error`]. All are the sender's.
    ///
    /// # Example
    /// ```
    /// use berth::request::{Raw, Request, Resource};
    ///
    /// let raw = Raw {
    ///     method: "GET".into(),
    ///     path: "/films".into(),
    ///     query: "year=gt.1990&order=title".into(),
    ///     headers: Vec::new(),
    ///     body: bytes::Bytes::new(),
    /// };
    /// let request = Request::parse(&raw)?;
    /// assert_eq!(request.resource, Resource::Relation("films".into()));
    /// assert_eq!(request.canonical_query, "order=title&year=gt.1990");
    /// # Ok::<(), berth::request::Error>(())
    /// ```
    ///
    /// Source: <https://docs.postgrest.org/en/v16/references/api/url_grammar.html>
    pub fn parse(raw: &Raw) -> Result<Self, Error> {
        let resource = Resource::parse(&raw.path)?;
        let method = Method::parse(&raw.method, &resource)?;
        let query = Query::parse(&raw.query, audience(method, &resource))?;
        let writes = matches!(method, Method::Put | Method::Patch | Method::Delete)
            || (method == Method::Post && matches!(resource, Resource::Relation(_)));
        if writes && (query.distinct.is_some() || query.seek.is_some()) {
            return Err(Error::OnlyForReads);
        }
        let range = query.windows.top_range(method, raw.header("range"))?;
        let embed_ranges = query.windows.embed_ranges()?;
        let content = raw.header("content-type").map_or(MediaType::Json, MediaType::parse);
        let (payload, pairs) = read_payload(raw, method, &resource, query.columns.as_deref(), &content)?;
        // At the root, and for `OPTIONS`, preferences mean nothing.
        let is_checked = resource != Resource::Root && method != Method::Options;
        let preferences = read_preferences(raw, is_checked)?;
        Ok(Self {
            method,
            profile: raw.header(method.profile_header()).map(str::to_owned),
            select: query.select,
            filters: query.filters,
            logic: query.logic,
            order: query.order,
            distinct: query.distinct.or_else(|| preferences.distinct.clone()),
            seek: query.seek.or_else(|| preferences.seek.clone()).map(|(side, cursor)| {
                let query = seek::without_place(&raw.query);
                Seek { side, cursor, query }
            }),
            range,
            embed_ranges,
            columns: query.columns,
            on_conflict: query.on_conflict,
            content,
            payload,
            arguments: if pairs.is_empty() { query.arguments } else { pairs },
            preferences,
            accept: MediaType::parse_accept(raw.header("accept")),
            canonical_query: query.canonical,
            resource,
        })
    }
}

fn audience(method: Method, resource: &Resource) -> Audience {
    match (resource, method) {
        (Resource::Function(_), Method::Get | Method::Head) => Audience::Function,
        (Resource::Function(_) | Resource::Relation(_) | Resource::Root, _) => Audience::Relation,
    }
}

fn read_payload(
    raw: &Raw,
    method: Method,
    resource: &Resource,
    columns: Option<&[String]>,
    media: &MediaType,
) -> Result<(Option<Payload>, Pairs), Error> {
    let columns = match method {
        Method::Get | Method::Head | Method::Delete | Method::Options => return Ok((None, Vec::new())),
        Method::Put => None,
        Method::Post | Method::Patch => columns,
    };
    let (payload, pairs) = Payload::parse(&raw.body, Envelope { media, resource, columns })?;
    Ok((Some(payload), pairs))
}

/// Unknown preferences are refused only where they are checked.
pub(super) fn read_preferences(raw: &Raw, is_checked: bool) -> Result<Preferences, Error> {
    let headers = raw.headers.iter().filter(|(name, _)| name == "prefer").map(|(_, value)| value.as_str());
    let preferences = Preferences::parse(headers);
    if is_checked && preferences.handling == Some(Handling::Strict) && !preferences.unknown.is_empty() {
        return Err(Error::InvalidPreferences(preferences.unknown));
    }
    Ok(preferences)
}
