//! `Prefer: dry-run`: a write is answered as it would be, on every store, and leaves nothing.

use crate::support::deployment::Deployment;
use crate::support::{Answer, Client};

const SCHEMA: &str = "
    CREATE TABLE owners (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE pets (
        id int PRIMARY KEY, name text NOT NULL CHECK (name <> 'nameless'),
        owner int REFERENCES owners (id), keeper int REFERENCES owners (id) DEFERRABLE INITIALLY DEFERRED
    );
    INSERT INTO owners VALUES (1, 'Ann');
    INSERT INTO pets VALUES (1, 'Rex', 1, 1), (2, 'Tom', NULL, NULL);
";

fn try_out(client: &Client, method: &str, path: &str, body: &str) -> Answer {
    let headers = [("Content-Type", "application/json"), ("Prefer", "return=representation, dry-run, handling=strict")];
    client.send(method, path, &headers, body)
}

/// All that there is.
fn state(client: &Client) -> String {
    client.get("/pets?order=id").body + &client.get("/owners?order=id").body
}

#[test]
fn a_dry_run_answers_as_the_write_would_and_changes_nothing() {
    for deployment in Deployment::on_each_store("dry_run", SCHEMA) {
        // Whether `tx=` is heeded does not matter.
        let berth = deployment.instance().with("DB_TX_END", "commit").run();
        let (client, store) = (berth.client(), deployment.name());
        let before = state(&client);
        for (method, path, body, status, told) in [
            ("POST", "/pets", r#"{"id":3,"name":"Ada"}"#, 201, r#"[{"id":3,"name":"Ada","owner":null,"keeper":null}]"#),
            ("PATCH", "/pets?id=eq.1&select=name", r#"{"name":"Max"}"#, 200, r#"[{"name":"Max"}]"#),
            ("PUT", "/owners?id=eq.1", r#"{"id":1,"name":"Eve"}"#, 200, r#"[{"id":1,"name":"Eve"}]"#),
            ("DELETE", "/pets?select=id", "", 200, "[{\"id\":1}, \n {\"id\":2}]"),
        ] {
            let answer = try_out(&client, method, path, body);
            assert_eq!((answer.status, answer.body.as_str()), (status, told), "{store}: {method} {path}");
            assert_eq!(
                answer.header("Preference-Applied"),
                Some("return=representation, handling=strict, dry-run"),
                "{store}: {method} {path}"
            );
            assert_eq!(state(&client), before, "{store}: {method} {path}");
        }
    }
}

#[test]
fn a_dry_run_meets_every_constraint_those_that_are_checked_at_the_commit_too() {
    for deployment in Deployment::on_each_store("dry_run_bad", SCHEMA) {
        let berth = deployment.instance().run();
        let (client, store) = (berth.client(), deployment.name());
        let before = state(&client);
        for (method, path, body, status, code) in [
            ("POST", "/pets", r#"{"id":1,"name":"Ada"}"#, 409, "23505"),
            ("POST", "/pets", r#"{"id":3,"name":"nameless"}"#, 400, "23514"),
            ("POST", "/pets", r#"{"id":3,"name":null}"#, 400, "23502"),
            ("POST", "/pets", r#"{"id":3,"name":"Ada","owner":9}"#, 409, "23503"),
            ("POST", "/pets", r#"{"id":3,"name":"Ada","keeper":9}"#, 409, "23503"),
            ("PATCH", "/pets?id=eq.2", r#"{"keeper":9}"#, 409, "23503"),
            ("DELETE", "/owners?id=eq.1", "", 409, "23503"),
        ] {
            let answer = try_out(&client, method, path, body);
            let said = answer.json();
            assert_eq!((answer.status, said["code"].as_str()), (status, Some(code)), "{store}: {method} {path} {body}");
            assert_eq!(state(&client), before, "{store}: {method} {path}");
        }
        let broken = try_out(&client, "POST", "/pets", r#"{"id":3,"name":"Ada","keeper":9}"#).json();
        assert_eq!(broken["details"], "Key (keeper)=(9) is not present in table \"owners\".", "{store}");
        // What the trials met is gone with them.
        assert_eq!(client.post("/pets", r#"{"id":3,"name":"Ada","keeper":1}"#).status, 201, "{store}");
    }
}

#[test]
fn a_dry_run_leaves_no_answer_for_its_idempotency_key_and_says_nothing_of_reads() {
    for deployment in Deployment::on_each_store("dry_run_once", SCHEMA) {
        let berth = deployment.instance().run();
        let (client, store) = (berth.client(), deployment.name());
        let send = |prefer: &str| {
            let headers = [("Content-Type", "application/json"), ("Prefer", prefer), ("Idempotency-Key", "k")];
            client.send("POST", "/owners", &headers, r#"{"id":2,"name":"Bob"}"#)
        };
        for _ in 0..2 {
            let tried = send("dry-run, tx=commit");
            assert_eq!((tried.status, tried.header("Idempotency-Replayed")), (201, None), "{store}");
            assert_eq!(tried.header("Preference-Applied"), Some("dry-run"), "{store}");
        }
        assert_eq!(client.get("/owners?id=eq.2").body, "[]", "{store}");
        assert_eq!(send("return=minimal").status, 201, "{store}");
        let read = client.send("GET", "/owners?id=eq.2", &[("Prefer", "dry-run")], "");
        assert_eq!((read.status, read.header("Preference-Applied")), (200, None), "{store}");
    }
}

#[test]
fn a_function_that_writes_is_tried_too() {
    let schema = "CREATE TABLE marks (id int); CREATE FUNCTION mark(n int) RETURNS int VOLATILE LANGUAGE sql AS \
         'INSERT INTO marks VALUES (n) RETURNING id'; CREATE FUNCTION marked() RETURNS bigint STABLE LANGUAGE sql AS \
         'SELECT count(*) FROM marks'";
    let Some(deployment) = Deployment::postgres("dry_run_rpc", schema) else { return };
    let berth = deployment.instance().run();
    let client = berth.client();
    let call = |name: &str, body: &str| try_out(&client, "POST", &format!("/rpc/{name}"), body);
    let answer = call("mark", r#"{"n":7}"#);
    assert_eq!((answer.status, answer.body.as_str()), (200, "7"));
    assert_eq!(answer.header("Preference-Applied"), Some("handling=strict, dry-run"));
    let counted = call("marked", "{}");
    assert_eq!((counted.body.as_str(), counted.header("Preference-Applied")), ("0", Some("handling=strict")));
}
