//! Ways round a policy, each of which must end where it began: ann sees nothing of cid's note 5, nor that it is there.

use super::stores::{Compared, Sender};
use crate::differential::requests::Case;
use crate::support::Answer;

/// What is in rows that ann must not see, and nowhere else.
const HIDDEN: [&str; 4] = ["s5", "cid one", "buried", "b-dan"];

/// A note that ann cannot see, and one that nobody has.
const HIDDEN_NOTE: &str = "5";
const NO_NOTE: &str = "555";

fn ann() -> Sender {
    Sender::named("att_user", "ann")
}

/// Ways of one kind.
pub(super) struct Attempt {
    name: &'static str,
    cases: Vec<Case>,
}

pub(super) fn all() -> Vec<Attempt> {
    let get = |paths: &[&str]| paths.iter().map(|path| Case::get(*path)).collect::<Vec<Case>>();
    let post = |path: &str, body: &str| Case::write("POST", path, body);
    let patch = |path: &str, body: &str| Case::write("PATCH", path, body);
    let returning = |case: Case| case.prefer("return=representation");
    let merging = |case: Case| case.prefer("resolution=merge-duplicates");
    let csv = |case: Case| case.with("Accept", "text/csv");
    let lines = |case: Case| case.with("Accept", "application/x-ndjson");
    let tried = |case: Case| case.prefer("dry-run");
    let call = |name: &str, arguments: &str| Case::write("POST", format!("/rpc/{name}"), arguments);
    vec![
        Attempt {
            name: "logic",
            cases: get(&[
                "/notes?or=(id.eq.5,id.gt.0)&select=id,title&order=id",
                "/notes?not.and=(id.eq.1,id.eq.2)&select=id,title&order=id",
                "/notes?or=(owner.eq.cid,owner.not.is.null,secret.eq.s5)&select=title&order=id",
                "/notes?id=not.in.(1,2,3)&select=title&order=id",
                "/comments?or=(id.gt.0,author.eq.cid)&select=id,body&order=id",
            ]),
        },
        Attempt {
            name: "embedding",
            cases: get(&[
                "/comments?select=id,notes(*)&order=id",
                "/comments?select=id,...notes(title,secret)&order=id",
                "/comments?select=id,notes!inner(title)&notes.id=eq.5&order=id",
                "/comments?select=id,notes(title)&notes=not.is.null&order=id",
                "/tags?select=name,notes(title,comments(body))&notes.order=id&notes.comments.order=id&order=id",
                "/tags?select=name,note_tags(note_id,hidden)&note_tags.order=note_id&order=id",
                "/notes?select=id,comments(body,notes(secret))&comments.order=id&order=id",
                "/members?select=person&order=person",
            ]),
        },
        Attempt {
            name: "hidden columns",
            cases: vec![
                Case::get("/notes?select=id&order=secret,id"),
                Case::get("/notes?select=id&secret=like.s*&order=id"),
                Case::get("/comments?select=id,notes(id)&order=notes(secret),id"),
                Case::get("/comments?select=id,notes!inner(id)&notes.secret=eq.s5"),
            ],
        },
        Attempt {
            name: "upserts",
            cases: vec![
                merging(post("/notes", r#"{"id":5,"owner":"ann","title":"mine now","stars":3}"#)),
                returning(merging(post("/notes?select=*", r#"{"id":5,"owner":"ann","title":"mine now","stars":3}"#))),
                merging(post("/notes?on_conflict=title", r#"{"id":60,"owner":"ann","title":"cid one","stars":3}"#)),
                returning(merging(post("/notes?on_conflict=title&select=*", r#"{"owner":"ann","title":"cid one"}"#))),
                returning(post("/notes?on_conflict=title&select=*", r#"{"owner":"ann","title":"cid one","stars":3}"#))
                    .prefer("resolution=ignore-duplicates"),
                Case::write(
                    "PUT",
                    "/notes?id=eq.5",
                    r#"{"id":5,"owner":"ann","team":null,"title":"x","secret":null,"stars":3,"data":null}"#,
                ),
            ],
        },
        Attempt {
            name: "columns",
            cases: vec![
                post("/notes?columns=id,title,stars", r#"{"id":70,"title":"x","stars":3,"owner":"cid"}"#)
                    .prefer("missing=default"),
                returning(post(
                    "/notes?columns=owner,title,stars&select=owner",
                    r#"{"title":"x","stars":3,"owner":"cid"}"#,
                )),
                patch("/notes?id=eq.1&columns=owner", r#"{"owner":"cid","stars":3}"#),
                returning(patch("/notes?id=eq.5&columns=stars&select=*", r#"{"stars":3}"#)),
            ],
        },
        Attempt {
            name: "CSV",
            cases: vec![
                csv(Case::get("/notes?select=*&order=id")),
                csv(returning(patch("/notes?select=*&order=id", r#"{"stars":3}"#))),
                Case {
                    headers: vec![("Content-Type", "text/csv".to_owned())],
                    ..post("/notes", "id,owner,title,stars\n80,cid,csv,4\n")
                },
            ],
        },
        Attempt {
            name: "counts",
            cases: vec![
                Case::get("/notes?select=id&limit=1&order=id").prefer("count=exact"),
                Case::get("/notes?select=id&limit=1&order=id&id=eq.5").prefer("count=exact"),
                Case { method: "HEAD", ..Case::get("/notes?id=gte.5").prefer("count=exact") },
                Case::get("/notes?select=id&offset=3&order=id").prefer("count=exact"),
                patch("/notes?id=gte.5", r#"{"stars":3}"#).prefer("count=exact"),
                Case::write("DELETE", "/comments", "").prefer("count=exact"),
                patch("/notes?id=gt.0", r#"{"stars":3}"#).prefer("handling=strict, max-affected=1"),
                returning(patch("/notes?select=id", r#"{"stars":3}"#))
                    .with("Accept", "application/vnd.pgrst.object+json"),
            ],
        },
        Attempt {
            name: "aggregates",
            cases: get(&[
                "/notes?select=count()",
                "/notes?select=title.max(),secret.max(),id.max(),stars.sum()",
                "/notes?select=owner,count()&order=owner",
                "/comments?select=...notes(owner,id.max())&order=notes(owner)",
                "/tags?select=name,notes(count())&order=id",
            ]),
        },
        Attempt {
            name: "views",
            cases: get(&[
                "/my_notes?order=id",
                "/my_notes?id=eq.5",
                "/my_comments?order=id",
                "/my_comments?title=like.*one&order=id",
                "/my_notes?select=id,comments(body)&comments.order=id&order=id",
            ]),
        },
        Attempt {
            name: "functions that run as their caller",
            cases: vec![
                Case::get("/rpc/shown_notes?id=eq.5"),
                Case::get("/rpc/shown_notes?or=(id.gt.0,secret.eq.s5)&select=id,title,secret&order=secret"),
                Case::get("/rpc/shown_notes?select=id,comments(body)&comments.order=id&order=id").prefer("count=exact"),
                Case::get("/rpc/shown_notes?select=count(),secret.max()"),
                Case::get("/rpc/counted?fewest=0"),
                call("put_note", r#"{"id":5,"owner":"ann","title":"mine now","stars":3}"#),
                call("put_note", r#"{"id":95,"owner":"cid","title":"theirs","stars":3}"#),
                call("call_all?order=call_all", r#"{"new_title":"t"}"#),
                call("star_teams?order=id", r#"{"more":1}"#),
                call("drop_notes?order=drop_notes", r#"{"most":100}"#),
            ],
        },
        Attempt {
            name: "what is embedded in the result of a function of the owner",
            cases: get(&[
                "/rpc/every_note?select=id,comments(body)&comments.order=id&order=id",
                "/rpc/every_note?select=id,own_comments(body)&own_comments.order=id&order=id",
                "/rpc/every_note?select=id,comment_count&order=id",
                "/rpc/every_note?select=id,tags(name)&tags.order=id&order=id",
                "/rpc/every_note?select=id&comments.body=like.t*&comments=not.is.null&order=id",
                "/boards?select=*&order=id",
                "/rpc/is_in?of_team=3",
            ]),
        },
        Attempt {
            name: "each value once",
            cases: get(&[
                "/notes?select=owner&order=owner&-distinct=",
                "/notes?select=owner,title&order=title&-distinct=owner",
                "/notes?select=owner,title,secret&order=secret.nullslast,id&-distinct=owner",
                "/notes?select=title.countdistinct()",
                "/comments?select=note_id,notes(title,secret)&order=note_id&-distinct=note_id",
            ]),
        },
        Attempt {
            name: "pages by keys",
            cases: get(&[
                "/notes?select=id&order=title&limit=2&-after=",
                "/notes?select=id&order=secret,id&limit=2&-before=",
                "/comments?select=id&order=notes(secret),id&limit=3&-after=",
                "/comments?select=id&order=notes(secret).desc,id&limit=1&-after=",
                "/comments?select=id&order=notes(title).nullsfirst,id&limit=2&-before=",
            ]),
        },
        Attempt {
            name: "trials",
            cases: vec![
                tried(returning(patch("/notes?select=*&order=id", r#"{"stars":3}"#))),
                tried(returning(merging(post("/notes?select=*", r#"{"id":5,"owner":"ann","title":"x","stars":3}"#)))),
                tried(returning(Case::write("DELETE", "/notes?select=*", ""))),
                tried(patch("/notes?id=eq.1", r#"{"owner":"cid"}"#)),
                tried(call("star_all", r#"{"new_stars":4}"#)),
            ],
        },
        Attempt {
            name: "lines",
            cases: vec![
                lines(Case::get("/notes?select=*&order=id")),
                lines(Case::get("/notes?id=eq.5")).prefer("count=exact"),
                lines(Case::get("/comments?select=id,notes(*)&order=id")),
                lines(returning(patch("/notes?select=*&order=id", r#"{"stars":3}"#))),
                lines(Case::get("/rpc/shown_notes?order=id")),
                Case {
                    headers: vec![("Content-Type", "application/x-ndjson".to_owned())],
                    ..post("/notes", "{\"id\":81,\"owner\":\"ann\"}\n{\"id\":82,\"owner\":\"cid\"}\n")
                },
            ],
        },
        Attempt {
            name: "error messages",
            cases: vec![
                post("/notes", r#"{"id":5,"owner":"ann","title":"x","stars":3}"#),
                post("/notes", r#"{"id":90,"owner":"ann","title":"cid one","stars":3}"#),
                patch("/notes?id=eq.1", r#"{"title":"cid one"}"#),
                patch("/notes?id=eq.1", r#"{"id":5}"#),
                post("/notes", r#"{"id":5,"owner":"cid","title":"cid one","stars":3}"#),
                post("/notes", r#"{"id":91,"owner":"cid","title":"x","stars":1000}"#),
                post("/comments", r#"{"id":90,"note_id":5,"author":"ann","body":"x"}"#),
                post("/comments", r#"{"id":91,"note_id":555,"author":"ann","body":"x"}"#),
                Case::write("DELETE", "/notes?id=eq.1", ""),
                Case::get("/notes?secret=eq.s5&select=nothing"),
            ],
        },
    ]
}

/// Sends what an attempt is made of; none of the answers may tell anything.
pub(super) fn make(attempt: &Attempt, compared: &mut Compared<'_>) {
    for case in &attempt.cases {
        let answer = compared.send(&ann(), case);
        let cursors = cursors(answer.header("Link").unwrap_or_default());
        for hidden in HIDDEN {
            // A value that the sender sent itself tells nothing.
            let was_sent = case.path.contains(hidden) || case.body.contains(hidden);
            let told = (answer.body.contains(hidden) || cursors.contains(hidden)) && !was_sent;
            assert!(!told, "{}: {case:?} was told {hidden}: {} {cursors}", attempt.name, answer.body);
        }
    }
}

/// What the cursors of a `Link` say.
pub(super) fn cursors(link: &str) -> String {
    use base64::Engine as _;
    let read = |word: &str| {
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(word).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    link.split(['=', '&', '>']).map(read).collect()
}

/// Requests that name a note: asked of a hidden one and of none, they must be answered alike.
pub(super) fn ask_for_existence(compared: &mut Compared<'_>) {
    let note = |path: &str| Case::get(path);
    for case in [
        note("/notes?id=eq.ID"),
        note("/notes?id=eq.ID&select=id").prefer("count=exact"),
        note("/notes?id=eq.ID").with("Accept", "application/vnd.pgrst.object+json"),
        note("/notes?id=eq.ID&title=match.one"),
        note("/notes?id=eq.ID&data->>a=eq.2"),
        note("/my_notes?id=eq.ID"),
        note("/comments?select=id,notes(title)&note_id=eq.ID&notes=not.is.null"),
        note("/comments?select=id,notes!inner(title)&notes.id=eq.ID"),
        Case { method: "HEAD", ..note("/notes?id=eq.ID").prefer("count=exact") },
        Case::write("PATCH", "/notes?id=eq.ID", r#"{"stars":3}"#).prefer("count=exact"),
        Case::write("PATCH", "/notes?id=eq.ID", r#"{"owner":"ann"}"#).prefer("return=representation"),
        Case::write("PATCH", "/notes?id=eq.ID", r#"{"title":"ann one"}"#),
        Case::write("PATCH", "/notes?id=eq.ID", r#"{"stars":1000}"#),
        Case::write("DELETE", "/notes?id=eq.ID", "").prefer("count=exact"),
        Case::write("DELETE", "/notes?id=eq.ID", "").prefer("return=representation"),
    ] {
        let mut ask =
            |id: &str| told(&compared.send(&ann(), &Case { path: case.path.replace("ID", id), ..case.clone() }), id);
        assert_eq!(ask(HIDDEN_NOTE), ask(NO_NOTE), "{case:?}");
    }
}

/// All of an answer but what names the request itself (its `ETag` does) and the moment.
fn told(answer: &Answer, id: &str) -> (u16, Vec<(String, String)>, String) {
    let passing = ["date", "x-request-id", "berth-position", "etag"];
    let headers = answer.headers.iter().filter(|(name, _)| !passing.contains(&name.as_str()));
    let without = |text: &str| text.replace(id, "ID");
    let mut headers: Vec<(String, String)> =
        headers.map(|(name, value)| (name.to_string(), without(value.to_str().unwrap()))).collect();
    headers.sort();
    (answer.status, headers, without(&answer.body))
}
