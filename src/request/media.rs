//! Media types: what a sender takes and what a body is.
//!
//! ```text
//! accept    = media *( "," media )                           ; a weight "q" orders them
//! media     = type "/" subtype *( ";" parameter )
//! parameter = name "=" ( token / DQUOTE *any DQUOTE )        ; "nulls", "for" and "options" mean something
//! ```
//!
//! `application/vnd.pgrst.array+json` without `nulls=stripped` is plain [`MediaType::Json`].

use std::fmt;

/// Media types of one `Accept` header: browsers send fewer than ten.
const ACCEPT_MAX: usize = 64;

/// What a plan may be asked for, in the order in which `PostgREST` names it.
const PLAN_OPTIONS: [&str; 5] = ["analyze", "verbose", "settings", "buffers", "wal"];

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
    /// `application/x-ndjson`: one JSON value on each line.
    NdJson,
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

impl MediaType {
    /// Reads one media type with its parameters. Never fails: what is not known is [`Self::Other`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        let essence = essence.trim().to_ascii_lowercase();
        let strip_nulls = || parameter(parameters, "nulls") == Some("stripped");
        match essence.as_str() {
            "*/*" => Self::Any,
            "application/json" => Self::Json,
            "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" => {
                if strip_nulls() {
                    Self::ArrayJson { strip_nulls: true }
                } else {
                    Self::Json
                }
            }
            "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => {
                Self::ObjectJson { strip_nulls: strip_nulls() }
            }
            "application/geo+json" => Self::GeoJson,
            "text/csv" => Self::Csv,
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Self::NdJson,
            "text/plain" => Self::Text,
            "text/xml" => Self::Xml,
            "application/openapi+json" => Self::OpenApi,
            "application/x-www-form-urlencoded" => Self::UrlEncoded,
            "application/octet-stream" => Self::OctetStream,
            "application/vnd.pgrst.plan" | "application/vnd.pgrst.plan+text" => plan(parameters, PlanFormat::Text),
            "application/vnd.pgrst.plan+json" => plan(parameters, PlanFormat::Json),
            _ => Self::Other(essence),
        }
    }

    /// Reads an `Accept` header: best first, by weight, then by how exact a type is, then as sent.
    pub(super) fn parse_accept(header: Option<&str>) -> Vec<Self> {
        let Some(header) = header else { return vec![Self::Any] };
        if !header.contains(',') {
            return vec![Self::parse(header)];
        }
        let items = header.split(',').take(ACCEPT_MAX);
        let mut ranked: Vec<((f64, i64), Self)> = items.map(|item| (rank(item), Self::parse(item))).collect();
        ranked.sort_by(|(one, _), (other, _)| other.0.total_cmp(&one.0).then(other.1.cmp(&one.1)));
        ranked.into_iter().map(|(_, media)| media).collect()
    }
}

/// The media type's name as `PostgREST` writes it in its messages.
impl fmt::Display for MediaType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("*/*"),
            Self::Json => formatter.write_str("application/json"),
            Self::ArrayJson { strip_nulls: false } => formatter.write_str("application/vnd.pgrst.array+json"),
            Self::ArrayJson { strip_nulls: true } => {
                formatter.write_str("application/vnd.pgrst.array+json;nulls=stripped")
            }
            Self::ObjectJson { strip_nulls: false } => formatter.write_str("application/vnd.pgrst.object+json"),
            Self::ObjectJson { strip_nulls: true } => {
                formatter.write_str("application/vnd.pgrst.object+json;nulls=stripped")
            }
            Self::GeoJson => formatter.write_str("application/geo+json"),
            Self::Csv => formatter.write_str("text/csv"),
            Self::NdJson => formatter.write_str("application/x-ndjson"),
            Self::Text => formatter.write_str("text/plain"),
            Self::Xml => formatter.write_str("text/xml"),
            Self::OpenApi => formatter.write_str("application/openapi+json"),
            Self::UrlEncoded => formatter.write_str("application/x-www-form-urlencoded"),
            Self::OctetStream => formatter.write_str("application/octet-stream"),
            Self::Plan { of, json, options } => {
                let format = if *json { "json" } else { "text" };
                write!(formatter, "application/vnd.pgrst.plan+{format}; for=\"{of}\"")?;
                if options.is_empty() { Ok(()) } else { write!(formatter, "; options={}", options.join("|")) }
            }
            Self::Other(name) => formatter.write_str(name),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum PlanFormat {
    Text,
    Json,
}

fn plan(parameters: &str, format: PlanFormat) -> MediaType {
    let of = parameter(parameters, "for").map_or(MediaType::Json, MediaType::parse);
    let asked = parameter(parameters, "options").unwrap_or_default();
    let options = PLAN_OPTIONS.iter().filter(|option| asked.split('|').any(|item| item == **option));
    MediaType::Plan {
        of: Box::new(of),
        json: matches!(format, PlanFormat::Json),
        options: options.map(|option| (*option).to_owned()).collect(),
    }
}

/// The value of the last parameter of that name; quotes are taken off.
fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    let mut found = None;
    let mut rest = parameters;
    while let Some((key, behind)) = rest.split_once('=') {
        let behind = behind.trim_start();
        let (value, after) = match behind.strip_prefix('"').and_then(|quoted| quoted.split_once('"')) {
            Some((quoted, after)) => (quoted, after),
            None => {
                let end = behind.find(';').unwrap_or(behind.len());
                (behind.get(..end)?.trim_end(), behind.get(end..)?)
            }
        };
        if key.trim_matches([';', ' ', '\t']).eq_ignore_ascii_case(name) {
            found = Some(value);
        }
        rest = after;
    }
    found
}

/// How welcome a media type is: its weight, then its parameters less its stars.
fn rank(item: &str) -> (f64, i64) {
    let compact: String = item.chars().filter(|character| *character != ' ').collect();
    let (media, weight) = compact.split_once(";q=").unwrap_or((&compact, ""));
    let weight = weight.split(';').next().and_then(|weight| weight.parse().ok()).unwrap_or(1.0);
    let exactness = media.chars().map(|character| match character {
        ';' => 1,
        '*' => -1,
        _ => 0,
    });
    (weight, exactness.sum())
}

impl MediaType {
    /// The value of `Content-Type` for a body of this type.
    #[must_use]
    pub fn content_type(&self) -> String {
        match self {
            Self::Json | Self::Any => "application/json; charset=utf-8".to_owned(),
            Self::OctetStream | Self::Other(_) => self.to_string(),
            Self::ArrayJson { .. }
            | Self::ObjectJson { .. }
            | Self::GeoJson
            | Self::Csv
            | Self::NdJson
            | Self::Text
            | Self::Xml
            | Self::OpenApi
            | Self::UrlEncoded
            | Self::Plan { .. } => format!("{self}; charset=utf-8"),
        }
    }
}
