//! Pages by keys: `Prefer: pagination=keyset`, `-after=`, `-before=` and `Link`, on every store.

use serde_json::{Value, json};

use crate::support::deployment::Deployment;
use crate::support::{Answer, Client};

const SCHEMA: &str = "
    CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
    CREATE TABLE makers (id int PRIMARY KEY, name text);
    CREATE TABLE cars (
        id int PRIMARY KEY, maker_id int REFERENCES makers (id), colour text, price numeric(10,2), weight double precision,
        made timestamptz, day date, span char(3), feel mood, fast boolean, code uuid, raw bytea, data jsonb, name text NOT NULL,
        after text, big bigint NOT NULL, UNIQUE (big), UNIQUE (colour)
    );
    CREATE TABLE spots (x int, y text, note text, PRIMARY KEY (x, y));
    CREATE TABLE heap (a int);
    CREATE VIEW blue AS SELECT id, name, colour FROM cars;
    INSERT INTO makers VALUES (1, 'Audi'), (2, NULL), (3, 'Benz');
    INSERT INTO cars VALUES
        (1, 1, 'a', 10.50, 0.1, '2024-01-01 10:00:00.25+00', '2024-01-01', 'b', 'ok', true, '00000000-0000-0000-0000-00000000000a', '\\x01', '{\"k\": \"z\"}', 'n', 'p', 9007199254740993),
        (2, 2, 'A', 10.5, 1e300, '2024-01-01 11:00:00.25+01', NULL, 'a', 'sad', true, NULL, '\\xff00', '{\"k\": \"a b&c\"}', 'm', 'q', -5),
        (3, 3, 'é', NULL, -0.5, NULL, '1999-12-31', 'bc', 'happy', false, NULL, NULL, NULL, 'm', NULL, 0),
        (4, NULL, NULL, 7, NULL, '2023-05-01 00:00:00+00', '2024-01-01', NULL, 'ok', NULL, NULL, NULL, '1', 'm', NULL, 1),
        (5, 1, NULL, -3.25, 0.1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{\"k\": null}', 'n', 'p', 2),
        (6, 2, '\"q,()', 7, 2, '2022-01-01 00:00:00+00', '2024-01-02', 'b', 'sad', false, NULL, NULL, NULL, '', 'p', 3),
        (7, 1, '10', 0, 3, '2022-01-01 00:00:00+00', '2024-01-02', '', 'ok', true, NULL, NULL, NULL, 'z', 'p', 4);
    INSERT INTO spots VALUES (1, 'a', 'n'), (1, 'b', NULL), (2, 'a', NULL), (2, 'b', 'n'), (3, 'a', 'm');
    ALTER TABLE cars ADD COLUMN length interval, ADD COLUMN clock timetz, ADD COLUMN sizes int[], ADD COLUMN amount numeric;
    UPDATE cars SET length = '1 day', clock = '10:00+02', sizes = '{1,2}', amount = 2.50, data = '{\"k\": 2}' WHERE id = 1;
    UPDATE cars SET length = '24:00:00', clock = '09:00+00', sizes = '{10}', amount = 2.5 WHERE id = 2;
    UPDATE cars SET length = '23:00:00', clock = '08:00+00', sizes = '{}', amount = 12345678901234567890.5 WHERE id = 4;
    UPDATE cars SET length = '1 mon', clock = '08:00+00', sizes = '{1,NULL}', amount = -3 WHERE id = 5;
    UPDATE cars SET amount = 10, data = '[1.0]' WHERE id = 6;
";

/// What the query says besides its limit, for tables with up to seven rows.
const READS: &[&str] = &[
    "/cars?select=id",
    "/cars?select=name&order=name",
    "/cars?select=id&order=colour",
    "/cars?select=id&order=colour.desc",
    "/cars?select=id&order=colour.nullsfirst,name.desc",
    "/cars?select=id&order=colour.desc.nullslast",
    "/cars?select=id&order=price.desc",
    "/cars?select=id,price&order=price,weight.desc.nullslast,name",
    "/cars?select=id&order=weight",
    "/cars?select=id&order=made.desc,day",
    "/cars?select=id&order=day.nullsfirst",
    "/cars?select=id&order=feel.desc",
    "/cars?select=id&order=feel",
    "/cars?select=id&order=fast,feel.nullsfirst",
    "/cars?select=id&order=code.nullsfirst",
    "/cars?select=id&order=raw",
    "/cars?select=id&order=span",
    "/cars?select=id,length&order=length",
    "/cars?select=id&order=length.desc.nullslast,clock",
    "/cars?select=id&order=clock.desc",
    "/cars?select=id&order=sizes.nullsfirst",
    "/cars?select=id&order=data.desc,name",
    "/cars?select=id,amount&order=amount",
    "/cars?select=id&order=amount.desc.nullslast,sizes",
    "/cars?select=id&order=data->>k",
    "/cars?select=id&order=data->>k.desc.nullslast,name",
    "/cars?select=id&order=big.desc",
    "/cars?select=name&order=name&or=(colour.is.null,price.gt.1)&fast=not.is.true",
    "/cars?select=id,makers(name)&order=makers(name)",
    "/cars?select=id,...makers(maker:name)&order=makers(name).desc,price",
    "/cars?select=id,makers(name)&order=makers(name).nullsfirst&makers.name=eq.Audi",
    "/cars?select=id,makers!inner(name)&order=name.desc",
    "/cars?select=id,after&after=eq.p&order=after",
    "/makers?select=name,cars(id)&order=name&cars.order=id",
    "/spots?select=*&order=note",
    "/spots?select=y&order=y.desc",
    "/blue?select=name&order=name",
    "/cars?select=id&id=eq.99",
];

fn get(client: &Client, path: &str) -> Answer {
    let answer = client.send("GET", path, &[("Prefer", "pagination=keyset")], "");
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    assert_eq!(answer.header("Preference-Applied"), Some("pagination=keyset"), "{path}");
    answer
}

/// The query of a link.
fn link(answer: &Answer, relation: &str) -> Option<String> {
    let links = answer.header("Link")?;
    let found = links.split(", ").find(|link| link.ends_with(&format!("; rel=\"{relation}\"")))?;
    Some(found.strip_prefix("<?").unwrap().split_once('>').unwrap().0.to_owned())
}

fn rows(answer: &Answer) -> Vec<Value> {
    answer.json().as_array().unwrap().clone()
}

/// All pages, one after the other by the links of that relation; followed without the preference.
fn walk(client: &Client, first: Answer, table: &str, relation: &str) -> Vec<Vec<Value>> {
    let mut pages = vec![rows(&first)];
    let mut next = link(&first, relation);
    while let Some(query) = next {
        let answer = client.get(&format!("{table}?{query}"));
        assert_eq!(answer.status, 200, "{query}: {}", answer.body);
        pages.push(rows(&answer));
        assert!(pages.len() < 20, "{query} does not end");
        next = link(&answer, relation);
    }
    pages
}

#[test]
fn pages_have_each_row_once_both_ways_and_the_same_links_on_every_store() {
    let mut links = Vec::new();
    for deployment in Deployment::on_each_store("keyset_walk", SCHEMA) {
        let berth = deployment.instance().run();
        let (client, store) = (berth.client(), deployment.name());
        let mut seen = Vec::new();
        for read in READS {
            let table = read.split_once('?').unwrap().0;
            let all = rows(&get(&client, read));
            for size in [1, 3, 7] {
                let path = format!("{read}&limit={size}");
                let first = get(&client, &path);
                seen.push(first.header("Link").unwrap_or("none").to_owned());
                assert_eq!((link(&first, "prev"), link(&first, "first")), (None, None), "{store}: {path}");
                let forward = walk(&client, first.clone(), table, "next");
                assert_eq!(forward.concat(), all, "{store}: {path}");
                assert!(forward.iter().rev().skip(1).all(|page| page.len() == size), "{store}: {path}");
                let Some(last) = link(&first, "last") else { continue };
                let last = client.get(&format!("{table}?{last}"));
                assert_eq!((link(&last, "next"), link(&last, "last")), (None, None), "{store}: {path}");
                let mut back = walk(&client, last.clone(), table, "prev");
                back.reverse();
                assert_eq!(back.concat(), all, "{store}: {path}");
                let again = client.get(&format!("{table}?{}", link(&last, "first").unwrap()));
                assert_eq!(rows(&again), rows(&first), "{store}: {path}");
            }
        }
        links.push(seen);
    }
    for pair in links.windows(2) {
        for (one, other) in pair[0].iter().zip(&pair[1]) {
            assert_eq!(one, other, "the links differ between stores");
        }
    }
}

#[test]
fn a_page_tells_how_many_rows_there_are_and_where_it_is_only_when_it_is_known() {
    for deployment in Deployment::on_each_store("keyset_count", SCHEMA) {
        let berth = deployment.instance().run();
        let (client, store) = (berth.client(), deployment.name());
        let ask = |query: &str, prefer: &str| client.send("GET", &format!("/cars?{query}"), &[("Prefer", prefer)], "");
        let first = ask("select=id&limit=3&order=name", "pagination=keyset, count=exact");
        assert_eq!((first.status, first.header("Content-Range")), (206, Some("0-2/7")), "{store}");
        let second = ask(&link(&first, "next").unwrap(), "count=exact");
        assert_eq!((second.status, second.header("Content-Range")), (206, Some("*/7")), "{store}");
        assert_eq!(ask("-before=&limit=2", "count=exact").json(), json_ids(&client, &[6, 7]), "{store}");
        let all = ask("select=id", "pagination=keyset, count=exact");
        assert_eq!(
            (all.status, all.header("Content-Range"), all.header("Link")),
            (200, Some("0-6/7"), None),
            "{store}"
        );
        let head = client.send("HEAD", "/cars?limit=2", &[("Prefer", "pagination=keyset")], "");
        assert_eq!((head.header("Link"), head.body.as_str()), (get(&client, "/cars?limit=2").header("Link"), ""));
        // By headers alone.
        let cursor = link(&first, "next").unwrap().split_once("-after=").unwrap().1.to_owned();
        let by_header = ask("select=id&limit=3&order=name", &format!("pagination=keyset, after={cursor}"));
        assert_eq!(by_header.body, second.body, "{store}");
        let ranged = client.send("GET", "/cars?select=id", &[("Range", "0-1"), ("Prefer", "pagination=keyset")], "");
        assert_eq!((rows(&ranged).len(), link(&ranged, "next").is_some()), (2, true), "{store}");
        let csv = client.send("GET", "/cars?select=id&-before=&limit=2", &[("Accept", "text/csv")], "");
        assert_eq!(csv.body, "id\n6\n7", "{store}");
        let browser = client.send("GET", "/cars?limit=1&-after=", &[("Origin", "http://a.example")], "");
        let exposed = browser.headers.get_all("Access-Control-Expose-Headers");
        assert!(exposed.iter().any(|names| names.to_str().unwrap().contains("Link")), "{store}");
        let limited = ask("select=id&limit=0&-after=", "");
        assert_eq!((limited.body.as_str(), limited.header("Link").is_some()), ("[]", false), "{store}");
    }
}

fn json_ids(client: &Client, ids: &[i64]) -> Value {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    client.get(&format!("/cars?id=in.({})&order=id", ids.join(","))).json()
}

#[test]
fn rows_that_come_and_go_shift_no_page() {
    for deployment in Deployment::on_each_store("keyset_moving", SCHEMA) {
        let berth = deployment.instance().run();
        let (client, store) = (berth.client(), deployment.name());
        let first = get(&client, "/spots?select=x,y&limit=2");
        // The row that the cursor is of, and one before it.
        client.send("DELETE", "/spots?or=(and(x.eq.1,y.eq.b),and(x.eq.1,y.eq.a))", &[], "");
        client.post("/spots", r#"[{"x":0,"y":"z"},{"x":1,"y":"bb"}]"#);
        let second = client.get(&format!("/spots?{}", link(&first, "next").unwrap()));
        assert_eq!(rows(&second), [json!({"x": 1, "y": "bb"}), json!({"x": 2, "y": "a"})], "{store}");
        let back = client.get(&format!("/spots?{}", link(&second, "prev").unwrap()));
        assert_eq!(rows(&back), [json!({"x": 0, "y": "z"})], "{store}");
        assert_eq!(link(&back, "prev"), None, "{store}");
    }
}

#[test]
fn what_has_no_pages_is_refused() {
    for deployment in Deployment::on_each_store("keyset_bad", SCHEMA) {
        let berth = deployment.instance().with("DB_AGGREGATES_ENABLED", true).run();
        let (client, store) = (berth.client(), deployment.name());
        let cursor = |read: &str| {
            let next = link(&get(&client, &format!("{read}&limit=1")), "next").unwrap();
            next.split_once("-after=").unwrap().1.to_owned()
        };
        let (by_name, by_id) = (cursor("/cars?order=name"), cursor("/cars?order=id"));
        for (path, message) in [
            ("/heap?-after=".to_owned(), "need a primary key"),
            ("/heap?order=a&-after=".to_owned(), "need a primary key"),
            ("/cars?offset=1&-after=".to_owned(), "have no offset"),
            ("/cars?select=count()&-after=".to_owned(), "are of single rows"),
            ("/cars?select=name&-distinct=&-after=".to_owned(), "are of single rows"),
            ("/cars?-after=&-before=".to_owned(), "only one may be given"),
            ("/cars?-after=x".to_owned(), "the cursor is none"),
            ("/cars?-after=WzFd".to_owned(), "the cursor is none"),
            (format!("/cars?order=id&-after={by_name}"), "the cursor is none"),
            (format!("/cars?order=id.desc&-after={by_id}"), "the cursor is none"),
            (format!("/spots?-after={by_id}"), "the cursor is none"),
            (format!("/cars?order=id&-after={}", "A".repeat(7_000)), "the cursor is none"),
        ] {
            let answer = client.get(&path);
            let said = answer.json();
            assert_eq!((answer.status, said["code"].as_str()), (400, Some("BERTH400")), "{store}: {path} {said}");
            assert!(said["message"].as_str().unwrap().contains(message), "{store}: {path} {said}");
        }
        let long = format!(r#"{{"id":99,"name":"{}","big":99}}"#, "x".repeat(10_000));
        assert_eq!(client.post("/cars", &long).status, 201);
        let answer = client.get("/cars?order=name&limit=7&-after=");
        assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("BERTH400")), "{store}");
        let written = client.send("DELETE", "/cars?id=eq.1&-after=", &[], "");
        assert_eq!(written.status, 400, "{store}");
        let preferred = client.send("DELETE", "/cars?id=eq.1", &[("Prefer", "pagination=keyset")], "");
        assert_eq!((preferred.status, preferred.header("Preference-Applied")), (204, None), "{store}");
    }
}

/// A file that others made, with values that are not of their columns' types.
#[test]
fn values_that_are_none_of_their_types_have_their_place_in_pages() {
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("data");
    std::fs::create_dir(&volume).unwrap();
    let database = rusqlite::Connection::open(volume.join("app.db")).unwrap();
    database
        .execute_batch(
            "CREATE TABLE odd (id INTEGER PRIMARY KEY, n INTEGER, a, t TEXT);
             INSERT INTO odd (n, a, t) VALUES (1, 1, 'x'), ('one', '1', 5), (x'00ff', 1.5, x'61'), (2.5, 'b', NULL),
             (NULL, NULL, 'y'), (1, x'01', 'x'), (9223372036854775807, -1, '')",
        )
        .unwrap();
    drop(database);
    let berth = crate::support::Start::sqlite(folder.path(), &volume).run();
    let client = berth.client();
    for order in ["n", "a.desc", "t", "n.desc.nullslast,a"] {
        let read = format!("/odd?select=id&order={order}");
        let all = rows(&get(&client, &read));
        assert_eq!(all.len(), 7);
        for size in 1..4 {
            let first = get(&client, &format!("{read}&limit={size}"));
            assert_eq!(walk(&client, first, "/odd", "next").concat(), all, "{read} {size}");
        }
    }
}

/// Roles belong to the whole server: no other test has this name.
const POLICY: &str = "
    CREATE ROLE keyset_anon;
    CREATE TABLE people (id int PRIMARY KEY, name text);
    CREATE TABLE notes (id int PRIMARY KEY, owner int REFERENCES people (id), note text, data jsonb);
    INSERT INTO people VALUES (1, 'Ann'), (2, 'Bob');
    INSERT INTO notes VALUES (1, 1, 'b', '{\"k\": \"1\"}'), (2, 2, 'b', '{\"k\": \"2\"}'), (3, 1, 'a', '{\"k\": \"3\"}'), (4, 2, 'a', '{}'), (5, 1, NULL, NULL);
    GRANT SELECT ON people, notes TO keyset_anon;
    ALTER TABLE notes ENABLE ROW LEVEL SECURITY; ALTER TABLE people ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON notes FOR SELECT USING (owner = 1);
    CREATE POLICY own ON people FOR SELECT USING (id = 1);
";

#[test]
fn pages_hold_no_row_that_a_policy_hides() {
    for deployment in Deployment::on_each_store("keyset_policy", POLICY) {
        let start = deployment.instance().with("ACCESS", "closed").with("ANON_ROLE", "keyset_anon");
        let berth = start.run();
        let (client, store) = (berth.client(), deployment.name());
        for order in ["note", "note.desc", "data->>k", "people(name),note.nullsfirst"] {
            let read = format!("/notes?select=id,people(name)&order={order}");
            let all = rows(&get(&client, &read));
            assert_eq!(all.len(), 3, "{store}: {order}");
            let first = client.send("GET", &format!("{read}&limit=2&-after="), &[("Prefer", "count=exact")], "");
            assert_eq!(first.header("Content-Range"), Some("0-1/3"), "{store}: {order}");
            assert_eq!(walk(&client, first, "/notes", "next").concat(), all, "{store}: {order}");
        }
        let once = client.send("GET", "/notes?select=note&order=note&-distinct=", &[("Prefer", "count=exact")], "");
        assert_eq!(once.header("Content-Range"), Some("0-2/3"), "{store}: {}", once.body);
    }
}
