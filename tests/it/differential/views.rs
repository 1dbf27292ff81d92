//! Writes to views of every kind on both stores.

use super::requests::Case;
use super::{Pair, assert_equal};

/// Views of every kind, those that take no writes among them: each with bodies for it.
const WRITTEN: &[(&str, &[&str])] = &[
    ("plain", &[r#"{"id":9,"name":"i","price":1.5}"#, r#"{"id":1,"name":"i"}"#, r#"{"id":9,"name":"a"}"#]),
    ("cheap", &[r#"{"id":9,"name":"i","price":5}"#, r#"{"id":9,"name":"i","price":99}"#, r#"{"id":9,"nome":"i"}"#]),
    (
        "cheap_checked",
        &[r#"{"id":9,"name":"i","price":5}"#, r#"{"id":9,"name":"i","price":99}"#, r#"{"id":9,"name":"i"}"#],
    ),
    (
        "few",
        &[
            r#"{"no":9,"called":"i"}"#,
            r#"{"no":9,"shout":"I"}"#,
            r#"{"no":9,"again":9}"#,
            r#"{"no":9,"called":"i","twice":4}"#,
        ],
    ),
    ("fewer", &[r#"{"no":9,"called":"i"}"#, r#"{"no":2,"called":"b"}"#, r#"{"no":9,"loud":"I!"}"#, r#"{"no":2}"#]),
    ("fewer_local", &[r#"{"no":9,"called":"ii"}"#, r#"{"no":1,"called":"i"}"#, r#"{"no":9,"called":"iiiiiii"}"#]),
    ("fewer_cascaded", &[r#"{"no":9,"called":"ii"}"#, r#"{"no":1,"called":"i"}"#, r#"{"no":9,"called":"iiiiiii"}"#]),
    ("with_next", &[r#"{"id":9,"name":"i"}"#, r#"{"id":9,"name":"i","next":"j"}"#]),
    ("keyless", &[r#"{"name":"i","price":3}"#, r#"{"name":"a"}"#]),
    ("computed_only", &[r#"{"shout":"I"}"#, "{}"]),
    ("generated", &[r#"{"id":9,"name":"i"}"#, r#"{"id":9,"name":"i","doubled":3}"#]),
    ("ordered_view", &[r#"{"id":9,"name":"i"}"#]),
    ("children", &[r#"{"id":9,"item":1,"note":"n"}"#, r#"{"id":9,"item":77,"note":"n"}"#, r#"{"item":2}"#]),
    ("distinct_view", &[r#"{"id":9}"#]),
    ("grouped", &[r#"{"price":9}"#]),
    ("having_view", &[r#"{"price":9}"#]),
    ("counted", &[r#"{"n":9}"#]),
    ("numbered", &[r#"{"id":9}"#]),
    ("limited", &[r#"{"id":9}"#]),
    ("union_view", &[r#"{"id":9}"#]),
    ("named_query", &[r#"{"id":9}"#]),
    ("joined", &[r#"{"id":9}"#]),
    ("derived", &[r#"{"id":9}"#]),
    ("of_distinct", &[r#"{"id":9}"#]),
];

/// The key of a view.
fn key(view: &str) -> &'static str {
    match view {
        "few" | "fewer" | "fewer_local" | "fewer_cascaded" => "no",
        "keyless" => "name",
        "grouped" | "having_view" => "price",
        "counted" => "n",
        "computed_only" => "shout",
        _ => "id",
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (view, bodies) in WRITTEN {
        let key = key(view);
        let undone = |method: &'static str, rest: &str, body: &str, prefer: &str| {
            Case::write(method, format!("/{view}{rest}"), body).prefer(&format!("tx=rollback{prefer}"))
        };
        cases.push(Case { method: "OPTIONS", ..Case::get(format!("/{view}")) });
        for body in *bodies {
            for prefer in [
                "",
                ", return=representation",
                ", return=headers-only",
                ", return=representation, resolution=merge-duplicates",
                ", return=representation, resolution=ignore-duplicates",
                ", return=representation, missing=default",
                ", dry-run, count=exact",
            ] {
                cases.push(undone("POST", "", body, prefer));
            }
            cases.push(undone(
                "POST",
                &format!("?on_conflict={key}"),
                body,
                ", return=representation, resolution=merge-duplicates",
            ));
            cases.push(undone("POST", "", &format!("[{body},{body}]"), ", return=representation"));
            for value in ["2", "9", "77"] {
                cases.push(undone("PATCH", &format!("?{key}=eq.{value}"), body, ", return=representation"));
                cases.push(undone("PATCH", &format!("?{key}=eq.{value}"), body, ""));
                cases.push(undone("PUT", &format!("?{key}=eq.{value}"), body, ", return=representation"));
            }
            cases.push(undone("PATCH", &format!("?order={key}"), body, ", return=representation, count=exact"));
        }
        for rest in
            ["?KEY=gt.1&order=KEY.desc", "?KEY=lt.3&order=KEY", "?order=KEY", "?KEY=in.(1,2,3)&order=KEY&select=k:KEY"]
        {
            let rest = rest.replace("KEY", key);
            cases.push(undone("DELETE", &rest, "", ", return=representation"));
            cases.push(undone("DELETE", &rest, "", ", count=exact"));
            cases.push(undone("DELETE", &rest, "", ", handling=strict, max-affected=1"));
        }
    }
    cases.extend(embedding());
    cases
}

/// What belongs to rows that are written through a view, and filters of what it computes.
fn embedding() -> Vec<Case> {
    let undone = |method: &'static str, path: &str, body: &str| {
        Case::write(method, path, body).prefer("tx=rollback, return=representation")
    };
    vec![
        undone("POST", "/children?select=id,note,items(name)", r#"{"id":9,"item":1,"note":"n"}"#),
        undone("POST", "/children?select=id,note,plain(name,price)", r#"{"id":9,"item":1,"note":"n"}"#),
        undone("PATCH", "/children?select=id,...plain(name)&id=lt.3&order=id", r#"{"item":2}"#),
        undone("PATCH", "/few?select=no,shout,children(id,note)&children.order=id&order=no", r#"{"called":null}"#),
        undone(
            "PATCH",
            "/few?select=no,shout,children(id,note)&children.order=id&order=no&shout=eq.B",
            r#"{"called":"bee"}"#,
        ),
        undone("PATCH", "/fewer?loud=eq.C!&select=loud,no", r#"{"called":"sea"}"#),
        undone("PATCH", "/fewer?loud=like.*!&order=loud.desc&select=loud,no", r#"{"called":null}"#),
        undone("DELETE", "/fewer?loud=ilike.c*&select=loud,no", ""),
        undone("DELETE", "/with_next?next=is.null&order=id&select=id,next", ""),
        undone("DELETE", "/with_next?next=eq.b&select=id,name", ""),
        undone("PATCH", "/with_next?id=lt.3&order=id&select=id,next", r#"{"price":7}"#),
        undone("PATCH", "/cheap?price=gt.4.50&order=id&select=id,price", r#"{"price":4.50}"#),
        undone("PATCH", "/cheap?data->>a=eq.1&select=id,data->a", r#"{"price":4.50}"#),
        undone("DELETE", "/children?id=eq.1&select=id,items(name)", ""),
        undone("DELETE", "/items?id=lt.3&select=id,parts(id,note)&parts.order=id&order=id.desc", ""),
        undone("DELETE", "/plain?id=lt.3&select=id,...parts(notes:note)&parts.order=id&order=id", ""),
        undone("DELETE", "/few?no=lt.3&select=no,children(id)&children.order=id&order=no", "").prefer("count=exact"),
        undone("DELETE", "/parts?select=id,items(name)&order=items(name).desc.nullslast,id", ""),
        undone("DELETE", "/items?id=lt.3&select=id,parts(id)", "").prefer("handling=strict, max-affected=1"),
        undone("DELETE", "/items?id=eq.1&select=id,parts(count)", "")
            .with("Accept", "application/vnd.pgrst.object+json"),
        undone("DELETE", "/items?id=eq.1&select=id,parts!inner(id)&parts.id=eq.1", ""),
        undone(
            "POST",
            "/plain?columns=name,price&select=name,price",
            r#"[{"name":"x","price":1,"id":1},{"name":"y"}]"#,
        ),
        undone("POST", "/few?columns=called&select=called,twice", r#"[{"called":"x"},{"called":"y","twice":1}]"#),
    ]
}

#[test]
fn views_take_the_same_writes_on_both_stores() {
    let Some(pair) = Pair::start("written", include_str!("views.sql")) else { return };
    assert_equal("views", &pair, &cases());
}
