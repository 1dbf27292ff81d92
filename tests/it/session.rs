//! What SQL on Postgres is told of a request, and what it may say of the answer.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Berth, Start, postgres};

const SCHEMA: &str = r#"
CREATE TABLE words (id int PRIMARY KEY, word text NOT NULL);
INSERT INTO words VALUES (1, 'one'), (2, 'two'), (3, 'three');
CREATE FUNCTION setting(name text) RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_setting(name, true) $$;
CREATE FUNCTION patient(name text) RETURNS text LANGUAGE sql STABLE
    SET statement_timeout = '7s' SET lock_timeout = '5s' AS $$ SELECT current_setting(name, true) $$;
CREATE FUNCTION alone(name text) RETURNS text LANGUAGE sql STABLE
    SET default_transaction_isolation = 'serializable' AS $$ SELECT current_setting(name, true) $$;
CREATE FUNCTION now_in_its_zone() RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$ SELECT '2020-01-01T00:00Z'::timestamptz $$;
CREATE FUNCTION gate() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    IF current_setting('request.headers')::json->>'x-pass' = 'none' THEN
        RAISE SQLSTATE 'PGRST' USING
            MESSAGE = '{"code": "NOPASS", "message": "No pass", "details": "a", "hint": "b"}',
            DETAIL = '{"status": 402, "headers": {"X-Price": "7"}}';
    ELSIF current_setting('request.headers')::json->>'x-pass' = 'odd' THEN
        RAISE SQLSTATE 'PGRST' USING MESSAGE = 'no JSON', DETAIL = '{}';
    END IF;
    PERFORM set_config('app.seen', current_setting('request.method') || ' ' || current_setting('request.path'), true);
END $$;
"#;

/// A berth over a database of its own whose roles are named after it.
fn served(folder: &Path, database: &str, settings: &[(&str, &str)]) -> Option<Berth> {
    let cluster = postgres::cluster()?;
    let dsn = cluster.create_database(database);
    cluster.run(database, SCHEMA);
    let roles = format!(
        "CREATE ROLE {database} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {database};
         ALTER ROLE {database} SET statement_timeout = '9s';
         ALTER ROLE {database} SET default_transaction_isolation = 'repeatable read'"
    );
    cluster.run(database, &roles);
    let start = Start::postgres(folder, &dsn).with("ANON_ROLE", database).with("ACCESS", "closed");
    Some(settings.iter().fold(start, |start, (name, value)| start.with(name, value)).run())
}

#[test]
fn sql_reads_the_request_and_the_roles_and_functions_settings_hold() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        ("PGRST_APP_SETTINGS_tenant", "north"),
        ("DB_PRE_REQUEST", "public.gate"),
        ("DB_HOISTED_TX_SETTINGS", "statement_timeout,default_transaction_isolation"),
    ];
    let Some(berth) = served(folder.path(), "session_told", &settings) else { return };
    let client = berth.client();
    let read = |function: &str, name: &str| -> Value {
        let headers = [("X-Pass", "gold"), ("Cookie", "a=1; b=2")];
        let answer = client.send("GET", &format!("/rpc/{function}?name={name}"), &headers, "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    for (function, name, expected) in [
        ("setting", "request.method", "GET"),
        ("setting", "request.path", "/rpc/setting"),
        ("setting", "request.cookies", r#"{"a":"1","b":"2"}"#),
        ("setting", "request.jwt.claims", r#"{"role":"session_told"}"#),
        ("setting", "app.settings.tenant", "north"),
        ("setting", "app.seen", "GET /rpc/setting"),
        ("setting", "role", "session_told"),
        ("setting", "statement_timeout", "9s"),
        ("setting", "transaction_isolation", "repeatable read"),
        ("patient", "statement_timeout", "7s"),
        ("patient", "lock_timeout", "5s"),
        ("alone", "transaction_isolation", "serializable"),
    ] {
        assert_eq!(read(function, name), json!(expected), "{function} {name}");
    }
    let headers: Value = serde_json::from_str(read("setting", "request.headers").as_str().unwrap()).unwrap();
    assert_eq!((&headers["x-pass"], &headers["cookie"]), (&json!("gold"), &Value::Null));
}

#[test]
fn a_time_zone_holds_for_one_request() {
    let folder = tempfile::tempdir().unwrap();
    let Some(berth) = served(folder.path(), "session_zone", &[]) else { return };
    let client = berth.client();
    let at = |zone: &str| client.send("GET", "/rpc/now_in_its_zone", &[("Prefer", zone)], "");
    let tokyo = at("timezone=Asia/Tokyo");
    assert_eq!(tokyo.json(), json!("2020-01-01T09:00:00+09:00"));
    assert_eq!(tokyo.header("preference-applied"), Some("timezone=Asia/Tokyo"));
    assert_eq!(at("count=none").json(), json!("2020-01-01T00:00:00+00:00"));
    let nowhere = at("timezone=Moon/Base");
    assert_eq!((nowhere.status, &nowhere.json()["code"]), (400, &json!("22023")));
}

#[test]
fn a_function_before_each_request_may_refuse_it_in_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let Some(berth) = served(folder.path(), "session_gate", &[("DB_PRE_REQUEST", "gate")]) else {
        return;
    };
    let client = berth.client();
    let ask = |pass: &str| client.send("GET", "/words?select=word&id=eq.1", &[("X-Pass", pass)], "");
    assert_eq!(ask("gold").json(), json!([{"word": "one"}]));
    let refused = ask("none");
    assert_eq!((refused.status, refused.header("x-price")), (402, Some("7")));
    assert_eq!(refused.header("proxy-status"), Some("PostgREST; error=NOPASS"));
    assert_eq!(refused.json(), json!({"code": "NOPASS", "message": "No pass", "details": "a", "hint": "b"}));
    let odd = ask("odd");
    assert_eq!((odd.status, &odd.json()["code"]), (500, &json!("PGRST121")));
    assert_eq!(odd.json()["message"], "Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error");
}
