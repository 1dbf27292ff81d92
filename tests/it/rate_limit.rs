//! `RATE_LIMIT`: who asks too often is told when to come back.

use std::path::Path;

use crate::support::{Answer, Berth, Start};

fn server(folder: &Path, limits: &str) -> Berth {
    Start::sqlite(folder, &folder.join("data"))
        .with("MIGRATIONS", crate::support::migrations().display())
        .with("RATE_LIMIT", limits)
        .with("TRUSTED_PROXIES", 1)
        .run()
}

fn assert_limited(answer: &Answer, whose: &str) {
    assert_eq!((answer.status, answer.json()["code"].as_str()), (429, Some("BERTH429")), "{}", answer.body);
    assert_eq!(answer.json()["details"], format!("The limit for this {whose} is reached."));
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=1_800).contains(&wait), "{wait}");
    assert_eq!(answer.header("proxy-status"), Some("PostgREST; error=BERTH429"));
}

#[test]
fn each_client_has_its_own_limit_whatever_it_claims_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "address=2/h");
    let client = server.client();
    let ask = |forwarded: &str| client.send("GET", "/", &[("X-Forwarded-For", forwarded)], "");
    assert_eq!(ask("198.51.100.1").status, 200);
    assert_eq!(ask("6.6.6.6, 198.51.100.1").status, 200);
    assert_limited(&ask("7.7.7.7, 198.51.100.1"), "address");
    let origin = [("Origin", "https://example.com"), ("X-Forwarded-For", "198.51.100.1")];
    let scripted = client.send("POST", "/nothing", &origin, "[]");
    assert_limited(&scripted, "address");
    let exposed = scripted.headers.get_all("access-control-expose-headers");
    assert!(exposed.iter().any(|names| names.to_str().unwrap().contains("Retry-After")));
    assert_eq!(ask("198.51.100.2").status, 200);
    // Its own routes are for platforms, which ask often.
    assert!((0..5).all(|_| client.get("/-/live").status == 200));
    let metrics = client.get("/-/metrics").body;
    assert!(metrics.contains("berth_rate_limited_total{by=\"address\"} 2"), "{metrics}");
    assert!(metrics.contains("status=\"429\"} 1"), "{metrics}");
}

#[test]
fn a_role_shares_one_limit() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path(), "role:anon=2/h,role:web=1/h");
    let client = server.client();
    assert!((0..2).all(|_| client.get("/").status == 200));
    assert_limited(&client.get("/"), "role");
}

#[test]
fn limits_that_are_none_keep_it_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let start = Start::sqlite(folder.path(), &folder.path().join("data")).with("RATE_LIMIT", "address=often");
    let mut server = start.spawn();
    assert_ne!(server.wait(), Some(0));
    assert!(server.log_text().contains("address=often"), "{}", server.log_text());
}
