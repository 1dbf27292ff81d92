//! Reads a request: path and verb, headers, parameters, body, each by its own parser.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::range::Wanted;
use super::{
    EmbedPath, Error, MediaType, Method, Payload, Preferences, Range, Raw, Request, Resource, filter, logic, order,
    select,
};

/// Most parameters of one query.
const MAX_PARAMETERS: usize = 1_000;

/// What stays as it is in the canonical query (RFC 3986, unreserved).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

impl Request {
    /// Reads what arrived.
    ///
    /// # Errors
    /// See [`Error`]; each is for the client.
    pub fn parse(raw: &Raw) -> Result<Self, Error> {
        let resource = Resource::parse(&raw.path)?;
        let method = Method::parse(&raw.method, &resource)?;
        let preferences = Preferences::parse(headers(raw, "prefer"))?;
        let pairs = decode_query(&raw.query)?;
        let parameters = Parameters::read(&pairs, &resource, method)?;
        let range = parameters.range.top_level(method, raw.header("range"))?;
        let payload = read_payload(raw, &resource, method, parameters.columns.as_deref())?;
        let profile = match method {
            Method::Get | Method::Head | Method::Options => raw.header("accept-profile"),
            Method::Post | Method::Put | Method::Patch | Method::Delete => raw.header("content-profile"),
        };
        Ok(Self {
            method,
            resource,
            profile: profile.map(str::to_owned),
            select: parameters.select,
            filters: parameters.filters,
            logic: parameters.logic,
            order: parameters.order,
            range,
            embed_ranges: parameters.embed_ranges,
            columns: parameters.columns,
            on_conflict: parameters.on_conflict,
            payload,
            arguments: parameters.arguments,
            preferences,
            accept: raw.header("accept").map_or_else(|| vec![MediaType::Any], MediaType::accepted),
            canonical_query: canonical(&pairs),
        })
    }
}

fn headers<'a>(raw: &'a Raw, name: &'a str) -> impl Iterator<Item = &'a str> {
    raw.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn read_payload(
    raw: &Raw,
    resource: &Resource,
    method: Method,
    columns: Option<&[String]>,
) -> Result<Option<Payload>, Error> {
    match method {
        Method::Get | Method::Head | Method::Delete | Method::Options => Ok(None),
        Method::Post | Method::Put | Method::Patch => {
            let media = raw.header("content-type").map_or(MediaType::Json, MediaType::parse);
            // `PUT` takes all columns from its body, whatever the address says.
            let columns = columns.filter(|_| method != Method::Put);
            Payload::parse(&raw.body, &media, resource, columns).map(Some)
        }
    }
}

/// Splits and decodes a query: `+` is a blank, `%XX` a byte of UTF-8. A parameter without `=` has no value.
fn decode_query(query: &str) -> Result<Vec<(String, Option<String>)>, Error> {
    let mut pairs = Vec::new();
    for part in query.split('&').filter(|part| !part.is_empty()) {
        if pairs.len() == MAX_PARAMETERS {
            return Err(Error::TooLarge(format!("more than {MAX_PARAMETERS} query parameters")));
        }
        let (key, value) = part.split_once('=').map_or((part, None), |(key, value)| (key, Some(value)));
        pairs.push((decode(key)?, value.map(decode).transpose()?));
    }
    Ok(pairs)
}

fn decode(text: &str) -> Result<String, Error> {
    let blanks = if text.contains('+') { text.replace('+', " ") } else { text.to_owned() };
    let decoded = percent_decode_str(&blanks).decode_utf8().map_err(|_| Error::QueryParameter {
        message: format!("\"failed to parse query parameter ({text})\" (line 1, column 1)"),
        details: "the parameter is not UTF-8".to_owned(),
    })?;
    if decoded.contains('\0') { Err(Error::NulCharacter) } else { Ok(decoded.into_owned()) }
}

fn canonical(pairs: &[(String, Option<String>)]) -> String {
    let mut sorted: Vec<_> = pairs.iter().collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let encode = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let encoded = sorted.iter().map(|(key, value)| {
        let value = value.as_deref().map(encode).unwrap_or_default();
        format!("{}={value}", encode(key))
    });
    encoded.collect::<Vec<_>>().join("&")
}

/// The parameters of a query, sorted by what they are.
#[derive(Debug, Default)]
struct Parameters {
    select: Vec<super::SelectItem>,
    filters: Vec<(EmbedPath, super::Filter)>,
    logic: Vec<(EmbedPath, super::LogicTree)>,
    order: Vec<(EmbedPath, Vec<super::OrderTerm>)>,
    range: Wanted,
    embed_ranges: Vec<(EmbedPath, Range)>,
    columns: Option<Vec<String>>,
    on_conflict: Option<Vec<String>>,
    arguments: Vec<(String, String)>,
}

impl Parameters {
    fn read(pairs: &[(String, Option<String>)], resource: &Resource, method: Method) -> Result<Self, Error> {
        let mut parameters = Self::default();
        let mut select = None;
        let mut embed_ranges: Vec<(EmbedPath, Wanted)> = Vec::new();
        let is_read_call = matches!(resource, Resource::Function(_)) && matches!(method, Method::Get | Method::Head);
        for (key, value) in pairs {
            // A parameter without `=` says nothing, but `select` without one is as good as empty.
            let Some(value) = value else { continue };
            let last = key.rsplit('.').next().unwrap_or_default();
            match (key.as_str(), last) {
                ("select", _) => select = select.or(Some(value)),
                ("columns", _) if parameters.columns.is_none() => {
                    parameters.columns = Some(select::names("columns parameter", value)?);
                }
                ("on_conflict", _) if parameters.on_conflict.is_none() => {
                    parameters.on_conflict = Some(select::names("on_conflict parameter", value)?);
                }
                ("columns" | "on_conflict", _) => {}
                ("limit", _) => parameters.range.limit = value.parse().ok(),
                ("offset", _) => parameters.range.offset = value.parse().ok(),
                (_, "limit") => wanted_of(&mut embed_ranges, key)?.limit = value.parse().ok(),
                (_, "offset") => wanted_of(&mut embed_ranges, key)?.offset = value.parse().ok(),
                (_, "order") => parameters.order.push((embed_of(key)?, order::parse(value)?)),
                (_, "and" | "or") => parameters.logic.push(logic::parse(key, value)?),
                _ if is_read_call && !filter::is_operation(value) => {
                    parameters.arguments.push((key.clone(), value.clone()));
                }
                _ => parameters.filters.push(filter::parse(key, value)?),
            }
        }
        parameters.select = select::parse(select.map_or("*", String::as_str))?;
        for (path, wanted) in embed_ranges {
            parameters.embed_ranges.push((path, wanted.range()?));
        }
        Ok(parameters)
    }
}

/// The embed that a key such as `a.b.limit` speaks of.
fn embed_of(key: &str) -> Result<EmbedPath, Error> {
    filter::tree_path(key).map(|(path, _)| path)
}

fn wanted_of<'a>(ranges: &'a mut Vec<(EmbedPath, Wanted)>, key: &str) -> Result<&'a mut Wanted, Error> {
    let path = embed_of(key)?;
    let position = ranges.iter().position(|(known, _)| *known == path).unwrap_or_else(|| {
        ranges.push((path, Wanted::default()));
        ranges.len() - 1
    });
    ranges.get_mut(position).map(|(_, wanted)| wanted).ok_or(Error::InvalidPath)
}
