//! Orders of types that SQLite does not have, on both stores.

use super::requests::Case;
use super::{Pair, assert_equal};

/// Columns with values to compare them with; the last one is none of the type.
const COLUMNS: &[(&str, &[&str])] = &[
    ("span", &["1 day", "24 hours", "P1M", "-1 day", "00:00:00", "1 year 2 mons", "tomorrow"]),
    ("clock", &["10:00Z", "12:00%2B02", "12:00:00%2B02:30", "00:00-15", "25:00"]),
    ("numbers", &["{1,2}", "{}", "{2,0}", "{1,NULL}", "{{1,2},{3,4}}", "{10}", "{x}"]),
    ("labels", &["{a}", "{B}", "{}", "{\"\",z}", "{a,b}", "{a"]),
    ("exact", &["{1.500}", "{9.9,10.0}", "{NaN}", "{10}", "{x}"]),
    ("floats", &["{0.5,0}", "{1e300}", "{-1}", "{x}"]),
    ("moments", &["{2024-01-01T01:00:00%2B01}", "{}", "{2024-01-01}", "{x}"]),
    ("spans", &["{24:00:00}", "{30 days}", "{}", "{x y z}"]),
    ("flags", &["{t}", "{f,t}", "{}", "{maybe}"]),
    ("document", &["{\"a\":1,\"n\":2.5}", "[1,2.0]", "[]", "null", "\"text\"", "1", "{"]),
];

fn cases() -> Vec<Case> {
    let mut paths = Vec::new();
    for (column, values) in COLUMNS {
        for way in ["", ".desc", ".nullsfirst", ".desc.nullslast"] {
            paths.push(format!("/ordered?select=id,{column}&order={column}{way},id"));
        }
        for value in *values {
            for operator in ["eq", "neq", "gt", "gte", "lt", "lte", "isdistinct", "not.eq", "not.lt"] {
                paths.push(format!("/ordered?select=id&{column}={operator}.{value}&order=id"));
            }
        }
        paths.push(format!("/ordered?select=id&{column}=is.null&order={column}.desc,id.desc"));
    }
    for column in ["span", "clock", "numbers", "labels", "floats", "moments", "spans"] {
        paths.push(format!("/ordered?select={column}.max()"));
        paths.push(format!("/ordered?select={column}.min()&id=neq.5"));
        paths.push(format!("/ordered?select={column}.max()&id=eq.8"));
    }
    paths.extend(
        [
            "/ordered?select=id&span=in.(24:00:00,P30D)&order=id",
            "/ordered?select=id&span=not.in.(24:00:00,1 year)&order=id",
            "/ordered?select=id&span=eq(any).{1 day,1 mon}&order=id",
            "/ordered?select=id&span=gt(all).{1 day,24:00:00}&order=id",
            "/ordered?select=id&or=(span.lt.0,clock.gt.10:00Z)&order=id",
            "/ordered?select=id&document->n=eq.2.50&order=id",
            "/ordered?select=id&document->a=gt.0&order=id",
            "/ordered?select=id&order=document->a.desc,id",
            "/ordered?select=id&order=document->b->c.nullsfirst,id",
            "/ordered?select=id&order=numbers->0.desc,id",
            "/ordered?select=id&document=in.(\"[1,2]\",null)&order=id",
            "/ordered?select=id,span&order=span&limit=3&offset=2",
        ]
        .map(str::to_owned),
    );
    let mut cases: Vec<Case> = paths.into_iter().map(Case::get).collect();
    for (column, _) in COLUMNS {
        let path = format!("/ordered?id=gt.0&select=id,{column}&order={column}.desc,id");
        let given = "return=representation, tx=rollback";
        cases.push(Case::write("PATCH", path.as_str(), r#"{"flags":null}"#).prefer(given));
        cases.push(Case::write("DELETE", path.as_str(), "").prefer(given));
    }
    cases
}

#[test]
fn values_without_an_order_in_sqlite_are_sorted_the_same_on_both_stores() {
    let Some(pair) = Pair::start("ordered", include_str!("ordered.sql")) else { return };
    assert_equal("ordered", &pair, &cases());
}
