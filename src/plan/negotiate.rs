//! Which schema a request is about, and which media type its answer has.
//!
//! The media types that a sender takes are tried, best first. For each, what the database makes comes before what berth
//! makes: for the very rows when all their columns are given, then for any rows. Only berth's own
//! (`application/vnd.pgrst.…`) cannot be made otherwise.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/schemas.html>,
//! <https://docs.postgrest.org/en/v16/references/api/media_type_handlers.html>.

use super::{Engine, Error, Settings};
use crate::catalog::{BodySource, Catalog, QualifiedName};
use crate::request::filter::Field;
use crate::request::{MediaType, SelectItem};

/// The schema of SQLite, and of a deployment that names none.
const DEFAULT_SCHEMA: &str = "public";

/// The domain that stands for any media type.
const ANY: &str = "*/*";

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

/// What makes a body, where berth does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Maker {
    /// The value of the function that is called is the body.
    Value,
    /// An aggregate of the rows.
    Aggregate {
        /// It.
        function: QualifiedName,
        /// The type that it takes; `None`: any.
        of: Option<QualifiedName>,
    },
}

/// What an answer's body may be made of.
#[derive(Debug)]
pub(super) struct Offer<'a> {
    catalog: &'a Catalog,
    settings: &'a Settings,
    /// What the rows or the value come from.
    source: BodySource,
    /// All columns are given as they are, and nothing else.
    is_whole: bool,
}

impl<'a> Offer<'a> {
    /// Of rows or a value of `source`, of which `select` is given.
    pub(super) fn new(catalog: &'a Catalog, settings: &'a Settings, source: BodySource, select: &[SelectItem]) -> Self {
        Self { catalog, settings, source, is_whole: is_everything(select) }
    }

    /// The first acceptable media type that can be given, and what makes it.
    pub(super) fn choose(&self, accept: &[MediaType]) -> Result<(MediaType, Option<Maker>), Error> {
        match accept.iter().find_map(|accepted| self.given_as(accepted)) {
            Some((MediaType::Plan { options, .. }, _))
                if self.settings.engine == Engine::Sqlite && !options.is_empty() =>
            {
                Err(Error::not_on_sqlite(format!("the option '{}' of a plan", options.join("|"))))
            }
            Some(chosen) => Ok(chosen),
            None => Err(unavailable(accept)),
        }
    }

    /// What rows become for an accepted media type.
    fn given_as(&self, accepted: &MediaType) -> Option<(MediaType, Option<Maker>)> {
        if let MediaType::Plan { of, json, options } = accepted {
            let inner = if self.settings.plans { self.given_as(of) } else { None };
            let (of, maker) = inner.filter(|(of, _)| !matches!(of, MediaType::Plan { .. }))?;
            return Some((MediaType::Plan { of: Box::new(of), json: *json, options: options.clone() }, maker));
        }
        self.made_by_database(accepted).or_else(|| self.made_by_berth(accepted))
    }

    fn made_by_database(&self, accepted: &MediaType) -> Option<(MediaType, Option<Maker>)> {
        if matches!(accepted, MediaType::ArrayJson { strip_nulls: true } | MediaType::ObjectJson { .. }) {
            return None;
        }
        let name = accepted.to_string();
        let handlers = &self.catalog.media_handlers;
        let find = |source: &BodySource, media: &str| {
            let aggregate = handlers.find(source, media)?.clone();
            let of = if let BodySource::Rows(of) = source { Some(of.clone()) } else { None };
            let maker = aggregate.map_or(Maker::Value, |function| Maker::Aggregate { function, of });
            let made = if media == ANY {
                MediaType::OctetStream
            } else if *accepted == MediaType::NdJson {
                // Only berth's own lines are handed on one by one.
                MediaType::Other(name.clone())
            } else {
                accepted.clone()
            };
            Some((made, Some(maker)))
        };
        let own = |media: &str| if self.is_whole { find(&self.source, media) } else { None };
        own(ANY).or_else(|| own(&name)).or_else(|| find(&BodySource::AnyRows, &name))
    }

    fn made_by_berth(&self, accepted: &MediaType) -> Option<(MediaType, Option<Maker>)> {
        match accepted {
            MediaType::Any | MediaType::Json | MediaType::ArrayJson { strip_nulls: false } => {
                Some((MediaType::Json, None))
            }
            MediaType::ArrayJson { strip_nulls: true }
            | MediaType::ObjectJson { .. }
            | MediaType::Csv
            | MediaType::NdJson => Some((accepted.clone(), None)),
            MediaType::GeoJson => self.catalog.media_handlers.has_geojson.then_some((MediaType::GeoJson, None)),
            MediaType::Plan { .. }
            | MediaType::Text
            | MediaType::Xml
            | MediaType::OpenApi
            | MediaType::UrlEncoded
            | MediaType::OctetStream
            | MediaType::Other(_) => None,
        }
    }
}

/// True for `select=*` and no `select`.
fn is_everything(select: &[SelectItem]) -> bool {
    let [SelectItem::Field { field: Field { name, path }, aggregate: None, cast: None, alias: None, .. }] = select
    else {
        return false;
    };
    name == "*" && path.is_empty()
}

/// The media type of the description of a schema.
pub(super) fn choose_description_media(accept: &[MediaType]) -> Result<MediaType, Error> {
    let given = accept.iter().any(|media| matches!(media, MediaType::Any | MediaType::Json | MediaType::OpenApi));
    if given { Ok(MediaType::OpenApi) } else { Err(unavailable(accept)) }
}

fn unavailable(accept: &[MediaType]) -> Error {
    Error::MediaType(accept.iter().map(MediaType::to_string).collect())
}
