//! The database.

use serde_json::{Value, json};

use super::{Fields, RETRY_LATER};
use crate::store::Error;

impl Fields for Error {
    fn code(&self) -> &str {
        match self {
            Self::Database { code, .. } => code,
            Self::NotSingular { .. } => "PGRST116",
            Self::MaxAffected { .. } => "PGRST124",
            Self::PutMismatch => "PGRST115",
            Self::SchemaChanged => "PGRST002",
            Self::QueueFull => "53300",
            Self::Locked => "BERTH503",
            Self::PoolTimeout => "PGRST003",
            Self::Unreachable(_) => "PGRST000",
            Self::Timeout => "57014",
            Self::OutcomeUnknown => "40003",
            Self::NoSuchPosition { .. } | Self::PreconditionFailed => "BERTH412",
            Self::KeyReused => "BERTH422",
            // Whoever stops a transaction says why instead.
            Self::Stopped | Self::Internal(_) => "PGRSTX00",
        }
    }

    fn details(&self) -> Option<Value> {
        match self {
            Self::Database { details, .. } => details.clone().map(Value::String),
            Self::NotSingular { rows } => Some(json!(format!("The result contains {rows} rows"))),
            Self::MaxAffected { rows } => Some(json!(format!("The query affects {rows} rows"))),
            Self::PutMismatch
            | Self::SchemaChanged
            | Self::QueueFull
            | Self::Locked
            | Self::PoolTimeout
            | Self::Unreachable(_)
            | Self::Timeout
            | Self::OutcomeUnknown
            | Self::NoSuchPosition { .. }
            | Self::PreconditionFailed
            | Self::KeyReused
            | Self::Stopped
            | Self::Internal(_) => None,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Database { hint, .. } => hint.clone(),
            Self::QueueFull | Self::Locked => Some(RETRY_LATER.to_owned()),
            Self::OutcomeUnknown => Some("Read the row before you repeat the write.".to_owned()),
            Self::KeyReused => {
                Some("Send a new key with a new request, the same key only to repeat one.".to_owned())
            }
            Self::PreconditionFailed => Some(
                "Read the row again, with the same select, and send its ETag. A tag names a row only when the read's answer \
                 was one row."
                    .to_owned(),
            ),
            Self::NotSingular { .. }
            | Self::MaxAffected { .. }
            | Self::PutMismatch
            | Self::SchemaChanged
            | Self::PoolTimeout
            | Self::Unreachable(_)
            | Self::Timeout
            | Self::NoSuchPosition { .. }
            | Self::Stopped
            | Self::Internal(_) => None,
        }
    }
}
