use std::fmt::Write as _;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::{BodyWriter, write_csv, write_json};
use crate::catalog::TypeName;
use crate::catalog::type_name::Origin;
use crate::plan::Value;
use crate::plan::value::Reader;
use crate::request::MediaType;
use crate::sql::{Output, OutputColumn};

/// The columns of the table whose rows Postgres wrote into the files beside this one.
const COLUMNS: [(&str, &str); 26] = [
    ("i", "integer"),
    ("b", "bigint"),
    ("r", "real"),
    ("d", "double precision"),
    ("n", "numeric(10,2)"),
    ("m", "numeric"),
    ("t", "boolean"),
    ("s", "text"),
    ("v", "varchar(5)"),
    ("c", "char(3)"),
    ("da", "date"),
    ("ti", "time"),
    ("tz", "timetz"),
    ("ts", "timestamp"),
    ("tt", "timestamptz"),
    ("iv", "interval"),
    ("u", "uuid"),
    ("j", "json"),
    ("jb", "jsonb"),
    ("by", "bytea"),
    ("ai", "int[]"),
    ("at", "text[]"),
    ("ats", "timestamp[]"),
    ("att", "timestamptz[]"),
    ("ab", "boolean[]"),
    ("aj", "jsonb[]"),
];

/// The body that was inserted with `json_to_recordset`.
const BODY: &str = r#"[{"i":1,"b":9007199254740993,"r":0.1,"d":1e20,"n":1.1,"m":19.99,"t":true,
"s":"a \"q\", é\\\n\u0001","v":"ab","c":"x","da":"2020-01-02","ti":"10:00","tz":"10:00+02",
"ts":"2020-01-02T10:00:00.5","tt":"2020-01-02T10:00:00+02","iv":"1 day 2 hours",
"u":"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11","j":{"b":1,"a":[null,2]},"jb":{"bb":1,"a":[null,2]},"by":"\\xDEad",
"ai":[1,null],"at":["a","b c","","NULL",null,"x\"y","a\\b","{","é"],"ats":["2020-01-02 10:00"],
"att":["2020-01-02T10:00:00Z"],"ab":[true,false],"aj":[{"b": 1},null]},
{"i":-5,"s":"","m":"NaN","d":"Infinity","n":0,"t":false,"j":{"a":null},"jb":"x","ai":[[1,2],[3,4]],"at":[],
"ts":"infinity","by":""}]"#;

fn type_of(declared: &str) -> TypeName {
    TypeName::parse(declared, Origin::Postgres)
}

fn to_sql(value: Value) -> rusqlite::types::Value {
    match value {
        Value::Null => rusqlite::types::Value::Null,
        Value::Integer(integer) => rusqlite::types::Value::Integer(integer),
        Value::Real(real) => rusqlite::types::Value::Real(real),
        Value::Text(text) => rusqlite::types::Value::Text(text),
        Value::Blob(bytes) => rusqlite::types::Value::Blob(bytes),
    }
}

fn output(media: MediaType) -> Output {
    let columns = COLUMNS
        .iter()
        .map(|(name, declared)| OutputColumn { name: (*name).to_owned(), type_name: type_of(declared) })
        .collect();
    Output { media, columns, result: None }
}

/// A table with berth's declarations that holds the rows of [`BODY`].
fn filled() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    let mut table = String::new();
    for (name, declared) in COLUMNS {
        let comma = if table.is_empty() { "" } else { ", " };
        write!(table, "{comma}\"{name}\" {}", type_of(declared).sqlite_declaration()).unwrap();
    }
    connection.execute_batch(&format!("create table x ({table})")).unwrap();
    let places = vec!["?"; COLUMNS.len()].join(",");
    let rows: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(BODY).unwrap();
    for row in rows {
        let values = COLUMNS.iter().map(|(name, declared)| {
            let member = row.get(*name).unwrap_or(&serde_json::Value::Null);
            to_sql(Reader::default().from_json(member, &type_of(declared)).unwrap())
        });
        let insert = format!("insert into x values ({places})");
        connection.execute(&insert, rusqlite::params_from_iter(values)).unwrap();
    }
    connection
}

fn body(connection: &Connection, output: &Output, query: &str) -> String {
    let mut writer = BodyWriter::new(output);
    let mut statement = connection.prepare(query).unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        writer.row(row).unwrap();
    }
    String::from_utf8(writer.finish().to_vec()).unwrap()
}

#[test]
fn rows_that_went_through_sqlite_come_out_as_json_agg_writes_them() {
    let found = body(&filled(), &output(MediaType::Json), "select * from x");
    assert_eq!(found, include_str!("tests/rows.json"));
}

#[test]
fn stripped_rows_come_out_as_json_strip_nulls_writes_them() {
    let found = body(&filled(), &output(MediaType::ArrayJson { strip_nulls: true }), "select * from x");
    assert_eq!(found, include_str!("tests/stripped.json"));
}

#[test]
fn csv_comes_out_as_the_text_of_records() {
    let found = body(&filled(), &output(MediaType::Csv), "select * from x");
    assert_eq!(found, include_str!("tests/rows.csv"));
}

#[test]
fn no_row_gives_the_empty_body_of_each_media_type() {
    let connection = filled();
    let cases = [
        (MediaType::Json, "[]"),
        (MediaType::ArrayJson { strip_nulls: true }, "[]"),
        (MediaType::ObjectJson { strip_nulls: false }, "null"),
        (MediaType::Csv, "\n"),
        (MediaType::NdJson, ""),
    ];
    for (media, expected) in cases {
        assert_eq!(body(&connection, &output(media), "select * from x where false"), expected);
    }
}

#[test]
fn a_single_object_is_the_first_row_alone() {
    let one = |media| {
        let columns = output(MediaType::Json).columns.into_iter().take(2).collect();
        Output { media, columns, result: None }
    };
    let query = "select i, b from x order by i";
    assert_eq!(body(&filled(), &one(MediaType::ObjectJson { strip_nulls: false }), query), r#"{"i":-5,"b":null}"#);
    assert_eq!(body(&filled(), &one(MediaType::ObjectJson { strip_nulls: true }), query), r#"{"i":-5}"#);
}

#[test]
fn each_row_is_one_line_whatever_the_json_in_it_looks_like() {
    let connection = Connection::open_in_memory().unwrap();
    let rows = "SELECT 1, '{\"a\":' || char(13, 10) || '\"x\\ny\"}' UNION ALL SELECT 2, NULL";
    let column = |name: &str, declared| OutputColumn { name: name.to_owned(), type_name: type_of(declared) };
    let output =
        Output { media: MediaType::NdJson, columns: vec![column("i", "integer"), column("j", "json")], result: None };
    assert_eq!(body(&connection, &output, rows), "{\"i\":1,\"j\":{\"a\":  \"x\\ny\"}}\n{\"i\":2,\"j\":null}\n");
}

#[test]
fn rows_without_columns_are_empty_objects() {
    let none = Output { media: MediaType::Json, columns: Vec::new(), result: None };
    assert_eq!(body(&filled(), &none, "select 1 from x"), "[{}, \n {}]");
}

#[test]
fn the_writer_counts_rows_and_bytes() {
    let mut writer = BodyWriter::new(&Output { media: MediaType::Json, columns: Vec::new(), result: None });
    filled().query_row("select 1", [], |row| writer.row(row)).unwrap();
    assert_eq!((writer.rows(), writer.size_bytes()), (1, 3));
}

#[test]
fn a_name_is_escaped() {
    let column = OutputColumn { name: "a\"b\n".to_owned(), type_name: type_of("integer") };
    let output = Output { media: MediaType::Json, columns: vec![column], result: None };
    assert_eq!(body(&filled(), &output, "select 1"), r#"[{"a\"b\n":1}]"#);
}

fn json_of(value: ValueRef<'_>, declared: &str, origin: Origin) -> String {
    let mut out = Vec::new();
    write_json(&mut out, value, &TypeName::parse(declared, origin).kind, None);
    String::from_utf8(out).unwrap()
}

#[test]
fn whatever_a_foreign_file_holds_becomes_one_json_value() {
    let cases: Vec<(&str, ValueRef<'_>, &str)> = vec![
        ("", ValueRef::Integer(5), "5"),
        ("", ValueRef::Real(1e20), "1e+20"),
        ("", ValueRef::Text(b"a"), "\"a\""),
        ("", ValueRef::Blob(&[0xde, 0xad]), "\"\\\\xdead\""),
        ("TEXT", ValueRef::Text(b"a\xffb"), "\"a\u{fffd}b\""),
        ("TEXT", ValueRef::Integer(5), "\"5\""),
        ("JSON", ValueRef::Text(b"{broken"), "\"{broken\""),
        ("JSON", ValueRef::Text(b"{\"a\":  1}"), "{\"a\":  1}"),
        ("JSON", ValueRef::Text(b"\xff"), "\"\u{fffd}\""),
        ("BOOLEAN", ValueRef::Integer(2), "true"),
        ("BOOLEAN", ValueRef::Text(b"False"), "false"),
        ("BOOLEAN", ValueRef::Text(b"perhaps"), "\"perhaps\""),
        ("DATETIME", ValueRef::Text(b"2009-01-01 00:00:00"), "\"2009-01-01T00:00:00\""),
        ("DATETIME", ValueRef::Text(b"2009-01-01"), "\"2009-01-01\""),
        ("DATETIME", ValueRef::Text(b"2009-01-01 \"0:00"), "\"2009-01-01 \\\"0:00\""),
        ("DATETIME", ValueRef::Integer(1_230_768_000), "1230768000"),
        ("timestamptz", ValueRef::Text(b"2009-01-01 00:00:00"), "\"2009-01-01T00:00:00+00:00\""),
        ("timestamptz", ValueRef::Text(b"2009-01-01T00:00:00.5Z"), "\"2009-01-01T00:00:00.5+00:00\""),
        ("timestamptz", ValueRef::Text(b"2009-01-01 00:00:00-05:30"), "\"2009-01-01T00:00:00-05:30\""),
        ("INTEGER", ValueRef::Text(b"x"), "\"x\""),
        ("NUMERIC(10,2)", ValueRef::Real(0.99), "0.99"),
        ("NUMERIC(10,2)", ValueRef::Real(2.5), "2.50"),
        ("NUMERIC(10,2)", ValueRef::Integer(3), "3.00"),
        ("NUMERIC(10,2)", ValueRef::Real(0.1 + 0.2), "0.30"),
        ("NUMERIC", ValueRef::Real(1e20), "100000000000000000000"),
        ("NUMERIC", ValueRef::Real(f64::INFINITY), "\"Infinity\""),
        ("NUMERIC(10,2)", ValueRef::Null, "null"),
    ];
    for (declared, value, expected) in cases {
        assert_eq!(json_of(value, declared, Origin::Sqlite), expected, "{declared} {value:?}");
    }
}

#[test]
fn control_characters_are_escaped_as_postgres_does() {
    let text = "\u{1}\u{7f}€/\u{8}\u{c}\n\r\t\"\\";
    assert_eq!(
        json_of(ValueRef::Text(text.as_bytes()), "text", Origin::Postgres),
        "\"\\u0001\u{7f}€/\\b\\f\\n\\r\\t\\\"\\\\\""
    );
}

/// Right column taken from `select row(…)::text` on Postgres 15.
#[test]
fn csv_fields_are_quoted_as_in_a_record() {
    let cases: [(&str, &str); 9] = [
        ("", "\"\""),
        ("a", "a"),
        ("a b", "\"a b\""),
        ("a\"b\\", "\"a\"\"b\\\\\""),
        ("(x)", "\"(x)\""),
        ("a,b", "\"a,b\""),
        ("a\nb", "\"a\nb\""),
        ("a\u{b}b", "\"a\u{b}b\""),
        ("a\u{a0}b", "a\u{a0}b"),
    ];
    for (text, expected) in cases {
        let mut out = Vec::new();
        write_csv(&mut out, ValueRef::Text(text.as_bytes()), &type_of("text").kind, None);
        assert_eq!(String::from_utf8(out).unwrap(), expected, "{text:?}");
    }
}
