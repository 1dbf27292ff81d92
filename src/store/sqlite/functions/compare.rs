//! The order of `jsonb` values.
//!
//! ```text
//! object > array > boolean > number > string > null
//! an object with more members > one with fewer; an array with more elements > one with fewer
//! objects of one size: first key, its value, second key, …; arrays: element by element
//! ```
//! An empty array at the top is less than null: so it has always been in Postgres.
//!
//! Source: <https://www.postgresql.org/docs/15/datatype-json.html#JSON-INDEXING>.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value as Json};

/// How `left` sorts to `right`.
pub(super) fn compare(left: &Json, right: &Json) -> Ordering {
    match (is_empty_array(left), is_empty_array(right)) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (true, true) | (false, false) => compare_nested(left, right),
    }
}

/// Calls itself for what is nested; `serde_json` bounded the depth when it read the values.
fn compare_nested(left: &Json, right: &Json) -> Ordering {
    match (left, right) {
        (Json::Bool(left), Json::Bool(right)) => left.cmp(right),
        (Json::Number(left), Json::Number(right)) => compare_numbers(left, right),
        (Json::String(left), Json::String(right)) => left.cmp(right),
        (Json::Array(left), Json::Array(right)) => left.len().cmp(&right.len()).then_with(|| {
            let pairs = left.iter().zip(right).map(|(left, right)| compare_nested(left, right));
            pairs.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        }),
        (Json::Object(left), Json::Object(right)) => left.len().cmp(&right.len()).then_with(|| {
            let pairs = members(left).into_iter().zip(members(right)).map(|((left_key, left), (right_key, right))| {
                compare_keys(left_key, right_key).then_with(|| compare_nested(left, right))
            });
            pairs.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        }),
        _ => rank(left).cmp(&rank(right)),
    }
}

fn is_empty_array(json: &Json) -> bool {
    matches!(json, Json::Array(items) if items.is_empty())
}

fn rank(json: &Json) -> u8 {
    match json {
        Json::Null => 0,
        Json::String(_) => 1,
        Json::Number(_) => 2,
        Json::Bool(_) => 3,
        Json::Array(_) => 4,
        Json::Object(_) => 5,
    }
}

/// The members in the order in which `jsonb` keeps them: shorter keys first.
fn members(object: &Map<String, Json>) -> Vec<(&String, &Json)> {
    let mut members: Vec<_> = object.iter().collect();
    members.sort_by(|(left, _), (right, _)| compare_keys(left, right));
    members
}

fn compare_keys(left: &str, right: &str) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// Integers of 64 bits exactly, all else as floats.
fn compare_numbers(left: &Number, right: &Number) -> Ordering {
    if let (Some(left), Some(right)) = (left.as_i64(), right.as_i64()) {
        return left.cmp(&right);
    }
    let float = |number: &Number| number.as_f64().unwrap_or(f64::NAN);
    float(left).total_cmp(&float(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_sort_as_jsonb_does() {
        // In ascending order, as Postgres gives it.
        let sorted = [
            "[]",
            "null",
            r#""""#,
            r#""b""#,
            "-1.5",
            "2",
            "10",
            "false",
            "true",
            "[1]",
            "[2]",
            "[1, 1]",
            "{}",
            r#"{"b": 1}"#,
            r#"{"b": 2}"#,
            r#"{"aa": 0}"#,
            r#"{"b": 1, "aa": 0}"#,
        ];
        let values: Vec<Json> = sorted.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        for (place, left) in values.iter().enumerate() {
            for (other, right) in values.iter().enumerate() {
                assert_eq!(compare(left, right), place.cmp(&other), "{left} and {right}");
            }
        }
    }
}
