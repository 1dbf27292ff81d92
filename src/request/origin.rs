//! What SQL may ask of a request: `current_setting('request.method')` and its like.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/transactions.html#request-headers-cookies-and-jwt-claims>

use serde_json::{Map, Value};

use super::Raw;

/// A request as SQL sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The verb, e.g. `GET`.
    pub method: String,
    /// The path, as sent.
    pub path: String,
    /// The headers as a JSON object, without cookies; empty where nothing asks for them.
    pub headers: String,
    /// The cookies as a JSON object; empty where nothing asks for them.
    pub cookies: String,
}

impl Origin {
    /// The whole of a request.
    #[must_use]
    pub fn of(raw: &Raw) -> Self {
        let headers = raw.headers.iter().filter(|(name, _)| name != "cookie");
        let headers: Map<String, Value> = headers.map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        Self {
            headers: Value::Object(headers).to_string(),
            cookies: Value::Object(raw.header("cookie").map(cookies).unwrap_or_default()).to_string(),
            ..Self::without_headers(raw)
        }
    }

    /// Only verb and path.
    #[must_use]
    pub fn without_headers(raw: &Raw) -> Self {
        let (method, path) = (raw.method.clone(), raw.path.clone());
        Self { method, path, headers: String::new(), cookies: String::new() }
    }
}

/// Pairs between semicolons, blanks around them left out.
fn cookies(header: &str) -> Map<String, Value> {
    let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_told_apart_from_headers() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let raw = Raw {
            method: "GET".into(),
            path: "/films".into(),
            query: String::new(),
            headers: vec![pair("x-a", "1"), pair("cookie", "a=b=c;  d=; e")],
            body: bytes::Bytes::new(),
        };
        let origin = Origin::of(&raw);
        assert_eq!(origin.headers, r#"{"x-a":"1"}"#);
        assert_eq!(origin.cookies, r#"{"a":"b=c","d":""}"#);
    }
}
