//! Full text on SQLite: what is searched, by which configuration, and whether an index helps.
//!
//! The query is read here: a fault in it is the request's. On Postgres the server reads it.
//!
//! Source: <https://docs.postgrest.org/en/stable/references/api/tables_views.html#full-text-search>;
//! <https://www.postgresql.org/docs/15/functions-textsearch.html>.

use super::condition::{Document, Indexed, Search};
use super::scope::Scope;
use super::{Error, Target, capability};
use crate::catalog::{TypeKind, TypeName};
use crate::request::filter::FullText;
use crate::search::{self, Configuration, Form, Query, index};

impl From<search::Error> for Error {
    fn from(error: search::Error) -> Self {
        Self::sqlstate(error.code, error.message)
    }
}

pub(super) fn plan_search(
    scope: &Scope<'_>,
    target: &Target,
    operator: FullText,
    language: Option<&str>,
    query: &str,
) -> Result<Search, Error> {
    let document = document(target, language.is_some())?;
    let configuration = language.map(Configuration::named).transpose()?.unwrap_or(Configuration::DEFAULT);
    let document = document(configuration);
    let form = match operator {
        FullText::Query => Form::Query,
        FullText::Plain => Form::Plain,
        FullText::Phrase => Form::Phrase,
        FullText::WebSearch => Form::WebSearch,
    };
    let query = Query::read(form, configuration, query)?;
    Ok(Search { document, query: query.to_string(), index: find_index(scope, target, document, &query) })
}

/// What the target holds, by the configuration that counts. What a function of the row gives is text to Postgres, whatever
/// language is named.
fn document(target: &Target, is_named: bool) -> Result<fn(Configuration) -> Document, Error> {
    let searched = target.compared_type();
    match searched.kind {
        TypeKind::TsVector => Ok(|_| Document::Vector),
        TypeKind::Text { .. } | TypeKind::Any | TypeKind::Other if target.computed.is_some() => {
            Ok(|_| Document::Text(Configuration::DEFAULT))
        }
        _ if target.computed.is_some() && target.path.is_empty() => {
            Err(Error::no_operator(&capability::postgres_name(&searched), "@@", "tsquery"))
        }
        TypeKind::Text { .. } | TypeKind::Any | TypeKind::Other => Ok(Document::Text),
        TypeKind::Json | TypeKind::Jsonb => Ok(Document::Json),
        TypeKind::SmallInt
        | TypeKind::Integer
        | TypeKind::BigInt
        | TypeKind::Real
        | TypeKind::Double
        | TypeKind::Numeric { .. }
        | TypeKind::Boolean
        | TypeKind::Date
        | TypeKind::Time
        | TypeKind::TimeTz
        | TypeKind::Timestamp
        | TypeKind::TimestampTz
        | TypeKind::Interval
        | TypeKind::Uuid
        | TypeKind::Bytea
        | TypeKind::Enum { .. }
        | TypeKind::Array(_) => Err(no_vector(is_named, &searched)),
    }
}

/// Refuses what has no words to Postgres.
#[cfg(test)]
pub(super) fn check_searched(searched: &TypeName) -> Result<(), Error> {
    document(&Target::column("searched", searched.clone()), false).map(drop)
}

fn no_vector(is_named: bool, searched: &TypeName) -> Error {
    let name = capability::postgres_name(searched);
    let configuration = if is_named { "regconfig, " } else { "" };
    Error::Sqlstate {
        code: "42883",
        message: format!("function to_tsvector({configuration}{name}) does not exist"),
        details: None,
        hint: Some(
            "No function matches the given name and argument types. You might need to add explicit type casts."
                .to_owned(),
        ),
    }
}

fn find_index(scope: &Scope<'_>, target: &Target, document: Document, query: &Query) -> Option<Indexed> {
    if !target.path.is_empty() || target.computed.is_some() {
        return None;
    }
    let configuration = match document {
        Document::Vector => None,
        Document::Text(configuration) => Some(configuration.name()),
        Document::Json(_) => return None,
    };
    let fits =
        |of: &&crate::catalog::SearchIndex| of.column == target.column && of.configuration.as_deref() == configuration;
    let found = scope.search_indexes.iter().find(fits)?;
    Some(Indexed { name: found.name.clone(), question: index::question(query)? })
}
