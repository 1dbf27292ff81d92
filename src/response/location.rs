//! Where a row is: the `Location` of an insert.

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a path segment or a query value (RFC 3986, unreserved).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Encodes one segment of a path.
#[must_use]
pub fn encode_path(segment: &str) -> String {
    utf8_percent_encode(segment, ENCODED).to_string()
}

/// `?id=eq.1` from the key's columns as a JSON object of texts; `None` when there is no key.
///
/// # Example
/// ```
/// use berth::response::location::of_key;
/// assert_eq!(of_key(r#"{"id":"1","name":"a b"}"#).as_deref(), Some("?id=eq.1&name=eq.a%20b"));
/// assert_eq!(of_key("{}"), None);
/// ```
#[must_use]
pub fn of_key(key: &str) -> Option<String> {
    let key: serde_json::Map<String, serde_json::Value> = serde_json::from_str(key).ok()?;
    let mut query = String::new();
    for (column, value) in &key {
        query.push(if query.is_empty() { '?' } else { '&' });
        let column = utf8_percent_encode(column, ENCODED);
        let written = match value {
            serde_json::Value::Null => write!(query, "{column}=is.null"),
            serde_json::Value::String(text) => write!(query, "{column}=eq.{}", utf8_percent_encode(text, ENCODED)),
            serde_json::Value::Bool(_)
            | serde_json::Value::Number(_)
            | serde_json::Value::Array(_)
            | serde_json::Value::Object(_) => {
                write!(query, "{column}=eq.{}", utf8_percent_encode(&value.to_string(), ENCODED))
            }
        };
        written.ok()?;
    }
    (!query.is_empty()).then_some(query)
}
