//! Requests over the project's sample and a table with a column of every type.
//!
//! Left out is what SQLite answers otherwise, as `docs/dialect.md` says: trailing zeros of a `numeric` without a scale,
//! white space inside `json`, dates with month names, the order of arrays and JSON.

use super::requests::Case;

/// Columns of `kinds`, each with operators and values that its type can be asked with.
const FILTERS: &[(&str, &[&str])] = &[
    ("small", &["eq.-3", "eq.40000", "in.(-3,0)", "gt.-1", "is.null"]),
    ("big", &["eq.9007199254740993", "eq.9007199254740992", "gt.0", "eq.9223372036854775808"]),
    ("single", &["eq.0.5", "gt.1", "eq.x"]),
    ("twice", &["eq.0.1", "lt.0", "gte.-1.5e-7", "eq.NaN"]),
    ("exact", &["eq.12.5", "eq.12.50", "lt.0", "in.(12.5,-0.001)", "eq.1.2.3"]),
    ("money_like", &["eq.3.1", "gte.0", "lt.3.10"]),
    ("truth", &["is.true", "is.false", "is.unknown", "not.is.true", "eq.true", "eq.f", "eq.maybe", "is.null"]),
    ("words", &["eq.One", "eq.", "like.*n*", "ilike.o*", "gt.A", "isdistinct.One"]),
    ("short", &["eq.abc", "eq.abcdefgh"]),
    ("fixed", &["eq.ab", "eq.xyz"]),
    ("day", &["eq.2024-02-29", "lt.2000-01-01", "eq.2023-02-29", "in.(2024-02-29,0001-01-01)", "gte.20240101"]),
    ("moment", &["eq.2024-02-29T23:59:59.125", "lt.2000-01-01", "gt.2024-02-29%2023:59:59", "eq.never"]),
    ("instant", &["eq.2024-02-29T21:59:59.5Z", "eq.2024-02-29T23:59:59.5%2B02:00", "lt.2000-01-01", "gt.now-ish"]),
    ("clock", &["eq.12:30", "lt.12:00:00", "eq.25:00"]),
    ("code", &["eq.A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "neq.00000000-0000-0000-0000-000000000000", "eq.12"]),
    ("bytes", &["eq.\\x00ff10", "eq.\\x"]),
    ("feeling", &["eq.happy", "eq.angry", "in.(sad,ok)", "gt.sad", "lte.ok", "gt(any).{ok,happy}"]),
    ("share", &["eq.10", "lte.10", "eq.x"]),
    ("numbers", &["cs.{1,2}", "cd.{1,2,3,4}", "ov.{3,9}", "eq.{1,2,3}", "cs.{x}", "cs.{{1}}", "cs.{null}"]),
    ("labels", &["cs.{a}", "cs.{null}", "ov.{\"b c\"}", "eq.{}", "cs.{\"b c\",a}"]),
    ("binary_document", &["cs.{\"b\":1}", "eq.\"text\"", "cs.{\"a\":{\"c\":[2]}}"]),
    ("binary_document->a->>d", &["eq.e", "like.*", "is.null"]),
    ("binary_document->b", &["eq.1", "gt.0", "gt.10", "lte.\"x\"", "is.null"]),
    ("binary_document->a", &["gt.{}", "lt.[1,2,3,4,5]"]),
    ("document->a->b->>1", &["eq.2.50", "is.null"]),
    ("doubled", &["eq.14", "gt.2", "is.null"]),
];

/// Columns of `kinds` that are cast, and to what. Left out is what has a way of its own to be printed: a `numeric` without
/// a scale.
const CAST_FROM: &[&str] = &[
    "small",
    "medium",
    "big",
    "single",
    "twice",
    "money_like",
    "truth",
    "words",
    "short",
    "day",
    "moment",
    "instant",
    "clock",
    "code",
    "document",
    "binary_document",
    "bytes",
    "feeling",
    "numbers",
    "labels",
    "binary_document->b",
    "binary_document->a->>d",
    "document->a->b->1",
];
const CAST_TO: &[&str] = &[
    "smallint",
    "int",
    "bigint",
    "real",
    "float8",
    "boolean",
    "text",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "uuid",
    "json",
    "jsonb",
    "bytea",
];

/// Values that are written to `kinds`: a column and its JSON.
const VALUES: &[(&str, &[&str])] = &[
    ("small", &["32767", "32768", "\"12\"", "1.5", "\"1.5\"", "true", "null", "[1]", "{}"]),
    ("medium", &["2147483647", "2147483648", "0", "-1", "\" 5 \"", "\"0x1F\""]),
    ("big", &["9223372036854775807", "9223372036854775808", "\"-9223372036854775808\"", "1.0"]),
    ("single", &["1.1", "\"Infinity\"", "\"1e-3\"", "\"x\""]),
    ("twice", &["0.30000000000000004", "1e300", "\"1e-300\"", "\"\""]),
    ("exact", &["1.1", "-7", "123456789012.345", "\"12e-2\"", "\"1,5\""]),
    ("money_like", &["1.005", "999999.99", "1000000", "\"12.3\""]),
    ("truth", &["true", "\"no\"", "1", "\"perhaps\"", "\"1\""]),
    ("words", &["\"a\\nb\\\"c\\\\\"", "12", "true", "{\"a\":1}", "[1,2]", "\"\\u0000\"", "\"é😀\""]),
    ("short", &["\"12345\"", "\"123456\"", "\"12345 \"", "\"äöüßé\""]),
    ("fixed", &["\"a\"", "\"abcd\"", "\"ab \""]),
    ("day", &["\"2024-01-31\"", "\"2024-02-30\"", "20240101", "\"2024-01-31T10:00:00\""]),
    ("moment", &["\"2024-01-31\"", "\"2024-01-31 10:11:12.123456\"", "\"2024-01-31T10:11:12+02\"", "\"x\""]),
    ("instant", &["\"2024-01-31T10:00:00+05:30\"", "\"2024-01-31\"", "\"2024-01-31 24:00:00\"", "\"2024-13-01\""]),
    ("clock", &["\"10:11\"", "\"24:00\"", "\"10:11:12.5\"", "\"10:60\""]),
    ("code", &["\"{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12}\"", "\"a0eebc999c0b4ef8bb6d6bb9bd380a13\"", "\"x\"", "1"]),
    ("document", &["{\"b\":1,\"a\":2}", "\"text\"", "12", "[1,null]", "true"]),
    ("binary_document", &["{\"b\":1, \"a\":  2}", "\"text\"", "1.50", "[1, null]"]),
    ("bytes", &["\"\\\\x0102\"", "\"abc\"", "\"\\\\x0\"", "\"\""]),
    ("feeling", &["\"sad\"", "\"SAD\"", "\"\"", "1"]),
    ("share", &["0", "101", "null", "\"7\""]),
    ("numbers", &["[4,5]", "\"{6,7}\"", "[]", "[\"x\"]", "[1,null]", "1"]),
    ("labels", &["[\"a\",\"b,c\"]", "\"{x,\\\"y z\\\"}\"", "[null]", "[]"]),
    ("doubled", &["4"]),
    ("nothing", &["1"]),
];

/// Reads and writes over the sample and over `kinds`.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in [
        "/kinds?order=id",
        "/kinds?select=id,d:document->a->b,t:document->>n,binary_document->a->c->0&order=id",
        "/kinds?select=id,exact::text,money_like::text,instant::text,day::text,truth::text&order=id",
        "/kinds?select=twice::text,single::text,big::text&order=id",
        "/kinds?select=medium::text,code::text,feeling::text&order=id",
        "/films?select=title,year,tags&order=rating.desc,title",
        "/films?tags=cs.{drama}&order=id&select=title",
        "/films?color=eq.color&order=id&select=title,color",
        "/film_scores?select=id,title,reviews&order=id",
        "/film_scores?reviews=gt.0&select=title,stars::integer&order=id",
        "/heavy?order=id",
        "/offspring?order=id",
        "/directors?order=born.desc&select=name,born",
    ] {
        cases.push(Case::get(path));
        cases.push(Case::get(path).with("Accept", "text/csv"));
    }
    for (column, filters) in FILTERS {
        for filter in *filters {
            cases.push(Case::get(format!("/kinds?{column}={filter}&select=id,{column}&order=id")));
        }
        if !column.contains("->") && !matches!(*column, "numbers" | "labels" | "binary_document") {
            cases.push(Case::get(format!("/kinds?select=id&order={column},id")));
        }
    }
    for (column, to) in CAST_FROM.iter().flat_map(|column| CAST_TO.iter().map(move |to| (column, to))) {
        for id in 1..=3 {
            cases.push(Case::get(format!("/kinds?select=value:{column}::{to}&id=eq.{id}")));
        }
    }
    for (column, values) in VALUES {
        for value in *values {
            let new =
                Case::write("POST", format!("/kinds?select={column},words"), format!("{{\"{column}\": {value}}}"));
            // Undone, so that each starts from the same rows; identities are counted on regardless, and not shown.
            cases.push(new.prefer("return=representation, tx=rollback"));
            let change =
                Case::write("PATCH", format!("/kinds?id=eq.2&select={column}"), format!("{{\"{column}\": {value}}}"));
            cases.push(change.prefer("return=representation, tx=rollback"));
        }
    }
    writes(&mut cases);
    cases
}

fn writes(cases: &mut Vec<Case>) {
    let full = "return=representation";
    cases.push(Case::write("POST", "/offspring", r#"{"parent_id":1,"note":"third"}"#).prefer(full));
    cases.push(Case::write("POST", "/offspring", r#"{"parent_id":99,"note":"orphan"}"#).prefer(full));
    cases.push(Case::write("POST", "/offspring", r#"{"parent_id":1}"#).prefer(full));
    cases.push(Case::write("DELETE", "/parents?id=eq.1", "").prefer(full));
    cases.push(Case::get("/offspring?order=id"));
    cases.push(Case::write("POST", "/directors", r#"{"id":77,"name":"x"}"#).prefer(full));
    cases.push(Case::write("POST", "/directors", r#"{"name":"Fritz Lang"}"#).prefer(full));
    cases.push(Case::write("POST", "/films", r#"{"title":"Early","year":1800}"#).prefer(full));
    cases.push(Case::write("POST", "/films", r#"{"title":"Alien","year":1979}"#).prefer(full));
    cases.push(Case::write("DELETE", "/directors?name=eq.Ridley%20Scott", "").prefer("return=minimal"));
    cases.push(Case::get("/films?select=title,director_id&director_id=is.null"));
    cases.push(Case::write("POST", "/kinds", r#"{"words":"ONE"}"#).prefer("return=minimal"));
    cases.push(Case::write("PATCH", "/film_scores?id=eq.1", r#"{"title":"x"}"#));
}
