//! Arrays, which are kept as JSON: elements that are added, removed, found, counted. Null for an array that is null.
//!
//! | function | Postgres |
//! |---|---|
//! | `berth_array_join(a, b)` | `a \|\| b`; one that is null adds nothing |
//! | `berth_array_append(a, element, type)`, `berth_array_prepend(a, element, type)` | `a \|\| element`, `element \|\| a` |
//! | `berth_array_remove(a, element, type)`, `berth_array_position(a, element, type)` | functions of these names |
//! | `berth_array_has(a, element, type)` | `element = ANY (a)` |
//! | `berth_array_length(a, dimension)`, `berth_cardinality(a)` | functions of these names |
//! | `berth_array_element(a, index)` | `a[index]` |
//! | `berth_array_to_string(a, separator, null, type)`, `berth_string_to_array(text, separator)` | functions of these names |
//!
//! The type is that of the elements.
//!
//! Source: <https://www.postgresql.org/docs/15/functions-array.html>.

use std::borrow::Cow;

use rusqlite::functions::Context;
use rusqlite::{Connection, Result};

use super::{add, add_of, text, type_at};
use crate::catalog::TypeKind;
use crate::plan::Value;
use crate::plan::value::form;
use crate::store::sqlite::format::{element_text, with_scalar};
use crate::store::sqlite::parts;

/// Adds the functions to a connection.
pub(super) fn register(connection: &Connection) -> Result<()> {
    add(connection, "berth_array_join", |context| {
        let (left, right) = (text(context.get_raw(0)), text(context.get_raw(1)));
        Ok(match (left, right) {
            (Some(left), Some(right)) => Some(join(&left, &right)),
            (left, right) => left.or(right).map(std::borrow::Cow::into_owned),
        })
    })?;
    add_of(connection, "berth_array_append", 3, |context| {
        let array = text(context.get_raw(0));
        Ok(join(array.as_deref().unwrap_or("[]"), &format!("[{}]", element(context, 1)?)))
    })?;
    add_of(connection, "berth_array_prepend", 3, |context| {
        let array = text(context.get_raw(0));
        Ok(join(&format!("[{}]", element(context, 1)?), array.as_deref().unwrap_or("[]")))
    })?;
    add_of(connection, "berth_array_remove", 3, |context| {
        let (Some(array), removed) = (text(context.get_raw(0)), element(context, 1)?) else { return Ok(None) };
        let elements = parts::elements(&array).unwrap_or_default();
        let kept: Vec<&str> = elements.into_iter().filter(|element| *element != removed).collect();
        Ok(Some(format!("[{}]", kept.join(","))))
    })?;
    add_of(connection, "berth_array_position", 3, |context| {
        let (Some(array), wanted) = (text(context.get_raw(0)), element(context, 1)?) else { return Ok(None) };
        let place = parts::elements(&array).and_then(|all| all.iter().position(|element| *element == wanted));
        Ok(place.and_then(|place| i64::try_from(place + 1).ok()))
    })?;
    add_of(connection, "berth_array_has", 3, |context| {
        let (Some(array), wanted) = (text(context.get_raw(0)), element(context, 1)?) else { return Ok(None) };
        Ok(has(&array, &wanted))
    })?;
    add(connection, "berth_array_length", |context| {
        let Some(array) = text(context.get_raw(0)) else { return Ok(None) };
        let dimension = context.get::<Option<i64>>(1)?.unwrap_or(0);
        Ok(length(&array, dimension))
    })?;
    add_of(
        connection,
        "berth_cardinality",
        1,
        |context| Ok(text(context.get_raw(0)).map(|array| cardinality(&array))),
    )?;
    add(connection, "berth_array_element", |context| {
        let (Some(array), Some(index)) = (text(context.get_raw(0)), context.get::<Option<i64>>(1)?) else {
            return Ok(Value::Null);
        };
        let place = usize::try_from(index).ok().and_then(|index| index.checked_sub(1));
        let elements = parts::elements(&array).unwrap_or_default();
        Ok(place.and_then(|place| elements.get(place)).map_or(Value::Null, |element| value_of(element)))
    })?;
    add_of(connection, "berth_array_to_string", 4, array_to_string)?;
    add(connection, "berth_string_to_array", |context| {
        let Some(of) = text(context.get_raw(0)) else { return Ok(None) };
        Ok(Some(string_to_array(&of, text(context.get_raw(1)).as_deref())))
    })
}

/// An argument as an array keeps it; the type follows it.
fn element(context: &Context<'_>, place: i32) -> Result<String> {
    let of = type_at(context, place + 1)?;
    let mut out = Vec::new();
    let value = context.get_raw(usize::try_from(place).unwrap_or_default());
    with_scalar(value, |value| form::write_json(&mut out, value, &of.kind));
    Ok(String::from_utf8(out).unwrap_or_default())
}

fn join(left: &str, right: &str) -> String {
    let mut all = parts::elements(left).unwrap_or_default();
    all.extend(parts::elements(right).unwrap_or_default());
    format!("[{}]", all.join(","))
}

/// Null is equal to nothing, and not known to differ from anything.
fn has(array: &str, wanted: &str) -> Option<bool> {
    let elements = parts::elements(array)?;
    let is_known = wanted != "null" && !elements.contains(&"null");
    match elements.contains(&wanted) && wanted != "null" {
        true => Some(true),
        false if is_known || elements.is_empty() => Some(false),
        false => None,
    }
}

/// Elements of that dimension; none of an array without elements.
fn length(array: &str, dimension: i64) -> Option<i64> {
    let elements = parts::elements(array)?;
    match dimension {
        1 => i64::try_from(elements.len()).ok().filter(|length| *length > 0),
        2.. => length(elements.first()?, dimension - 1),
        _ => None,
    }
}

/// Elements of all dimensions; an array has at most six.
fn cardinality(array: &str) -> i64 {
    let elements = parts::elements(array).unwrap_or_default();
    elements.iter().map(|element| if element.starts_with('[') { cardinality(element) } else { 1 }).sum()
}

fn value_of(element: &str) -> Value {
    match element.as_bytes().first() {
        Some(b'"') => serde_json::from_str(element).map_or(Value::Null, Value::Text),
        Some(b't') => Value::Integer(1),
        Some(b'f') => Value::Integer(0),
        Some(b'0'..=b'9' | b'-') => match (element.parse(), element.parse()) {
            (Ok(integer), _) => Value::Integer(integer),
            (Err(_), Ok(real)) => Value::Real(real),
            (Err(_), Err(_)) => Value::Null,
        },
        // An array of several dimensions has no element at one index.
        _ => Value::Null,
    }
}

/// Elements that are null are left out unless a text is given for them.
fn array_to_string(context: &Context<'_>) -> Result<Option<String>> {
    let (Some(array), Some(separator)) = (text(context.get_raw(0)), text(context.get_raw(1))) else { return Ok(None) };
    let (null, of) = (text(context.get_raw(2)), type_at(context, 3)?);
    let mut printed = Vec::new();
    collect_texts(&mut printed, &array, null.as_deref(), &of.kind);
    Ok(Some(printed.join(&*separator)))
}

/// Calls itself for arrays inside, which are at most six deep.
fn collect_texts(printed: &mut Vec<String>, array: &str, null: Option<&str>, of: &TypeKind) {
    for element in parts::elements(array).unwrap_or_default() {
        match element.as_bytes().first() {
            Some(b'[') if !matches!(of, TypeKind::Json | TypeKind::Jsonb) => collect_texts(printed, element, null, of),
            Some(b'n') => printed.extend(null.map(str::to_owned)),
            _ => printed.extend(element_text(element, of).map(Cow::into_owned)),
        }
    }
}

/// Without a separator each character is an element.
fn string_to_array(of: &str, separator: Option<&str>) -> String {
    let elements: Vec<String> = match separator {
        _ if of.is_empty() => Vec::new(),
        None => of.chars().map(String::from).collect(),
        Some("") => vec![of.to_owned()],
        Some(separator) => of.split(separator).map(str::to_owned).collect(),
    };
    serde_json::Value::from(elements).to_string()
}

#[cfg(test)]
mod tests {
    use crate::store::sqlite::functions::tests::connection;

    /// Expected values taken from Postgres 15.
    #[test]
    fn arrays_become_what_they_become_on_postgres() {
        let connection = connection();
        for (call, expected) in [
            ("join('[1]', '[2,null]')", Some("[1,2,null]")),
            ("join(NULL, '[2]')", Some("[2]")),
            ("join('[1]', NULL)", Some("[1]")),
            ("join(NULL, NULL)", None),
            ("append('[\"a\"]', 'b\"', 'text')", Some(r#"["a","b\""]"#)),
            ("append(NULL, 1, 'integer')", Some("[1]")),
            ("append('[true]', 0, 'boolean')", Some("[true,false]")),
            ("append('[1]', NULL, 'integer')", Some("[1,null]")),
            ("prepend('[2]', 1, 'integer')", Some("[1,2]")),
            ("remove('[1,2,1]', 1, 'integer')", Some("[2]")),
            ("remove(NULL, 1, 'integer')", None),
            ("position('[\"a\",\"b\"]', 'b', 'text')", Some("2")),
            ("position('[\"a\"]', 'x', 'text')", None),
            ("has('[\"a\",null]', 'a', 'text')", Some("1")),
            ("has('[\"a\",null]', 'b', 'text')", None),
            ("has('[\"a\"]', 'b', 'text')", Some("0")),
            ("has('[]', NULL, 'text')", Some("0")),
            ("has('[null]', NULL, 'text')", None),
            ("length('[1,2,3]', 1)", Some("3")),
            ("length('[]', 1)", None),
            ("length('[[1,2],[3,4],[5,6]]', 2)", Some("2")),
            ("length('[1]', 0)", None),
            ("element('[\"a\",null]', 1)", Some("a")),
            ("element('[\"a\",null]', 2)", None),
            ("element('[\"a\"]', 0)", None),
            ("element('[7]', 1)", Some("7")),
            ("to_string('[\"a\",null,\"b\"]', '-', NULL, 'text')", Some("a-b")),
            ("to_string('[\"a\",null,\"b\"]', '-', '*', 'text')", Some("a-*-b")),
            ("to_string('[[1,2],[3,4]]', ',', NULL, 'integer')", Some("1,2,3,4")),
            ("to_string('[true]', ',', NULL, 'boolean')", Some("t")),
            ("to_string('[]', ',', NULL, 'text')", Some("")),
            (r#"to_string('[{"a": 1},null,"b"]', ';', NULL, 'jsonb')"#, Some(r#"{"a": 1};"b""#)),
            (r#"to_string('["\\x00ff"]', ';', NULL, 'bytea')"#, Some(r"\x00ff")),
            (r#"to_string('["{x}","\"y\""]', ';', NULL, 'text')"#, Some(r#"{x};"y""#)),
        ] {
            let sql = format!("SELECT CAST(berth_array_{call} AS TEXT)");
            let found: Option<String> = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert_eq!(found.as_deref(), expected, "{call}");
        }
        let sql = "SELECT berth_cardinality('[[1,2],[3,4]]'), berth_string_to_array('a,b', ','), \
                   berth_string_to_array('ab', NULL), berth_string_to_array('', ',')";
        let found: (i64, String, String, String) =
            connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
        assert_eq!(found, (4, r#"["a","b"]"#.to_owned(), r#"["a","b"]"#.to_owned(), "[]".to_owned()));
    }
}
