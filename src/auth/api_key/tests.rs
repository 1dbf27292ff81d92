use super::*;
use crate::auth::{Authenticator, ClaimPath, Error as AuthError, KeyRing, Keys, RateLimits, TokenCache, mint};

fn hash(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn open(text: &str) -> (tempfile::TempDir, Result<ApiKeys, Error>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    fs::write(&path, text).unwrap();
    let keys = ApiKeys::open(&path, Telemetry::silent().unwrap());
    (folder, keys)
}

fn problem(text: &str) -> Option<(usize, Problem)> {
    match open(text).1 {
        Err(Error::Line { line, problem, .. }) => Some((line, problem)),
        Ok(_) | Err(Error::Unreadable { .. } | Error::TooLarge { .. }) => None,
    }
}

#[test]
fn a_key_stands_for_its_role_and_claims() {
    let text = format!(
        "# machines\n\n{} ingest sub=meter rate=2/h tenant=7 # in the cellar\n{} web\n",
        hash("first"),
        hash("second").to_uppercase()
    );
    let keys = open(&text).1.unwrap();
    let first = keys.find("first", 0).unwrap().0;
    assert_eq!((first.role.as_str(), first.authenticated), ("ingest", true));
    assert_eq!(first.claims, r#"{"role":"ingest","sub":"meter","tenant":7}"#);
    assert_eq!(keys.find("second", 0).unwrap().0.claims, r#"{"role":"web"}"#);
    for other in ["", "third", "firs", "first ", &hash("first")] {
        assert!(keys.find(other, 0).is_none(), "{other}");
    }
}

#[test]
fn a_line_that_is_none_is_named() {
    let good = hash("a key");
    for (line, expected) in [
        ("web".to_owned(), Problem::Hash),
        (good[1..].to_owned() + " web", Problem::Hash),
        ("é".repeat(32) + " web", Problem::Hash),
        (hash("") + " web", Problem::EmptyKey),
        (good.clone(), Problem::Role),
        (format!("{good} sub=meter"), Problem::Role),
        (format!("{good} none"), Problem::Role),
        (format!("{good} web meter"), Problem::Claim),
        (format!("{good} web =meter"), Problem::Claim),
        (format!("{good} web role=admin"), Problem::Claim),
        (format!("{good} web a=1 a=2"), Problem::Claim),
        (format!("{good} web rate=fast"), Problem::Rate),
        (format!("{good} web\n{good} admin"), Problem::Twice),
    ] {
        let number = 1 + line.lines().count();
        assert_eq!(problem(&format!("# keys\n{line}\n")), Some((number, expected)), "{line}");
    }
}

#[test]
fn a_file_that_is_not_there_or_too_large_is_refused() {
    let missing = ApiKeys::open(Path::new("/no/such/file"), Telemetry::silent().unwrap());
    assert!(matches!(missing, Err(Error::Unreadable { .. })));
    let line = |number: usize| format!("{} web\n", hash(&number.to_string()));
    assert!(open(&(0..MAX_KEYS).map(line).collect::<String>()).1.is_ok());
    assert!(matches!(open(&(0..=MAX_KEYS).map(line).collect::<String>()).1, Err(Error::TooLarge { .. })));
    assert!(matches!(open(&"#\n".repeat(600_000)).1, Err(Error::TooLarge { .. })));
}

#[test]
fn a_changed_file_is_seen_within_a_second_and_a_broken_one_changes_nothing() {
    let (folder, keys) = open(&format!("{} web\n", hash("first")));
    let (keys, path) = (keys.unwrap(), folder.path().join("keys"));
    let now = crate::clock::unix_seconds() + 10;
    assert!(keys.find("first", now).is_some());
    // As a mounted secret is replaced.
    let other = folder.path().join("other");
    fs::write(&other, format!("{} web\n", hash("other"))).unwrap();
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(&other, &path).unwrap();
    assert!(keys.find("other", now).is_none(), "one look a second");
    assert!(keys.find("other", now + 1).is_some());
    assert!(keys.find("first", now + 1).is_none());
    fs::write(&other, "broken").unwrap();
    assert!(keys.find("other", now + 2).is_some());
    fs::remove_file(&other).unwrap();
    assert!(keys.find("other", now + 3).is_some());
    fs::write(&other, "").unwrap();
    keys.reload();
    assert!(keys.find("other", now + 3).is_none());
}

#[test]
fn a_made_key_is_let_in_by_its_line() {
    let claims = serde_json::json!({"sub": "meter", "tenant": 7});
    let (key, line) = make("ingest", claims.as_object().unwrap()).unwrap();
    let (other, _) = make("ingest", &Map::new()).unwrap();
    assert!(key.starts_with("berth_") && key.len() == 49 && key != other, "{key}");
    let identity = open(&line).1.unwrap().find(&key, 0).unwrap().0;
    assert_eq!(identity.claims, r#"{"role":"ingest","sub":"meter","tenant":7}"#);
}

#[tokio::test]
async fn keys_and_tokens_are_taken_side_by_side() {
    let secret = b"a secret of at least thirty-two bytes, for tests";
    let mut authenticator = Authenticator {
        anonymous: Some(Identity::anonymous("anon")),
        keys: KeyRing::Fixed(Keys::from_secret(secret).unwrap()),
        api_keys: Some(open(&format!("{} ingest rate=3/h\n", hash("a key"))).1.unwrap()),
        audience: None,
        role_claim: ClaimPath::parse("$.role").unwrap(),
        cache: TokenCache::new(10),
        limits: RateLimits::none(),
    };
    let token = mint::mint(secret, serde_json::json!({"role": "web"}).as_object().unwrap()).unwrap();
    let headers = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
    let (key, token) = (["apikey", "Bearer a key"], format!("Bearer {token}"));
    assert_eq!(authenticator.identify(&headers(key[0], "a key")).await.unwrap().role, "ingest");
    assert_eq!(authenticator.identify(&headers("authorization", key[1])).await.unwrap().role, "ingest");
    assert_eq!(authenticator.identify(&headers("authorization", &token)).await.unwrap().role, "web");
    assert_eq!(authenticator.identify(&[]).await.unwrap().role, "anon");
    (authenticator.keys, authenticator.cache) = (KeyRing::Empty, TokenCache::new(10));
    assert_eq!(authenticator.identify(&headers("apikey", "a key")).await.unwrap().role, "ingest");
    let limited = authenticator.identify(&headers("apikey", "a key")).await;
    assert!(matches!(limited, Err(AuthError::TooManyRequests { .. })), "the fourth time: {limited:?}");
    for wrong in [headers("apikey", "another"), headers("authorization", &token), headers("authorization", "Bearer")] {
        let answer = authenticator.identify(&wrong).await;
        assert!(matches!(answer, Err(AuthError::Decode { .. })), "{wrong:?}: {answer:?}");
    }
}
