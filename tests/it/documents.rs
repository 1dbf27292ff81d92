//! JSON that SQL of views and functions makes: the same documents on every store.

use serde_json::{Value, json};

use crate::support::deployment::Deployment;

const SCHEMA: &str = "
    CREATE TABLE makers (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE goods (
        id int PRIMARY KEY, maker int REFERENCES makers, fast boolean, price numeric(8,2), weight double precision,
        made timestamptz, noted timestamp, day date, tags text[], flags boolean[], data jsonb, note json, code uuid,
        raw bytea, name text, wide numeric
    );
    INSERT INTO makers VALUES (1, 'A'), (2, 'B'), (3, 'C');
    INSERT INTO goods VALUES
        (1, 1, true, 2.50, 1e300, '2024-07-01 12:00+00', '2024-07-01 12:00', '2024-07-01', '{a,\"b c\",NULL}',
            '{true,NULL,false}', '{\"b\": [1, true], \"a\": null}', '{\"x\":1}', '00000000-0000-0000-0000-00000000000a',
            '\\x00ff', 'q\"', 12345678901234567890.50),
        (2, 1, false, 10.00, 0.1, NULL, NULL, NULL, '{}', NULL, '[]', 'true', NULL, NULL, '', 1),
        (3, 2, NULL, NULL, NULL, '2024-01-01 00:00:00.5+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    CREATE VIEW built AS SELECT id, json_build_object('fast', fast, 'price', price, 'weight', weight, 'made', made,
        'noted', noted, 'day', day, 'tags', tags, 'flags', flags, 'data', data, 'note', note, 'code', code, 'raw', raw,
        'name', name, 'wide', wide, 'cheap', price < 5, 'yes', true, 'none', null, 'n', id + 1) AS document,
        jsonb_build_array(fast, price, data, tags, made) AS list FROM goods;
    CREATE VIEW lists AS SELECT maker, json_agg(fast ORDER BY id) AS fasts, jsonb_agg(data ORDER BY id) AS documents,
        array_agg(fast ORDER BY id) AS array_of, json_agg(name ORDER BY id) FILTER (WHERE fast) AS names,
        jsonb_object_agg(name, price) FILTER (WHERE name IS NOT NULL) AS prices FROM goods GROUP BY maker;
    CREATE VIEW nested AS SELECT m.id, json_build_object('name', m.name, 'goods', (
        SELECT coalesce(json_agg(json_build_object('id', g.id, 'fast', g.fast) ORDER BY g.id), '[]')
        FROM goods g WHERE g.maker = m.id)) AS document,
        (SELECT json_agg(g.id) FROM goods g WHERE g.maker = m.id AND g.id > 100) AS nobody FROM makers m;
    CREATE VIEW whole AS SELECT g.id, row_to_json(g) AS document, to_jsonb(m) AS maker,
        to_json(g.made) AS made, to_json(g.fast) AS fast, to_jsonb(g.name) AS name, to_json(g.tags) AS tags
        FROM goods g JOIN makers m ON m.id = g.maker;
    CREATE VIEW all_of_them AS SELECT m.id, json_agg(g ORDER BY g.id) AS goods
        FROM makers m JOIN goods g ON g.maker = m.id GROUP BY m.id;
    CREATE FUNCTION summary(of int) RETURNS json LANGUAGE sql STABLE AS $$
        SELECT json_build_object('maker', row_to_json(m), 'fast', exists (SELECT 1 FROM goods WHERE maker = of AND fast))
        FROM makers m WHERE m.id = of $$;
";

const READS: [&str; 8] = [
    "/built?order=id",
    "/lists?order=maker",
    "/nested?order=id",
    "/whole?order=id",
    "/all_of_them?order=id",
    "/rpc/summary?of=1",
    "/rpc/summary?of=3",
    "/built?select=id,fast:document->fast,price:document->>price&document->>cheap=eq.true&order=id",
];

#[test]
fn documents_are_made_alike_on_every_store() {
    let deployments = Deployment::on_each_store("documents", SCHEMA);
    let instances: Vec<_> = deployments.iter().map(|deployment| (deployment.instance().run(), deployment)).collect();
    for zone in ["UTC", "Asia/Kolkata"] {
        let prefer = format!("timezone={zone}");
        for path in READS {
            let answers = instances.iter().map(|(berth, deployment)| {
                let answer = berth.client().send("GET", path, &[("Prefer", &prefer)], "");
                assert_eq!(answer.status, 200, "{path} on {}: {}", deployment.name(), answer.body);
                (deployment.name(), answer.json())
            });
            let answers: Vec<(&str, Value)> = answers.collect();
            let (oracle, expected) = answers.last().unwrap();
            for (store, found) in &answers {
                assert_eq!(found, expected, "{path} in {zone}: {store} and {oracle}");
            }
        }
    }
}

#[test]
fn booleans_documents_and_arrays_in_a_document_are_what_they_are() {
    let deployment = Deployment::in_place(SCHEMA);
    let berth = deployment.instance().run();
    let document = berth.client().get("/built?id=eq.1&select=document").json()[0]["document"].clone();
    for (member, expected) in [
        ("fast", json!(true)),
        ("cheap", json!(true)),
        ("tags", json!(["a", "b c", null])),
        ("flags", json!([true, null, false])),
        ("data", json!({"a": null, "b": [1, true]})),
        ("note", json!({"x": 1})),
        ("made", json!("2024-07-01T12:00:00+00:00")),
        ("raw", json!("\\x00ff")),
        ("none", Value::Null),
    ] {
        assert_eq!(document[member], expected, "{member}");
    }
}
