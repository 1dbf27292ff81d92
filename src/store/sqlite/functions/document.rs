//! Operators of `jsonb` that change a document; each gives null when an argument is null.
//!
//! | function | Postgres |
//! |---|---|
//! | `berth_json_join(a, b)` | `a \|\| b` |
//! | `berth_json_without(json, key)` | `json - key`, of a member's name, an element's index, or an array of names |
//! | `berth_json_set(json, path, new, creates)` | `jsonb_set(json, path, new, creates)` |
//! | `berth_json_remove(json, path)` | `json #- path` |
//! | `berth_json_at(json, path)`, `berth_json_text_at(json, path)` | `json #> path`, `json #>> path` |
//! | `berth_has_any_key(json, keys)`, `berth_has_all_keys(json, keys)` | `json ?\| keys`, `json ?& keys` |
//! | `berth_json_pretty(json)`, `berth_json_strip_nulls(json)` | `jsonb_pretty(json)`, `jsonb_strip_nulls(json)` |
//!
//! Paths and keys are arrays of text, as they are kept: JSON.
//!
//! Source: <https://www.postgresql.org/docs/15/functions-json.html>.

use rusqlite::functions::Context;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};
use serde_json::Value as Json;

use super::json::place_of;
use super::{Fault, add, add_of, argument, failed, has_key, json, text};
use crate::plan::value::canonical_json;

type Answer = std::result::Result<Option<Json>, Fault>;

/// Adds the functions to a connection.
pub(super) fn register(connection: &Connection) -> Result<()> {
    changing(connection, "berth_json_join", 2, |context| Ok(argument(context, 0).zip(argument(context, 1)).map(join)))?;
    changing(connection, "berth_json_without", 2, without)?;
    changing(connection, "berth_json_remove", 2, |context| {
        let (Some(document), Some(path)) = (argument(context, 0), texts(context, 1)) else { return Ok(None) };
        Ok(Some(at_path(document, &path, &mut |_| None)))
    })?;
    changing(connection, "berth_json_set", 4, set)?;
    changing(connection, "berth_json_strip_nulls", 1, |context| Ok(argument(context, 0).map(without_nulls)))?;
    add_of(connection, "berth_json_pretty", 1, |context| {
        Ok(argument(context, 0).map(|document| {
            let mut out = String::new();
            write_pretty(&mut out, &document, 0);
            out
        }))
    })?;
    add(connection, "berth_json_at", |context| Ok(walk(context, json::get)))?;
    add(connection, "berth_json_text_at", |context| Ok(walk(context, json::get_text)))?;
    add(connection, "berth_has_any_key", |context| {
        let (Some(document), Some(keys)) = (argument(context, 0), texts(context, 1)) else { return Ok(None) };
        Ok(Some(keys.iter().any(|key| has_key(&document, key))))
    })?;
    add(connection, "berth_has_all_keys", |context| {
        let (Some(document), Some(keys)) = (argument(context, 0), texts(context, 1)) else { return Ok(None) };
        Ok(Some(keys.iter().all(|key| has_key(&document, key))))
    })
}

/// Adds a function that gives a document, which is written as `jsonb` is kept.
fn changing(connection: &Connection, name: &str, arguments: i32, function: fn(&Context<'_>) -> Answer) -> Result<()> {
    add_of(connection, name, arguments, move |context| {
        let Some(document) = function(context).map_err(failed)? else { return Ok(None) };
        canonical_json(&document).map(Some).map_err(|error| rusqlite::Error::UserFunctionError(Box::new(error)))
    })
}

/// An array of text. Elements that are null name nothing.
fn texts(context: &Context<'_>, place: usize) -> Option<Vec<String>> {
    let Json::Array(elements) = argument(context, place)? else { return None };
    Some(elements.into_iter().filter_map(|element| element.as_str().map(str::to_owned)).collect())
}

/// Two objects become one; anything else an array.
fn join((left, right): (Json, Json)) -> Json {
    let listed = |json: Json| match json {
        Json::Array(elements) => elements,
        one @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_)) => vec![one],
    };
    match (left, right) {
        (Json::Object(mut left), Json::Object(right)) => {
            left.extend(right);
            Json::Object(left)
        }
        (left, right) => Json::Array(listed(left).into_iter().chain(listed(right)).collect()),
    }
}

fn without(context: &Context<'_>) -> Answer {
    let Some(document) = argument(context, 0) else { return Ok(None) };
    let scalar = || Fault { code: "22023", message: "cannot delete from scalar".to_owned() };
    match (document, context.get_raw(1)) {
        (_, ValueRef::Null) => Ok(None),
        (Json::Array(mut elements), ValueRef::Integer(index)) => {
            if let Some(place) = place_of(index, elements.len()) {
                elements.remove(place);
            }
            Ok(Some(Json::Array(elements)))
        }
        (Json::Object(_), ValueRef::Integer(_)) => {
            Err(Fault { code: "22023", message: "cannot delete from object using integer index".to_owned() })
        }
        (document @ (Json::Object(_) | Json::Array(_)), key) => {
            let key = text(key).unwrap_or_default();
            let names = match serde_json::from_str(&key) {
                Ok(Json::Array(names)) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
                _ => vec![key.into_owned()],
            };
            Ok(Some(without_names(document, &names)))
        }
        _ => Err(scalar()),
    }
}

fn without_names(document: Json, names: &[String]) -> Json {
    match document {
        Json::Object(mut members) => {
            members.retain(|name, _| !names.contains(name));
            Json::Object(members)
        }
        Json::Array(mut elements) => {
            elements.retain(|element| !element.as_str().is_some_and(|text| names.iter().any(|name| name == text)));
            Json::Array(elements)
        }
        scalar @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) => scalar,
    }
}

fn set(context: &Context<'_>) -> Answer {
    let (Some(document), Some(path), Some(new)) = (argument(context, 0), texts(context, 1), argument(context, 2))
    else {
        return Ok(None);
    };
    if context.get_raw(3) == ValueRef::Null {
        return Ok(None);
    }
    let creates = context.get_raw(3) != ValueRef::Integer(0);
    Ok(Some(at_path(document, &path, &mut |found| match found {
        Some(_) => Some(new.clone()),
        None => creates.then(|| new.clone()),
    })))
}

/// Puts what `change` makes of what is at the path in its place; `None` takes it away. What the path leads to through
/// something that is not there stays away. Calls itself for each step; a path is as long as a document may be deep.
fn at_path(document: Json, path: &[String], change: &mut dyn FnMut(Option<Json>) -> Option<Json>) -> Json {
    let Some((step, rest)) = path.split_first() else { return document };
    match document {
        Json::Object(mut members) => {
            let found = members.get(step).cloned();
            match (rest.is_empty(), found) {
                (true, found) => match change(found) {
                    Some(new) => drop(members.insert(step.clone(), new)),
                    None => drop(members.remove(step)),
                },
                (false, Some(found)) => drop(members.insert(step.clone(), at_path(found, rest, change))),
                (false, None) => {}
            }
            Json::Object(members)
        }
        Json::Array(elements) => Json::Array(at_index(elements, step, rest, change)),
        scalar @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) => scalar,
    }
}

/// The same in an array. What is put beyond an end comes to stand there.
fn at_index(
    mut elements: Vec<Json>,
    step: &str,
    rest: &[String],
    change: &mut dyn FnMut(Option<Json>) -> Option<Json>,
) -> Vec<Json> {
    let Ok(index) = step.parse::<i64>() else { return elements };
    match (place_of(index, elements.len()), rest.is_empty()) {
        (Some(place), true) => {
            if let Some(new) = change(Some(elements.remove(place))) {
                elements.insert(place, new);
            }
        }
        (Some(place), false) => {
            let found = elements.remove(place);
            elements.insert(place, at_path(found, rest, change));
        }
        (None, true) => {
            if let Some(new) = change(None) {
                elements.insert(if index < 0 { 0 } else { elements.len() }, new);
            }
        }
        (None, false) => {}
    }
    elements
}

fn walk(context: &Context<'_>, last: fn(&str, json::Operand<'_>) -> Option<String>) -> Option<String> {
    let (mut document, path) = (text(context.get_raw(0))?.into_owned(), texts(context, 1)?);
    let Some((end, steps)) = path.split_last() else { return Some(document) };
    let of = |step: &str, document: &str, get: fn(&str, json::Operand<'_>) -> Option<String>| match step.parse() {
        Ok(index) if document.trim_start().starts_with('[') => get(document, json::Operand::Index(index)),
        _ => get(document, json::Operand::Key(step)),
    };
    for step in steps {
        document = of(step, &document, json::get)?;
    }
    of(end, &document, last)
}

/// Members that are null go, elements stay. Calls itself for what is inside; reading bounded the depth.
fn without_nulls(document: Json) -> Json {
    match document {
        Json::Object(members) => {
            let kept = members.into_iter().filter(|(_, value)| !value.is_null());
            Json::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        Json::Array(elements) => Json::Array(elements.into_iter().map(without_nulls).collect()),
        scalar @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) => scalar,
    }
}

/// Four spaces for each level. Calls itself for what is inside; reading bounded the depth.
fn write_pretty(out: &mut String, document: &Json, level: usize) {
    let line = |out: &mut String, level: usize| {
        out.push('\n');
        out.push_str(&"    ".repeat(level));
    };
    let (open, close, length) = match document {
        Json::Object(members) => ('{', '}', members.len()),
        Json::Array(elements) => ('[', ']', elements.len()),
        scalar @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) => {
            return out.push_str(&canonical_json(scalar).unwrap_or_default());
        }
    };
    out.push(open);
    let mut members = document.as_object().into_iter().flatten().collect::<Vec<_>>();
    members.sort_by(|(left, _), (right, _)| (left.len(), left).cmp(&(right.len(), right)));
    for place in 0..length {
        out.push_str(if place > 0 { "," } else { "" });
        line(out, level + 1);
        if let Some((name, value)) = members.get(place) {
            out.push_str(&canonical_json(&Json::from(name.as_str())).unwrap_or_default());
            out.push_str(": ");
            write_pretty(out, value, level + 1);
        } else if let Some(element) = document.get(place) {
            write_pretty(out, element, level + 1);
        }
    }
    line(out, level);
    out.push(close);
}

#[cfg(test)]
mod tests {
    use crate::store::sqlite::functions::tests::connection;

    /// Expected values taken from Postgres 15.
    #[test]
    fn documents_become_what_they_become_on_postgres() {
        let connection = connection();
        for (call, expected) in [
            (r#"json_join('{"a":1}', '{"b":2,"a":3}')"#, Some(r#"{"a": 3, "b": 2}"#)),
            (r#"json_join('[1]', '{"b":2}')"#, Some(r#"[1, {"b": 2}]"#)),
            ("json_join('1', '[2]')", Some("[1, 2]")),
            (r#"json_without('{"a":1,"b":2}', 'a')"#, Some(r#"{"b": 2}"#)),
            (r#"json_without('["a","b"]', 'a')"#, Some(r#"["b"]"#)),
            ("json_without('[1,2,3]', -1)", Some("[1, 2]")),
            (r#"json_without('{"a":1,"b":2,"c":3}', '["a","c"]')"#, Some(r#"{"b": 2}"#)),
            (r#"json_set('{"a":{"b":1}}', '["a","b"]', '2', 1)"#, Some(r#"{"a": {"b": 2}}"#)),
            (r#"json_set('{"a":1}', '["c"]', '2', 1)"#, Some(r#"{"a": 1, "c": 2}"#)),
            (r#"json_set('{"a":1}', '["c"]', '2', 0)"#, Some(r#"{"a": 1}"#)),
            (r#"json_set('{"a":1}', '["c","d"]', '2', 1)"#, Some(r#"{"a": 1}"#)),
            (r#"json_set('[1,2]', '["0"]', '9', 1)"#, Some("[9, 2]")),
            (r#"json_set('[1,2]', '["9"]', '9', 1)"#, Some("[1, 2, 9]")),
            (r#"json_set('[1,2]', '["-9"]', '9', 1)"#, Some("[9, 1, 2]")),
            (r#"json_remove('{"a":{"b":1,"c":2}}', '["a","b"]')"#, Some(r#"{"a": {"c": 2}}"#)),
            (r#"json_at('{"a":[1,{"b":"x"}]}', '["a","1"]')"#, Some(r#"{"b":"x"}"#)),
            (r#"json_text_at('{"a":[1,{"b":"x"}]}', '["a","1","b"]')"#, Some("x")),
            (r#"json_text_at('{"a":1}', '["x","y"]')"#, None),
            (r#"has_any_key('{"a":1}', '["x","a"]')"#, Some("1")),
            (r#"has_all_keys('{"a":1}', '["x","a"]')"#, Some("0")),
            (r#"json_strip_nulls('{"a":null,"b":[null,{"c":null}]}')"#, Some(r#"{"b": [null, {}]}"#)),
            (
                r#"json_pretty('{"bb":[1,{}],"a":"x"}')"#,
                Some("{\n    \"a\": \"x\",\n    \"bb\": [\n        1,\n        {\n        }\n    ]\n}"),
            ),
            ("json_join(NULL, '1')", None),
        ] {
            let sql = format!("SELECT CAST(berth_{call} AS TEXT)");
            let found: Option<String> = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert_eq!(found.as_deref(), expected, "{call}");
        }
    }
}
