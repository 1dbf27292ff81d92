//! `@>` and `&&` on JSON, which is also how arrays are kept.
//!
//! Arrays are compared by `jsonb`'s rules. They differ from those of Postgres' arrays in one point: a null in both is
//! contained. An overlap by null is none.
//!
//! Source: <https://www.postgresql.org/docs/15/datatype-json.html#JSON-CONTAINMENT>.

use serde_json::Value as Json;

/// `left @> right`. An array contains a scalar that is one of its elements, at the top only.
pub(super) fn contains(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Array(items), Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) => {
            items.iter().any(|item| is_equal_scalar(item, right))
        }
        _ => contains_nested(left, right),
    }
}

/// Calls itself for what is nested; `serde_json` bounded the depth when it read the values.
fn contains_nested(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Object(left), Json::Object(right)) => {
            right.iter().all(|(key, wanted)| left.get(key).is_some_and(|found| contains_nested(found, wanted)))
        }
        (Json::Array(left), Json::Array(right)) => {
            right.iter().all(|wanted| left.iter().any(|found| contains_nested(found, wanted)))
        }
        _ => is_equal_scalar(left, right),
    }
}

/// `left && right` of arrays: an element that is not null in both; arrays inside count as their elements.
pub(super) fn overlaps(left: &Json, right: &Json) -> bool {
    let (Json::Array(_), Json::Array(_)) = (left, right) else { return false };
    let (mut left_elements, mut right_elements) = (Vec::new(), Vec::new());
    collect_elements(left, &mut left_elements);
    collect_elements(right, &mut right_elements);
    left_elements.iter().any(|element| {
        right_elements.iter().any(|other| contains_nested(element, other) && contains_nested(other, element))
    })
}

fn collect_elements<'a>(json: &'a Json, elements: &mut Vec<&'a Json>) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| collect_elements(item, elements)),
        Json::Null => {}
        Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => elements.push(json),
    }
}

fn is_equal_scalar(left: &Json, right: &Json) -> bool {
    match (left, right) {
        (Json::Number(left), Json::Number(right)) => is_equal_number(&left.to_string(), &right.to_string()),
        (Json::Null, Json::Null) => true,
        (Json::Bool(left), Json::Bool(right)) => left == right,
        (Json::String(left), Json::String(right)) => left == right,
        _ => false,
    }
}

/// `1`, `1.0` and `1e0` are one number. Digits decide; exponents are compared as floats.
fn is_equal_number(left: &str, right: &str) -> bool {
    let has_exponent = |text: &str| text.contains(['e', 'E']);
    if has_exponent(left) || has_exponent(right) {
        return left.parse::<f64>().ok() == right.parse::<f64>().ok();
    }
    without_zeros(left) == without_zeros(right)
}

fn without_zeros(text: &str) -> &str {
    let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    if trimmed == "-0" { "0" } else { trimmed }
}
