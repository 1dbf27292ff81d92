//! `Idempotency-Key`: a write that is sent again is applied once.
//!
//! ```text
//! header = string / token        ; `"8e03978e-…"` as the draft says, or the same without quotes, as many clients send it
//! ```
//!
//! Source: <https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/>

use super::digest::Digest;
use super::{Error, Raw};

/// The header's name.
pub const HEADER: &str = "idempotency-key";

/// Longest key, in bytes: seven UUIDs.
const KEY_MAX_BYTES: usize = 255;

/// Headers that an answer depends on: a request that differs in one of them is another request.
const SHAPING_HEADERS: [&str; 5] = ["accept", "accept-profile", "content-profile", "content-type", "prefer"];

/// What makes a write one that is applied once: hashes, so that a store keeps neither keys nor bodies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// SHA-256 of who asks and the key: two senders never share one.
    pub name: [u8; 32],
    /// SHA-256 of the request: verb, path, query, headers that shape the answer, body.
    pub fingerprint: [u8; 32],
}

impl Once {
    /// Reads the key of a request. `None` without one, or for a verb that writes nothing.
    ///
    /// `role` and `subject`: who asks, the same for each token of one sender.
    ///
    /// # Errors
    /// [`Error::InvalidIdempotencyKey`] when it is empty, longer than 255 bytes, sent twice or not visible ASCII.
    pub fn read(raw: &Raw, role: &str, subject: &str) -> Result<Option<Self>, Error> {
        if !matches!(raw.method.as_str(), "POST" | "PATCH" | "PUT" | "DELETE") {
            return Ok(None);
        }
        let mut sent = raw.headers.iter().filter(|(name, _)| name == HEADER).map(|(_, value)| value);
        let Some(value) = sent.next() else { return Ok(None) };
        let key = key(value).filter(|_| sent.next().is_none()).ok_or(Error::InvalidIdempotencyKey)?;
        // In this order, whatever the order of arrival is.
        let shaping = SHAPING_HEADERS.iter().flat_map(|shaping| {
            let values = raw.headers.iter().filter(move |(name, _)| name == shaping).map(|(_, value)| value.as_str());
            std::iter::once(*shaping).chain(values)
        });
        let request = [raw.method.as_str(), &raw.path, &raw.query].into_iter().chain(shaping);
        let request = request.map(str::as_bytes).chain([raw.body.as_ref()]);
        Ok(Some(Self { name: hash([role, subject, &key].map(str::as_bytes)), fingerprint: hash(request) }))
    }
}

/// The key without its quotes.
fn key(value: &str) -> Option<String> {
    let value = value.trim();
    let quoted = value.strip_prefix('"').map(|rest| rest.strip_suffix('"'));
    let key = match quoted {
        Some(inner) => unescape(inner?)?,
        None => value.to_owned(),
    };
    let is_plain = key.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    (is_plain && !key.is_empty() && key.len() <= KEY_MAX_BYTES).then_some(key)
}

/// Reads `\"` and `\\`, the only escapes of a structured string.
fn unescape(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => return None,
            '\\' => plain.push(characters.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            other => plain.push(other),
        }
    }
    Some(plain)
}

fn hash<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut digest = Digest::default();
    parts.into_iter().for_each(|part| _ = digest.add(part));
    digest.whole()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(method: &str, headers: &[(&str, &str)], body: &'static str) -> Raw {
        Raw {
            method: method.to_owned(),
            path: "/films".to_owned(),
            query: String::new(),
            headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            body: body.into(),
        }
    }

    fn read(raw: &Raw) -> Once {
        Once::read(raw, "anon", "").unwrap().unwrap()
    }

    #[test]
    fn a_key_means_the_same_with_and_without_quotes() {
        let bare = read(&raw("POST", &[(HEADER, "a-1")], "{}"));
        assert_eq!(read(&raw("POST", &[(HEADER, "\"a-1\"")], "{}")), bare);
        let escaped = read(&raw("POST", &[(HEADER, r#""a\"\\b""#)], "{}"));
        assert_eq!(read(&raw("POST", &[(HEADER, r#"a"\b"#)], "{}")), escaped);
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        let long = "x".repeat(KEY_MAX_BYTES + 1);
        for value in ["", "  ", "\"\"", "\"a", "\"a\"b\"", r#""a\n""#, "é", long.as_str()] {
            let read = Once::read(&raw("POST", &[(HEADER, value)], ""), "anon", "");
            assert_eq!(read, Err(Error::InvalidIdempotencyKey), "{value}");
        }
        let twice = raw("POST", &[(HEADER, "a"), (HEADER, "a")], "");
        assert_eq!(Once::read(&twice, "anon", ""), Err(Error::InvalidIdempotencyKey));
        assert!(Once::read(&raw("POST", &[(HEADER, &long[1..])], ""), "anon", "").is_ok());
    }

    #[test]
    fn only_writes_are_applied_once() {
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert_eq!(Once::read(&raw(method, &[(HEADER, "\"")], ""), "anon", ""), Ok(None));
        }
        assert_eq!(Once::read(&raw("POST", &[], ""), "anon", ""), Ok(None));
    }

    #[test]
    fn each_part_of_the_request_is_in_its_fingerprint_and_the_sender_in_its_name() {
        let first = raw("POST", &[(HEADER, "a"), ("prefer", "return=minimal")], "{}");
        let same = Raw {
            headers: [first.headers.clone(), vec![("x-request-id".into(), "7".into())]].concat(),
            ..first.clone()
        };
        assert_eq!(read(&same), read(&first));
        let reordered = Raw { headers: first.headers.iter().rev().cloned().collect(), ..first.clone() };
        assert_eq!(read(&reordered), read(&first));
        for other in [
            Raw { method: "PUT".into(), ..first.clone() },
            Raw { path: "/film".into(), ..first.clone() },
            Raw { query: "select=id".into(), ..first.clone() },
            Raw { body: "{} ".into(), ..first.clone() },
            raw("POST", &[(HEADER, "a"), ("prefer", "return=representation")], "{}"),
        ] {
            assert_eq!(read(&other).name, read(&first).name);
            assert_ne!(read(&other).fingerprint, read(&first).fingerprint, "{other:?}");
        }
        let named = |role, subject| Once::read(&first, role, subject).unwrap().unwrap();
        for (role, subject) in [("anon", "x"), ("anonx", ""), ("a", "nonx")] {
            assert_ne!(named(role, subject).name, read(&first).name);
            assert_eq!(named(role, subject).fingerprint, read(&first).fingerprint);
        }
    }
}
