use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;

use super::*;
use crate::auth::{Authenticator, ClaimPath, Error, Identity, KeyRing, RateLimits, TokenCache};

const FIRST: &str = include_str!("../../../tests/keys/public.json");
const NEXT: &str = include_str!("../../../tests/keys/public-next.json");
const FIRST_KEY: &[u8] = include_bytes!("../../../tests/keys/rsa.pem");
const NEXT_KEY: &[u8] = include_bytes!("../../../tests/keys/rsa-next.pem");
const NOW: i64 = 1_700_000_000;

/// What the address says.
#[derive(Clone)]
enum Says {
    Keys(String),
    Status(u16),
    /// One byte at a time, for ever.
    Drips,
    /// Keys, after a while.
    Late(&'static str),
    /// To another address.
    Redirects(String),
}

/// An address of keys, and how often it was asked.
struct Provider {
    url: String,
    says: Arc<Mutex<Says>>,
    asked: Arc<AtomicUsize>,
}

impl Provider {
    fn start(says: Says) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let provider = Self { url, says: Arc::new(Mutex::new(says)), asked: Arc::default() };
        let (says, asked) = (Arc::clone(&provider.says), Arc::clone(&provider.asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                asked.fetch_add(1, Ordering::SeqCst);
                let says = says.lock().unwrap().clone();
                std::thread::spawn(move || answer(stream.unwrap(), says));
            }
        });
        provider
    }

    fn says(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(mut stream: TcpStream, says: Says) {
    let _ = stream.read(&mut [0; 4096]);
    let ok =
        |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let text = match says {
        Says::Keys(text) => ok(&text),
        Says::Late(text) => {
            std::thread::sleep(Duration::from_millis(100));
            ok(text)
        }
        Says::Status(status) => format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        Says::Redirects(to) => {
            format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Says::Drips => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
            while stream.write_all(b" ").is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
            return;
        }
    };
    let _ = stream.write_all(text.as_bytes());
}

fn remote(url: &str) -> RemoteKeys {
    RemoteKeys::new(url.to_owned(), None, Duration::from_millis(500), Telemetry::silent().unwrap())
}

fn authenticator(remote: &RemoteKeys) -> Authenticator {
    Authenticator {
        anonymous: Some(Identity::anonymous("anon")),
        keys: KeyRing::Remote(remote.clone()),
        api_keys: None,
        audience: None,
        role_claim: ClaimPath::parse("$.role").unwrap(),
        cache: TokenCache::new(10),
        limits: RateLimits::none(),
    }
}

fn token(key: &[u8], id: Option<&str>) -> String {
    let header = Header { kid: id.map(str::to_owned), ..Header::new(Algorithm::RS256) };
    encode(&header, &json!({"role": "web"}), &EncodingKey::from_rsa_pem(key).unwrap()).unwrap()
}

/// The role that a token gets at a moment.
async fn role(authenticator: &Authenticator, token: &str, now: i64) -> Result<String, Error> {
    let KeyRing::Remote(remote) = &authenticator.keys else { panic!("no remote keys") };
    authenticator.identify_remotely(token, remote, now).await.map(|identity| identity.role)
}

fn is_refused(answer: &Result<String, Error>) -> bool {
    matches!(answer, Err(Error::Decode { .. }))
}

#[tokio::test]
async fn a_token_is_verified_with_the_fetched_keys_and_they_are_fetched_once() {
    let provider = Provider::start(Says::Keys(FIRST.into()));
    let authenticator = authenticator(&remote(&provider.url));
    for id in [Some("rsa"), None] {
        assert_eq!(role(&authenticator, &token(FIRST_KEY, id), NOW).await.as_deref(), Ok("web"));
    }
    assert!(is_refused(&role(&authenticator, &token(NEXT_KEY, Some("rsa")), NOW).await), "signed with another key");
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn rotated_keys_are_fetched_when_a_token_names_them_and_the_old_ones_end() {
    let provider = Provider::start(Says::Keys(FIRST.into()));
    let authenticator = authenticator(&remote(&provider.url));
    let (old, new) = (token(FIRST_KEY, Some("rsa")), token(NEXT_KEY, Some("rsa-next")));
    assert_eq!(role(&authenticator, &old, NOW).await.as_deref(), Ok("web"));
    provider.says(Says::Keys(NEXT.into()));
    assert!(is_refused(&role(&authenticator, &new, NOW + 29).await), "not twice within the cool-down");
    assert_eq!(role(&authenticator, &new, NOW + 30).await.as_deref(), Ok("web"));
    assert!(is_refused(&role(&authenticator, &old, NOW + 30).await), "it was remembered, and its key is withdrawn");
    assert_eq!(provider.asked(), 2);
}

#[tokio::test]
async fn keys_are_kept_when_the_address_fails_and_a_new_id_is_told_to_come_back() {
    let provider = Provider::start(Says::Keys(FIRST.into()));
    let authenticator = authenticator(&remote(&provider.url));
    let (old, new) = (token(FIRST_KEY, Some("rsa")), token(NEXT_KEY, Some("rsa-next")));
    assert_eq!(role(&authenticator, &old, NOW).await.as_deref(), Ok("web"));
    let huge = format!("{}{}", " ".repeat(300_000), NEXT);
    for (position, says) in [
        Says::Status(500),
        Says::Keys("not JSON".into()),
        Says::Keys("{\"keys\":[]}".into()),
        Says::Keys(huge),
        Says::Drips,
    ]
    .into_iter()
    .enumerate()
    {
        provider.says(says);
        let now = NOW + 4_000 * (i64::try_from(position).unwrap() + 1);
        assert_eq!(role(&authenticator, &new, now).await, Err(Error::KeysUnavailable), "{position}");
        assert_eq!(role(&authenticator, &old, now).await.as_deref(), Ok("web"), "{position}");
    }
    provider.says(Says::Keys(NEXT.into()));
    assert_eq!(role(&authenticator, &new, NOW + 40_000).await.as_deref(), Ok("web"));
}

#[tokio::test]
async fn an_address_that_never_answered_is_asked_again_after_a_while() {
    let provider = Provider::start(Says::Status(503));
    let remote = remote(&provider.url);
    let authenticator = authenticator(&remote);
    let token = token(FIRST_KEY, Some("rsa"));
    assert_eq!(role(&authenticator, &token, NOW).await, Err(Error::KeysUnavailable));
    assert_eq!(role(&authenticator, &token, NOW + 4).await, Err(Error::KeysUnavailable));
    assert_eq!(provider.asked(), 1);
    assert!(remote.fresh(NOW + 4).await.fetched.is_none());
    provider.says(Says::Keys(FIRST.into()));
    assert_eq!(role(&authenticator, &token, NOW + 5).await.as_deref(), Ok("web"));
    assert!(remote.is_ready().await);
}

#[tokio::test]
async fn a_flood_of_made_up_ids_asks_once_and_few_wait() {
    let provider = Provider::start(Says::Keys(FIRST.into()));
    let authenticator = authenticator(&remote(&provider.url));
    assert!(role(&authenticator, &token(FIRST_KEY, Some("rsa")), NOW).await.is_ok());
    provider.says(Says::Late(FIRST));
    let made_up: Vec<String> = (0..100).map(|id| token(NEXT_KEY, Some(&format!("made up {id}")))).collect();
    let answers =
        futures_util::future::join_all(made_up.iter().map(|token| role(&authenticator, token, NOW + 60))).await;
    assert_eq!(provider.asked(), 2);
    assert_eq!(answers.iter().filter(|answer| is_refused(answer)).count(), MAX_WAITING);
    assert_eq!(answers.iter().filter(|answer| **answer == Err(Error::KeysUnavailable)).count(), 100 - MAX_WAITING);
    let shared = encode(&Header::default(), &json!({}), &EncodingKey::from_secret(b"made up")).unwrap();
    for junk in ["a.b.c", shared.as_str()] {
        assert!(is_refused(&role(&authenticator, junk, NOW + 120).await));
    }
    assert_eq!(provider.asked(), 2, "what no public key can have signed asks nobody");
}

#[tokio::test]
async fn old_keys_are_used_while_newer_ones_are_fetched_and_very_old_ones_wait() {
    let provider = Provider::start(Says::Keys(FIRST.into()));
    let authenticator = authenticator(&remote(&provider.url));
    let old = token(FIRST_KEY, Some("rsa"));
    assert!(role(&authenticator, &old, NOW).await.is_ok());
    provider.says(Says::Late(NEXT));
    assert!(role(&authenticator, &old, NOW + 599).await.is_ok());
    assert!(role(&authenticator, &old, NOW + 600).await.is_ok(), "fetched meanwhile");
    let started = Stopwatch::start();
    while role(&authenticator, &old, NOW + 600).await.is_ok() {
        assert!(started.elapsed() < Duration::from_secs(10), "never fetched");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    provider.says(Says::Late(FIRST));
    assert!(role(&authenticator, &old, NOW + 4_200).await.is_ok(), "it waits for the new ones");
    assert_eq!(provider.asked(), 3);
}

#[tokio::test]
async fn redirects_are_followed_a_few_times() {
    let last = Provider::start(Says::Keys(FIRST.into()));
    let first = Provider::start(Says::Redirects(last.url.clone()));
    assert!(role(&authenticator(&remote(&first.url)), &token(FIRST_KEY, Some("rsa")), NOW).await.is_ok());
    first.says(Says::Redirects(first.url.clone()));
    let endless = role(&authenticator(&remote(&first.url)), &token(FIRST_KEY, Some("rsa")), NOW).await;
    assert_eq!(endless, Err(Error::KeysUnavailable));
    assert_eq!(first.asked(), 5, "one, and then one and three more");
}

#[tokio::test]
async fn keys_of_the_configuration_hold_while_the_address_is_silent() {
    let provider = Provider::start(Says::Status(500));
    let secret = Keys::from_secret(b"a secret of at least thirty-two bytes, for tests").unwrap();
    let timeout = Duration::from_millis(500);
    let remote = RemoteKeys::new(provider.url.clone(), Some(secret), timeout, Telemetry::silent().unwrap());
    let key = EncodingKey::from_secret(b"a secret of at least thirty-two bytes, for tests");
    let token = encode(&Header::default(), &json!({"role": "web"}), &key).unwrap();
    assert_eq!(role(&authenticator(&remote), &token, NOW).await.as_deref(), Ok("web"));
}
