//! Makes a token, for development: what an identity provider does in earnest.

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Map, Value};
use thiserror::Error as ThisError;

use super::key::decode_part;

/// Why no token can be made.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum Error {
    /// Public keys verify tokens; they cannot make one.
    #[error("the key is none that can sign: set JWT_SECRET to a shared secret")]
    NotShared,
    /// The signature could not be made.
    #[error("the token cannot be signed: {0}")]
    Sign(String),
}

/// Signs `claims` with HS256. `secret`: the bytes of a shared secret, or a JWK or JWKS that holds one.
///
/// # Errors
/// See [`Error`].
pub fn mint(secret: &[u8], claims: &Map<String, Value>) -> Result<String, Error> {
    let mut header = Header::default();
    let key = match std::str::from_utf8(secret) {
        Ok(text) if text.trim_start().starts_with('{') => {
            let (id, key) = shared_key(text).ok_or(Error::NotShared)?;
            header.kid = id;
            EncodingKey::from_secret(&key)
        }
        Ok(_) | Err(_) => EncodingKey::from_secret(secret),
    };
    encode(&header, claims, &key).map_err(|error| Error::Sign(error.to_string()))
}

/// The first shared secret among the keys, with its id.
fn shared_key(text: &str) -> Option<(Option<String>, Vec<u8>)> {
    let keys = match serde_json::from_str::<JwkSet>(text) {
        Ok(set) => set.keys,
        Err(_) => vec![serde_json::from_str::<Jwk>(text).ok()?],
    };
    keys.into_iter().find_map(|key| match &key.algorithm {
        AlgorithmParameters::OctetKey(octets) => Some((key.common.key_id.clone(), decode_part(&octets.value)?)),
        AlgorithmParameters::RSA(_) | AlgorithmParameters::EllipticCurve(_) | AlgorithmParameters::OctetKeyPair(_) => {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::{Keys, token};

    #[test]
    fn what_is_minted_is_taken() {
        let jwk = r#"{"keys":[{"kty":"oct","kid":"1","k":"YSBzZWNyZXQgb2YgYXQgbGVhc3QgdGhpcnR5LXR3byBieXRlcw"}]}"#;
        for secret in ["a secret of at least thirty-two bytes", jwk] {
            let claims = serde_json::json!({"role": "web"});
            let minted = mint(secret.as_bytes(), claims.as_object().unwrap()).unwrap();
            let keys = Keys::from_secret(secret.as_bytes()).unwrap();
            assert_eq!(token::verify(&minted, &keys).unwrap()["role"], "web");
        }
    }

    #[test]
    fn a_public_key_mints_nothing() {
        let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        assert_eq!(mint(jwk.as_bytes(), &Map::new()), Err(Error::NotShared));
    }
}
