use proptest::prelude::*;

use super::form::{self, Scalar};
use super::{Reader, Value, coerce};
use crate::catalog::type_name::Origin;
use crate::catalog::{TypeKind, TypeName};
use crate::plan::Error;

fn type_of(declared: &str) -> TypeName {
    TypeName::parse(declared, Origin::Postgres)
}

fn from_json(value: &serde_json::Value, type_name: &TypeName) -> Result<Value, Error> {
    Reader::default().from_json(value, type_name)
}

/// A value as Postgres prints it.
fn print(value: &Value, kind: &TypeKind) -> String {
    let mut out = Vec::new();
    match (value, kind) {
        (Value::Null, _) => return "NULL".to_owned(),
        (Value::Integer(integer), TypeKind::Boolean) => return format!("={}", *integer == 1),
        (Value::Integer(_) | Value::Real(_), _) => form::write_number(&mut out, value.into(), kind),
        (Value::Text(text), _) => out.extend_from_slice(text.as_bytes()),
        (Value::Blob(bytes), _) => form::write_hexadecimal(&mut out, bytes),
    }
    format!("={}", String::from_utf8(out).unwrap())
}

fn print_error(error: &Error) -> String {
    let Error::Sqlstate { code, message, details, hint } = error else { panic!("{error:?}") };
    let part =
        |name: &str, text: &Option<String>| text.as_ref().map(|text| format!(" {name}:{text}")).unwrap_or_default();
    format!("{code} {message}{}{}", part("D", details), part("H", hint))
}

fn outcome(result: Result<Value, Error>, kind: &TypeKind) -> String {
    match result {
        Ok(value) => print(&value, kind),
        Err(error) => print_error(&error),
    }
}

/// Lines of a table whose answers come from Postgres; fails with all that differ.
fn compare(table: &str, answer: impl Fn(&str, &TypeName) -> String) {
    let mut differing = Vec::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [declared, input, expected] = fields.as_slice() else { panic!("three fields: {line}") };
        let found = answer(input, &type_of(declared));
        if found != *expected {
            differing.push(format!("{declared} {input:?}\n  expected {expected}\n  found    {found}"));
        }
    }
    assert!(differing.is_empty(), "{} differ\n{}", differing.len(), differing.join("\n"));
}

#[test]
fn text_is_read_as_postgres_reads_it() {
    compare(include_str!("tests/input.tsv"), |text, type_name| {
        // A filter does not round to the type's scale; a string that is stored does.
        let is_json = matches!(type_name.kind, TypeKind::Json | TypeKind::Jsonb);
        let result = if is_json { coerce(text, type_name) } else { from_json(&text.into(), type_name) };
        outcome(result, &type_name.kind)
    });
}

#[test]
fn members_of_a_body_are_read_as_json_to_recordset_reads_them() {
    compare(include_str!("tests/payload.tsv"), |json, type_name| {
        outcome(from_json(&serde_json::from_str(json).unwrap(), type_name), &type_name.kind)
    });
}

#[test]
fn a_filter_does_not_round_or_cut_but_fills_char() {
    assert_eq!(coerce("1.005", &type_of("numeric(4,2)")), Ok(Value::Real(1.005)));
    assert_eq!(coerce("100000", &type_of("numeric(4,2)")), Ok(Value::Integer(100_000)));
    assert_eq!(coerce("abcdef", &type_of("varchar(3)")), Ok(Value::Text("abcdef".into())));
    assert_eq!(coerce("a", &type_of("char(3)")), Ok(Value::Text("a  ".into())));
    assert_eq!(coerce("a      ", &type_of("char(3)")), Ok(Value::Text("a  ".into())));
    let precise = "2020-01-01 00:00:00.123456";
    assert_eq!(coerce(precise, &type_of("timestamp(3)")), Ok(Value::Text(precise.into())));
}

#[test]
fn booleans_and_integers_are_numbers_and_bytes_are_blobs() {
    assert_eq!(coerce("yes", &type_of("bool")), Ok(Value::Integer(1)));
    assert_eq!(coerce("12", &type_of("int8")), Ok(Value::Integer(12)));
    assert_eq!(coerce("12", &type_of("float8")), Ok(Value::Real(12.0)));
    assert_eq!(coerce(r"\x00ff", &type_of("bytea")), Ok(Value::Blob(vec![0, 255])));
}

#[test]
fn a_real_is_stored_as_the_double_that_equals_it() {
    assert_eq!(coerce("0.1", &type_of("real")), Ok(Value::Real(f64::from(0.1_f32))));
}

#[test]
fn not_a_number_is_text_because_sqlite_makes_null_of_it() {
    for declared in ["real", "float8", "numeric"] {
        assert_eq!(coerce("nan", &type_of(declared)), Ok(Value::Text("NaN".into())), "{declared}");
    }
}

#[test]
fn a_numeric_that_sqlite_would_round_is_refused_when_written_and_taken_when_compared() {
    let refused = "22003 value \"0.12345678901234567890\" is out of range for type numeric \
                   D:SQLite holds a numeric exactly up to 15 significant digits.";
    let long = serde_json::json!("0.12345678901234567890");
    for declared in ["numeric", "numeric(30,20)"] {
        assert_eq!(outcome(from_json(&long, &type_of(declared)), &TypeKind::Any), refused, "{declared}");
    }
    assert_eq!(coerce("0.12345678901234567890", &type_of("numeric")), Ok(Value::Real(0.123_456_789_012_345_68)));
    assert_eq!(from_json(&serde_json::json!("9223372036854775807"), &type_of("numeric")), Ok(Value::Integer(i64::MAX)));
}

#[test]
fn a_nul_character_is_refused_with_the_code_of_its_way_in() {
    assert_eq!(
        outcome(coerce("a\0", &type_of("text")), &TypeKind::Any),
        "22021 invalid byte sequence for encoding \"UTF8\": 0x00"
    );
    let result = outcome(from_json(&serde_json::json!("a\0"), &type_of("text")), &TypeKind::Any);
    assert_eq!(result, "22P05 unsupported Unicode escape sequence D:\\u0000 cannot be converted to text.");
}

#[test]
fn a_line_end_in_a_json_string_must_be_escaped() {
    assert_eq!(
        outcome(coerce("\"a\nb\"", &type_of("json")), &TypeKind::Any),
        "22P02 invalid input syntax for type json D:Character with value 0x0a must be escaped."
    );
}

#[test]
fn json_nested_beyond_the_bound_is_refused() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(coerce(&nested(127), &type_of("jsonb")).is_ok());
    for declared in ["json", "jsonb"] {
        let result = outcome(coerce(&nested(128), &type_of(declared)), &TypeKind::Any);
        assert_eq!(result, "54001 stack depth limit exceeded", "{declared}");
    }
}

#[test]
fn an_exponent_cannot_make_few_bytes_many() {
    let result = outcome(coerce("1e100000", &type_of("jsonb")), &TypeKind::Any);
    assert_eq!(result, "22003 value overflows numeric format");
}

#[test]
fn years_that_would_sort_wrong_as_text_are_refused() {
    for text in ["10000-01-01", "123456789-01-01", "0044-03-15 BC", "9999-12-31 24:00:00"] {
        let result = outcome(coerce(text, &type_of("timestamp")), &TypeKind::Any);
        assert_eq!(result, format!("22008 date/time field value out of range: \"{text}\""));
    }
}

#[test]
fn an_array_literal_gives_its_values_in_one_list() {
    assert_eq!(
        Reader::default().array("{{1,2},{3,NULL}}", &TypeKind::Integer),
        Ok(vec![Value::Integer(1), Value::Integer(2), Value::Integer(3), Value::Null])
    );
    assert_eq!(
        Reader::default().array(r#"{a,"b,c",NULL,"NULL"}"#, &TypeKind::Text { max_length: None }),
        Ok(vec![Value::Text("a".into()), Value::Text("b,c".into()), Value::Null, Value::Text("NULL".into())])
    );
    assert_eq!(
        outcome(Reader::default().array("x", &TypeKind::Integer).map(|_| Value::Null), &TypeKind::Any),
        "22P02 malformed array literal: \"x\" D:Array value must start with \"{\" or dimension information."
    );
    let deep =
        outcome(Reader::default().array("{{{{{{{1}}}}}}}", &TypeKind::Integer).map(|_| Value::Null), &TypeKind::Any);
    assert_eq!(deep, "54000 number of array dimensions (7) exceeds the maximum allowed (6)");
}

#[test]
fn a_column_without_type_is_compared_by_what_its_values_print_as() {
    let any = TypeName::parse("", Origin::Sqlite);
    let cases = [
        ("5", Value::Integer(5)),
        ("-5", Value::Integer(-5)),
        ("1.5", Value::Real(1.5)),
        ("1e+20", Value::Real(1e20)),
        ("007", Value::Text("007".into())),
        ("1.50", Value::Text("1.50".into())),
        ("+5", Value::Text("+5".into())),
        ("NaN", Value::Text("NaN".into())),
        ("a", Value::Text("a".into())),
        ("", Value::Text(String::new())),
    ];
    for (text, value) in cases {
        assert_eq!(coerce(text, &any), Ok(value), "{text}");
    }
    assert_eq!(from_json(&serde_json::json!("5"), &any), Ok(Value::Text("5".into())));
    assert_eq!(from_json(&serde_json::json!(5), &any), Ok(Value::Integer(5)));
    assert_eq!(from_json(&serde_json::json!(true), &any), Ok(Value::Integer(1)));
    assert_eq!(from_json(&serde_json::json!({"a": [1, 2]}), &any), Ok(Value::Text(r#"{"a":[1,2]}"#.into())));
}

#[test]
fn types_of_other_sqlite_databases_take_their_usual_values() {
    let cases = [
        ("DATETIME", "2009-01-01 00:00:00", Value::Text("2009-01-01 00:00:00".into())),
        ("DATETIME", "2009-01-01", Value::Text("2009-01-01 00:00:00".into())),
        ("NUMERIC(10,2)", "0.99", Value::Real(0.99)),
        ("NVARCHAR(160)", "a", Value::Text("a".into())),
        ("INTEGER", "5000000000", Value::Integer(5_000_000_000)),
        ("BOOLEAN", "true", Value::Integer(1)),
    ];
    for (declared, text, value) in cases {
        assert_eq!(coerce(text, &TypeName::parse(declared, Origin::Sqlite)), Ok(value), "{declared}");
    }
}

#[test]
fn floats_are_written_as_postgres_writes_them() {
    let doubles = [
        (1.0, "1"),
        (1.5, "1.5"),
        (1e14, "100000000000000"),
        (1e15, "1e+15"),
        (123_456_789_012_345.0, "123456789012345"),
        (1_234_567_890_123_456.0, "1.234567890123456e+15"),
        (1e20, "1e+20"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-1.5e-7, "-1.5e-07"),
        (1e300, "1e+300"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
        (-0.0, "-0"),
        (5e-324, "5e-324"),
    ];
    for (real, expected) in doubles {
        assert_eq!(print(&Value::Real(real), &TypeKind::Double), format!("={expected}"));
    }
    let reals =
        [(1e5, "100000"), (1e6, "1e+06"), (123_456.0, "123456"), (16_777_216.0, "1.6777216e+07"), (0.1_f32, "0.1")];
    for (real, expected) in reals {
        assert_eq!(print(&Value::Real(f64::from(real)), &TypeKind::Real), format!("={expected}"));
    }
}

proptest! {
    #[test]
    fn a_float_reads_back_from_what_is_written(real in any::<f64>().prop_filter("finite", |real| real.is_finite())) {
        let printed = print(&Value::Real(real), &TypeKind::Double);
        prop_assert_eq!(coerce(&printed[1..], &type_of("float8")), Ok(Value::Real(real)));
    }

    #[test]
    fn fifteen_digits_of_a_numeric_are_held_exactly(digits in 0_i64..1_000_000_000_000_000, scale in 0_u32..=15, is_negative: bool) {
        let sign = if is_negative && digits > 0 { "-" } else { "" };
        let padded = format!("{digits:0width$}", width = scale as usize + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale as usize);
        let text = if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") };
        let type_name = type_of(&format!("numeric(15,{scale})"));
        let stored = from_json(&serde_json::json!(text), &type_name).unwrap();
        prop_assert_eq!(print(&stored, &type_name.kind), format!("={text}"));
    }

    #[test]
    fn text_without_nul_is_kept_and_its_json_reads_back(text in "[^\\x00]*") {
        prop_assert_eq!(coerce(&text, &type_of("text")), Ok(Value::Text(text.clone())));
        let mut written = Vec::new();
        form::write_json(&mut written, Scalar::Text(&text), &TypeKind::Text { max_length: None });
        prop_assert_eq!(serde_json::from_slice::<String>(&written).unwrap(), text);
    }

    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC*", index in 0_usize..12) {
        let declared = ["int", "numeric(5,2)", "float8", "bool", "date", "timetz", "timestamptz", "interval", "uuid", "jsonb", "bytea", "text[]"];
        let _ = coerce(&text, &type_of(declared[index]));
    }

    #[test]
    fn text_like_a_time_or_interval_makes_no_reader_panic(text in "[-+0-9:. TZtzPYMWDHS/apm,@a-d]{0,24}") {
        for declared in ["date", "time", "timetz", "timestamp", "timestamptz", "interval"] {
            let _ = coerce(&text, &type_of(declared));
        }
    }

    #[test]
    fn what_is_stored_reads_back_as_itself(seconds in -62_000_000_000_i64..250_000_000_000, micros in 0_i64..1_000_000) {
        let moment = jiff::Timestamp::new(seconds, 0).unwrap().to_string();
        let text = format!("{}.{micros:06}Z", moment.trim_end_matches('Z'));
        for declared in ["timestamptz", "timestamp", "date", "time", "timetz"] {
            let Ok(Value::Text(stored)) = coerce(&text, &type_of(declared)) else { panic!("{text}") };
            prop_assert_eq!(coerce(&stored, &type_of(declared)), Ok(Value::Text(stored)));
        }
    }

    #[test]
    fn an_interval_reads_back_as_itself(months in -1200_i32..1200, days in -1000_i32..1000, micros in -10_000_000_000_i64..10_000_000_000) {
        let text = format!("{months} mons {days} days {micros} us");
        let Ok(Value::Text(stored)) = coerce(&text, &type_of("interval")) else { panic!("{text}") };
        prop_assert_eq!(coerce(&stored, &type_of("interval")), Ok(Value::Text(stored)));
    }

    #[test]
    fn canonical_json_is_a_fixed_point(json in "\\PC{0,8}", number in any::<f32>().prop_filter("finite", |n| n.is_finite() && (*n == 0.0 || n.abs() > 1e-30))) {
        let document = serde_json::json!({ "bb": number, "a": [json, null, { json.clone(): true }] }).to_string();
        let Ok(Value::Text(stored)) = coerce(&document, &type_of("jsonb")) else { panic!("{document}") };
        prop_assert_eq!(coerce(&stored, &type_of("jsonb")), Ok(Value::Text(stored)));
    }
}
