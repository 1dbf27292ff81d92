//! Names, types, capabilities, access.

use serde_json::{Value, json};

use super::Fields;
use crate::plan::Error;
use crate::plan::error::Candidate;
use crate::request::call::Whole;

impl Fields for Error {
    fn code(&self) -> &str {
        match self {
            Self::PutFilters => "PGRST105",
            Self::UnknownSchema { .. } => "PGRST106",
            Self::MediaType(_) => "PGRST107",
            Self::NotEmbedded { .. } => "PGRST108",
            Self::PutMismatch => "PGRST115",
            Self::RelatedOrder { .. } => "PGRST118",
            Self::EmbedFilter(_) => "PGRST120",
            Self::AggregatesNotAllowed => "PGRST123",
            Self::RootDisabled => "PGRST126",
            Self::NotImplemented(_) => "PGRST127",
            Self::Keyset(_) => "BERTH400",
            Self::NoRelationship { .. } => "PGRST200",
            Self::AmbiguousRelationship { .. } => "PGRST201",
            Self::NoFunction { .. } => "PGRST202",
            Self::AmbiguousFunction(_) => "PGRST203",
            Self::MaxAffectedOfOne => "PGRST128",
            Self::ColumnNotFound { .. } => "PGRST204",
            Self::TableNotFound { .. } => "PGRST205",
            Self::Sqlstate { code, .. } => code,
        }
    }

    fn details(&self) -> Option<Value> {
        match self {
            Self::NotImplemented(what) => Some(json!(what)),
            Self::NoRelationship { parent, child, schema, hint, .. } => {
                let hint = hint.as_ref().map(|hint| format!("' using the hint '{hint}")).unwrap_or_default();
                Some(json!(format!(
                    "Searched for a foreign key relationship between '{parent}' and '{child}{hint}' in the schema \
                     '{schema}', but no matches were found."
                )))
            }
            Self::RelatedOrder { table, embed } => {
                Some(json!(format!("'{table}' and '{embed}' do not form a many-to-one or one-to-one relationship")))
            }
            Self::EmbedFilter(_) => {
                Some(json!("Only is null or not is null filters are allowed on embedded resources"))
            }
            Self::AmbiguousRelationship { candidates, .. } => {
                let told = |candidate: &Candidate| {
                    json!({
                        "cardinality": candidate.cardinality,
                        "embedding": candidate.embedding,
                        "relationship": candidate.relationship
                    })
                };
                Some(Value::Array(candidates.iter().map(told).collect()))
            }
            Self::NoFunction { schema, name, arguments, whole, .. } => Some(json!(format!(
                "Searched for the function {schema}.{name}{}, but no matches were found in the schema cache.",
                searched_parameters(arguments, *whole)
            ))),
            Self::Sqlstate { details, .. } => details.clone().map(Value::String),
            Self::NotEmbedded { alias: Some(_), .. } => {
                Some(json!("Target names are not allowed in filters if they have an alias"))
            }
            Self::PutFilters
            | Self::UnknownSchema { .. }
            | Self::MediaType(_)
            | Self::NotEmbedded { alias: None, .. }
            | Self::PutMismatch
            | Self::AggregatesNotAllowed
            | Self::AmbiguousFunction(_)
            | Self::MaxAffectedOfOne
            | Self::Keyset(_)
            | Self::ColumnNotFound { .. }
            | Self::RootDisabled
            | Self::TableNotFound { .. } => None,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownSchema { exposed, .. } => {
                Some(format!("Only the following schemas are exposed: {}", exposed.join(", ")))
            }
            Self::NotEmbedded { name, alias: Some(alias) } => {
                Some(format!("Change '{name}' to '{alias}' in filters, orders or limits."))
            }
            Self::NotEmbedded { name, alias: None } => {
                Some(format!("Verify that '{name}' is included in the 'select' query parameter."))
            }
            Self::NoRelationship { suggestion, .. } => {
                let better = suggestion.as_deref()?;
                Some(format!("Perhaps you meant '{}' instead of '{}'.", better.name, better.than))
            }
            Self::AmbiguousRelationship { child, candidates, .. } => {
                let hints: Vec<String> = candidates.iter().map(|candidate| format!("'{}'", candidate.hint)).collect();
                Some(format!(
                    "Try changing '{child}' to one of the following: {}. Find the desired relationship in the 'details' \
                     key.",
                    hints.join(", ")
                ))
            }
            Self::TableNotFound { schema, suggestion, .. } => {
                suggestion.as_ref().map(|name| format!("Perhaps you meant the table '{schema}.{name}'"))
            }
            Self::NoFunction { schema, suggestion, .. } => {
                suggestion.as_ref().map(|function| format!("Perhaps you meant to call the function {schema}.{function}"))
            }
            Self::AmbiguousFunction(_) => Some(
                "Try renaming the parameters or the function itself in the database so function overloading can be resolved"
                    .to_owned(),
            ),
            Self::Sqlstate { hint, .. } => hint.clone(),
            Self::PutFilters
            | Self::MediaType(_)
            | Self::PutMismatch
            | Self::RelatedOrder { .. }
            | Self::EmbedFilter(_)
            | Self::AggregatesNotAllowed
            | Self::RootDisabled
            | Self::NotImplemented(_)
            | Self::MaxAffectedOfOne
            | Self::Keyset(_)
            | Self::ColumnNotFound { .. } => None,
        }
    }
}

/// The parameters that a function was looked for with.
fn searched_parameters(arguments: &[String], whole: Option<Whole>) -> String {
    let named = match arguments {
        [] => " without parameters".to_owned(),
        [only] => format!(" with parameter {only}"),
        several => format!(" with parameters {}", several.join(", ")),
    };
    match whole {
        None => named,
        Some(Whole::Json) => format!("{named} or with a single unnamed json/jsonb parameter"),
        Some(Whole::Text) => " with a single unnamed text parameter".to_owned(),
        Some(Whole::Xml) => " with a single unnamed xml parameter".to_owned(),
        Some(Whole::Bytes) => " with a single unnamed bytea parameter".to_owned(),
    }
}
