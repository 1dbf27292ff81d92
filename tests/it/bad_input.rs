//! Bad input: always a 4xx with a body in the dialect's shape, soon, and nothing breaks.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use base64::Engine as _;

use crate::support::{Answer, Berth, Start, postgres};

/// No answer to nonsense may take longer.
const SOON: Duration = Duration::from_secs(5);

fn both(name: &str, check: impl Fn(&Berth)) {
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("data");
    std::fs::create_dir_all(&volume).unwrap();
    let migrations = crate::support::migrations();
    check(&Start::sqlite(folder.path(), &volume).with("MIGRATIONS", migrations.display()).run());
    if let Some(cluster) = postgres::cluster() {
        let dsn = cluster.create_database(name);
        check(&Start::postgres(folder.path(), &dsn).with("MIGRATIONS", migrations.display()).run());
    }
}

#[track_caller]
fn assert_refused(request: &str, answer: &Answer) {
    assert!((400..500).contains(&answer.status), "{request}: {} {}", answer.status, answer.body);
    let body = answer.json();
    for field in ["code", "message", "details", "hint"] {
        assert!(body.get(field).is_some(), "{request}: no {field} in {}", answer.body);
    }
}

#[test]
fn malformed_queries_are_refused_in_the_dialects_shape() {
    both("bad_queries", |berth| {
        let client = berth.client();
        let deep = format!("/films?or=({}id.eq.1{})", "or(".repeat(2_000), ")".repeat(2_000));
        let nested = format!("/films?select={}id{}", "a(".repeat(2_000), ")".repeat(2_000));
        for path in [
            "/films?id=",
            "/films?id=eq",
            "/films?id=noop.1",
            "/films?id=in.1,2",
            "/films?or=(",
            "/films?or=()",
            "/films?select=title,",
            "/films?select=title::",
            "/films?select=title::no_such_type",
            "/films?order=.desc",
            "/films?order=title.sideways",
            "/films?limit=-5",
            "/films?nothing=eq.1",
            "/films?select=nothing",
            "/films?id=eq.%00",
            "/films?title=eq.a%00b",
            "/films?title=eq.%ff%fe",
            "/films?%ff=eq.1",
            "/films?id=eq.1e400",
            "/films?id=eq.999999999999999999999999999999999999999999",
            "/films?id=eq.NaN",
            "/films?id=eq(any).{1,2",
            "/films?title=match.(((",
            "/no_such_table",
            "/films/1/2",
            "/rpc/no_such_function",
            deep.as_str(),
            nested.as_str(),
        ] {
            let started = Instant::now();
            let answer = client.get(path);
            assert_refused(&path.chars().take(80).collect::<String>(), &answer);
            assert!(started.elapsed() < SOON, "{path}");
        }
        assert_eq!(client.get("/films?limit=1").status, 200, "it still answers");
    });
}

#[test]
fn malformed_bodies_are_refused_and_nothing_is_stored() {
    both("bad_bodies", |berth| {
        let client = berth.client();
        let before = client.get("/reviews?select=id").json();
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        for body in [
            "{",
            "[1,2",
            "[1]",
            "[{\"film_id\":1},{\"stars\":2}]",
            "{\"film_id\":\"x\",\"stars\":1}",
            "{\"film_id\":1,\"stars\":1e999}",
            "{\"film_id\":1,\"stars\":99999999999999999999}",
            "{\"film_id\":1,\"stars\":5,\"body\":\"a\\u0000b\"}",
            "{\"nothing\":1}",
            "{\"film_id\":987654321,\"stars\":5}",
            deep.as_str(),
        ] {
            let answer = client.insert("/reviews", body);
            assert_refused(&body.chars().take(80).collect::<String>(), &answer);
        }
        assert_eq!(client.get("/reviews?select=id").json(), before);
    });
}

/// Texts that a JSON library could take for more JSON, one inside the other, each nested as deep as one may be.
fn hidden_depth(max_bytes: usize) -> String {
    let (open, close) = ("[".repeat(120), "]".repeat(120));
    let mut text = format!("{open}{close}");
    loop {
        let hidden = serde_json::Value::from(text.as_str());
        let deeper = format!("{open}{{\"$serde_json::private::RawValue\":{hidden}}}{close}");
        if deeper.len() > max_bytes {
            return text;
        }
        text = deeper;
    }
}

#[test]
fn json_inside_of_a_text_stays_a_text() {
    both("hidden_depth", |berth| {
        let client = berth.client();
        let row = format!("{{\"film_id\":1,\"stars\":{}}}", hidden_depth(8 << 20));
        assert_refused("a body", &client.insert("/reviews", &row));
        let step = format!("[{{\"method\":\"POST\",\"path\":\"/reviews\",\"body\":{row}}}]");
        assert_refused("a batch", &client.insert("/-/batch", &step));
        let lines = client.send("POST", "/reviews", &[("Content-Type", "application/x-ndjson")], &row);
        assert_refused("lines", &lines);
        assert_eq!(client.get("/films?limit=1").status, 200, "it still answers");
    });
    let folder = tempfile::tempdir().unwrap();
    let start = Start::sqlite(folder.path(), folder.path()).with("MIGRATIONS", crate::support::migrations().display());
    let berth = start.with("JWT_SECRET", "0123456789abcdef0123456789abcdef").run();
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(hidden_depth(60 << 10));
    let token = format!("Bearer eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJl");
    assert_refused("a token", &berth.client().send("GET", "/films", &[("Authorization", &token)], ""));
    assert_eq!(berth.client().get("/films?limit=1").status, 200, "it still answers");
}

#[test]
fn a_million_elements_in_a_list_are_refused_at_once() {
    both("million", |berth| {
        let list: String = (0..1_000_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        let started = Instant::now();
        let mut socket = TcpStream::connect(("127.0.0.1", berth.port)).unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        // The server may close before all of it is sent: only the answer counts.
        let _ = socket.write_all(format!("GET /films?id=in.({list}) HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with("HTTP/1.1 4"), "{}", answer.chars().take(200).collect::<String>());
        assert!(started.elapsed() < SOON);
        assert_eq!(berth.client().get("/films?limit=1").status, 200, "it still answers");
    });
}

#[test]
fn a_body_over_the_bound_is_413() {
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("data");
    std::fs::create_dir_all(&volume).unwrap();
    let berth = Start::sqlite(folder.path(), &volume)
        .with("MIGRATIONS", crate::support::migrations().display())
        .with("MAX_BODY", "1KB")
        .run();
    let body = format!(r#"{{"film_id":1,"stars":5,"body":"{}"}}"#, "x".repeat(10_000));
    let answer = berth.client().insert("/reviews", &body);
    assert_eq!(answer.status, 413, "{}", answer.body);
    assert!(answer.json().get("code").is_some());
}
