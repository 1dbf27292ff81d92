//! Rows that are given once: `-distinct=` and `Prefer: distinct`, asked of both stores.

use crate::differential::requests::Case;
use crate::differential::{Pair, assert_equal};
use crate::support::deployment::Deployment;

const SCHEMA: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
    CREATE TABLE makers (id int PRIMARY KEY, name text NOT NULL);
    CREATE TABLE cars (
        id int PRIMARY KEY, maker_id int REFERENCES makers (id), colour text, price numeric(10,2), made timestamptz,
        feel mood, tags text[], data jsonb, note json, span interval, fast boolean, distinct_on text
    );
    INSERT INTO makers VALUES (1, 'Audi'), (2, 'Benz'), (3, 'Audi');
    INSERT INTO cars VALUES
        (1, 1, 'red', 10.50, '2024-01-01 10:00:00+00', 'ok', '{a,b}', '{\"k\": 1, \"l\": [2]}', '{\"a\":1}', '1 day', true, 'x'),
        (2, 1, 'red', 10.5, '2024-01-01 11:00:00+01', 'sad', '{a,b}', '{\"l\": [2], \"k\": 1}', '{\"a\":1}', '24:00:00', true, 'x'),
        (3, 2, 'blue', 7, NULL, 'happy', '{}', NULL, NULL, NULL, false, NULL),
        (4, 2, NULL, NULL, '2024-05-01 00:00:00+00', 'ok', NULL, '1', NULL, NULL, NULL, NULL),
        (5, 3, NULL, NULL, NULL, NULL, NULL, '2', NULL, NULL, NULL, 'y'),
        (6, NULL, 'red', 3.25, '2023-01-01 00:00:00+00', 'sad', '{a,b}', NULL, NULL, NULL, true, 'y');
    CREATE VIEW colours AS SELECT colour, price FROM cars;
";

/// Reads; each is sent with `count=exact` and without, by `GET` and `HEAD`.
const READS: &[&str] = &[
    "/cars?select=colour&order=colour&-distinct=",
    "/cars?select=colour,fast&order=colour.desc.nullslast,fast&-distinct=",
    "/cars?select=colour,fast&order=colour,fast&-distinct=&limit=2&offset=1",
    "/cars?select=price&order=price&-distinct=",
    "/cars?select=id,span&order=id&-distinct=span",
    "/cars?select=span.countdistinct()",
    "/cars?select=colour&span=eq.1 day&order=id&-distinct=colour,span",
    "/cars?select=made&order=made&-distinct=",
    "/cars?select=feel&order=feel.desc&-distinct=",
    "/cars?select=tags&-distinct=&tags=not.is.null&fast=is.true",
    "/cars?select=data&-distinct=&id=in.(1,2)",
    "/cars?select=k:data->>k&order=data->>k&-distinct=",
    "/cars?select=price::text&-distinct=&id=lt.3",
    "/cars?select=note&-distinct=",
    "/cars?select=colour&order=price&-distinct=",
    "/cars?select=colour,nothing&-distinct=",
    "/cars?select=colour,count()&order=colour&-distinct=",
    "/cars?select=colour,makers(name)&order=colour&-distinct=&id=in.(1,2)",
    "/cars?select=...makers(name)&order=makers(name)&-distinct=",
    "/cars?select=&-distinct=&limit=3",
    "/makers?select=name,cars(colour)&order=name&cars.order=id&-distinct=&id=gt.1",
    "/cars?select=k:data->>k,count()&order=data->>k",
    "/cars?select=k:data->>k,count()&order=data->>l",
    "/cars?select=data&order=data->>k&-distinct=&id=in.(1,4)",
    "/cars?select=price::text&order=price&-distinct=",
    "/colours?order=colour,price&-distinct=",
    "/cars?select=*&order=id&-distinct=colour",
    "/cars?select=id,colour,price&order=price.desc.nullslast&-distinct=colour",
    "/cars?select=id,price&order=price.nullsfirst,id&-distinct=colour,fast",
    "/cars?select=id&order=id.desc&-distinct=data->>k&limit=2",
    "/cars?select=id,makers(name)&order=id.desc&-distinct=maker_id&id=gt.1",
    "/cars?select=id,makers(name)&order=makers(name),id.desc&-distinct=fast",
    "/cars?select=id,...makers(name)&order=makers(name),id.desc&-distinct=fast",
    "/cars?select=id,feel&order=feel.desc,id&-distinct=fast",
    "/makers?select=name,cars(id)&order=id.desc&cars.order=id&-distinct=name",
    "/cars?select=id&order=id&-distinct=made",
    "/cars?select=id&order=id&-distinct=note",
    "/cars?select=id&order=id&-distinct=nothing",
    "/cars?select=colour.count()&-distinct=colour",
    "/cars?select=&order=id&-distinct=colour",
    "/cars?select=distinct_on&order=distinct_on&distinct_on=eq.x",
    "/cars?-distinct=colour.desc",
    "/cars?-distinct=(",
    "/cars?select=colour.countdistinct(),price.countdistinct(),n:data.countdistinct(),count()",
    "/cars?select=fast,colour.countdistinct()&order=fast",
    "/cars?select=makers:maker_id.countdistinct()::text",
    "/cars?select=note.countdistinct()",
    "/cars?select=countdistinct()",
    "/makers?select=name,cars(colour.countdistinct())&order=id",
];

#[test]
fn both_stores_give_the_same_rows_once() {
    let Some(pair) = Pair::start("distinct_rows", SCHEMA) else { return };
    let cases: Vec<Case> = READS
        .iter()
        .flat_map(|path| {
            let get = || Case::get(*path);
            let head = Case { method: "HEAD", ..get() };
            [get(), get().prefer("count=exact"), head.prefer("count=exact"), get().with("Accept", "text/csv")]
        })
        .chain([
            Case::get("/cars?select=colour&order=colour").prefer("distinct"),
            Case::get("/cars?select=id,colour&order=id").prefer("distinct=colour, handling=strict, distinct=fast"),
            Case::get("/cars?select=colour&order=colour&-distinct=").prefer("distinct=fast"),
            Case::get("/cars?select=colour").prefer("distinct=(, handling=strict"),
            Case::write("PATCH", "/cars?id=eq.1&-distinct=", r#"{"colour":"red"}"#),
            Case::write("POST", "/cars", r#"{"id":9}"#).prefer("distinct, return=headers-only, tx=rollback"),
        ])
        .collect();
    assert_equal("distinct", &pair, &cases);
}

#[test]
fn each_is_told_as_often_as_it_differs() {
    for deployment in Deployment::on_each_store("distinct_each", SCHEMA) {
        let berth = deployment.instance().with("DB_AGGREGATES_ENABLED", true).run();
        let (client, store) = (berth.client(), deployment.name());
        let get = |path: &str, prefer: &str| client.send("GET", path, &[("Prefer", prefer)], "");
        let colours = get("/cars?select=colour&order=colour", "distinct, count=exact");
        assert_eq!(colours.body, "[{\"colour\":\"blue\"}, \n {\"colour\":\"red\"}, \n {\"colour\":null}]", "{store}");
        assert_eq!(colours.header("Content-Range"), Some("0-2/3"), "{store}");
        assert_eq!(colours.header("Preference-Applied"), Some("count=exact, distinct"), "{store}");
        let newest = get("/cars?select=id&order=made.desc.nullslast,id&-distinct=maker_id", "count=exact");
        assert_eq!(newest.json(), serde_json::json!([{"id": 4}, {"id": 1}, {"id": 6}, {"id": 5}]), "{store}");
        assert_eq!(newest.header("Content-Range"), Some("0-3/4"), "{store}");
        let page = get("/cars?select=colour&order=colour&limit=2&-distinct=", "count=planned");
        assert_eq!((page.json().as_array().unwrap().len(), page.status), (2, 206), "{store}");
        let counted = get("/cars?select=colour.countdistinct()", "");
        assert_eq!(counted.body, "[{\"count\":2}]", "{store}");
        let refused = client.send("DELETE", "/cars?-distinct=", &[], "");
        assert_eq!(
            (refused.status, refused.json()["message"].as_str()),
            (400, Some("-distinct, -after and -before are for reads")),
            "{store}"
        );
    }
    let deployment = Deployment::in_place(SCHEMA);
    let berth = deployment.instance().run();
    let client = berth.client();
    assert_eq!(client.get("/cars?select=colour.countdistinct()").json()["code"], "PGRST123", "switched off");
}
