//! Which schema a request is about, and which media type its answer has.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/schemas.html>,
//! <https://docs.postgrest.org/en/v16/references/api/media_type_handlers.html>.

use super::{Error, Settings};
use crate::request::MediaType;

/// The schema of SQLite, and of a deployment that names none.
const DEFAULT_SCHEMA: &str = "public";

/// The default schema.
pub(super) fn default_schema(settings: &Settings) -> &str {
    settings.schemas.first().map_or(DEFAULT_SCHEMA, String::as_str)
}

/// The schema that a request is about, and whether the answer names it.
pub(super) fn choose_schema(profile: Option<String>, settings: &Settings) -> Result<(String, Option<String>), Error> {
    match profile {
        Some(schema) if settings.schemas.contains(&schema) => Ok((schema.clone(), Some(schema))),
        Some(schema) => Err(Error::UnknownSchema { schema, exposed: settings.schemas.clone() }),
        None => {
            let schema = default_schema(settings).to_owned();
            let named = (settings.schemas.len() > 1).then(|| schema.clone());
            Ok((schema, named))
        }
    }
}

/// The first acceptable media type that rows can be given in.
pub(super) fn choose_media(accept: &[MediaType]) -> Result<MediaType, Error> {
    if let Some(media) = accept.iter().find_map(rows_as) {
        return Ok(media);
    }
    if accept.iter().any(|media| matches!(media, MediaType::Plan { .. })) {
        return Err(Error::NotImplemented("the media type application/vnd.pgrst.plan is not supported yet".to_owned()));
    }
    Err(unavailable(accept))
}

/// The media type of the description of a schema.
pub(super) fn choose_description_media(accept: &[MediaType]) -> Result<MediaType, Error> {
    let given = accept.iter().any(|media| matches!(media, MediaType::Any | MediaType::Json | MediaType::OpenApi));
    if given { Ok(MediaType::OpenApi) } else { Err(unavailable(accept)) }
}

/// What rows become for an accepted media type.
fn rows_as(accepted: &MediaType) -> Option<MediaType> {
    match accepted {
        MediaType::Any | MediaType::Json | MediaType::ArrayJson { strip_nulls: false } => Some(MediaType::Json),
        MediaType::ArrayJson { strip_nulls: true }
        | MediaType::ObjectJson { .. }
        | MediaType::Csv
        | MediaType::NdJson => Some(accepted.clone()),
        MediaType::GeoJson
        | MediaType::Text
        | MediaType::Xml
        | MediaType::OpenApi
        | MediaType::UrlEncoded
        | MediaType::OctetStream
        | MediaType::Plan { .. }
        | MediaType::Other(_) => None,
    }
}

fn unavailable(accept: &[MediaType]) -> Error {
    Error::MediaType(accept.iter().map(media_text).collect())
}

/// A media type as an error names it.
fn media_text(media: &MediaType) -> String {
    let text = match media {
        MediaType::Any => "*/*",
        MediaType::Json | MediaType::ArrayJson { strip_nulls: false } => "application/json",
        MediaType::ArrayJson { strip_nulls: true } => "application/vnd.pgrst.array+json;nulls=stripped",
        MediaType::ObjectJson { strip_nulls: false } => "application/vnd.pgrst.object+json",
        MediaType::ObjectJson { strip_nulls: true } => "application/vnd.pgrst.object+json;nulls=stripped",
        MediaType::GeoJson => "application/geo+json",
        MediaType::Csv => "text/csv",
        MediaType::NdJson => "application/x-ndjson",
        MediaType::Text => "text/plain",
        MediaType::Xml => "text/xml",
        MediaType::OpenApi => "application/openapi+json",
        MediaType::UrlEncoded => "application/x-www-form-urlencoded",
        MediaType::OctetStream => "application/octet-stream",
        MediaType::Plan { of, json, options } => return plan_text(of, *json, options),
        MediaType::Other(text) => text,
    };
    text.to_owned()
}

fn plan_text(of: &MediaType, json: bool, options: &[String]) -> String {
    let format = if json { "json" } else { "text" };
    let mut text = format!("application/vnd.pgrst.plan+{format}; for=\"{}\"", media_text(of));
    if !options.is_empty() {
        text.push_str("; options=");
        text.push_str(&options.join("|"));
    }
    text
}
