//! Tokens that must be taken and tokens that must not be, of every algorithm.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{EncodingKey, Header, encode};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::auth::{Authenticator, ClaimPath, Identity, KeyRing, RateLimits, TokenCache};

const SECRET: &[u8] = b"a secret of at least thirty-two bytes, for tests";
const PUBLIC: &str = include_str!("../../../tests/keys/public.json");
const RSA: &[u8] = include_bytes!("../../../tests/keys/rsa.pem");
const RSA_NEXT: &[u8] = include_bytes!("../../../tests/keys/rsa-next.pem");
const EC256: &[u8] = include_bytes!("../../../tests/keys/ec256.pem");
const EC384: &[u8] = include_bytes!("../../../tests/keys/ec384.pem");
const ED25519: &[u8] = include_bytes!("../../../tests/keys/ed25519.pem");

const BROKEN: &str = "JWT cryptographic operation failed";
const NO_KEY: &str = "No suitable key or wrong key type";

/// Every algorithm, with a key that signs it.
fn algorithms() -> Vec<(Algorithm, EncodingKey)> {
    let shared = || EncodingKey::from_secret(SECRET);
    let rsa = || EncodingKey::from_rsa_pem(RSA).unwrap();
    vec![
        (Algorithm::HS256, shared()),
        (Algorithm::HS384, shared()),
        (Algorithm::HS512, shared()),
        (Algorithm::RS256, rsa()),
        (Algorithm::RS384, rsa()),
        (Algorithm::RS512, rsa()),
        (Algorithm::PS256, rsa()),
        (Algorithm::PS384, rsa()),
        (Algorithm::PS512, rsa()),
        (Algorithm::ES256, EncodingKey::from_ec_pem(EC256).unwrap()),
        (Algorithm::ES384, EncodingKey::from_ec_pem(EC384).unwrap()),
        (Algorithm::EdDSA, EncodingKey::from_ed_pem(ED25519).unwrap()),
    ]
}

fn all_keys() -> Keys {
    Keys::from_secret(SECRET).unwrap().and(Keys::from_jwks(PUBLIC).unwrap())
}

fn part(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// A token of three texts; the signature is made with the shared secret.
fn signed(header: &str, claims: impl AsRef<[u8]>) -> String {
    let message = format!("{}.{}", part(header), part(claims));
    let signature = crypto::sign(message.as_bytes(), &EncodingKey::from_secret(SECRET), Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

fn refusal(token: &str, keys: &Keys) -> String {
    verify(token, keys).map(|claims| format!("taken: {claims:?}")).unwrap_or_else(|error| error.to_string())
}

#[test]
fn every_algorithm_is_taken_with_its_own_key_only() {
    let others = Keys::from_secret(b"another secret of at least thirty-two bytes").unwrap();
    let others = others.and(Keys::from_jwks(include_str!("../../../tests/keys/public-next.json")).unwrap());
    for (algorithm, key) in algorithms() {
        let token = encode(&Header::new(algorithm), &json!({"role": "web"}), &key).unwrap();
        assert_eq!(verify(&token, &all_keys()).unwrap()["role"], "web", "{algorithm:?}");
        let refused = refusal(&token, &others);
        assert!(refused == NO_KEY, "{algorithm:?}: {refused}");
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        for forged in [
            format!("{signed}."),
            format!("{signed}.{}", &signature[..signature.len() - 4]),
            format!("{signed}.{signature}AAAA"),
            format!("{header}.{}.{signature}", part(r#"{"role":"admin"}"#)),
            format!("{}.{claims}.{signature}", part(r#"{"alg":"none"}"#)),
        ] {
            assert!(verify(&forged, &all_keys()).is_err(), "{algorithm:?}: {forged}");
        }
        // The same signature under each other algorithm's name.
        for (other, _) in algorithms().into_iter().filter(|(other, _)| *other != algorithm) {
            let header = part(json!({"typ": "JWT", "alg": format!("{other:?}")}).to_string());
            assert!(
                verify(&format!("{header}.{claims}.{signature}"), &all_keys()).is_err(),
                "{algorithm:?}, {other:?}"
            );
        }
    }
}

#[test]
fn a_public_key_in_any_spelling_never_signs() {
    let rsa: Value = serde_json::from_str::<Value>(PUBLIC).unwrap()["keys"][0].clone();
    let modulus = URL_SAFE_NO_PAD.decode(rsa["n"].as_str().unwrap()).unwrap();
    for secret in [rsa["n"].as_str().unwrap().as_bytes(), &modulus, PUBLIC.as_bytes(), rsa.to_string().as_bytes(), b""]
    {
        for id in [None, Some("rsa".to_owned())] {
            let header = Header { kid: id, ..Header::new(Algorithm::HS256) };
            let token = encode(&header, &json!({"role": "admin"}), &EncodingKey::from_secret(secret)).unwrap();
            assert_eq!(refusal(&token, &Keys::from_jwks(PUBLIC).unwrap()), NO_KEY);
            assert_eq!(refusal(&token, &all_keys()), NO_KEY);
        }
    }
}

#[test]
fn a_key_id_picks_the_key() {
    let sign = |id: &str, pem| {
        let header = Header { kid: Some(id.to_owned()), ..Header::new(Algorithm::RS256) };
        encode(&header, &json!({}), &EncodingKey::from_rsa_pem(pem).unwrap()).unwrap()
    };
    let keys = Keys::from_jwks(PUBLIC).unwrap();
    assert!(verify(&sign("rsa", RSA), &keys).is_ok());
    assert_eq!(refusal(&sign("rsa", RSA_NEXT), &keys), NO_KEY);
    assert_eq!(refusal(&sign("rsa-next", RSA), &keys), NO_KEY);
    assert_eq!(refusal(&sign("ec256", RSA), &keys), NO_KEY, "a key of another kind");
}

#[test]
fn a_header_that_names_no_algorithm_is_refused() {
    let wrong = "Wrong or unsupported encoding algorithm";
    for (header, text) in [
        (r#"{"alg":"none"}"#, wrong),
        (r#"{"alg":"None"}"#, wrong),
        (r#"{"alg":"nOnE"}"#, wrong),
        (r#"{"alg":""}"#, wrong),
        (r#"{"alg":null}"#, wrong),
        (r#"{"alg":["HS256"]}"#, wrong),
        (r#"{"alg":"HS256 "}"#, wrong),
        (r#"{"alg":"hs256"}"#, wrong),
        (r#"{"alg":"ES256K"}"#, wrong),
        (r#"{"alg":"HS256","alg":"none"}"#, wrong),
        (r#"{"typ":"JWT"}"#, wrong),
        (r#"{"alg":"HS256","crit":["b64"],"b64":false}"#, "Unsupported token type"),
        ("[]", BROKEN),
        ("", BROKEN),
        ("not JSON", BROKEN),
    ] {
        assert_eq!(refusal(&signed(header, "{}"), &all_keys()), text, "{header}");
    }
}

#[test]
fn claims_that_are_no_object_are_refused_however_deep_they_are() {
    let header = r#"{"alg":"HS256"}"#;
    let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    assert!(verify(&signed(header, deep(100)), &all_keys()).is_ok());
    for claims in [deep(5_000), "{\"a\":".repeat(2_000), "[]".into(), "7".into(), "\"web\"".into(), String::new()] {
        assert_eq!(refusal(&signed(header, &claims), &all_keys()), "Parsing claims failed", "{claims:.40}");
    }
    assert_eq!(refusal(&signed(header, b"{\"role\":\"\xff\"}"), &all_keys()), "Parsing claims failed");
    let huge = signed(header, format!("{{\"a\":\"{}\"}}", "x".repeat(20_000)));
    assert_eq!(refusal(&huge, &all_keys()), BROKEN);
}

#[test]
fn moments_that_are_no_numbers_of_seconds_are_refused() {
    let now = 1_700_000_000;
    for (claims, fault) in [
        (r#"{"exp":1.7e9}"#, None),
        (r#"{"exp":1699999970.9}"#, None),
        (r#"{"exp":1699999969.9}"#, Some("JWT expired")),
        (r#"{"exp":-1}"#, Some("JWT expired")),
        (r#"{"exp":1e300}"#, None),
        (r#"{"nbf":1e300}"#, Some("JWT not yet valid")),
        (r#"{"nbf":1e999}"#, Some("The JWT 'nbf' claim must be a number")),
        (r#"{"exp":1e999}"#, Some("The JWT 'exp' claim must be a number")),
        (r#"{"iat":99999999999999999999}"#, Some("JWT issued at future")),
        (r#"{"iat":1700000030}"#, None),
        (r#"{"iat":1700000031}"#, Some("JWT issued at future")),
        (r#"{"exp":null,"nbf":null,"iat":null,"aud":null}"#, None),
        (r#"{"exp":"1700000000"}"#, Some("The JWT 'exp' claim must be a number")),
        (r#"{"exp":true}"#, Some("The JWT 'exp' claim must be a number")),
    ] {
        let parsed: Map<String, Value> = serde_json::from_str(claims).unwrap();
        let told = check_claims(&parsed, None, now).err().map(|error| error.to_string());
        assert_eq!(told.as_deref(), fault, "{claims}");
    }
}

/// Who a token stands for, with or without somebody who may come without one.
fn identify(claims: &Value, role_claim: &str, anonymous: Option<&str>) -> Result<Identity, Error> {
    let authenticator = Authenticator {
        anonymous: anonymous.map(Identity::anonymous),
        keys: KeyRing::Empty,
        api_keys: None,
        audience: None,
        role_claim: ClaimPath::parse(role_claim).unwrap(),
        cache: TokenCache::new(0),
        limits: RateLimits::none(),
    };
    authenticator.identify_token(&signed(r#"{"alg":"HS256"}"#, claims.to_string()), &all_keys(), 0, 0)
}

#[test]
fn a_token_without_a_role_is_the_anonymous_one_if_there_is_one() {
    let taken = identify(&json!({"sub": "7"}), "$.role", Some("anon")).unwrap();
    assert_eq!((taken.role.as_str(), taken.authenticated), ("anon", true));
    assert_eq!(taken.claims, r#"{"sub":"7","role":"anon"}"#);
    for claims in [json!({}), json!({"role": null}), json!({"roles": ["web"]})] {
        assert_eq!(identify(&claims, "$.role", None), Err(Error::TokenRequired), "{claims}");
    }
    assert_eq!(identify(&json!({"roles": ["a", "web"]}), "$.roles[1]", None).unwrap().role, "web");
    assert_eq!(identify(&json!({"roles": ["a", "web"]}), "$.roles[?(@ != 'a')]", None).unwrap().role, "web");
}

#[test]
fn a_role_that_would_mean_the_connections_own_is_refused() {
    for role in ["none", ""] {
        let text = format!("The JWT role claim \"{role}\" is no role");
        assert_eq!(identify(&json!({"role": role}), "$.role", Some("anon")), Err(Error::Claims(text)));
    }
}

proptest! {
    /// What fuzzing looks for, in a small way.
    #[test]
    fn no_change_of_a_token_is_taken(position in 0_usize..200, letter in "[A-Za-z0-9_.=-]") {
        let token = signed(r#"{"alg":"HS256","typ":"JWT"}"#, r#"{"role":"web","sub":"7"}"#);
        let position = position % token.len();
        let changed = format!("{}{letter}{}", &token[..position], &token[position + 1..]);
        prop_assert_eq!(verify(&changed, &all_keys()).is_ok(), changed == token, "{}", changed);
    }

    #[test]
    fn nothing_that_the_secret_did_not_sign_is_taken(header in ".{0,40}", claims in ".{0,40}", signature in ".{0,60}") {
        let keys = all_keys();
        let plain = format!("{header}.{claims}.{signature}");
        prop_assert!(verify(&plain, &keys).is_err());
        for algorithm in ["HS256", "RS256", "PS512", "ES256", "EdDSA", "none"] {
            let header = part(format!("{{\"alg\":\"{algorithm}\",\"kid\":{}}}", Value::from(header.as_str())));
            let token = format!("{header}.{}.{}", part(&claims), part(&signature));
            prop_assert!(verify(&token, &keys).is_err(), "{}", token);
        }
    }

    #[test]
    fn no_text_for_keys_or_paths_panics(text in "\\PC{0,80}") {
        let _ = Keys::from_jwks(&text);
        let _ = Keys::from_secret(text.as_bytes());
        if let Ok(path) = ClaimPath::parse(&text) {
            let mut claims = Map::new();
            path.place(&mut claims, "web");
            let _ = path.find(&claims);
        }
    }
}
