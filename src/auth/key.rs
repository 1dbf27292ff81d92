//! What tokens are verified with: a shared secret, or public keys as a JWK or JWKS.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey};
use thiserror::Error as ThisError;

/// Keys beyond this number are not looked at: nobody rotates more.
const MAX_KEYS: usize = 64;

/// Keys that tokens may be signed with.
#[derive(Clone)]
pub struct Keys(Vec<Key>);

#[derive(Clone)]
struct Key {
    id: Option<String>,
    algorithms: &'static [Algorithm],
    decoding: DecodingKey,
}

/// Why a setting holds no keys.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum Error {
    /// A JSON text that is neither a JWK nor a JWKS.
    #[error("the key is neither a JWK nor a JWKS: {0}")]
    NotJwk(String),
    /// A kind of key berth has no algorithm for.
    #[error("no key of a supported kind (oct, RSA, EC P-256 or P-384, Ed25519)")]
    Unsupported,
}

impl Keys {
    /// Reads a secret: a JWK or JWKS when it is a JSON object, else the bytes of a shared secret.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn from_secret(secret: &[u8]) -> Result<Self, Error> {
        match std::str::from_utf8(secret) {
            Ok(text) if text.trim_start().starts_with('{') => Self::from_jwks(text),
            Ok(_) | Err(_) => {
                Ok(Self(vec![Key { id: None, algorithms: SHARED, decoding: DecodingKey::from_secret(secret) }]))
            }
        }
    }

    /// Reads a JWKS, or a single JWK.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn from_jwks(text: &str) -> Result<Self, Error> {
        let set = match serde_json::from_str::<JwkSet>(text) {
            Ok(set) => set.keys,
            Err(_) => vec![serde_json::from_str::<Jwk>(text).map_err(|error| Error::NotJwk(error.to_string()))?],
        };
        let keys: Vec<Key> = set.iter().take(MAX_KEYS).filter_map(Key::of_jwk).collect();
        if keys.is_empty() { Err(Error::Unsupported) } else { Ok(Self(keys)) }
    }

    /// These keys and others.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
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
    /// A key is tied to the algorithms of its own kind, whatever a token's header says: a public key never serves
    /// as a shared secret.
    fn of_jwk(jwk: &Jwk) -> Option<Self> {
        let algorithms: &'static [Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::OctetKey(_) => SHARED,
            AlgorithmParameters::RSA(_) => RSA,
            AlgorithmParameters::EllipticCurve(parameters) => match parameters.curve {
                EllipticCurve::P256 => &[Algorithm::ES256],
                EllipticCurve::P384 => &[Algorithm::ES384],
                EllipticCurve::P521 | EllipticCurve::Ed25519 => return None,
            },
            AlgorithmParameters::OctetKeyPair(_) => &[Algorithm::EdDSA],
        };
        let decoding = DecodingKey::from_jwk(jwk).ok()?;
        Some(Self { id: jwk.common.key_id.clone(), algorithms, decoding })
    }
}

/// Decodes one part of a token.
pub(super) fn decode_part(part: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()
}
