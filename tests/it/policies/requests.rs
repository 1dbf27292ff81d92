//! Requests made by chance over the schema of `world`.

use super::stores::Sender;
use super::world::ROLES;
use crate::differential::generated::Chance;
use crate::differential::requests::Case;

const READS: &[&str] = &[
    "/a?order=id",
    "/a?select=id,n,twice&order=id",
    "/a?select=id&t=eq.q",
    "/a?select=id&owner=eq.ann&order=id",
    "/a?select=id&t=ilike.*T*&order=id",
    "/a?select=id&or=(n.gt.3,owner.is.null)&order=id",
    "/a?select=count()",
    "/a?select=owner,n.sum()&order=owner",
    "/a?select=id,b(id,flag)&b.order=id&order=id",
    "/a?select=id,b!inner(id)&b.flag=is.true&b.order=id&order=id",
    "/a?select=id,b(id)&b=is.null&b.order=id&order=id",
    "/a?select=id,...b(flag)&b.order=id&order=id",
    "/b?select=id,a(id,t)&order=id",
    "/b?select=id,a!inner(id)&a.n=gt.1&order=id",
    "/b?select=id,...a(owner)&order=id",
    "/b?select=id,a(t)&order=a(t),id",
    "/b?select=id,c(note)&c.order=a_id&order=id",
    "/b?order=id&limit=2",
    "/c?select=note,a(id),b(id)&order=a_id,b_id",
    "/va?order=id",
    "/vb?order=id",
    "/vb?select=id&t=like.*q*&order=id",
    "/vv?order=id",
    "/vi?order=id",
];

/// Verb, path and body.
const WRITES: &[(&str, &str, &str)] = &[
    ("POST", "/a", r#"{"id":20,"owner":"ann","n":4,"t":"new"}"#),
    ("POST", "/a", r#"{"id":20,"owner":"bob","n":1}"#),
    ("POST", "/a", r#"{"n":1}"#),
    ("POST", "/a", "{}"),
    ("POST", "/a", r#"[{"id":21,"n":8,"owner":"ann"},{"id":22,"n":1,"owner":null}]"#),
    ("POST", "/a", r#"{"id":20,"owner":"ann","n":4,"t":"q"}"#),
    ("POST", "/a", r#"{"id":2,"owner":"ann","n":4,"t":"other"}"#),
    ("POST", "/a?columns=id,n", r#"{"id":23,"n":3,"t":"ignored"}"#),
    ("POST", "/a?on_conflict=t", r#"{"owner":"ann","n":4,"t":"q"}"#),
    ("POST", "/b", r#"{"id":20,"a_id":1,"owner":"ann","flag":true}"#),
    ("POST", "/b", r#"{"id":20,"a_id":99,"owner":"ann","flag":true}"#),
    ("POST", "/b", r#"{"id":1,"a_id":2,"owner":"ann","flag":false}"#),
    ("POST", "/c", r#"{"a_id":2,"b_id":3,"note":"x"}"#),
    ("PUT", "/b?id=eq.2", r#"{"id":2,"a_id":1,"owner":"ann","flag":true}"#),
    ("PATCH", "/a?id=eq.1", r#"{"n":5}"#),
    ("PATCH", "/a?owner=eq.ann", r#"{"n":2}"#),
    ("PATCH", "/a", r#"{"n":3}"#),
    ("PATCH", "/a?id=gt.2", r#"{"owner":"bob"}"#),
    ("PATCH", "/a?id=eq.1", r#"{"t":"q"}"#),
    ("PATCH", "/a?t=like.*t*", r#"{"n":1}"#),
    ("PATCH", "/b?flag=is.true", r#"{"owner":"ann"}"#),
    ("PATCH", "/b", r#"{"flag":null}"#),
    ("PATCH", "/c?note=not.is.null", r#"{"note":"z"}"#),
    ("DELETE", "/c", ""),
    ("DELETE", "/c?a_id=eq.1", ""),
    ("DELETE", "/b?id=gt.3", ""),
    ("DELETE", "/b", ""),
    ("DELETE", "/a?id=eq.2", ""),
    ("DELETE", "/a?owner=is.null", ""),
];

/// A request and its sender.
pub(super) fn by_chance(chance: &mut Chance) -> (Sender, Case) {
    let sender = match chance.below(6) {
        0 => Sender::anonymous(),
        _ => {
            let level = serde_json::Value::from(chance.below(5));
            let name = chance.pick(&["ann", "bob"]);
            Sender::new(chance.pick(&ROLES), serde_json::json!({ "name": name, "level": level }))
        }
    };
    (sender, case(chance))
}

fn case(chance: &mut Chance) -> Case {
    if chance.one_in(2) {
        let case = Case::get(chance.pick(READS));
        return if chance.one_in(4) { case.prefer("count=exact") } else { case };
    }
    let (method, path, body) = chance.pick(WRITES);
    // Numbers that are given out are not given back when a write is undone on Postgres: what they are is not asked.
    let is_counted = path == "/a" && !body.contains("\"id\"") || path.contains("on_conflict");
    let returning = chance.one_in(3) && !(is_counted && method == "POST");
    let separator = if path.contains('?') { '&' } else { '?' };
    let key = if path.starts_with("/c") { "a_id,b_id" } else { "id" };
    let path = if returning { format!("{path}{separator}select={key}&order={key}") } else { path.to_owned() };
    let mut case = Case::write(method, path, body).prefer("count=exact");
    if returning {
        case = case.prefer("return=representation");
    }
    if method == "POST" {
        case = match chance.below(4) {
            0 => case.prefer("resolution=merge-duplicates"),
            1 => case.prefer("resolution=ignore-duplicates"),
            2 => case.prefer("missing=default"),
            _ => case,
        };
    }
    case
}
