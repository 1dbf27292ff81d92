//! Media types beyond rows as JSON or CSV: plans, and what code of the database makes.

use serde_json::Value;

use crate::support::deployment::Deployment;

const SCHEMA: &str = "
    CREATE TABLE films (id int PRIMARY KEY, title text NOT NULL, year int);
    INSERT INTO films VALUES (1, 'Metropolis', 1927), (2, 'M', 1931);
    CREATE INDEX films_year ON films (year);
";

/// Domains that stand for media types, and what gives them.
const HANDLERS: &str = "
    CREATE DOMAIN \"text/html\" AS text;
    CREATE DOMAIN \"image/png\" AS bytea;
    CREATE DOMAIN \"application/vnd.list+json\" AS jsonb;
    CREATE DOMAIN \"text/csv\" AS text;
    CREATE DOMAIN \"*/*\" AS bytea;
    CREATE FUNCTION page() RETURNS \"text/html\" LANGUAGE sql AS $$ SELECT '<p>Hello</p>'::\"text/html\" $$;
    CREATE FUNCTION dot() RETURNS \"image/png\" LANGUAGE sql AS $$ SELECT '\\x00c3a9'::\"image/png\" $$;
    CREATE FUNCTION anything() RETURNS \"*/*\" LANGUAGE sql AS $$
        SELECT set_config('response.headers', '[{\"Content-Type\": \"app/x\"}]', true);
        SELECT 'any'::bytea::\"*/*\" $$;
    CREATE FUNCTION add_title(found text, film films) RETURNS \"text/csv\" LANGUAGE sql AS $$
        SELECT (coalesce(found, 'films') || '|' || film.title)::\"text/csv\" $$;
    CREATE AGGREGATE titles (films) (SFUNC = add_title, STYPE = \"text/csv\");
    CREATE FUNCTION add_any(found jsonb, one anyelement) RETURNS \"application/vnd.list+json\" LANGUAGE sql AS $$
        SELECT (coalesce(found, '[]') || to_jsonb(one))::\"application/vnd.list+json\" $$;
    CREATE AGGREGATE list (anyelement) (SFUNC = add_any, STYPE = \"application/vnd.list+json\");
    CREATE FUNCTION early() RETURNS SETOF films LANGUAGE sql AS $$ SELECT * FROM films WHERE year < 1930 $$;
";

#[test]
fn a_plan_tells_how_a_request_would_be_run_and_runs_nothing() {
    for deployment in Deployment::on_each_store("media_plan", SCHEMA) {
        let store = deployment.name();
        let berth = deployment.instance().with("DB_PLAN_ENABLED", "true").run();
        let client = berth.client();
        let ask = |method: &str, path: &str, media: &str, body: &str| {
            client.send(method, path, &[("Accept", media), ("Content-Type", "application/json")], body)
        };
        let text = ask("GET", "/films?order=title", "application/vnd.pgrst.plan", "");
        assert_eq!(text.status, 200, "{store}: {}", text.body);
        let told = text.header("Content-Type");
        assert_eq!(told, Some("application/vnd.pgrst.plan+text; for=\"application/json\"; charset=utf-8"), "{store}");
        assert!(text.body.to_lowercase().contains("films"), "{store}: {}", text.body);
        for (method, path, body) in [
            ("GET", "/films?select=title&year=gt.1930", ""),
            ("POST", "/films", r#"{"id":3,"title":"Solaris"}"#),
            ("PUT", "/films?id=eq.3", r#"{"id":3,"title":"Solaris"}"#),
            ("PATCH", "/films?id=eq.1", r#"{"title":"Solaris"}"#),
            ("DELETE", "/films?id=eq.1", ""),
        ] {
            let plan = ask(method, path, "application/vnd.pgrst.plan+json", body);
            assert_eq!(plan.status, 200, "{store}: {method} {}", plan.body);
            assert!(matches!(plan.json(), Value::Array(_)), "{store}: {method} {}", plan.body);
        }
        let films = client.get("/films?select=id,title&order=id");
        assert_eq!(
            films.body.replace(['\n', ' '], ""),
            r#"[{"id":1,"title":"Metropolis"},{"id":2,"title":"M"}]"#,
            "{store}"
        );
        let analyzed = ask("GET", "/films", "application/vnd.pgrst.plan; options=analyze", "");
        match store {
            "Postgres" => assert!(analyzed.body.contains("actual time"), "{}", analyzed.body),
            _ => assert_eq!((analyzed.status, &analyzed.json()["code"]), (400, &Value::from("PGRST127")), "{store}"),
        }
    }
}

#[test]
fn a_plan_is_not_told_unless_it_is_switched_on() {
    let deployment = Deployment::in_place(SCHEMA);
    let berth = deployment.instance().run();
    let refused = berth.client().send("GET", "/films", &[("Accept", "application/vnd.pgrst.plan")], "");
    assert_eq!((refused.status, refused.header("Server-Timing")), (406, None));
    let message = "None of these media types are available: application/vnd.pgrst.plan+text; for=\"application/json\"";
    assert_eq!(refused.json()["message"], message);
}

#[test]
fn functions_and_aggregates_of_the_database_make_bodies_of_their_own_media_types() {
    let Some(deployment) = Deployment::postgres("media_custom", &format!("{SCHEMA}{HANDLERS}")) else { return };
    let berth = deployment.instance().run();
    let client = berth.client();
    for (path, accept, content_type, body) in [
        ("/rpc/page", "text/html", "text/html", "<p>Hello</p>"),
        ("/rpc/page", "application/xml, text/html;q=0.9", "text/html", "<p>Hello</p>"),
        ("/rpc/page", "*/*", "application/json; charset=utf-8", "\"<p>Hello</p>\""),
        ("/rpc/anything", "image/webp", "app/x", "any"),
        ("/films?order=id", "text/csv", "text/csv; charset=utf-8", "films|Metropolis|M"),
        ("/films?select=title&order=id", "text/csv", "text/csv; charset=utf-8", "title\nMetropolis\nM"),
        ("/rpc/early", "text/csv", "text/csv; charset=utf-8", "films|Metropolis"),
        (
            "/films?select=id&order=id",
            "application/vnd.list+json",
            "application/vnd.list+json",
            r#"[{"id": 1}, {"id": 2}]"#,
        ),
    ] {
        let answer = client.send("GET", path, &[("Accept", accept)], "");
        let told = (answer.status, answer.header("Content-Type"), answer.body.as_str());
        assert_eq!(told, (200, Some(content_type), body), "{path} as {accept}");
    }
    let dot = client.send("GET", "/rpc/dot", &[("Accept", "image/png")], "");
    assert_eq!(
        (dot.status, dot.header("Content-Type"), dot.body.as_str()),
        (200, Some("image/png"), "\0é"),
        "its bytes"
    );
    let none = client.send("GET", "/rpc/page", &[("Accept", "text/plain")], "");
    assert_eq!((none.status, &none.json()["code"]), (406, &Value::from("PGRST107")));
    let header = [("Accept", "text/csv"), ("Prefer", "return=representation")];
    let written = client.send("DELETE", "/films?id=eq.2", &header, "");
    assert_eq!((written.status, written.body.as_str()), (200, "films|M"));
}

#[test]
fn each_answer_tells_how_long_its_stages_took_where_that_is_switched_on() {
    for deployment in Deployment::on_each_store("media_timing", SCHEMA) {
        let berth = deployment.instance().with("SERVER_TIMING_ENABLED", "true").run();
        let answer = berth.client().get("/films");
        let told = answer.header("Server-Timing").unwrap_or_default();
        let stages: Vec<&str> =
            told.split(", ").filter_map(|metric| metric.split_once(";dur=")).map(|it| it.0).collect();
        assert_eq!(stages, ["jwt", "parse", "plan", "transaction", "response"], "{}: {told}", deployment.name());
    }
}
