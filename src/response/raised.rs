//! Errors that code in the database makes whole, with status and headers: `RAISE SQLSTATE 'PGRST'`.
//!
//! | part of `RAISE` | JSON object with |
//! |---|---|
//! | `MESSAGE` | `code`, `message`; perhaps `details`, `hint` |
//! | `DETAIL` | `status`, `headers` (an object); perhaps `status_text`, which HTTP clients do not read and is left out |
//!
//! Source: <https://docs.postgrest.org/en/v16/references/errors.html#raise-errors-with-http-status-codes>

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use thiserror::Error as ThisError;

use super::status::is_final;

/// The SQLSTATE that says so.
pub const SQLSTATE: &str = "PGRST";

/// An error as the database's code made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// HTTP status code.
    pub status: u16,
    /// Headers of the answer.
    pub headers: Vec<(String, String)>,
    /// Whatever the code calls it.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// More of it.
    pub details: Option<String>,
    /// What to do.
    pub hint: Option<String>,
}

/// What is wrong with the `RAISE` (PGRST121).
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum Unreadable {
    /// `MESSAGE` is not what it must be.
    #[error("Invalid JSON value for MESSAGE: '{0}'")]
    Message(String),
    /// `DETAIL` is not what it must be.
    #[error("Invalid JSON value for DETAIL: '{0}'")]
    Detail(String),
    /// There is no `DETAIL`.
    #[error("DETAIL is missing in the RAISE statement")]
    NoDetail,
}

#[derive(Debug, Deserialize)]
struct Message {
    code: String,
    message: String,
    details: Option<String>,
    hint: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Detail {
    status: u16,
    headers: BTreeMap<String, String>,
}

impl Raised {
    /// Reads the two parts of a `RAISE`.
    ///
    /// # Errors
    /// See [`Unreadable`].
    ///
    /// # Example
    /// ```
    /// use berth::response::raised::Raised;
    /// let message = r#"{"code": "7", "message": "Paid only"}"#;
    /// let raised = Raised::parse(message, Some(r#"{"status": 402, "headers": {"X-Plan": "free"}}"#)).unwrap();
    /// assert_eq!((raised.status, raised.code.as_str()), (402, "7"));
    /// ```
    pub fn parse(message: &str, detail: Option<&str>) -> Result<Self, Unreadable> {
        let Message { code, message, details, hint } =
            read(message).ok_or_else(|| Unreadable::Message(message.to_owned()))?;
        let detail = detail.ok_or(Unreadable::NoDetail)?;
        let Detail { status, headers } = read(detail)
            .filter(|detail: &Detail| is_final(detail.status))
            .ok_or_else(|| Unreadable::Detail(detail.to_owned()))?;
        Ok(Self { status, headers: headers.into_iter().collect(), code, message, details, hint })
    }
}

impl Unreadable {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Message(_) => {
                "MESSAGE must be a JSON object with obligatory keys: 'code', 'message' and optional keys: 'details', \
                 'hint'."
            }
            Self::Detail(_) | Self::NoDetail => {
                "DETAIL must be a JSON object with obligatory keys: 'status', 'headers' and optional key: \
                 'status_text'."
            }
        }
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_parts_must_be_objects_with_what_is_needed() {
        let (message, detail) = (r#"{"code":"1","message":"m"}"#, r#"{"status":404,"headers":{}}"#);
        assert!(Raised::parse(message, Some(detail)).is_ok());
        assert_eq!(Raised::parse(message, None), Err(Unreadable::NoDetail));
        for wrong in ["", "m", "[]", r#"{"code":1,"message":"m"}"#, r#"{"message":"m"}"#] {
            assert_eq!(Raised::parse(wrong, Some(detail)), Err(Unreadable::Message(wrong.to_owned())));
        }
        for wrong in ["", r#"{"status":404}"#, r#"{"status":99,"headers":{}}"#, r#"{"status":700,"headers":{}}"#] {
            assert_eq!(Raised::parse(message, Some(wrong)), Err(Unreadable::Detail(wrong.to_owned())));
        }
    }
}
