//! Tokens, from the command that makes them to the answer that a wrong one gets.

use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Answer, Berth, Start};

const SECRET: &str = "a secret of at least thirty-two bytes, for tests";

/// Runs `berth token` with the secret and more of the environment.
fn mint_with(environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_berth"))
        .env_clear()
        .envs(environment.iter().copied())
        .arg("token")
        .args(arguments)
        .output()
        .unwrap()
}

fn mint(arguments: &[&str]) -> String {
    let output = mint_with(&[("JWT_SECRET", SECRET)], arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

/// A server on which `web` may read the table `notes` and nobody else may do anything.
fn server(folder: &Path) -> Berth {
    start(folder).run()
}

fn start(folder: &Path) -> Start<'_> {
    let migrations = folder.join("migrations");
    std::fs::create_dir_all(&migrations).unwrap();
    let sql = "CREATE TABLE notes (id bigint PRIMARY KEY, body text);\nINSERT INTO notes VALUES (1, 'first');\n\
               CREATE ROLE web;\nCREATE ROLE other;\nGRANT SELECT ON notes TO web;\n";
    std::fs::write(migrations.join("0001_notes.sql"), sql).unwrap();
    Start::sqlite(folder, &folder.join("data"))
        .with("ACCESS", "closed")
        .with("MIGRATIONS", migrations.display())
        .with("JWT_SECRET", SECRET)
        .with("JWT_AUD", "notes")
}

fn told(answer: &Answer) -> (u16, String, String) {
    let json = answer.json();
    let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
    (answer.status, text("code"), text("message"))
}

#[test]
fn a_minted_token_opens_what_its_role_was_granted() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let client = server.client();
    let bearer = format!("Bearer {}", mint(&["--role", "web", "--claim", "sub=7"]));
    for _ in 0..2 {
        let answer = client.send("GET", "/notes", &[("Authorization", &bearer)], "");
        assert_eq!((answer.status, answer.body.as_str()), (200, r#"[{"id":1,"body":"first"}]"#));
    }
    let key = mint(&["--role", "web"]);
    assert_eq!(client.send("GET", "/notes", &[("apikey", &key)], "").status, 200);
    // The user's token counts, not the project's key.
    let other = format!("Bearer {}", mint(&["--role", "other"]));
    let answer = client.send("GET", "/notes", &[("apikey", &key), ("Authorization", &other)], "");
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert_eq!(client.get("/notes").status, 401);
}

#[test]
fn a_wrong_token_is_told_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let client = server.client();
    let good = mint(&["--role", "web"]);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let bare = mint_with(&[("JWT_SECRET", "another secret of thirty-two bytes")], &["--role", "web"]);
    let strange = String::from_utf8(bare.stdout).unwrap().trim_end().to_owned();
    let deep = format!("data={}1{}", "[".repeat(100), "]".repeat(100));
    // {"alg":"none"}, {"alg":"RS256"}
    let (none, rsa) = ("eyJhbGciOiJub25lIn0", "eyJhbGciOiJSUzI1NiJ9");
    let (broken, no_key) = ("JWT cryptographic operation failed", "No suitable key or wrong key type");
    for (token, code, message) in [
        (String::new(), "PGRST301", "Empty JWT is sent in Authorization header"),
        ("nonsense".into(), "PGRST301", "Expected 3 parts in JWT; got 1"),
        (format!("{signed}."), "PGRST301", no_key),
        (strange, "PGRST301", no_key),
        (format!("{none}.{payload}."), "PGRST301", "Wrong or unsupported encoding algorithm"),
        (format!("{rsa}.{payload}.{signature}"), "PGRST301", no_key),
        (format!("{header}.{}.{signature}", "x".repeat(20_000)), "PGRST301", broken),
        (mint(&["--role", "web", "--claim", "exp=1"]), "PGRST303", "JWT expired"),
        (mint(&["--role", "web", "--claim", "nbf=99999999999"]), "PGRST303", "JWT not yet valid"),
        (mint(&["--role", "web", "--claim", "iat=99999999999"]), "PGRST303", "JWT issued at future"),
        (mint(&["--role", "web", "--claim", "aud=others"]), "PGRST303", "JWT not in audience"),
    ] {
        let answer = client.send("GET", "/notes", &[("Authorization", &format!("Bearer {token}"))], "");
        assert_eq!(told(&answer), (401, code.to_owned(), message.to_owned()), "{token:.60}");
        let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{message}\"");
        assert_eq!(answer.header("www-authenticate"), Some(challenge.as_str()));
    }
    let nested = format!("Bearer {}", mint(&["--role", "web", "--claim", &deep]));
    assert_eq!(client.send("GET", "/notes", &[("Authorization", &nested)], "").status, 200);
    let twice = [("Authorization", nested.as_str()), ("Authorization", nested.as_str())];
    assert_eq!(told(&client.send("GET", "/notes", &twice, "")).1, "PGRST301");
}

#[test]
fn the_secret_may_be_base64_and_the_role_deep_in_the_claims() {
    let folder = tempfile::tempdir().unwrap();
    // SECRET in the URL alphabet, without padding.
    let base64 = "YSBzZWNyZXQgb2YgYXQgbGVhc3QgdGhpcnR5LXR3byBieXRlcywgZm9yIHRlc3Rz";
    let server = start(folder.path())
        .with("JWT_SECRET", base64)
        .with("JWT_SECRET_IS_BASE64", "true")
        .with("JWT_ROLE_CLAIM", "$.app['the roles'][?(@ ^== 'we')]")
        .run();
    let token = mint(&["--role", "other", "--claim", r#"app={"the roles":[7,"other","web"]}"#]);
    let answer = server.client().send("GET", "/notes", &[("Authorization", &format!("Bearer {token}"))], "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let without = mint(&["--role", "web"]);
    let answer = server.client().send("GET", "/notes", &[("Authorization", &format!("Bearer {without}"))], "");
    assert_eq!(told(&answer).2, "role \"anon\" does not exist", "no role at that place: it is the anonymous one");
}

#[test]
fn without_an_anonymous_role_and_without_a_secret_requests_are_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let closed = start(folder.path()).with("ANON_ROLE", "").run();
    let answer = closed.client().get("/notes");
    assert_eq!(told(&answer), (401, "PGRST302".into(), "Anonymous access is disabled".into()));
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    drop(closed);
    let keyless = start(folder.path()).with("JWT_SECRET", "").run();
    let token = format!("Bearer {}", mint(&["--role", "web"]));
    let answer = keyless.client().send("GET", "/notes", &[("Authorization", &token)], "");
    assert_eq!(told(&answer), (500, "PGRST300".into(), "Server lacks JWT secret".into()));
    assert_eq!(answer.header("www-authenticate"), None);
}

#[test]
fn a_machine_comes_with_a_key_of_the_file_until_it_is_taken_out() {
    let folder = tempfile::tempdir().unwrap();
    let made = mint_with(&[], &["--key", "--role", "web", "--claim", "sub=meter"]);
    assert!(made.status.success());
    let (key, line) = (String::from_utf8(made.stdout).unwrap(), String::from_utf8(made.stderr).unwrap());
    let (file, key) = (folder.path().join("api-keys"), key.trim_end());
    std::fs::write(&file, &line).unwrap();
    assert!(!line.contains(key));
    let server = start(folder.path()).with("API_KEYS_FILE", file.display()).run();
    let client = server.client();
    let bearer = format!("Bearer {key}");
    for headers in [[("Authorization", bearer.as_str())], [("apikey", key)]] {
        assert_eq!(client.send("GET", "/notes", &headers, "").status, 200);
    }
    let token = format!("Bearer {}", mint(&["--role", "other"]));
    assert_eq!(client.send("GET", "/notes", &[("Authorization", &token)], "").status, 403);
    let wrong = client.send("GET", "/notes", &[("apikey", "berth_wrong")], "");
    assert_eq!((wrong.status, told(&wrong).1.as_str()), (401, "PGRST301"));
    std::fs::write(&file, "# nobody\n").unwrap();
    let started = std::time::Instant::now();
    while client.send("GET", "/notes", &[("apikey", key)], "").status != 401 {
        assert!(started.elapsed().as_secs() < 10, "{}", server.log_text());
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(!server.log_text().contains(key));
}

#[test]
fn a_file_of_keys_that_cannot_be_used_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("api-keys");
    std::fs::write(&file, "secret web\n").unwrap();
    let mut server = start(folder.path()).with("API_KEYS_FILE", file.display()).spawn();
    assert_ne!(server.wait(), Some(0));
    let log = server.log_text();
    assert!(log.contains("line 1: it does not begin with the SHA-256") && !log.contains("secret web"), "{log}");
}

#[test]
fn without_a_secret_no_token_is_made() {
    let output = mint_with(&[], &["--role", "web"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("JWT_SECRET is not set"));
}
