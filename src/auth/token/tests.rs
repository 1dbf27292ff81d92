use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;

use super::*;
use crate::auth::{Authenticator, ClaimPath, Identity, KeyRing, RateLimits, TokenCache};

const SECRET: &str = "a secret of at least thirty-two bytes, for tests";
const NOW: i64 = 1_700_000_000;

fn keys() -> Keys {
    Keys::from_secret(SECRET.as_bytes()).unwrap()
}

fn signed(algorithm: Algorithm, secret: &str, claims: &Value) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn message(error: Error) -> String {
    error.to_string()
}

#[test]
fn a_token_signed_with_the_secret_gives_its_claims() {
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let claims = verify(&signed(algorithm, SECRET, &json!({"role": "web"})), &keys()).unwrap();
        assert_eq!(claims["role"], "web");
    }
}

#[test]
fn a_token_that_was_changed_or_not_signed_is_refused() {
    let good = signed(Algorithm::HS256, SECRET, &json!({"role": "web"}));
    let parts: Vec<&str> = good.split('.').collect();
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let forged = part(json!({"role": "admin"}));
    for (token, text) in [
        (String::new(), "Empty JWT is sent in Authorization header"),
        ("abc".into(), "Expected 3 parts in JWT; got 1"),
        ("a.b.c.d".into(), "Expected 3 parts in JWT; got 4"),
        (format!("{}.{forged}.{}", parts[0], parts[2]), "No suitable key or wrong key type"),
        (format!("{}.{}.", parts[0], parts[1]), "No suitable key or wrong key type"),
        (format!("{}.{}.", part(json!({"alg": "none"})), parts[1]), "Wrong or unsupported encoding algorithm"),
        (format!("{}.{}.{}", part(json!({"alg": "RS256"})), parts[1], parts[2]), "No suitable key or wrong key type"),
        (
            format!("{}.{}.{}", part(json!({"alg": "HS256", "crit": ["x"]})), parts[1], parts[2]),
            "Unsupported token type",
        ),
        (signed(Algorithm::HS256, "another secret", &json!({})), "No suitable key or wrong key type"),
        (format!("x{good}"), "JWT cryptographic operation failed"),
        ("x".repeat(20_000) + ".x.x", "JWT cryptographic operation failed"),
    ] {
        assert_eq!(message(verify(&token, &keys()).unwrap_err()), text, "{token:.40}");
    }
}

#[test]
fn a_public_key_never_serves_as_a_shared_secret() {
    let jwk = json!({
        "kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    })
    .to_string();
    let keys = Keys::from_secret(jwk.as_bytes()).unwrap();
    let token = signed(Algorithm::HS256, &jwk, &json!({"role": "admin"}));
    assert_eq!(message(verify(&token, &keys).unwrap_err()), "No suitable key or wrong key type");
}

#[test]
fn claims_hold_within_thirty_seconds_of_skew() {
    for (claims, fault) in [
        (json!({}), None),
        (json!({"exp": NOW - 29}), None),
        (json!({"exp": NOW - 31}), Some("JWT expired")),
        (json!({"exp": "soon"}), Some("The JWT 'exp' claim must be a number")),
        (json!({"nbf": NOW + 29}), None),
        (json!({"nbf": NOW + 31}), Some("JWT not yet valid")),
        (json!({"iat": NOW + 31}), Some("JWT issued at future")),
        (json!({"aud": "us"}), None),
        (json!({"aud": "them"}), Some("JWT not in audience")),
        (json!({"aud": ["them", "us"]}), None),
        (json!({"aud": []}), None),
        (json!({"aud": 1}), Some("The JWT 'aud' claim must be a string or an array of strings")),
        (json!({"aud": [1]}), Some("The JWT 'aud' claim must be a string or an array of strings")),
    ] {
        let answer = check_claims(claims.as_object().unwrap(), Some("us"), NOW);
        assert_eq!(answer.err().map(message).as_deref(), fault, "{claims}");
    }
}

fn authorization(value: &str) -> Vec<(String, String)> {
    vec![("authorization".to_owned(), value.to_owned())]
}

fn authenticator() -> Authenticator {
    Authenticator {
        anonymous: Some(Identity::anonymous("anon")),
        keys: KeyRing::Fixed(keys()),
        api_keys: None,
        audience: None,
        role_claim: ClaimPath::parse("$.role").unwrap(),
        cache: TokenCache::new(10),
        limits: RateLimits::none(),
    }
}

#[tokio::test]
async fn without_a_token_one_is_anonymous_if_anybody_may_be() {
    let mut authenticator = authenticator();
    assert_eq!(authenticator.identify(&[]).await.unwrap().role, "anon");
    assert_eq!(authenticator.identify(&authorization("Basic eDp5")).await.unwrap().role, "anon");
    let token = authorization(&format!("bearer {}", signed(Algorithm::HS256, SECRET, &json!({"role": "web"}))));
    let web = authenticator.identify(&token).await.unwrap();
    assert_eq!((web.role.as_str(), web.authenticated), ("web", true));
    authenticator.anonymous = None;
    assert_eq!(authenticator.identify(&[]).await, Err(Error::TokenRequired));
    authenticator.keys = KeyRing::Empty;
    assert_eq!(authenticator.identify(&token).await, Err(Error::NoSecret));
}

#[tokio::test]
async fn the_api_key_of_supabase_clients_is_a_token_where_there_are_keys() {
    let mut authenticator = authenticator();
    let key = vec![("apikey".to_owned(), signed(Algorithm::HS256, SECRET, &json!({"role": "web"})))];
    assert_eq!(authenticator.identify(&key).await.unwrap().role, "web");
    let other = vec![("apikey".to_owned(), signed(Algorithm::HS256, "another", &json!({"role": "web"})))];
    assert!(authenticator.identify(&other).await.is_err());
    authenticator.keys = KeyRing::Empty;
    assert_eq!(authenticator.identify(&key).await.unwrap().role, "anon");
}

#[test]
fn a_remembered_token_gives_the_same_answer_and_expires() {
    let authenticator = authenticator();
    let token = signed(Algorithm::HS256, SECRET, &json!({"role": "web", "exp": NOW}));
    let first = authenticator.identify_token(&token, &keys(), 0, NOW - 1).unwrap();
    // Other keys: only the memory can still answer.
    let others = Keys::from_secret(b"other keys").unwrap();
    assert_eq!(authenticator.identify_token(&token, &others, 0, NOW - 1).unwrap(), first);
    assert!(authenticator.identify_token(&token, &others, 0, NOW).is_err());
    assert_eq!(authenticator.identify_token(&token, &keys(), 0, NOW + 31), Err(Error::Claims("JWT expired".into())));
}
