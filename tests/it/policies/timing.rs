//! How long an answer takes must not tell of a hidden row.

use std::time::{Duration, Instant};

use super::stores::{Sender, Served};
use crate::support::deployment::Deployment;

/// A text that a pattern takes long to get through.
const TEXT_BYTES: usize = 3_000_000;

/// A regular expression that keeps many places of the text in mind.
const PATTERN: &str = "(a|b){60}z.{20}y";

/// How often each request is sent; the quickest counts.
const TIMES: usize = 7;

#[test]
fn a_pattern_is_not_tried_on_a_row_that_is_not_shown() {
    let text = "ab".repeat(TEXT_BYTES / 2);
    // The policy is a query inside of a query, which SQLite would rather ask last.
    let schema = format!(
        "CREATE ROLE tim_user;
         CREATE TABLE readers (page int, name text, PRIMARY KEY (page, name));
         CREATE TABLE pages (id int PRIMARY KEY, body text, data jsonb);
         ALTER TABLE pages ENABLE ROW LEVEL SECURITY;
         CREATE POLICY readers ON pages USING (EXISTS (SELECT 1 FROM readers r WHERE r.page = pages.id AND r.name = auth.jwt() ->> 'name'));
         GRANT SELECT ON readers, pages TO tim_user;
         GRANT UPDATE, DELETE ON pages TO tim_user;
         INSERT INTO readers VALUES (1, 'ann');
         INSERT INTO pages (id, body) VALUES (1, '{text}'), (2, '{text}');"
    );
    let served = Served::start(Deployment::in_place(&schema), "tim_user");
    let ann = Sender::named("tim_user", "ann");
    let client = served.berth.client();
    let time = |method: &str, id: u32| {
        let path = format!("/pages?select=id&id=eq.{id}&body=imatch.{PATTERN}");
        let mut headers = ann.headers();
        headers.extend([("Content-Type", "application/json"), ("Prefer", "tx=rollback")]);
        let once = |_| {
            let started = Instant::now();
            assert!(client.send(method, &path, &headers, r#"{"data":null}"#).status < 300);
            started.elapsed()
        };
        (0..TIMES).map(once).min().unwrap()
    };
    for method in ["GET", "PATCH", "DELETE"] {
        let (shown, hidden, none) = (time(method, 1), time(method, 2), time(method, 3));
        eprintln!("{method}: shown {shown:?}, hidden {hidden:?}, none {none:?}");
        assert!(shown > none + Duration::from_millis(4), "the pattern takes no time: {shown:?}");
        assert!(hidden < (shown + none) / 2, "{method}: {hidden:?} for a hidden row, {none:?} for none, {shown:?}");
    }
}
