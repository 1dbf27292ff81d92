//! The token, and how often its bearer may come.

use serde_json::{Value, json};

use super::{Fields, RETRY_LATER};
use crate::auth::Error;

impl Fields for Error {
    fn code(&self) -> &str {
        match self {
            Self::NoSecret => "PGRST300",
            Self::KeysUnavailable => "BERTH503",
            Self::TooManyRequests { .. } => "BERTH429",
            Self::Decode { .. } => "PGRST301",
            Self::TokenRequired => "PGRST302",
            Self::Claims(_) => "PGRST303",
        }
    }

    fn details(&self) -> Option<Value> {
        match self {
            Self::Decode { details, .. } => details.clone().map(Value::String),
            Self::TooManyRequests { by, .. } => Some(json!(format!("The limit for this {} is reached.", by.name()))),
            Self::NoSecret | Self::KeysUnavailable | Self::TokenRequired | Self::Claims(_) => None,
        }
    }

    fn hint(&self) -> Option<String> {
        matches!(self, Self::TooManyRequests { .. }).then(|| RETRY_LATER.to_owned())
    }
}
