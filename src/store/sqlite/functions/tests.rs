use std::time::Duration;

use proptest::prelude::*;
use rusqlite::limits::Limit as SqliteLimit;
use rusqlite::{Connection, ToSql};

use super::register;
use crate::clock::{Deadline, Stopwatch};
use crate::store::sqlite::interrupt::Limit;

/// A connection with the functions of this module and those below it.
pub(super) fn connection() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    register(&connection).unwrap();
    connection
}

/// What a SQL expression gives, as text, or why it gives nothing.
pub(super) fn computed(expression: &str) -> Result<Option<String>, String> {
    let sql = format!("SELECT CAST(({expression}) AS TEXT)");
    connection().query_row(&sql, [], |row| row.get(0)).map_err(|error| error.to_string())
}

fn truth(connection: &Connection, function: &str, left: &dyn ToSql, right: &dyn ToSql) -> Option<bool> {
    connection.query_row(&format!("select {function}(?1, ?2)"), [left, right], |row| row.get(0)).unwrap()
}

fn complaint(connection: &Connection, function: &str, pattern: &str) -> String {
    let query = format!("select {function}(?1, 'abc')");
    let result = connection.query_row(&query, [pattern], |row| row.get::<_, Option<bool>>(0));
    result.unwrap_err().to_string()
}

#[test]
fn like_knows_percent_underscore_and_backslash() {
    let connection = connection();
    let cases = [
        ("abc", "abc", true),
        ("abc", "ABC", false),
        ("a%", "abc", true),
        ("%c", "abc", true),
        ("%b%", "abc", true),
        ("a_c", "abc", true),
        ("a_c", "aéc", true),
        ("a_c", "ac", false),
        ("", "", true),
        ("", "a", false),
        ("%", "", true),
        ("_", "", false),
        ("%%a%%", "bab", true),
        (r"100\%", "100%", true),
        (r"100\%", "100x", false),
        (r"a\_c", "abc", false),
        (r"\a", "a", true),
        ("%a%b%c", "xaxbxbxc", true),
        ("%a%b%c", "xaxbxbxd", false),
        ("%ab", "aab", true),
        ("a%a", "a", false),
        ("%é", "café", true),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(truth(&connection, "berth_like", &pattern, &text), Some(expected), "{text} like {pattern}");
    }
}

#[test]
fn ilike_folds_case_beyond_ascii() {
    let connection = connection();
    for (pattern, text, expected) in
        [("ABC", "abc", true), ("ÉCOLE%", "école x", true), ("straße", "STRASSE", false), ("%ж", "Ж", true)]
    {
        assert_eq!(truth(&connection, "berth_ilike", &pattern, &text), Some(expected), "{text} ilike {pattern}");
    }
}

#[test]
fn a_pattern_with_many_percents_ends() {
    let connection = connection();
    let pattern = "%a".repeat(500) + "%b";
    assert_eq!(truth(&connection, "berth_like", &pattern, &"a".repeat(5000)), Some(false));
}

#[test]
fn a_pattern_that_takes_long_ends_at_the_deadline() {
    let connection = connection();
    let cases =
        [("berth_like", format!("%{}b%", "a".repeat(50_000))), ("berth_match", "((a{60}){60}){10}b".to_owned())];
    for (function, pattern) in cases {
        let _limit = Limit::until(Deadline::after(Duration::from_millis(20)));
        let stopwatch = Stopwatch::start();
        let query = format!("select {function}(?1, ?2)");
        let asked = connection.query_row(&query, [pattern, "a".repeat(1_000_000)], |row| row.get::<_, bool>(0));
        assert_eq!(asked.unwrap_err().to_string(), "57014: canceling statement due to statement timeout");
        assert!(stopwatch.elapsed() < Duration::from_secs(5), "{function}: {:?}", stopwatch.elapsed());
    }
}

#[test]
fn arrays_one_inside_the_other_share_a_bound() {
    let connection = Connection::open_in_memory().unwrap();
    connection.set_limit(SqliteLimit::SQLITE_LIMIT_LENGTH, 2_000).unwrap();
    register(&connection).unwrap();
    let of = |inner: usize, outer: usize| {
        let shape = r#"'[["a",""]]'"#;
        let nested = format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {inner})
             SELECT berth_rows({shape}, i) FROM n"
        );
        let sql = format!(
            "WITH RECURSIVE m(j) AS (SELECT 1 UNION ALL SELECT j + 1 FROM m LIMIT {outer})
             SELECT length(berth_rows({shape}, ({nested} WHERE j > 0))) FROM m"
        );
        connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map_err(|error| error.to_string())
    };
    let too_large = Err("54000: the result is larger than 2000 bytes".to_owned());
    assert!(of(100, 1).is_ok(), "each is small enough");
    assert_eq!(of(100, 3), too_large);
    assert_eq!(of(300, 1), too_large);
    assert!(of(100, 1).is_ok(), "nothing is left of what failed");
}

#[test]
fn a_like_pattern_may_not_end_with_the_escape() {
    for function in ["berth_like", "berth_ilike"] {
        let found = complaint(&connection(), function, r"a\");
        assert_eq!(found, "22025: LIKE pattern must not end with escape character");
    }
}

#[test]
fn match_searches_and_knows_postgres_escapes() {
    let connection = connection();
    let cases = [
        ("b", "abc", true),
        ("^b", "abc", false),
        ("^a.c$", "abc", true),
        ("a.c", "a\nc", true),
        ("^b", "a\nb", false),
        (r"\yb\y", "a b c", true),
        (r"\mfoo\M", "a foo b", true),
        (r"\mfoo\M", "afoo", false),
        (r"\d+", "a1", true),
        (r"c\Z", "abc", true),
        ("[[:digit:]]", "a", false),
        ("B", "abc", false),
        ("", "", true),
        ("$", "", true),
        ("a$", "ba", true),
        ("^(a|b)*$", "abab", true),
        (r"\yé\y", "a é b", true),
        ("^[[:alpha:]]+$", "Äpfel", true),
        ("[[:upper:]]", "é", false),
        ("[^[:alnum:]]", "aé1", false),
        ("^[]a[]+$", "[]a", true),
        ("^[a&&b]+$", "a&b", true),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(truth(&connection, "berth_match", &pattern, &text), Some(expected), "{text:?} ~ {pattern}");
    }
    assert_eq!(truth(&connection, "berth_imatch", &"^ÉC", &"école"), Some(true));
}

/// Reasons taken from Postgres 15.
#[test]
fn a_wrong_expression_is_named_as_postgres_names_it() {
    let connection = connection();
    let cases = [
        ("a(", "parentheses () not balanced"),
        ("a)", "parentheses () not balanced"),
        ("[a", "brackets [] not balanced"),
        ("*a", "quantifier operand invalid"),
        ("a{2,1}", "invalid repetition count(s)"),
        ("a{1", "braces {} not balanced"),
        ("[z-a]", "invalid character range"),
        (r"a\", r"invalid escape \ sequence"),
        (r"(\w{100}){100}", "regular expression is too complex"),
    ];
    for (pattern, reason) in cases {
        let found = complaint(&connection, "berth_match", pattern);
        assert_eq!(found, format!("2201B: invalid regular expression: {reason}"), "{pattern}");
    }
}

/// Expected values taken from Postgres 15.
#[test]
fn arrows_lead_one_step_into_json() {
    let connection = connection();
    let get = |function: &str, json: &str, operand: &dyn ToSql| -> Option<String> {
        connection
            .query_row(&format!("select {function}(?1, ?2)"), [&json as &dyn ToSql, operand], |row| row.get(0))
            .unwrap()
    };
    for (json, operand, with_json, with_text) in arrow_cases() {
        assert_eq!(get("berth_json", json, operand.as_ref()).as_deref(), with_json, "{json} ->");
        assert_eq!(get("berth_json_text", json, operand.as_ref()).as_deref(), with_text, "{json} ->>");
    }
}

/// JSON, operand, what `->` gives, what `->>` gives.
type ArrowCase = (&'static str, Box<dyn ToSql>, Option<&'static str>, Option<&'static str>);

fn arrow_cases() -> Vec<ArrowCase> {
    vec![
        ("[1,2,3]", Box::new(0), Some("1"), Some("1")),
        ("[1,2,3]", Box::new(-1), Some("3"), Some("3")),
        ("[1,2,3]", Box::new(-4), None, None),
        ("[1]", Box::new(5), None, None),
        ("[1,2,3]", Box::new("1"), None, None),
        (r#"{"1":5}"#, Box::new(1), None, None),
        (r#"{"1":5}"#, Box::new("1"), Some("5"), Some("5")),
        (r#"{"a":"x\u00e9"}"#, Box::new("a"), Some(r#""x\u00e9""#), Some("xé")),
        (r#"{"a":null}"#, Box::new("a"), Some("null"), None),
        (r#"{"a": {"b" : 1}}"#, Box::new("a"), Some(r#"{"b" : 1}"#), Some(r#"{"b" : 1}"#)),
        (r#"{"a":1,"a":2}"#, Box::new("a"), Some("2"), Some("2")),
        (r#"{"a":true,"\u0062":1.10}"#, Box::new("a"), Some("true"), Some("true")),
        (r#"{"a":true,"\u0062":1.10}"#, Box::new("b"), Some("1.10"), Some("1.10")),
        (r#""x""#, Box::new("a"), None, None),
        ("5", Box::new("a"), None, None),
        ("{broken", Box::new("a"), None, None),
    ]
}

/// Expected values taken from Postgres 15.
#[test]
fn containment_is_that_of_jsonb() {
    let connection = connection();
    let cases = [
        (r#"["a",{"b":1}]"#, r#"["a"]"#, true),
        (r#"["a",1]"#, "1", true),
        ("1", "[1]", false),
        ("[[1,2]]", "[1]", false),
        ("[[1,2]]", "[[1]]", true),
        (r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"b":1}}"#, true),
        (r#"{"a":[1,2]}"#, r#"{"a":1}"#, false),
        ("[1]", "1.0", true),
        ("[10]", "[1]", false),
        ("[]", "[]", true),
        ("{}", "[]", false),
        (r#"[{"a":1,"b":2}]"#, r#"[{"a":1}]"#, true),
        ("[1,1]", "[1]", true),
        ("[1]", "[1,1]", true),
        (r#"{"a":1}"#, r#"{"a":2}"#, false),
    ];
    for (left, right, expected) in cases {
        assert_eq!(truth(&connection, "berth_contains", &left, &right), Some(expected), "{left} @> {right}");
    }
}

#[test]
fn arrays_overlap_by_an_element_that_is_not_null() {
    let connection = connection();
    let cases = [
        ("[1,2]", "[2,3]", true),
        ("[1,2]", "[3]", false),
        ("[null]", "[null]", false),
        ("[]", "[]", false),
        (r#"["a"]"#, r#"["a","b"]"#, true),
        ("[[1,2],[3,4]]", "[4]", true),
        ("1", "[1]", false),
    ];
    for (left, right, expected) in cases {
        assert_eq!(truth(&connection, "berth_overlaps", &left, &right), Some(expected), "{left} && {right}");
    }
}

#[test]
fn an_array_contains_another_by_its_elements() {
    let connection = connection();
    let cases = [
        ("[1,2]", "[2]", true),
        ("[1,2]", "[2,2]", true),
        ("[1,2]", "[]", true),
        ("[1,null]", "[null]", false),
        ("[1,2]", "[[1]]", true),
        ("[[1,2],[3,4]]", "[4,1]", true),
        ("[1]", "[1,2]", false),
    ];
    for (left, right, expected) in cases {
        assert_eq!(truth(&connection, "berth_array_contains", &left, &right), Some(expected), "{left} @> {right}");
    }
}

#[test]
fn null_in_gives_null_out() {
    let connection = connection();
    for function in ["like", "ilike", "match", "imatch", "json", "json_text", "contains", "overlaps"] {
        for arguments in ["null, '[]'", "'[]', null", "null, null"] {
            let query = format!("select berth_{function}({arguments}) is null");
            assert!(connection.query_row(&query, [], |row| row.get::<_, bool>(0)).unwrap(), "{query}");
        }
    }
}

#[test]
fn an_index_may_use_the_functions() {
    let connection = connection();
    connection.execute_batch("create table t (j text); create index i on t (berth_json_text(j, 'a'))").unwrap();
}

proptest! {
    #[test]
    fn like_agrees_with_a_plain_definition(pattern in "[ab%_]{0,8}", text in "[ab]{0,10}") {
        fn fits(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern, text) {
                ([], []) => true,
                ([b'%', rest @ ..], _) => fits(rest, text) || matches!(text, [_, tail @ ..] if fits(pattern, tail)),
                ([b'_', rest @ ..], [_, tail @ ..]) => fits(rest, tail),
                ([wanted, rest @ ..], [found, tail @ ..]) => wanted == found && fits(rest, tail),
                _ => false,
            }
        }
        let found = super::like::Pattern::new(&pattern, super::Case::Kept).unwrap().is_match(&text).unwrap();
        prop_assert_eq!(found, fits(pattern.as_bytes(), text.as_bytes()));
    }
}
