//! Rows that point to one another: foreign keys hold when the whole request is done, on every store.

use crate::differential::requests::Case;
use crate::differential::{Pair, assert_equal};
use crate::support::deployment::Deployment;

const SCHEMA: &str = "
    CREATE TABLE places (id int PRIMARY KEY, name text UNIQUE, parent_id int REFERENCES places (id));
    CREATE TABLE streets (id int PRIMARY KEY, place_name text REFERENCES places (name));
    CREATE TABLE forks (
        id int PRIMARY KEY, before_id int DEFAULT 1 REFERENCES forks (id), place_id int REFERENCES places (id)
    );
    INSERT INTO places VALUES (1, 'world', NULL);
    INSERT INTO streets VALUES (1, 'world');
";

/// Each is one request after those before it.
fn writes() -> Vec<Case> {
    let post = |path: &str, body: &str| Case::write("POST", path, body).prefer("return=representation");
    let upsert = |path: &str, body: &str| {
        Case::write("POST", path, body).prefer("return=representation, resolution=merge-duplicates")
    };
    vec![
        post("/places", r#"[{"id":10,"parent_id":11},{"id":11,"parent_id":12},{"id":12,"parent_id":1}]"#),
        post("/places", r#"[{"id":20,"name":"a","parent_id":21},{"id":21,"name":"b","parent_id":20}]"#),
        post("/places?columns=id,parent_id", r#"[{"id":30,"parent_id":31,"x":1},{"id":31}]"#),
        post("/places", r#"[{"id":40,"parent_id":41},{"id":42,"parent_id":40}]"#),
        post("/places", r#"[{"id":50,"parent_id":51},{"id":50,"parent_id":51}]"#),
        post("/places", r#"[{"id":60,"name":"q","parent_id":61},{"id":61,"name":"world","parent_id":1}]"#),
        Case::write("POST", "/places", r#"[{"id":70,"parent_id":71},{"id":71,"parent_id":1}]"#)
            .prefer("max-affected=1, handling=strict"),
        Case::write("POST", "/places", r#"[{"id":80,"parent_id":81},{"id":81,"parent_id":1}]"#)
            .prefer("return=minimal, count=exact"),
        upsert("/places", r#"[{"id":10,"parent_id":90},{"id":90,"parent_id":10}]"#),
        upsert(
            "/places?on_conflict=name",
            r#"[{"id":91,"name":"x","parent_id":92},{"id":92,"name":"b","parent_id":null}]"#,
        ),
        upsert(
            "/places?on_conflict=id",
            r#"[{"id":93,"name":"y","parent_id":94},{"id":94,"name":"z","parent_id":93}]"#,
        ),
        upsert(
            "/places?on_conflict=id",
            r#"[{"id":95,"name":"v","parent_id":96},{"id":1,"name":"w","parent_id":95},{"id":96,"name":"u","parent_id":1}]"#,
        ),
        post("/forks", r#"[{"id":2,"before_id":3,"place_id":10},{"id":3,"before_id":2,"place_id":11}]"#),
        post("/forks", r#"[{"id":4,"before_id":5,"place_id":10},{"id":5,"before_id":4,"place_id":99}]"#),
        Case::write("PATCH", "/places?id=eq.20", r#"{"parent_id":999}"#),
        Case::write("DELETE", "/places?id=eq.11", ""),
        Case::write("DELETE", "/places?id=in.(93,94)", ""),
        Case::get("/places?order=id"),
        Case::get("/forks?order=id"),
    ]
}

#[test]
fn rows_that_are_inserted_together_may_point_to_one_another_in_any_order() {
    let Some(pair) = Pair::start("foreign_keys", SCHEMA) else { return };
    assert_equal("foreign keys", &pair, &writes());
}

#[test]
fn in_a_batch_each_request_holds_by_itself() {
    for deployment in Deployment::on_each_store("keys_in_batches", SCHEMA) {
        let berth = deployment.instance().run();
        let (client, store) = (berth.client(), deployment.name());
        let together = r#"[{"method":"POST","path":"/places","body":[{"id":5,"parent_id":6},{"id":6,"parent_id":5}]},
            {"method":"POST","path":"/places","body":{"id":7,"parent_id":6}}]"#;
        assert_eq!(client.post("/-/batch", together).status, 200, "{store}");
        let apart = r#"[{"method":"POST","path":"/places","body":{"id":8,"parent_id":9}},
            {"method":"POST","path":"/places","body":{"id":9}}]"#;
        let answer = client.post("/-/batch", apart);
        assert_eq!((answer.status, &answer.json()["index"]), (409, &0.into()), "{store}: {}", answer.body);
        let trial = client.send(
            "POST",
            "/places",
            &[("Content-Type", "application/json"), ("Prefer", "dry-run")],
            r#"[{"id":8,"parent_id":9},{"id":9,"parent_id":8}]"#,
        );
        assert_eq!(trial.status, 201, "{store}: {}", trial.body);
        assert_eq!(client.get("/places?id=in.(8,9)").body, "[]", "{store}");
        let key = [("Content-Type", "application/json"), ("Idempotency-Key", "\"k\"")];
        for _ in 0..2 {
            let kept = client.send("POST", "/places", &key, r#"[{"id":8,"parent_id":9},{"id":9,"parent_id":8}]"#);
            assert_eq!(kept.status, 201, "{store}: {}", kept.body);
        }
    }
}
