//! Rows as lines of JSON, in and out, on every store.

mod stream;

use crate::differential::requests::Case;
use crate::differential::{Pair, assert_equal};
use crate::support::deployment::Deployment;
use crate::support::{Answer, Client};

const SCHEMA: &str = "
    CREATE TABLE makers (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE cars (
        id int PRIMARY KEY, maker_id int REFERENCES makers (id), name text NOT NULL DEFAULT 'new', price numeric(10,2),
        made timestamptz, tags text[], data jsonb, note json
    );
    INSERT INTO makers VALUES (1, 'Audi'), (2, 'Benz');
    INSERT INTO cars VALUES
        (1, 1, E'a\\nb', 10.50, '2024-01-01 10:00:00+00', '{a,b}', '{\"k\": 1, \"l\": [2]}', E'{\"a\":\\n\\t1}'),
        (2, 2, 'c', NULL, NULL, NULL, NULL, NULL),
        (3, 1, 'd', 7, NULL, '{}', '1', '[]');
    CREATE VIEW cheap AS SELECT id, name FROM cars WHERE price < 8;
";

const MEDIA: &str = "application/x-ndjson";

fn post(client: &Client, path: &str, prefer: &str, body: &str) -> Answer {
    client.send("POST", path, &[("Content-Type", MEDIA), ("Prefer", prefer)], body)
}

fn values(answer: &Answer) -> Vec<serde_json::Value> {
    answer.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn both_stores_give_and_take_the_same_lines() {
    let Some(pair) = Pair::start("ndjson", SCHEMA) else { return };
    let lines = |case: Case| case.with("Accept", MEDIA);
    let reads = [
        "/cars?order=id",
        "/cars?select=id,makers(name)&order=id",
        "/cars?select=id,data->k&order=id.desc",
        "/makers?select=name,cars(id,note)&order=id&cars.order=id",
        "/cars?select=id&order=id&limit=1&offset=1",
        "/cars?select=id&id=eq.2",
        "/cars?select=id&id=eq.99",
        "/cars?select=id&offset=7",
        "/cars?select=count()",
        "/cars?select=maker_id&order=maker_id&-distinct=",
        "/cars?select=&id=lt.3",
        "/cheap",
        "/cars?select=nothing",
        "/nothing",
    ];
    let reads = reads.iter().flat_map(|path| {
        let head = Case { method: "HEAD", ..Case::get(*path) };
        [lines(Case::get(*path)), lines(Case::get(*path)).prefer("count=exact"), lines(head).prefer("count=exact")]
    });
    let write = |method, path: &str, body: &str| {
        let case = Case { headers: Vec::new(), ..Case::write(method, path, body) };
        case.with("Content-Type", MEDIA).prefer("return=representation, tx=rollback")
    };
    let two = "{\"id\":8,\"name\":\"x\"}\n{\"id\":9,\"name\":\"y\"}\n";
    let writes = [
        lines(write("POST", "/cars", two)),
        write("POST", "/cars", two),
        write("POST", "/cars?columns=id", two),
        write("POST", "/cars", "{\"id\":1,\"name\":\"x\"}\n{\"id\":9,\"name\":\"y\"}")
            .prefer("resolution=merge-duplicates"),
        write("POST", "/cars", "{\"id\":9}\n{\"id\":9}\n"),
        write("POST", "/cars", "{\"id\":9}\n{\"id\":\"x\"}\n"),
        write("POST", "/cars", ""),
        write("POST", "/cars?columns=id,name", "{\"id\":8}\n{\"id\":9,\"name\":\"y\"}\n").prefer("missing=default"),
        lines(write("PATCH", "/cars?id=eq.1", "{\"name\":\"z\"}\n")),
        lines(write("PUT", "/cars?id=eq.1", "{\"id\":1,\"name\":\"z\"}\n")),
        lines(write("DELETE", "/cars?id=eq.2", "")),
    ];
    assert_equal("ndjson", &pair, &reads.chain(writes).collect::<Vec<_>>());
}

#[test]
fn rows_are_lines_and_lines_are_rows_on_every_store() {
    for deployment in Deployment::on_each_store("ndjson_rows", SCHEMA) {
        let berth = deployment.instance().with("DB_AGGREGATES_ENABLED", true).run();
        let (client, store) = (berth.client(), deployment.name());
        let get = |path: &str, accept: &str| client.send("GET", path, &[("Accept", accept)], "");
        let all = get("/cars?select=id,name,note&order=id", MEDIA);
        assert_eq!(all.header("Content-Type"), Some("application/x-ndjson; charset=utf-8"), "{store}");
        assert_eq!(all.header("Content-Range"), Some("0-2/*"), "{store}");
        assert_eq!(all.body.lines().count(), 3, "{store}: {}", all.body);
        assert_eq!(values(&all)[0], serde_json::json!({"id": 1, "name": "a\nb", "note": {"a": 1}}), "{store}");
        for accept in ["application/ndjson", "application/jsonl", "text/html, application/x-ndjson;q=0.5"] {
            assert_eq!(get("/cars?select=id,name,note&order=id", accept).body, all.body, "{store}: {accept}");
        }
        // What was given can be sent back.
        let everything = get("/cars?order=id", MEDIA);
        let merged = post(&client, "/cars", "resolution=merge-duplicates, count=exact", &everything.body);
        assert_eq!((merged.status, merged.header("Content-Range")), (200, Some("*/3")), "{store}: {}", merged.body);
        assert_eq!(values(&get("/cars?order=id", MEDIA)), values(&everything), "{store}");

        let added: String = (10..1_010).map(|id| format!("{{\"id\":{id},\"name\":\"n{id}\"}}\n")).collect();
        assert_eq!(post(&client, "/cars", "return=minimal", &added).status, 201, "{store}");
        assert_eq!(get("/cars?select=count()&id=gte.10", "*/*").json()[0]["count"], 1_000, "{store}");
    }
}

#[test]
fn a_line_that_cannot_be_taken_leaves_nothing_on_every_store() {
    for deployment in Deployment::on_each_store("ndjson_refused", SCHEMA) {
        let berth = deployment.instance().run();
        let (client, store) = (berth.client(), deployment.name());
        let good: String = (10..500).map(|id| format!("{{\"id\":{id},\"name\":\"n\"}}\n")).collect();
        for (last, status, code) in [
            ("{\"id\":1,\"name\":\"n\"}", 409, "23505"),
            ("{\"id\":\"x\",\"name\":\"n\"}", 400, "22P02"),
            ("{\"id\":501,\"name\":null}", 400, "23502"),
            ("{\"id\":501}", 400, "PGRST102"),
            ("{\"id\":501,", 400, "PGRST102"),
            ("[]", 400, "PGRST102"),
        ] {
            let refused = post(&client, "/cars", "return=minimal", &(good.clone() + last));
            assert_eq!((refused.status, refused.json()["code"].as_str()), (status, Some(code)), "{store}: {last}");
        }
        let message = post(&client, "/cars", "", &(good + "{\"id\":501,")).json();
        assert_eq!(message["message"], "line 491 of the body is no JSON object", "{store}");
        assert_eq!(client.get("/cars?select=id&id=gte.10").body, "[]", "{store}");
    }
}
