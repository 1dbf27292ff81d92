//! The description of the API at `/`: OpenAPI 2.0, shaped as `PostgREST` shapes it, so that its tools read it.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/openapi.html>,
//! <https://spec.openapis.org/oas/v2.0.html>

mod batch;
mod parameter;
mod path;
mod routine;
mod schema;

use serde_json::{Map, Value, json};

use crate::catalog::{Catalog, Routine, Table};

/// What the description says beside the tables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Where clients reach the service, when a proxy stands before it: scheme, host with port, base path.
    pub proxy: Option<Proxy>,
    /// Say that a token goes into `Authorization`.
    pub security: Security,
}

/// The address that clients use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// `http` or `https`.
    pub scheme: String,
    /// Host, with `:port` unless it is the scheme's own.
    pub host: String,
    /// The path before every route, `/` without one.
    pub base_path: String,
}

impl Proxy {
    /// Reads `https://host:port/base`; `None` when it is no such address.
    ///
    /// # Example
    /// ```
    /// use berth::response::openapi::Proxy;
    /// let proxy = Proxy::parse("https://example.com/api").unwrap();
    /// assert_eq!((proxy.host.as_str(), proxy.base_path.as_str()), ("example.com:443", "/api"));
    /// ```
    #[must_use]
    pub fn parse(address: &str) -> Option<Self> {
        let (scheme, rest) = address.split_once("://")?;
        let default_port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.is_empty() {
            return None;
        }
        let host = if host.contains(':') { host.to_owned() } else { format!("{host}:{default_port}") };
        Some(Self { scheme: scheme.to_owned(), host, base_path: format!("/{path}") })
    }
}

/// Whether the description asks for tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    /// It says nothing of them.
    #[default]
    Silent,
    /// It names the `Authorization` header.
    Token,
}

/// Describes the tables and views of `schema` that `shows` lets through, and the functions that `calls` does.
#[must_use]
pub fn describe(
    catalog: &Catalog,
    schema: &str,
    settings: &Settings,
    shows: impl Fn(&Table) -> bool,
    calls: impl Fn(&Routine) -> bool,
) -> Value {
    let tables: Vec<&Table> =
        catalog.tables.values().filter(|table| table.name.schema == schema && shows(table)).collect();
    let routines: Vec<&Routine> =
        catalog.routines.values().flatten().filter(|routine| routine.name.schema == schema && calls(routine)).collect();
    let media = json!([
        "application/json",
        "application/vnd.pgrst.object+json;nulls=stripped",
        "application/vnd.pgrst.object+json",
        "text/csv",
        "application/x-ndjson"
    ]);
    let mut document = Map::new();
    let mut say = |key: &str, value: Value| document.insert(key.to_owned(), value);
    say("swagger", json!("2.0"));
    say("info", about(catalog.schema_comments.get(schema).map(String::as_str)));
    if let Some(proxy) = &settings.proxy {
        say("host", json!(proxy.host));
        say("schemes", json!([proxy.scheme]));
    }
    say("basePath", json!(settings.proxy.as_ref().map_or("/", |proxy| proxy.base_path.as_str())));
    say("consumes", media.clone());
    say("produces", media);
    say("paths", path::all(&tables, &routines));
    say("definitions", schema::all(catalog, &tables));
    say("parameters", parameter::all(&tables));
    if settings.security == Security::Token {
        say("securityDefinitions", token_scheme());
        say("security", json!([{ "JWT": [] }]));
    }
    say(
        "externalDocs",
        json!({
            "description": "PostgREST Documentation",
            "url": "https://postgrest.org/en/v16/references/api.html"
        }),
    );
    Value::Object(document)
}

/// Title and description from the schema's comment: its first line, and the rest.
fn about(comment: Option<&str>) -> Value {
    let (title, rest) = comment.map(split_comment).unwrap_or_default();
    json!({
        "title": title.unwrap_or("berth API"),
        "description": rest.unwrap_or("The tables of a database as a REST API in the PostgREST dialect"),
        "version": env!("CARGO_PKG_VERSION"),
    })
}

/// The first line of a comment, and what follows it when that is not empty.
fn split_comment(comment: &str) -> (Option<&str>, Option<&str>) {
    match comment.split_once('\n') {
        Some((first, rest)) => {
            let rest = rest.trim_start_matches('\n');
            (Some(first), (!rest.is_empty()).then_some(rest))
        }
        None => (Some(comment), None),
    }
}

fn token_scheme() -> Value {
    json!({
        "JWT": {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "Add the token prepending \"Bearer \" (without quotes) to it"
        }
    })
}

#[cfg(test)]
mod tests;
