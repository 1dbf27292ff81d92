//! The answer: what a statement brought that cannot be told, or that its sender did not want, and what code in the
//! database raised.

use serde_json::{Value, json};

use super::Fields;
use crate::response::Error;
use crate::response::raised::Raised;

impl Fields for Error {
    fn code(&self) -> &str {
        match self {
            Self::OffsetBeyondEnd { .. } => "PGRST103",
            Self::LongCursor => "BERTH400",
            Self::InvalidHeaders => "PGRST111",
            Self::InvalidStatus => "PGRST112",
            Self::UnreadableRaise(_) => "PGRST121",
            Self::PreconditionFailed => "BERTH412",
        }
    }

    fn details(&self) -> Option<Value> {
        match self {
            Self::OffsetBeyondEnd { offset, total } => {
                Some(json!(format!("An offset of {offset} was requested, but there are only {total} rows.")))
            }
            Self::UnreadableRaise(unreadable) => Some(json!(unreadable.to_string())),
            Self::InvalidHeaders | Self::InvalidStatus | Self::LongCursor | Self::PreconditionFailed => None,
        }
    }

    fn hint(&self) -> Option<String> {
        if let Self::UnreadableRaise(unreadable) = self { Some(unreadable.hint().to_owned()) } else { None }
    }
}

impl Fields for Raised {
    fn code(&self) -> &str {
        &self.code
    }

    fn details(&self) -> Option<Value> {
        self.details.clone().map(Value::String)
    }

    fn hint(&self) -> Option<String> {
        self.hint.clone()
    }
}
