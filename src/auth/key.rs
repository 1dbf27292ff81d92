//! What tokens are verified with: a shared secret, or public keys as a JWK or JWKS.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;
use thiserror::Error as ThisError;

/// Keys beyond this number are not looked at: nobody rotates more.
const MAX_KEYS: usize = 64;

/// RFC 7518, section 3.2: a shared secret has at least as many bytes as the hash of HS256.
const SHARED_LEAST_BYTES: usize = 32;

/// Keys that tokens may be signed with.
#[derive(Clone)]
pub struct Keys(Vec<Key>);

#[derive(Clone)]
struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    decoding: DecodingKey,
}

/// Where a set of keys comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// The operator's own setting: shared secrets may be among the keys.
    Setting,
    /// An address that others read too: a shared secret there is no secret, and everybody could sign with it.
    Public,
}

/// Why a setting holds no keys.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum Error {
    /// A JSON text that is neither a JWK nor a JWKS.
    #[error("the key is neither a JWK nor a JWKS: {0}")]
    NotJwk(String),
    /// Kinds of keys that berth has no algorithm for, or secrets that are shorter than a hash.
    #[error("no key of a supported kind (oct of at least 32 bytes, RSA, EC P-256 or P-384, Ed25519)")]
    Unsupported,
}

impl Keys {
    /// No keys, which verify nothing.
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    /// Reads a secret: a JWK or JWKS when it is a JSON object, else the bytes of a shared secret.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn from_secret(secret: &[u8]) -> Result<Self, Error> {
        match std::str::from_utf8(secret) {
            Ok(text) if text.trim_start().starts_with('{') => Self::from_jwks(text),
            Ok(_) | Err(_) => {
                let decoding = DecodingKey::from_secret(secret);
                Ok(Self(vec![Key { id: None, algorithms: SHARED.to_vec(), decoding }]))
            }
        }
    }

    /// Reads a JWKS, or a single JWK. Keys of kinds that berth has no algorithm for are passed over, as are those that
    /// are meant for encryption.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn from_jwks(text: &str) -> Result<Self, Error> {
        Self::read(text, Origin::Setting)
    }

    /// Reads a JWKS that was published: as [`Self::from_jwks`], but shared secrets are passed over too.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn from_published(text: &str) -> Result<Self, Error> {
        Self::read(text, Origin::Public)
    }

    fn read(text: &str, origin: Origin) -> Result<Self, Error> {
        let document: Value = serde_json::from_str(text).map_err(|error| Error::NotJwk(error.to_string()))?;
        let listed = match document.get("keys") {
            Some(Value::Array(keys)) => keys.as_slice(),
            Some(_) => return Err(Error::NotJwk("\"keys\" is not an array".to_owned())),
            None if document.get("kty").is_some() => std::slice::from_ref(&document),
            None => return Err(Error::NotJwk("there is neither \"keys\" nor \"kty\"".to_owned())),
        };
        let keys: Vec<Key> = listed.iter().take(MAX_KEYS).filter_map(|key| Key::of_json(key, origin)).collect();
        if keys.is_empty() { Err(Error::Unsupported) } else { Ok(Self(keys)) }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// These keys and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// True when a key has this id.
    pub(super) fn has_id(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }

    /// Keys that may have signed a token with this algorithm and key id.
    pub(super) fn matching<'a>(
        &'a self,
        algorithm: Algorithm,
        id: Option<&'a str>,
    ) -> impl Iterator<Item = &'a DecodingKey> {
        self.0
            .iter()
            .filter(move |key| key.algorithms.contains(&algorithm))
            .filter(move |key| id.is_none() || key.id.is_none() || key.id.as_deref() == id)
            .map(|key| &key.decoding)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.0.len())
    }
}

const SHARED: &[Algorithm] = &[Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];
const RSA: &[Algorithm] =
    &[Algorithm::RS256, Algorithm::RS384, Algorithm::RS512, Algorithm::PS256, Algorithm::PS384, Algorithm::PS512];

impl Key {
    fn of_json(key: &Value, origin: Origin) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(key.clone()).ok()?;
        match (&jwk.algorithm, origin) {
            (AlgorithmParameters::OctetKey(_), Origin::Public) => None,
            (AlgorithmParameters::OctetKey(octets), Origin::Setting)
                if decode_part(&octets.value).is_none_or(|secret| secret.len() < SHARED_LEAST_BYTES) =>
            {
                None
            }
            _ if jwk.common.public_key_use == Some(PublicKeyUse::Encryption) => None,
            _ => Self::of_jwk(&jwk),
        }
    }

    /// A key is tied to the algorithms of its own kind, or to the one it names, whatever a token's header says: a public
    /// key never serves as a shared secret.
    fn of_jwk(jwk: &Jwk) -> Option<Self> {
        let of_kind: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::OctetKey(_) => SHARED,
            AlgorithmParameters::RSA(_) => RSA,
            AlgorithmParameters::EllipticCurve(parameters) => match parameters.curve {
                EllipticCurve::P256 => &[Algorithm::ES256],
                EllipticCurve::P384 => &[Algorithm::ES384],
                EllipticCurve::P521 | EllipticCurve::Ed25519 => return None,
            },
            AlgorithmParameters::OctetKeyPair(_) => &[Algorithm::EdDSA],
        };
        let named = jwk.common.key_algorithm.map(|algorithm| algorithm.to_string());
        let is_allowed = |algorithm: &Algorithm| named.as_ref().is_none_or(|name| *name == format!("{algorithm:?}"));
        let algorithms: Vec<Algorithm> = of_kind.iter().copied().filter(is_allowed).collect();
        if algorithms.is_empty() {
            return None;
        }
        let decoding = DecodingKey::from_jwk(jwk).ok()?;
        Some(Self { id: jwk.common.key_id.clone(), algorithms, decoding })
    }
}

/// Decodes one part of a token, or of a JWK.
pub(super) fn decode_part(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = include_str!("../../tests/keys/public.json");

    #[test]
    fn keys_that_cannot_verify_are_passed_over() {
        let set = |text: &str| Keys::from_jwks(text).map(|keys| keys.count());
        assert_eq!(set(PUBLIC), Ok(4));
        assert_eq!(set(&PUBLIC.replace("\"sig\"", "\"enc\"")), Err(Error::Unsupported));
        assert_eq!(set(&PUBLIC.replace("P-384", "P-521")), Ok(3));
        assert_eq!(set(&PUBLIC.replace("Ed25519", "X25519")), Ok(3), "one strange key does not spoil the others");
        assert!(matches!(set("[]"), Err(Error::NotJwk(_))));
        assert!(matches!(set("{\"keys\": 1}"), Err(Error::NotJwk(_))));
    }

    #[test]
    fn a_key_verifies_only_the_algorithm_it_names() {
        let keys =
            Keys::from_jwks(&PUBLIC.replace("\"kid\": \"rsa\"", "\"kid\": \"rsa\", \"alg\": \"RS512\"")).unwrap();
        assert_eq!(keys.matching(Algorithm::RS512, Some("rsa")).count(), 1);
        assert_eq!(keys.matching(Algorithm::RS256, Some("rsa")).count(), 0);
        assert_eq!(keys.matching(Algorithm::PS512, None).count(), 0);
    }

    #[test]
    fn a_secret_that_was_published_is_none() {
        let secret = r#"{"keys":[{"kty":"oct","kid":"1","k":"YSBzZWNyZXQgb2YgYXQgbGVhc3QgdGhpcnR5LXR3byBieXRlcw"}]}"#;
        assert_eq!(Keys::from_jwks(secret).unwrap().count(), 1);
        let short = r#"{"kty":"oct","k":"YSBzZWNyZXQgb2YganVzdCB0aGlydHktMSBieXRlcw"}"#;
        assert_eq!(Keys::from_jwks(short).err(), Some(Error::Unsupported), "31 bytes");
        assert_eq!(Keys::from_published(secret).err(), Some(Error::Unsupported));
        assert_eq!(Keys::from_published(PUBLIC).unwrap().count(), 4);
    }
}
