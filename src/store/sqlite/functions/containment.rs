//! `@>` and `&&` on JSON, which is also how arrays are kept.
//!
//! Elements of arrays are equal by `jsonb`'s rules; null is equal to nothing, and arrays inside count as their elements.
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

/// `left && right` of arrays: an element that is not null in both.
pub(super) fn overlaps(left: &Json, right: &Json) -> bool {
    let (Json::Array(_), Json::Array(_)) = (left, right) else { return false };
    let (left, right) = (elements(left), elements(right));
    left.iter().any(|element| right.iter().any(|other| is_equal_element(element, other)))
}

/// `left @> right` of arrays: each element of the right one is in the left one.
pub(super) fn array_contains(left: &Json, right: &Json) -> bool {
    let (Json::Array(_), Json::Array(_)) = (left, right) else { return false };
    let (left, right) = (elements(left), elements(right));
    right.iter().all(|wanted| left.iter().any(|found| is_equal_element(found, wanted)))
}

fn is_equal_element(left: &Json, right: &Json) -> bool {
    !left.is_null() && contains_nested(left, right) && contains_nested(right, left)
}

fn elements(json: &Json) -> Vec<&Json> {
    let mut found = Vec::new();
    collect_elements(json, &mut found);
    found
}

fn collect_elements<'a>(json: &'a Json, elements: &mut Vec<&'a Json>) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| collect_elements(item, elements)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => elements.push(json),
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
