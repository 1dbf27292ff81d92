//! Domains whose casts say what clients see of their values (Postgres).

use serde_json::{Value, json};

use crate::support::deployment::Deployment;
use crate::support::{Answer, Berth, Client};

/// A price is kept in cents, given as `"1.50"`, read from that, and from `1.50 EUR` in filters. A code has no cast from
/// text.
const SCHEMA: &str = "
    CREATE DOMAIN cents AS int;
    CREATE DOMAIN code AS text;
    CREATE FUNCTION json(cents) RETURNS json LANGUAGE sql IMMUTABLE AS $$
        SELECT to_json(to_char($1 / 100.0, 'FM990.00')) $$;
    CREATE FUNCTION cents(json) RETURNS cents LANGUAGE sql IMMUTABLE AS $$
        SELECT ($1 #>> '{}')::numeric * 100 $$;
    CREATE FUNCTION cents(text) RETURNS cents LANGUAGE sql IMMUTABLE AS $$
        SELECT replace($1, ' EUR', '')::numeric * 100 $$;
    CREATE FUNCTION json(code) RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT to_json(upper($1)) $$;
    CREATE CAST (cents AS json) WITH FUNCTION json(cents) AS IMPLICIT;
    CREATE CAST (json AS cents) WITH FUNCTION cents(json) AS IMPLICIT;
    CREATE CAST (text AS cents) WITH FUNCTION cents(text) AS IMPLICIT;
    CREATE CAST (code AS json) WITH FUNCTION json(code) AS IMPLICIT;
    CREATE TABLE shops (id int PRIMARY KEY, least cents);
    CREATE TABLE goods (price cents PRIMARY KEY, name code, old cents DEFAULT 250, shop int REFERENCES shops);
    CREATE VIEW cheap AS SELECT price, name FROM goods WHERE price < 500;
    CREATE FUNCTION dear() RETURNS SETOF goods LANGUAGE sql STABLE AS $$ SELECT * FROM goods WHERE price > 500 $$;
    INSERT INTO shops VALUES (1, 99);
    INSERT INTO goods VALUES (150, 'tea', 175, 1), (325, 'milk', NULL, 1), (1000, 'rum', 900, NULL);
";

fn client(name: &str) -> Option<(Deployment, Berth, Client)> {
    let deployment = Deployment::postgres(name, SCHEMA)?;
    let berth = deployment.instance().run();
    let client = berth.client();
    Some((deployment, berth, client))
}

fn assert_gives(answer: &Answer, status: u16, expected: &Value) {
    assert_eq!((answer.status, &answer.json()), (status, expected), "{}", answer.body);
}

#[test]
fn a_read_gives_what_the_cast_to_json_makes_and_compares_what_the_cast_from_text_reads() {
    let Some((_deployment, _berth, client)) = client("represented_reads") else { return };
    for (path, expected) in [
        ("/goods?price=eq.1.50 EUR", json!([{"price": "1.50", "name": "TEA", "old": "1.75", "shop": 1}])),
        ("/goods?select=price&price=in.(1.50,10 EUR)&order=price.desc", json!([{"price": "10.00"}, {"price": "1.50"}])),
        ("/goods?select=price&price=gt(any).{9,2.5}&order=price", json!([{"price": "3.25"}, {"price": "10.00"}])),
        (
            "/goods?select=price&or=(price.lt.2,price.gte.10)&order=price",
            json!([{"price": "1.50"}, {"price": "10.00"}]),
        ),
        ("/goods?select=price&old=isdistinct.1.75&order=price", json!([{"price": "3.25"}, {"price": "10.00"}])),
        ("/goods?select=price&old=is.null", json!([{"price": "3.25"}])),
        ("/goods?select=a:price,b:price::text&limit=1&order=price", json!([{"a": "1.50", "b": "\"1.50\""}])),
        ("/goods?select=name&name=eq.tea", json!([{"name": "TEA"}])),
        ("/goods?select=name&name=like.t*", json!([{"name": "TEA"}])),
        ("/cheap?order=price&limit=1", json!([{"price": "1.50", "name": "TEA"}])),
        ("/rpc/dear?select=price,name", json!([{"price": "10.00", "name": "RUM"}])),
        ("/rpc/dear?select=price&price=lt.2", json!([])),
        ("/shops?select=least,goods(price)&goods.price=gt.2", json!([{"least": "0.99", "goods": [{"price": "3.25"}]}])),
        ("/goods?select=name,...shops(least)&shop=eq.1&order=price&limit=1", json!([{"name": "TEA", "least": "0.99"}])),
    ] {
        assert_gives(&client.get(path), 200, &expected);
    }
    let lines = client.send("GET", "/goods?select=price&order=price", &[("Accept", "text/csv")], "");
    assert_eq!((lines.status, lines.body.lines().count()), (200, 4), "{}", lines.body);
    let (mut query, mut seen) = (Some("?select=price&order=price&limit=2".to_owned()), Vec::new());
    while let Some(page) = query.take() {
        let answer = client.send("GET", &format!("/goods{page}"), &[("Prefer", "pagination=keyset")], "");
        assert_eq!(answer.status, 200, "{}", answer.body);
        seen.extend(answer.json().as_array().unwrap().clone());
        let links = answer.header("Link").unwrap_or_default().split(", ");
        let next = links.filter_map(|link| link.strip_suffix(">; rel=\"next\"")?.strip_prefix('<')).next();
        query = next.map(str::to_owned);
    }
    assert_eq!(seen, [json!({"price": "1.50"}), json!({"price": "3.25"}), json!({"price": "10.00"})]);
}

#[test]
fn a_write_reads_its_body_by_the_cast_from_json_and_gives_back_what_the_cast_to_json_makes() {
    let Some((_deployment, _berth, client)) = client("represented_writes") else { return };
    let made =
        client.insert("/goods?select=price,name,old", r#"[{"price":"7.25","name":"oil"},{"price":8,"old":"1"}]"#);
    assert_eq!(made.status, 400, "{}", made.body);
    let made = client.insert("/goods?select=price,name,old", r#"[{"price":"7.25","name":"oil"}]"#);
    assert_gives(&made, 201, &json!([{"price": "7.25", "name": "OIL", "old": "2.50"}]));
    let defaults = [("Content-Type", "application/json"), ("Prefer", "return=representation, missing=default")];
    let rows = r#"[{"price":"8","name":"wine"},{"price":"9","name":"fish","old":"1.25"}]"#;
    let made = client.send("POST", "/goods?select=price,old&columns=price,name,old", &defaults, rows);
    assert_gives(&made, 201, &json!([{"price": "8.00", "old": "2.50"}, {"price": "9.00", "old": "1.25"}]));
    let put = client.send("PUT", "/goods?price=eq.9 EUR", &defaults, r#"{"price":"9.00","name":"cod","old":null}"#);
    assert_gives(&put, 200, &json!([{"price": "9.00", "name": "COD", "old": null, "shop": null}]));
    let other = client.send("PUT", "/goods?price=eq.9", &defaults, r#"{"price":"9.01","name":"cod"}"#);
    assert_eq!((other.status, &other.json()["code"]), (400, &json!("PGRST115")), "{}", other.body);
    let merged =
        [("Content-Type", "application/json"), ("Prefer", "return=representation, resolution=merge-duplicates")];
    let made = client.send("POST", "/goods?select=price,old", &merged, r#"[{"price":"1.5","old":"0.5"}]"#);
    assert_gives(&made, 200, &json!([{"price": "1.50", "old": "0.50"}]));
    let changed = client.send("PATCH", "/goods?price=gte.9&select=old&order=price", &defaults, r#"{"old":"3"}"#);
    assert_gives(&changed, 200, &json!([{"old": "3.00"}, {"old": "3.00"}]));
    let removed = client.send("DELETE", "/goods?price=in.(9,10)&select=price&order=price", &defaults, "");
    assert_gives(&removed, 200, &json!([{"price": "9.00"}, {"price": "10.00"}]));
}
