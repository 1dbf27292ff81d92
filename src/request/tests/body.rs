//! Bodies of every media type.

use super::raw;
use crate::request::payload::{Rows, Shape};
use crate::request::{Error, Payload, Request};

const JSON: &str = "application/json";
const CSV: &str = "text/csv";
const NDJSON: &str = "application/x-ndjson";
const FORM: &str = "application/x-www-form-urlencoded";

fn send(verb: &str, path: &str, media: &str, body: &str) -> Result<Request, Error> {
    Request::parse(&raw(verb, path, &[("content-type", media)], body))
}

fn rows(verb: &str, path: &str, media: &str, body: &str) -> Rows {
    match send(verb, path, media, body).unwrap_or_else(|error| panic!("{body}: {error}")).payload {
        Some(Payload::Rows(rows)) => rows,
        other => panic!("{body}: {other:?}"),
    }
}

fn refusal(verb: &str, path: &str, media: &str, body: &str) -> String {
    match send(verb, path, media, body) {
        Err(Error::InvalidBody(message)) => message,
        other => panic!("{body}: {other:?}"),
    }
}

#[test]
fn json_keeps_its_text_its_shape_and_the_order_of_its_keys() {
    for (body, text, shape, count, keys) in [
        ("{\"b\":1,\"a\":2}", "{\"b\":1,\"a\":2}", Shape::Object, 1, "b a"),
        (" [{\"a\": 1.10} , {\"a\":null}] ", "[{\"a\": 1.10} , {\"a\":null}]", Shape::Array, 2, "a"),
        ("[{\"a\":1,\"b\":2},{\"b\":1,\"a\":2}]", "[{\"a\":1,\"b\":2},{\"b\":1,\"a\":2}]", Shape::Array, 2, "a b"),
        ("[]", "[]", Shape::Array, 0, ""),
        ("{}", "{}", Shape::Object, 1, ""),
        ("[{}]", "[{}]", Shape::Array, 1, ""),
        ("null", "[]", Shape::Array, 0, ""),
        ("7", "[]", Shape::Array, 0, ""),
        ("\"x\"", "[]", Shape::Array, 0, ""),
    ] {
        let rows = rows("POST", "/t", JSON, body);
        assert_eq!(rows.json, text, "{body}");
        assert_eq!((rows.shape, rows.objects.len()), (shape, count), "{body}");
        assert_eq!(rows.keys.join(" "), keys, "{body}");
    }
}

#[test]
fn lines_are_objects_of_an_array() {
    for (body, text, count, keys) in [
        ("{\"b\":1,\"a\":2}\n{\"a\": 3, \"b\": 4}\n", "[{\"b\":1,\"a\":2},{\"a\": 3, \"b\": 4}]", 2, "b a"),
        ("\r\n{\"a\":1.10}\r\n \n{\"a\":null}", "[{\"a\":1.10},{\"a\":null}]", 2, "a"),
        ("", "[]", 0, ""),
        ("\n", "[]", 0, ""),
        ("{}\n", "[{}]", 1, ""),
    ] {
        let rows = rows("POST", "/t", NDJSON, body);
        assert_eq!(rows.json, text, "{body}");
        assert_eq!((rows.shape, rows.objects.len()), (Shape::Array, count), "{body}");
        assert_eq!(rows.keys.join(" "), keys, "{body}");
    }
    let named = rows("POST", "/t?columns=a,c", NDJSON, "{\"a\":1}\n{\"b\":2}\n");
    assert_eq!(named.keys, ["a", "c"]);
}

#[test]
fn the_line_that_is_wrong_is_named() {
    for (body, expected) in [
        ("{\"a\":1}\n\n{\"a\":1", "line 3 of the body is no JSON object"),
        ("[{\"a\":1}]", "line 1 of the body is no JSON object"),
        ("{\"a\":1}\n7\n", "line 2 of the body is no JSON object"),
        ("{\"a\":1} {\"a\":2}\n", "line 1 of the body is no JSON object"),
        ("{\"a\":1}\n{\"b\":1}\n", "All object keys must match; those of line 2 do not"),
        ("{\"a\":1}\n{\"a\":1,\"b\":1}", "All object keys must match; those of line 2 do not"),
    ] {
        assert_eq!(refusal("POST", "/t", NDJSON, body), expected, "{body}");
    }
    assert_eq!(refusal("POST", "/rpc/f", NDJSON, "{}"), "Content-Type not acceptable: application/x-ndjson");
}

#[test]
fn numbers_keep_their_digits() {
    let rows = rows("POST", "/t", JSON, "{\"a\":12345678901234567890.123456789012345678900}");
    let number = rows.objects.first().and_then(|object| object.get("a")).map(ToString::to_string);
    assert_eq!(number.as_deref(), Some("12345678901234567890.123456789012345678900"));
}

#[test]
fn json_that_is_no_uniform_array_is_refused() {
    for body in [
        "[{\"a\":1},{\"b\":1}]",
        "[{\"a\":1},{\"a\":1,\"b\":2}]",
        "[{\"a\":1,\"b\":2},{\"a\":1}]",
        "[{\"a\":1},3]",
        "[1]",
        "[[]]",
        "[{},1]",
    ] {
        assert_eq!(refusal("POST", "/t", JSON, body), "All object keys must match", "{body}");
    }
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200));
    for body in ["", "}{ x = 2", "{\"a\":1} x", "{\"a\":}", "\u{feff}{}", deep.as_str()] {
        assert_eq!(refusal("POST", "/t", JSON, body), "Empty or invalid json", "{body}");
    }
}

#[test]
fn columns_choose_the_keys_except_on_put() {
    let body = "[{\"a\":1},{\"b\":1}]";
    for (verb, path) in [("POST", "/t?columns=b,a,b"), ("PATCH", "/t?columns=b,a"), ("POST", "/rpc/f?columns=b,a")] {
        assert_eq!(rows(verb, path, JSON, body).keys, ["b", "a"], "{verb} {path}");
    }
    assert_eq!(refusal("PUT", "/t?columns=b,a", JSON, body), "All object keys must match");
    assert_eq!(refusal("POST", "/t?columns=a", JSON, "[1]"), "All object keys must match");
    assert_eq!(refusal("POST", "/t?columns=a", JSON, ""), "Empty or invalid json");
}

#[test]
fn csv_becomes_objects_of_texts_and_nulls() {
    let rows = rows("POST", "/t", "text/csv; charset=utf-8", "a,b\n1,NULL\n\"x,\"\"y\",null\n");
    assert_eq!(rows.json, "[{\"a\":\"1\",\"b\":null},{\"a\":\"x,\\\"y\",\"b\":\"null\"}]");
    assert_eq!(rows.keys, ["a", "b"]);
    assert_eq!(crate::request::payload::Shape::Array, rows.shape);
}

#[test]
fn csv_lines_have_the_same_number_of_fields() {
    assert_eq!(refusal("POST", "/t", CSV, "a,b\nfoo,bar\nbaz"), "All lines must have same number of fields");
    assert_eq!(rows("POST", "/t", CSV, "a,b\n1,2,3\n4,5\n").json, r#"[{"a":"1","b":"2"},{"a":"4","b":"5"}]"#);
    assert_eq!(rows("POST", "/t", CSV, "a,b\n").json, "[]");
    assert_eq!(refusal("POST", "/t", CSV, ""), "parse error (not enough input) at \"\"");
}

#[test]
fn a_form_is_one_object_for_a_relation_and_arguments_for_a_function() {
    let body = "a=1&b=x+y%21&a=2&c";
    let rows = rows("POST", "/t", FORM, body);
    assert_eq!(rows.json, r#"{"a":"2","b":"x y!","c":""}"#);
    assert_eq!((rows.shape, rows.keys.join(" ")), (Shape::Object, "a b c".to_owned()));
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let arguments = send("POST", "/rpc/f", FORM, body).unwrap().arguments;
    assert_eq!(arguments, [pair("a", "1"), pair("b", "x y!"), pair("a", "2"), pair("c", "")]);
    assert_eq!(send("POST", "/t", FORM, body).unwrap().arguments, []);
    assert_eq!(refusal("POST", "/t", FORM, "a=%FF"), "invalid form: not UTF-8");
    assert_eq!(send("POST", "/t", FORM, "a=%00"), Err(Error::NulCharacter));
}

#[test]
fn other_types_are_for_functions_only() {
    for media in ["text/plain", "text/xml", "application/octet-stream"] {
        let payload = send("POST", "/rpc/f", media, "x").unwrap().payload;
        assert_eq!(payload, Some(Payload::Bytes("x".into())), "{media}");
        assert_eq!(refusal("POST", "/t", media, "x"), format!("Content-Type not acceptable: {media}"));
    }
    assert_eq!(refusal("POST", "/rpc/f", "Image/PNG; a=b", "x"), "Content-Type not acceptable: image/png");
}

#[test]
fn a_body_is_read_only_where_one_is_taken() {
    for (verb, path) in [("GET", "/t"), ("HEAD", "/t"), ("DELETE", "/t"), ("OPTIONS", "/t"), ("GET", "/rpc/f")] {
        assert_eq!(send(verb, path, "image/png", "}{").unwrap().payload, None, "{verb} {path}");
    }
    assert_eq!(rows("POST", "/rpc/f", JSON, "").json, "{}");
    assert!(matches!(Request::parse(&raw("PUT", "/t", &[], "{}")).unwrap().payload, Some(Payload::Rows(_))));
}
