//! Verifies a JSON Web Token (RFC 7519) and checks its claims.
//!
//! The texts are `PostgREST`'s: <https://docs.postgrest.org/en/v16/references/errors.html#group-3-jwt>.

use jsonwebtoken::{Algorithm, crypto};
use serde_json::{Map, Value};

use super::error::Error;
use super::key::{Keys, decode_part};

/// Clocks of issuers may differ from ours by this many seconds.
const SKEW_SECONDS: i64 = 30;

/// Longer tokens are refused unread; header limits of proxies are smaller.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Verifies the signature and gives the claims, which are not checked yet.
///
/// # Errors
/// [`Error::Decode`] when it is no token or no key made its signature; [`Error::Claims`] when its claims are not JSON.
pub fn verify(token: &str, keys: &Keys) -> Result<Map<String, Value>, Error> {
    if token.is_empty() {
        return Err(decode("Empty JWT is sent in Authorization header", None));
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        return Err(decode(&format!("Expected 3 parts in JWT; got {}", parts.len()), None));
    };
    if token.len() > MAX_TOKEN_BYTES {
        return Err(decode("JWT cryptographic operation failed", None));
    }
    let (algorithm, key_id) = read_header(header)?;
    let message = format!("{header}.{payload}");
    let verified = keys
        .matching(algorithm, key_id.as_deref())
        .any(|key| crypto::verify(signature, message.as_bytes(), key, algorithm).unwrap_or(false));
    if !verified {
        let details = "None of the keys was able to decode the JWT";
        return Err(decode("No suitable key or wrong key type", Some(details)));
    }
    let claims = decode_part(payload).and_then(|bytes| serde_json::from_slice(&bytes).ok());
    claims.ok_or_else(|| Error::Claims("Parsing claims failed".into()))
}

/// True when a token that `keys` do not verify may have been signed with a public key that is newer than they are.
pub(super) fn may_have_newer_key(token: &str, keys: &Keys) -> bool {
    let is_shared = |algorithm| matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
    let header = token.split_once('.').filter(|_| token.len() <= MAX_TOKEN_BYTES).map(|(header, _)| header);
    match header.map(read_header) {
        Some(Ok((algorithm, id))) => !is_shared(algorithm) && id.is_none_or(|id| !keys.has_id(&id)),
        Some(Err(_)) | None => false,
    }
}

/// The algorithm and key id that the header names. `none` is no algorithm.
fn read_header(part: &str) -> Result<(Algorithm, Option<String>), Error> {
    let header: Map<String, Value> = decode_part(part)
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| decode("JWT cryptographic operation failed", None))?;
    // An extension that must be understood is not (RFC 7515, section 4.1.11).
    if header.contains_key("crit") {
        return Err(decode("Unsupported token type", None));
    }
    let name = header.get("alg").and_then(Value::as_str).unwrap_or_default();
    let algorithm: Algorithm = name.parse().map_err(|_| {
        let details = match name {
            "none" => "JWT is unsecured but expected 'alg' was not 'none'",
            _ => "JWT is unsecured or its algorithm is unknown",
        };
        decode("Wrong or unsupported encoding algorithm", Some(details))
    })?;
    Ok((algorithm, header.get("kid").and_then(Value::as_str).map(str::to_owned)))
}

/// Checks `exp`, `nbf`, `iat` and `aud` at the moment `now` (Unix seconds).
///
/// # Errors
/// [`Error::Claims`] with the first claim that does not hold.
pub fn check_claims(claims: &Map<String, Value>, audience: Option<&str>, now: i64) -> Result<(), Error> {
    let refuse = |text: &str| Err(Error::Claims(text.to_owned()));
    if let Some(expires) = seconds(claims, "exp")?
        && now - SKEW_SECONDS > expires
    {
        return refuse("JWT expired");
    }
    if let Some(begins) = seconds(claims, "nbf")?
        && now + SKEW_SECONDS < begins
    {
        return refuse("JWT not yet valid");
    }
    if let Some(issued) = seconds(claims, "iat")?
        && now + SKEW_SECONDS < issued
    {
        return refuse("JWT issued at future");
    }
    check_audience(claims.get("aud"), audience)
}

/// A claim that is a number of seconds.
pub(super) fn seconds(claims: &Map<String, Value>, name: &str) -> Result<Option<i64>, Error> {
    let not_a_number = || Error::Claims(format!("The JWT '{name}' claim must be a number"));
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => {
            #[expect(clippy::cast_possible_truncation, reason = "saturates, which is what a claim out of range means")]
            let whole = number.as_i64().or_else(|| number.as_f64().map(|value| value.floor() as i64));
            whole.map(Some).ok_or_else(not_a_number)
        }
        Some(Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => Err(not_a_number()),
    }
}

fn check_audience(claim: Option<&Value>, audience: Option<&str>) -> Result<(), Error> {
    let not_text = || Error::Claims("The JWT 'aud' claim must be a string or an array of strings".into());
    let audiences: Vec<&str> = match claim {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(list)) => {
            list.iter().map(|entry| entry.as_str().ok_or_else(not_text)).collect::<Result<_, _>>()?
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => return Err(not_text()),
    };
    let meant_for_us = audiences.is_empty() || audience.is_none_or(|ours| audiences.contains(&ours));
    if meant_for_us { Ok(()) } else { Err(Error::Claims("JWT not in audience".into())) }
}

fn decode(message: &str, details: Option<&str>) -> Error {
    Error::Decode { message: message.to_owned(), details: details.map(str::to_owned) }
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;
