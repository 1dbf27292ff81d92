use proptest::prelude::*;

use super::form::{self, Scalar};
use super::{Value, array, coerce, from_json};
use crate::catalog::type_name::Origin;
use crate::catalog::{TypeKind, TypeName};
use crate::plan::Error;

fn type_of(declared: &str) -> TypeName {
    TypeName::parse(declared, Origin::Postgres)
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
    let part = |name: &str, text: &Option<String>| text.as_ref().map(|text| format!(" {name}:{text}")).unwrap_or_default();
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
