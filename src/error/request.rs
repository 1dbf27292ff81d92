//! The text of a request.

use serde_json::{Value, json};

use super::Fields;
use crate::request::Error;

impl Fields for Error {
    fn code(&self) -> &str {
        match self {
            Self::QueryParameter { .. } | Self::TooLarge(_) => "PGRST100",
            Self::InvalidFunctionMethod(_) => "PGRST101",
            Self::InvalidBody(_) => "PGRST102",
            Self::NegativeLimit | Self::RangeReversed => "PGRST103",
            Self::PutRange => "PGRST114",
            Self::UnsupportedMethod(_) => "PGRST117",
            Self::InvalidPreferences(_) => "PGRST122",
            Self::InvalidPath => "PGRST125",
            Self::NulCharacter => "22021",
            Self::InvalidIdempotencyKey
            | Self::InvalidCondition
            | Self::OnlyForReads
            | Self::TwoCursors
            | Self::Batch(_) => "BERTH400",
        }
    }

    fn details(&self) -> Option<Value> {
        match self {
            Self::QueryParameter { details, .. } => Some(json!(details)),
            Self::NegativeLimit => Some(json!("Limit should be greater than or equal to zero.")),
            Self::RangeReversed => {
                Some(json!("The lower boundary must be lower than or equal to the upper boundary in the Range header."))
            }
            Self::InvalidPreferences(unknown) => Some(json!(format!("Invalid preferences: {}", unknown.join(", ")))),
            Self::InvalidFunctionMethod(_)
            | Self::InvalidBody(_)
            | Self::PutRange
            | Self::UnsupportedMethod(_)
            | Self::InvalidPath
            | Self::NulCharacter
            | Self::InvalidIdempotencyKey
            | Self::OnlyForReads
            | Self::TwoCursors
            | Self::Batch(_)
            | Self::InvalidCondition
            | Self::TooLarge(_) => None,
        }
    }
}
