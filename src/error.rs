//! Every error of every stage as the four fields a client sees: code, message, details, hint.
//!
//! Statuses are not here but in `http/status.rs`. The texts are `PostgREST`'s where it has the same error.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/errors.html>

use std::time::Duration;

use serde_json::{Value, json};
use thiserror::Error as ThisError;

use crate::request::call::Whole;
use crate::response::raised::{self, Raised};
use crate::{auth, plan, request, response, store};

/// Whatever a request can end in instead of an answer: one variant for each stage.
#[derive(Debug, Clone, ThisError)]
pub enum Error {
    /// The text of the request.
    #[error(transparent)]
    Request(#[from] request::Error),
    /// The token.
    #[error(transparent)]
    Auth(#[from] auth::Error),
    /// Names, types, capabilities, access.
    #[error(transparent)]
    Plan(#[from] plan::Error),
    /// The database.
    #[error(transparent)]
    Store(store::Error),
    /// Code in the database, which says what its client is told.
    #[error("{}", .0.message)]
    Raised(Box<Raised>),
    /// The answer.
    #[error(transparent)]
    Response(#[from] response::Error),
    /// The schema has not been read yet (PGRST002).
    #[error("Could not query the database for the schema cache. Retrying.")]
    NoCatalog,
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        if let store::Error::Database { code, message, details, .. } = &error
            && code == raised::SQLSTATE
        {
            return match Raised::parse(message, details.as_deref()) {
                Ok(raised) => Self::Raised(Box::new(raised)),
                Err(unreadable) => Self::Response(response::Error::UnreadableRaise(unreadable)),
            };
        }
        Self::Store(error)
    }
}

impl Error {
    /// `PostgREST`'s code or Postgres' SQLSTATE.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Request(error) => request_code(error),
            Self::Auth(error) => auth_code(error),
            Self::Plan(error) => plan_code(error),
            Self::Store(error) => store_code(error),
            Self::Raised(raised) => &raised.code,
            Self::Response(error) => match error {
                response::Error::OffsetBeyondEnd { .. } => "PGRST103",
                response::Error::LongCursor => "BERTH400",
                response::Error::InvalidHeaders => "PGRST111",
                response::Error::InvalidStatus => "PGRST112",
                response::Error::UnreadableRaise(_) => "PGRST121",
                response::Error::PreconditionFailed => "BERTH412",
            },
            Self::NoCatalog => "PGRST002",
        }
    }

    /// One sentence for a person.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Store(store::Error::Database { message, .. }) => message.clone(),
            Self::Request(_)
            | Self::Auth(_)
            | Self::Plan(_)
            | Self::Store(_)
            | Self::Raised(_)
            | Self::Response(_)
            | Self::NoCatalog => self.to_string(),
        }
    }

    /// More about the cause.
    #[must_use]
    pub fn details(&self) -> Option<Value> {
        match self {
            Self::Request(error) => request_details(error),
            Self::Auth(auth::Error::Decode { details, .. }) => details.clone().map(Value::String),
            Self::Auth(auth::Error::TooManyRequests { by, .. }) => {
                Some(json!(format!("The limit for this {} is reached.", by.name())))
            }
            Self::Auth(
                auth::Error::NoSecret
                | auth::Error::KeysUnavailable
                | auth::Error::TokenRequired
                | auth::Error::Claims(_),
            ) => None,
            Self::Plan(error) => plan_details(error),
            Self::Store(error) => store_details(error),
            Self::Raised(raised) => raised.details.clone().map(Value::String),
            Self::Response(response::Error::OffsetBeyondEnd { offset, total }) => {
                Some(json!(format!("An offset of {offset} was requested, but there are only {total} rows.")))
            }
            Self::Response(response::Error::UnreadableRaise(unreadable)) => Some(json!(unreadable.to_string())),
            Self::Response(
                response::Error::InvalidHeaders
                | response::Error::InvalidStatus
                | response::Error::LongCursor
                | response::Error::PreconditionFailed,
            )
            | Self::NoCatalog => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Plan(error) => plan_hint(error),
            Self::Store(error) => store_hint(error),
            Self::Auth(auth::Error::TooManyRequests { .. }) => {
                Some("Retry after the time given in the Retry-After header.".to_owned())
            }
            Self::Raised(raised) => raised.hint.clone(),
            Self::Response(response::Error::UnreadableRaise(unreadable)) => Some(unreadable.hint().to_owned()),
            Self::Request(_) | Self::Auth(_) | Self::Response(_) | Self::NoCatalog => None,
        }
    }

    /// How long its client shall wait, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Auth(auth::Error::TooManyRequests { wait, .. }) => Some(*wait),
            Self::Request(_)
            | Self::Auth(_)
            | Self::Plan(_)
            | Self::Store(_)
            | Self::Raised(_)
            | Self::Response(_)
            | Self::NoCatalog => None,
        }
    }

    /// What the log is told: the message, and what the client must not see.
    #[must_use]
    pub fn cause(&self) -> String {
        match self {
            Self::Store(store::Error::Internal(cause) | store::Error::Unreachable(cause)) => {
                format!("{}: {cause}", self.message())
            }
            Self::Request(_)
            | Self::Auth(_)
            | Self::Plan(_)
            | Self::Store(_)
            | Self::Raised(_)
            | Self::Response(_)
            | Self::NoCatalog => match self.details() {
                Some(details) => format!("{} ({details})", self.message()),
                None => self.message(),
            },
        }
    }
}

fn request_code(error: &request::Error) -> &'static str {
    match error {
        request::Error::QueryParameter { .. } | request::Error::TooLarge(_) => "PGRST100",
        request::Error::InvalidFunctionMethod(_) => "PGRST101",
        request::Error::InvalidBody(_) => "PGRST102",
        request::Error::NegativeLimit | request::Error::RangeReversed => "PGRST103",
        request::Error::PutRange => "PGRST114",
        request::Error::UnsupportedMethod(_) => "PGRST117",
        request::Error::InvalidPreferences(_) => "PGRST122",
        request::Error::InvalidPath => "PGRST125",
        request::Error::NulCharacter => "22021",
        request::Error::InvalidIdempotencyKey
        | request::Error::InvalidCondition
        | request::Error::OnlyForReads
        | request::Error::TwoCursors
        | request::Error::Batch(_) => "BERTH400",
    }
}

fn request_details(error: &request::Error) -> Option<Value> {
    match error {
        request::Error::QueryParameter { details, .. } => Some(json!(details)),
        request::Error::NegativeLimit => Some(json!("Limit should be greater than or equal to zero.")),
        request::Error::RangeReversed => {
            Some(json!("The lower boundary must be lower than or equal to the upper boundary in the Range header."))
        }
        request::Error::InvalidPreferences(unknown) => {
            Some(json!(format!("Invalid preferences: {}", unknown.join(", "))))
        }
        request::Error::InvalidFunctionMethod(_)
        | request::Error::InvalidBody(_)
        | request::Error::PutRange
        | request::Error::UnsupportedMethod(_)
        | request::Error::InvalidPath
        | request::Error::NulCharacter
        | request::Error::InvalidIdempotencyKey
        | request::Error::OnlyForReads
        | request::Error::TwoCursors
        | request::Error::Batch(_)
        | request::Error::InvalidCondition
        | request::Error::TooLarge(_) => None,
    }
}

fn auth_code(error: &auth::Error) -> &'static str {
    match error {
        auth::Error::NoSecret => "PGRST300",
        auth::Error::KeysUnavailable => "BERTH503",
        auth::Error::TooManyRequests { .. } => "BERTH429",
        auth::Error::Decode { .. } => "PGRST301",
        auth::Error::TokenRequired => "PGRST302",
        auth::Error::Claims(_) => "PGRST303",
    }
}

fn plan_code(error: &plan::Error) -> &'static str {
    match error {
        plan::Error::PutFilters => "PGRST105",
        plan::Error::UnknownSchema { .. } => "PGRST106",
        plan::Error::MediaType(_) => "PGRST107",
        plan::Error::NotEmbedded { .. } => "PGRST108",
        plan::Error::PutMismatch => "PGRST115",
        plan::Error::RelatedOrder { .. } => "PGRST118",
        plan::Error::EmbedFilter(_) => "PGRST120",
        plan::Error::AggregatesNotAllowed => "PGRST123",
        plan::Error::RootDisabled => "PGRST126",
        plan::Error::NotImplemented(_) => "PGRST127",
        plan::Error::Keyset(_) => "BERTH400",
        plan::Error::NoRelationship { .. } => "PGRST200",
        plan::Error::AmbiguousRelationship { .. } => "PGRST201",
        plan::Error::NoFunction { .. } => "PGRST202",
        plan::Error::AmbiguousFunction(_) => "PGRST203",
        plan::Error::MaxAffectedOfOne => "PGRST128",
        plan::Error::ColumnNotFound { .. } => "PGRST204",
        plan::Error::TableNotFound { .. } => "PGRST205",
        plan::Error::Sqlstate { code, .. } => code,
    }
}

fn plan_details(error: &plan::Error) -> Option<Value> {
    match error {
        plan::Error::NotImplemented(what) => Some(json!(what)),
        plan::Error::NoRelationship { parent, child, schema, hint, .. } => {
            let hint = hint.as_ref().map(|hint| format!("' using the hint '{hint}")).unwrap_or_default();
            Some(json!(format!(
                "Searched for a foreign key relationship between '{parent}' and '{child}{hint}' in the schema \
                 '{schema}', but no matches were found."
            )))
        }
        plan::Error::RelatedOrder { table, embed } => {
            Some(json!(format!("'{table}' and '{embed}' do not form a many-to-one or one-to-one relationship")))
        }
        plan::Error::EmbedFilter(_) => {
            Some(json!("Only is null or not is null filters are allowed on embedded resources"))
        }
        plan::Error::AmbiguousRelationship { candidates, .. } => {
            let told = |candidate: &plan::error::Candidate| {
                json!({
                    "cardinality": candidate.cardinality,
                    "embedding": candidate.embedding,
                    "relationship": candidate.relationship
                })
            };
            Some(Value::Array(candidates.iter().map(told).collect()))
        }
        plan::Error::NoFunction { schema, name, arguments, whole, .. } => Some(json!(format!(
            "Searched for the function {schema}.{name}{}, but no matches were found in the schema cache.",
            searched_parameters(arguments, *whole)
        ))),
        plan::Error::Sqlstate { details, .. } => details.clone().map(Value::String),
        plan::Error::NotEmbedded { alias: Some(_), .. } => {
            Some(json!("Target names are not allowed in filters if they have an alias"))
        }
        plan::Error::PutFilters
        | plan::Error::UnknownSchema { .. }
        | plan::Error::MediaType(_)
        | plan::Error::NotEmbedded { alias: None, .. }
        | plan::Error::PutMismatch
        | plan::Error::AggregatesNotAllowed
        | plan::Error::AmbiguousFunction(_)
        | plan::Error::MaxAffectedOfOne
        | plan::Error::Keyset(_)
        | plan::Error::ColumnNotFound { .. }
        | plan::Error::RootDisabled
        | plan::Error::TableNotFound { .. } => None,
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

fn plan_hint(error: &plan::Error) -> Option<String> {
    match error {
        plan::Error::UnknownSchema { exposed, .. } => {
            Some(format!("Only the following schemas are exposed: {}", exposed.join(", ")))
        }
        plan::Error::NotEmbedded { name, alias: Some(alias) } => {
            Some(format!("Change '{name}' to '{alias}' in filters, orders or limits."))
        }
        plan::Error::NotEmbedded { name, alias: None } => {
            Some(format!("Verify that '{name}' is included in the 'select' query parameter."))
        }
        plan::Error::NoRelationship { suggestion, .. } => {
            let better = suggestion.as_deref()?;
            Some(format!("Perhaps you meant '{}' instead of '{}'.", better.name, better.than))
        }
        plan::Error::AmbiguousRelationship { child, candidates, .. } => {
            let hints: Vec<String> = candidates.iter().map(|candidate| format!("'{}'", candidate.hint)).collect();
            Some(format!(
                "Try changing '{child}' to one of the following: {}. Find the desired relationship in the 'details' \
                 key.",
                hints.join(", ")
            ))
        }
        plan::Error::TableNotFound { schema, suggestion, .. } => {
            suggestion.as_ref().map(|name| format!("Perhaps you meant the table '{schema}.{name}'"))
        }
        plan::Error::NoFunction { schema, suggestion, .. } => {
            suggestion.as_ref().map(|function| format!("Perhaps you meant to call the function {schema}.{function}"))
        }
        plan::Error::AmbiguousFunction(_) => Some(
            "Try renaming the parameters or the function itself in the database so function overloading can be resolved"
                .to_owned(),
        ),
        plan::Error::Sqlstate { hint, .. } => hint.clone(),
        plan::Error::PutFilters
        | plan::Error::MediaType(_)
        | plan::Error::PutMismatch
        | plan::Error::RelatedOrder { .. }
        | plan::Error::EmbedFilter(_)
        | plan::Error::AggregatesNotAllowed
        | plan::Error::RootDisabled
        | plan::Error::NotImplemented(_)
        | plan::Error::MaxAffectedOfOne
        | plan::Error::Keyset(_)
        | plan::Error::ColumnNotFound { .. } => None,
    }
}

fn store_code(error: &store::Error) -> &str {
    match error {
        store::Error::Database { code, .. } => code,
        store::Error::NotSingular { .. } => "PGRST116",
        store::Error::MaxAffected { .. } => "PGRST124",
        store::Error::PutMismatch => "PGRST115",
        store::Error::SchemaChanged => "PGRST002",
        store::Error::QueueFull => "53300",
        store::Error::Locked => "BERTH503",
        store::Error::PoolTimeout => "PGRST003",
        store::Error::Unreachable(_) => "PGRST000",
        store::Error::Timeout => "57014",
        store::Error::OutcomeUnknown => "40003",
        store::Error::NoSuchPosition { .. } | store::Error::PreconditionFailed => "BERTH412",
        store::Error::KeyReused => "BERTH422",
        // Whoever stops a transaction says why instead.
        store::Error::Stopped | store::Error::Internal(_) => "PGRSTX00",
    }
}

fn store_details(error: &store::Error) -> Option<Value> {
    match error {
        store::Error::Database { details, .. } => details.clone().map(Value::String),
        store::Error::NotSingular { rows } => Some(json!(format!("The result contains {rows} rows"))),
        store::Error::MaxAffected { rows } => Some(json!(format!("The query affects {rows} rows"))),
        store::Error::PutMismatch
        | store::Error::SchemaChanged
        | store::Error::QueueFull
        | store::Error::Locked
        | store::Error::PoolTimeout
        | store::Error::Unreachable(_)
        | store::Error::Timeout
        | store::Error::OutcomeUnknown
        | store::Error::NoSuchPosition { .. }
        | store::Error::PreconditionFailed
        | store::Error::KeyReused
        | store::Error::Stopped
        | store::Error::Internal(_) => None,
    }
}

fn store_hint(error: &store::Error) -> Option<String> {
    match error {
        store::Error::Database { hint, .. } => hint.clone(),
        store::Error::QueueFull | store::Error::Locked => Some("Retry after the time given in the Retry-After header.".to_owned()),
        store::Error::OutcomeUnknown => Some("Read the row before you repeat the write.".to_owned()),
        store::Error::KeyReused => {
            Some("Send a new key with a new request, the same key only to repeat one.".to_owned())
        }
        store::Error::PreconditionFailed => Some(
            "Read the row again, with the same select, and send its ETag. A tag names a row only when the read's answer \
             was one row."
                .to_owned(),
        ),
        store::Error::NotSingular { .. }
        | store::Error::MaxAffected { .. }
        | store::Error::PutMismatch
        | store::Error::SchemaChanged
        | store::Error::PoolTimeout
        | store::Error::Unreachable(_)
        | store::Error::Timeout
        | store::Error::NoSuchPosition { .. }
        | store::Error::Stopped
        | store::Error::Internal(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_is_not_there_is_told_with_a_name_that_is_close() {
        let error = Error::from(plan::Error::TableNotFound {
            schema: "public".into(),
            name: "film".into(),
            suggestion: Some("films".into()),
        });
        assert_eq!(error.code(), "PGRST205");
        assert_eq!(error.message(), "Could not find the table 'public.film' in the schema cache");
        assert_eq!(error.hint().as_deref(), Some("Perhaps you meant the table 'public.films'"));
    }

    #[test]
    fn what_is_meant_for_the_log_does_not_reach_the_client() {
        for error in [store::Error::Internal("secret".into()), store::Error::Unreachable("secret".into())] {
            let error = Error::from(error);
            assert!(!error.message().contains("secret"));
            assert!(error.details().is_none() && error.hint().is_none());
            assert!(error.cause().contains("secret"));
        }
    }
}
