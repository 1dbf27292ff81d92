//! Orders as Postgres 15 gives them, and what must hold of any.

use proptest::prelude::*;

use super::*;
use crate::catalog::TypeName;
use crate::catalog::type_name::Origin;
use crate::plan::Value;
use crate::plan::value::coerce;

fn type_of(declared: &str) -> TypeName {
    TypeName::parse(declared, Origin::Postgres)
}

/// The key of what is written, read as a filter's value is.
fn key(written: &str, declared: &str) -> Vec<u8> {
    let of = type_of(declared);
    let Ok(Value::Text(stored)) = coerce(written, &of) else { panic!("{written} is no {declared}") };
    super::of(&stored, &of.kind)
}

/// Each is less than those behind it.
#[test]
fn values_sort_as_postgres_sorts_them() {
    let sorted: [(&str, &[&str]); 8] = [
        (
            "jsonb",
            &[
                "[]",
                "null",
                r#""""#,
                r#""B""#,
                r#""b""#,
                "-1e30",
                "-1.5",
                "0",
                "1e-5",
                "2",
                "10",
                "1e30",
                "false",
                "true",
                "[null]",
                r#"["a"]"#,
                "[1]",
                "[2]",
                "[true]",
                "[[]]",
                "[{}]",
                "[1, 1]",
                "{}",
                r#"{"aa": 0}"#,
                r#"{"aa": 5}"#,
                r#"{"b": 1}"#,
                r#"{"b": 2}"#,
                r#"{"b": []}"#,
                r#"{"c": 0}"#,
                r#"{"b": 1, "aa": 0}"#,
                r#"{"c": 0, "aa": 0}"#,
            ],
        ),
        (
            "interval",
            &[
                "-1 year",
                "-00:00:00.5",
                "00:00:00",
                "23:59:59.999999",
                "1 day",
                "24:00:01",
                "29 days",
                "1 mon",
                "1 mon 00:00:01",
                "1 year",
            ],
        ),
        ("timetz", &["23:00:00+15", "12:00:00+02", "10:00:00+00", "08:00:00-02", "10:00:00.000001+00", "24:00:00-15"]),
        (
            "integer[]",
            &["{}", "{-7}", "{1}", "{1,2}", "{{1,2}}", "{1,2,3}", "{1,NULL}", "{2}", "{10}", "{NULL}", "{NULL,1}"],
        ),
        ("integer[]", &["{1,2,3,4}", "{{1,2,3,4}}", "{{1,2},{3,4}}", "{{1},{2},{3},{4}}", "{{{1,2},{3,4}}}"]),
        ("text[]", &["{\"\"}", "{\"\",a}", "{a}", "{a,\"\"}", "{a,b}", "{ab}", "{b,NULL}", "{é}"]),
        (
            "numeric[]",
            &[
                "{-Infinity}",
                "{-100}",
                "{-99.5}",
                "{-0.05}",
                "{0}",
                "{0.05}",
                "{0.5}",
                "{1}",
                "{9.99}",
                "{10}",
                "{Infinity}",
                "{NaN}",
            ],
        ),
        (
            "double precision[]",
            &["{-Infinity}", "{-1e300}", "{-0.5}", "{0}", "{1e-300}", "{2}", "{10}", "{Infinity}", "{NaN}"],
        ),
    ];
    for (declared, sorted) in sorted {
        for (place, left) in sorted.iter().enumerate() {
            for (other, right) in sorted.iter().enumerate() {
                assert_eq!(
                    key(left, declared).cmp(&key(right, declared)),
                    place.cmp(&other),
                    "{declared}: {left} {right}"
                );
            }
        }
    }
}

#[test]
fn values_that_are_equal_have_one_key() {
    for (declared, left, right) in [
        ("interval", "1 day", "24:00:00"),
        ("interval", "1 mon", "30 days"),
        ("interval", "-1 day", "-24 hours"),
        ("jsonb", "1", "1.00"),
        ("jsonb", r#"{"a": [1.0, 2]}"#, r#"{"a": [1, 2.000]}"#),
        ("numeric[]", "{1.50,-0}", "{1.5,0.0}"),
        ("interval[]", "{1 day,NULL}", "{24:00:00,NULL}"),
        ("double precision[]", "{0}", "{-0}"),
    ] {
        assert_eq!(key(left, declared), key(right, declared), "{declared}: {left} {right}");
    }
}

#[test]
fn what_is_no_value_sorts_behind_all() {
    for declared in ["interval", "timetz", "jsonb", "integer[]"] {
        let kind = type_of(declared).kind;
        assert!(super::of("x", &kind) < super::of("y", &kind));
        assert!(super::of("{]", &kind) > super::of("NULL", &TypeKind::NUMERIC) || declared == "jsonb");
        assert_eq!(super::of("no value", &kind)[0], UNREADABLE);
    }
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        "[a-c]{0,2}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::vec(("[a-c]{1,2}", inner), 0..3)
                .prop_map(|members| Json::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn documents_are_equal_where_their_keys_are(left in any_json(), right in any_json()) {
        let of = |json: &Json| super::of(&json.to_string(), &TypeKind::Jsonb);
        prop_assert_eq!(left == right, of(&left) == of(&right));
        prop_assert_eq!(of(&left), of(&left.clone()));
    }

    #[test]
    fn intervals_sort_by_their_length(left in any::<[i16; 3]>(), right in any::<[i16; 3]>()) {
        let written = |of: [i16; 3]| format!("{} mons {} days {} seconds", of[0], of[1], of[2]);
        let seconds = |of: [i16; 3]| (i64::from(of[0]) * 30 + i64::from(of[1])) * 86_400 + i64::from(of[2]);
        let order = key(&written(left), "interval").cmp(&key(&written(right), "interval"));
        prop_assert_eq!(order, seconds(left).cmp(&seconds(right)));
    }

    #[test]
    fn arrays_of_numbers_sort_as_lists(left in prop::collection::vec(any::<i64>(), 0..4), right in prop::collection::vec(any::<i64>(), 0..4)) {
        let of = |items: &[i64]| super::of(&Json::from(items).to_string(), &type_of("bigint[]").kind);
        prop_assert_eq!(of(&left).cmp(&of(&right)), left.cmp(&right));
    }

    #[test]
    fn decimals_sort_by_value(left in "-?[0-9]{1,20}(\\.[0-9]{1,9})?", right in "-?[0-9]{1,20}(\\.[0-9]{1,9})?") {
        let of = |text: &str| super::of(text, &TypeKind::NUMERIC);
        prop_assert_eq!(of(&left).cmp(&of(&right)), crate::plan::value::decimal::compare(&left, &right));
    }

    #[test]
    fn no_text_makes_it_panic(text in ".*") {
        for declared in ["interval", "timetz", "jsonb", "integer[]", "text[]", "numeric[]", "timetz[]", "jsonb[]", "boolean[]"] {
            let _ = super::of(&text, &type_of(declared).kind);
        }
    }
}
