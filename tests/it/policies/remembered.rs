//! What berth remembers, names or explains must tell of a hidden row no more than its rows do: tags, stored answers,
//! batches, plans.

use super::stores::{Sender, Stores};
use crate::differential::requests::Case;
use crate::support::{Answer, Client};

/// What is in the hidden note, and nowhere else.
const HIDDEN: [&str; 2] = ["s5", "cid one"];

/// Somebody who is known by `sub` too, as `Idempotency-Key` knows senders.
fn sender(role: &str, name: &str, subject: &str) -> Sender {
    Sender::new(&format!("rem_{role}"), serde_json::json!({ "name": name, "sub": subject }))
}

fn send(client: &Client, sender: &Sender, case: &Case) -> Answer {
    case.send(client, &sender.headers())
}

#[test]
fn what_is_remembered_and_explained_tells_of_no_hidden_row() {
    let schema = super::SCHEMA.replace("pol_", "rem_");
    let Some(stores) = Stores::start("remembered", &schema, "rem_anon") else { return };
    for (store, berth) in stores.all() {
        let client = berth.client();
        conditions_meet_no_hidden_row(&client, store);
        plans_are_those_of_rows_that_are_not_there(&client, store);
        batches_refer_to_no_hidden_row(&client, store);
        a_tag_tells_of_a_hidden_row_what_it_tells_of_any_other_table(&client, store);
        a_stored_answer_is_for_its_sender_alone(&client, store);
    }
}

/// Asked of a hidden note and of none, these are answered alike.
fn conditions_meet_no_hidden_row(client: &Client, store: &str) {
    let ann = sender("user", "ann", "a");
    let write = |method, body: &str| Case::write(method, "/notes?id=eq.ID", body);
    for case in [
        Case::get("/notes?id=eq.ID").with("If-Match", "*"),
        Case::get("/notes?id=eq.ID").with("If-None-Match", "*"),
        write("PATCH", r#"{"stars":3}"#).with("If-Match", "*"),
        write("PATCH", r#"{"stars":3}"#).with("If-None-Match", "*"),
        write("DELETE", "").with("If-Match", "*"),
        write("DELETE", "").with("If-None-Match", "*"),
        write("PATCH", r#"{"stars":3}"#).with("If-Match", "\"0000000000000000-00000000000000000000000000000000\""),
    ] {
        let ask = |id: &str| {
            let answer = send(client, &ann, &Case { path: case.path.replace("ID", id), ..case.clone() });
            (answer.status, answer.body.clone(), answer.header("ETag").is_some())
        };
        assert_eq!(ask("5"), ask("555"), "{store}: {case:?}");
    }
    let hidden = send(client, &sender("service", "", "s"), &Case::get("/notes?id=eq.5"));
    assert!(hidden.body.contains("cid one"), "{store}: nothing happened to it: {hidden:?}");
    // A tag that somebody else was given fits nothing of ann's.
    let Some(tag) = hidden.header("ETag") else { return };
    let read = send(client, &ann, &Case::get("/notes?id=eq.5").with("If-None-Match", tag));
    assert_eq!((read.status, read.body.as_str()), (200, "[]"), "{store}");
    let write = write("PATCH", r#"{"stars":3}"#).with("If-Match", tag);
    let refused = send(client, &ann, &Case { path: "/notes?id=eq.5".to_owned(), ..write });
    assert_eq!(refused.status, 412, "{store}: {refused:?}");
}

fn plans_are_those_of_rows_that_are_not_there(client: &Client, store: &str) {
    let ann = sender("user", "ann", "a");
    for path in
        ["/notes?id=eq.ID", "/notes?id=eq.ID&secret=eq.s5", "/my_notes?id=eq.ID", "/notes?select=count()&id=lte.ID"]
    {
        let ask = |id: &str| {
            let case = Case::get(path.replace("ID", id)).with("Accept", "application/vnd.pgrst.plan+text");
            let answer = send(client, &ann, &case);
            assert_eq!(answer.status, 200, "{store}: {answer:?}");
            answer.body.replace(&format!("= {id})"), "= ID)")
        };
        assert_eq!(ask("5"), ask("555"), "{store}: {path}");
    }
}

fn batches_refer_to_no_hidden_row(client: &Client, store: &str) {
    let ann = sender("user", "ann", "a");
    let batch = |requests: &str| send(client, &ann, &Case::write("POST", "/-/batch", requests).prefer("dry-run"));
    for requests in [
        r#"[{"path":"/notes?order=id"},{"path":"/comments?select=id,notes(*)&order=id"}]"#,
        r#"[{"id":"n","path":"/notes?id=eq.5"},{"path":"/comments?note_id=eq.${n.0.id}"}]"#,
        r#"[{"id":"n","path":"/comments?select=note_id&id=eq.4"},{"path":"/notes?id=eq.${n.0.note_id}"}]"#,
        r#"[{"id":"n","method":"PATCH","path":"/notes?select=*","headers":{"Prefer":"return=representation"},"body":{"stars":3}},{"path":"/notes?id=in.(${n.*.id})"}]"#,
        r#"[{"method":"POST","path":"/rpc/put_note","body":{"id":96,"owner":"ann","title":"x","stars":3}},{"path":"/notes?or=(id.eq.5,id.eq.96)"}]"#,
        r#"[{"method":"PATCH","path":"/notes?id=eq.5","headers":{"If-Match":"*"},"body":{"stars":3}}]"#,
    ] {
        let answer = batch(requests);
        assert!(HIDDEN.iter().all(|hidden| !answer.body.contains(hidden)), "{store}: {requests}: {answer:?}");
    }
    let refused = batch(r#"[{"id":"n","path":"/notes?id=eq.5"},{"path":"/comments?note_id=eq.${n.0.id}"}]"#);
    assert_eq!(refused.status, 400, "{store}: {refused:?}");
}

/// A change of a hidden note and one of a table that is not the sender's business at all are the same to a tag.
fn a_tag_tells_of_a_hidden_row_what_it_tells_of_any_other_table(client: &Client, store: &str) {
    let (ann, service) = (sender("user", "ann", "a"), sender("service", "", "s"));
    for path in [
        "/notes?order=id",
        "/notes?id=eq.1",
        "/notes?id=eq.5",
        "/notes?select=count()",
        "/comments?select=id,notes(title)&order=id",
    ] {
        let mut seen = Vec::new();
        for write in [
            Case::write("PATCH", "/closed?id=eq.1", r#"{"note":"changed"}"#),
            Case::write("PATCH", "/notes?id=eq.5", r#"{"data":{"changed":true}}"#),
        ] {
            let before = send(client, &ann, &Case::get(path));
            let Some(tag) = before.header("ETag").map(str::to_owned) else { continue };
            let written = send(client, &service, &write);
            assert_eq!(written.status, 204, "{store}: {written:?}");
            let again = send(client, &ann, &Case::get(path).with("If-None-Match", tag));
            seen.push((
                again.status,
                again.header("ETag").map(content).map(str::to_owned)
                    == before.header("ETag").map(content).map(str::to_owned),
            ));
        }
        assert!(seen.windows(2).all(|pair| pair.first() == pair.last()), "{store}: {path}: {seen:?}");
    }
}

/// The part of a tag that names rows.
fn content(tag: &str) -> &str {
    tag.trim_matches('"').rsplit('-').next().filter(|part| part.len() == 32).unwrap_or_default()
}

fn a_stored_answer_is_for_its_sender_alone(client: &Client, store: &str) {
    let write =
        Case::write("POST", "/notes?select=*", r#"{"owner":"ann","title":"once only","secret":"for ann","stars":3}"#)
            .prefer("return=representation")
            .with("Idempotency-Key", "the-same");
    let first = send(client, &sender("user", "ann", "a"), &write);
    assert_eq!(first.status, 201, "{store}: {first:?}");
    let others = [
        Sender::anonymous(),
        sender("user", "bob", "b"),
        sender("lead", "bob", "b"),
        // The same claim `sub` in another role, and no claim `sub` at all.
        sender("narrow", "ann", "a"),
        sender("lead", "bob", "a"),
        Sender::named("rem_user", "bob"),
    ];
    for other in others {
        let answer = send(client, &other, &write);
        assert!(answer.status >= 400 && !answer.body.contains("for ann"), "{store}: {other:?}: {answer:?}");
    }
    let again = send(client, &sender("user", "ann", "a"), &write);
    assert_eq!((again.status, &again.body), (201, &first.body), "{store}");
}
