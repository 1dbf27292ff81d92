//! Makes a request smaller as long as something stays true of it, so that a difference is seen in as few words as show it.
//!
//! Tried are requests without a parameter, without a part of one (an item of `select`, a term of `order`, a condition),
//! without a header, and with less of a body. Each must stand alone: what earlier requests wrote may not matter.

use serde_json::Value;

use super::requests::Case;

/// Most requests that are tried: of those there are, each smaller than the one before.
const TRIES_MAX: usize = 300;

/// The smallest request found for which `holds` is true, beginning with one for which it is.
pub fn shrink(case: &Case, mut holds: impl FnMut(&Case) -> bool) -> Case {
    let mut smallest = case.clone();
    let mut tries = 0;
    loop {
        let smaller = smaller(&smallest).into_iter().find(|candidate| {
            tries += 1;
            tries <= TRIES_MAX && holds(candidate)
        });
        match smaller {
            Some(candidate) => smallest = candidate,
            None => return smallest,
        }
    }
}

/// Requests that are smaller by one part.
fn smaller(case: &Case) -> Vec<Case> {
    let (resource, query) = case.path.split_once('?').unwrap_or((&case.path, ""));
    let parameters: Vec<&str> = query.split('&').filter(|parameter| !parameter.is_empty()).collect();
    let with = |parameters: &[String]| {
        let query = parameters.join("&");
        let path = if query.is_empty() { resource.to_owned() } else { format!("{resource}?{query}") };
        Case { path, ..case.clone() }
    };
    let owned = |parameters: &[&str]| parameters.iter().map(|parameter| (*parameter).to_owned()).collect::<Vec<_>>();
    let mut found = Vec::new();
    for index in 0..parameters.len() {
        let mut fewer = owned(&parameters);
        fewer.remove(index);
        found.push(with(&fewer));
    }
    for index in 0..case.headers.len() {
        let mut fewer = case.clone();
        fewer.headers.remove(index);
        found.push(fewer);
    }
    for (index, parameter) in parameters.iter().enumerate() {
        for part in without_a_part(parameter) {
            let mut changed = owned(&parameters);
            changed[index] = part;
            found.push(with(&changed));
        }
    }
    let bodies = serde_json::from_str(&case.body).map(|body| without_a_member(&body)).unwrap_or_default();
    found.extend(bodies.into_iter().map(|body| Case { body: body.to_string(), ..case.clone() }));
    found
}

/// The parameter without one of the items of a list: of its value, or of one in parentheses.
fn without_a_part(parameter: &str) -> Vec<String> {
    let Some((name, value)) = parameter.split_once('=') else { return Vec::new() };
    let mut found: Vec<String> = without_an_item(value).into_iter().map(|fewer| format!("{name}={fewer}")).collect();
    for (open, _) in parameter.match_indices('(') {
        let Some(length) = closing(&parameter[open..]) else { continue };
        let (before, rest) = parameter.split_at(open + 1);
        let (inside, after) = rest.split_at(length - 1);
        found.extend(without_an_item(inside).into_iter().map(|fewer| format!("{before}{fewer}{after}")));
    }
    found
}

/// The list without each of its items.
fn without_an_item(list: &str) -> Vec<String> {
    let items = items(list);
    if items.len() < 2 {
        return Vec::new();
    }
    let without = |index: usize| {
        let kept = items.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, item)| *item);
        kept.collect::<Vec<_>>().join(",")
    };
    (0..items.len()).map(without).collect()
}

/// The items between commas that stand in no parentheses, braces or quotes.
fn items(list: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth, mut quoted) = (Vec::new(), 0, 0, false);
    for (index, character) in list.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '(' | '{' if !quoted => depth += 1,
            ')' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                found.push(&list[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    found.push(&list[start..]);
    found
}

/// Where the parenthesis closes that a text begins with.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices().find_map(|(index, character)| {
        depth += match character {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        (depth == 0).then_some(index)
    })
}

/// A body without one of its rows, or without a member of one.
fn without_a_member(body: &Value) -> Vec<Value> {
    match body {
        Value::Array(rows) => {
            let fewer = |index: usize| {
                let kept = rows.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, row)| row.clone());
                Value::Array(kept.collect())
            };
            let changed = rows.iter().enumerate().flat_map(|(index, row)| {
                without_a_member(row).into_iter().map(move |smaller| {
                    let mut rows = rows.clone();
                    rows[index] = smaller;
                    Value::Array(rows)
                })
            });
            (0..rows.len()).map(fewer).chain(changed).collect()
        }
        Value::Object(members) => {
            let without = |name: &String| {
                let mut fewer = members.clone();
                fewer.remove(name);
                Value::Object(fewer)
            };
            members.keys().map(without).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

#[test]
fn a_request_shrinks_to_what_makes_it_wrong() {
    let case = Case::write(
        "POST",
        "/kinds?select=id,words,directors(name,born)&or=(small.gt.1,and(big.lt.\"2,3\",truth.is.null),day.is.null)&order=id,day",
        r#"[{"id":1,"small":2},{"id":2,"small":3,"big":4}]"#,
    )
    .prefer("return=representation");
    let wrong = |case: &Case| {
        case.path.contains("born") && case.path.contains("big.lt.\"2,3\"") && case.body.contains("\"big\"")
    };
    let smallest = shrink(&case, wrong);
    assert_eq!(smallest.path, "/kinds?select=directors(born)&or=(and(big.lt.\"2,3\"))");
    assert_eq!(smallest.body, r#"[{"big":4}]"#);
    assert!(smallest.headers.is_empty());
}
