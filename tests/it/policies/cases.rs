//! Requests of every kind by every kind of sender.

use super::stores::Sender;
use crate::differential::requests::Case;

/// Who asks, and what; the names of the roles begin with `roles`.
pub(super) fn all(roles: &str) -> Vec<(Sender, Vec<Case>)> {
    let role = |name: &str| format!("{roles}_{name}");
    let senders = [
        Sender::anonymous(),
        Sender::named(&role("user"), "ann"),
        Sender::named(&role("user"), "bob"),
        Sender::named(&role("lead"), "bob"),
        Sender::named(&role("apart"), "ann"),
        Sender::named(&role("service"), "ann"),
        Sender::named(&role("narrow"), "ann"),
        Sender::named(&role("writer"), "ann"),
        Sender::named(&role("nothing"), "ann"),
        Sender::new(&role("user"), serde_json::json!({})),
    ];
    senders.into_iter().map(|sender| (sender, requests())).collect()
}

fn requests() -> Vec<Case> {
    reads().into_iter().chain(writes()).chain(calls()).collect()
}

fn reads() -> Vec<Case> {
    let paths = [
        "/notes?select=id,title&order=id",
        "/notes?order=id",
        "/comments?select=id,notes(*)&order=id",
        "/tags?select=name,...notes(*)&notes.order=id&order=id",
        "/notes?select=id&id=eq.3",
        "/notes?select=id,secret&order=id",
        "/notes?select=id&secret=eq.s3",
        "/notes?select=id&or=(id.eq.3,owner.eq.ann)&order=id",
        "/notes?select=id&title=like.*one&order=id",
        "/notes?select=id&data->>a=eq.1&order=id",
        "/notes?select=count()",
        "/notes?select=owner,stars.sum()&order=owner",
        "/members?select=*&order=team,person",
        "/comments?select=id,notes(title)&order=id",
        "/comments?select=id,notes!inner(title)&order=id",
        "/comments?select=id,notes(title)&notes=is.null&order=id",
        "/comments?select=id,...notes(title)&order=id",
        "/notes?select=id,comments(id,body)&comments.order=id&order=id",
        "/notes?select=id,...comments(body)&comments.order=id&order=id",
        "/notes?select=id,tags(name)&tags.order=id&order=id",
        "/tags?select=name,notes(id)&notes.order=id&order=id",
        "/comments?select=id,notes(title)&order=notes(title),id&notes=not.is.null",
        "/comments?select=id,notes(owner)&order=notes(owner),id",
        "/closed",
        "/idle",
        "/once",
        "/forced?order=id",
        "/circle",
        "/defaults?order=id",
        "/all_notes?select=id&order=id",
        "/my_notes?select=id,stars&order=id",
        "/my_comments?order=id",
        "/all_forced?order=id",
        "/both_forced?order=id",
    ];
    let mut cases: Vec<Case> = paths.into_iter().map(Case::get).collect();
    cases.push(Case::get("/notes?select=id&limit=1&order=id").prefer("count=exact"));
    cases.push(Case { method: "HEAD", ..Case::get("/notes?select=id").prefer("count=exact") });
    cases.push(Case::get("/notes?select=id,title&order=id").with("Accept", "text/csv"));
    cases.push(Case::get("/notes?order=id").with("Accept", "text/csv"));
    cases.push(Case::get("/notes?select=id&id=eq.5").with("Accept", "application/vnd.pgrst.object+json"));
    cases
}

fn calls() -> Vec<Case> {
    let paths = [
        "/boards?order=id",
        "/rpc/is_in?of_team=1",
        "/rpc/shown_notes?select=id,owner&order=id",
        "/rpc/shown_notes?select=id&title=like.*one&order=id",
        "/rpc/shown_notes?select=id,comments(id)&comments.order=id&order=id",
        "/rpc/all_titles?order=id",
        "/rpc/all_titles?fewest=5&select=id&title=like.*o*&order=id",
        "/rpc/counted?fewest=3",
        "/rpc/not_for_all",
        "/notes?select=id,comment_count&order=id",
        "/notes?select=id&comment_count=gt.0&order=id",
        "/notes?select=id,own_comments(id,body)&own_comments.order=id&order=id",
        "/notes?select=id&own_comments.body=like.*e&own_comments=not.is.null&order=id",
    ];
    let call = |name: &str, arguments: &str| Case::write("POST", format!("/rpc/{name}"), arguments);
    let mut cases: Vec<Case> = paths.into_iter().map(Case::get).collect();
    for arguments in [
        r#"{"id":20,"owner":"ann","title":"mine","stars":3}"#,
        r#"{"id":20,"owner":"bob","title":"theirs","stars":3}"#,
        r#"{"id":20,"owner":"ann","title":"LOUD","stars":3}"#,
        r#"{"id":20,"owner":"ann","title":"seven","stars":7}"#,
    ] {
        cases.extend(["put_note", "put_quietly"].map(|name| call(name, arguments)));
    }
    cases.extend([
        call("put_twice", r#"{"id":30,"title":"twice"}"#),
        call("call_all?order=call_all", r#"{"new_title":"t"}"#),
        call("call_all", r#"{"new_title":"!"}"#),
        call("star_teams?order=id", r#"{"more":1}"#),
        call("star_all", r#"{"new_stars":4}"#),
        call("star_all", r#"{"new_stars":24}"#),
        call("drop_notes?order=drop_notes", r#"{"most":5}"#),
        call("drop_as_owner", r#"{"gone":4}"#),
    ]);
    cases
}

fn writes() -> Vec<Case> {
    let returning = |case: Case| case.prefer("return=representation");
    let merging = |case: Case| case.prefer("resolution=merge-duplicates");
    let ignoring = |case: Case| case.prefer("resolution=ignore-duplicates");
    let post = |path: &str, body: &str| Case::write("POST", path, body);
    let patch = |path: &str, body: &str| Case::write("PATCH", path, body);
    let own = r#"{"id":20,"owner":"ann","title":"mine","stars":3}"#;
    let other = r#"{"id":20,"owner":"bob","title":"mine","stars":3}"#;
    let loud = r#"{"id":20,"owner":"ann","title":"MINE","stars":3}"#;
    let taken = r#"{"id":3,"owner":"ann","title":"taken","stars":3}"#;
    let same_title = r#"{"id":20,"owner":"ann","title":"cid one","stars":3}"#;
    let bad = r#"{"id":20,"owner":"bob","title":"cid one","stars":300}"#;
    vec![
        post("/notes", own),
        returning(post("/notes?select=id,owner,title_length", own)),
        returning(post("/notes", own)),
        returning(patch("/notes?id=eq.4", r#"{"title":"new"}"#)),
        post("/notes", other),
        returning(post("/notes?select=id", other)),
        post("/notes", loud),
        post("/notes", taken),
        post("/notes", same_title),
        post("/notes", bad),
        post("/notes", r#"{"id":21,"title":"no stars"}"#),
        post("/notes?columns=id,title,stars", r#"{"id":21,"title":"two","stars":3,"owner":"bob"}"#)
            .prefer("missing=default"),
        returning(
            post("/notes?select=id&columns=id,title,stars", r#"{"id":21,"title":"two","stars":7}"#)
                .prefer("missing=default"),
        ),
        post(
            "/notes",
            r#"[{"id":21,"owner":"ann","title":"a","stars":3},{"id":22,"owner":"bob","title":"b","stars":3}]"#,
        ),
        Case {
            headers: vec![("Content-Type", "text/csv".to_owned())],
            ..post("/notes", "id,owner,title,stars\n30,ann,csv,4\n")
        },
        merging(post("/notes", r#"{"id":1,"owner":"ann","title":"changed","stars":4}"#)),
        merging(post("/notes", r#"{"id":3,"owner":"ann","title":"stolen","stars":4}"#)),
        merging(post("/notes", r#"{"id":5,"owner":"ann","title":"stolen","stars":4}"#)),
        merging(post("/notes", r#"{"id":40,"owner":"ann","title":"new","stars":4}"#)),
        returning(merging(post("/notes?select=id,stars", r#"{"id":2,"owner":"ann","title":"ann two","stars":7}"#))),
        ignoring(post("/notes", r#"{"id":5,"owner":"ann","title":"ignored","stars":4}"#)),
        ignoring(post("/notes?on_conflict=title", r#"{"id":50,"owner":"ann","title":"cid one","stars":4}"#)),
        merging(post("/notes?on_conflict=title", r#"{"id":50,"owner":"ann","title":"cid one","stars":4}"#)),
        Case::write(
            "PUT",
            "/notes?id=eq.60",
            r#"{"id":60,"owner":"ann","team":null,"title":"put","secret":null,"stars":7,"data":null}"#,
        ),
        Case::write(
            "PUT",
            "/notes?id=eq.3",
            r#"{"id":3,"owner":"ann","team":null,"title":"put","secret":null,"stars":7,"data":null}"#,
        ),
        patch("/notes?id=eq.1", r#"{"stars":6}"#),
        returning(patch("/notes?id=eq.1&select=id,stars", r#"{"stars":6}"#)),
        patch("/notes?id=eq.3", r#"{"stars":6}"#).prefer("count=exact"),
        returning(patch("/notes?select=id&order=id", r#"{"stars":6}"#)),
        patch("/notes", r#"{"stars":6}"#).prefer("count=exact"),
        patch("/notes?id=eq.1", r#"{"owner":"bob"}"#),
        patch("/notes?id=eq.1", r#"{"title":"loud!"}"#),
        patch("/notes?id=eq.2", r#"{"stars":30}"#),
        patch("/notes?id=eq.4", r#"{"stars":30}"#).prefer("count=exact"),
        patch("/notes?id=eq.1", r#"{"title":"cid one"}"#),
        patch("/notes?id=eq.1", r#"{"title":"cid one","owner":"bob"}"#),
        patch("/notes?title=like.*one", r#"{"stars":8}"#).prefer("count=exact"),
        Case::write("DELETE", "/notes?id=eq.2", "").prefer("count=exact"),
        Case::write("DELETE", "/notes", "").prefer("count=exact"),
        returning(Case::write("DELETE", "/notes?id=gt.1&select=id&order=id", "")),
        returning(Case::write("DELETE", "/comments?select=id,notes(title)&order=id", "")),
        post("/comments", r#"{"id":20,"note_id":1,"author":"ann","body":"x"}"#),
        returning(post("/comments?select=id,notes(title)", r#"{"id":20,"note_id":5,"author":"ann","body":"x"}"#)),
        post("/comments", r#"{"id":20,"note_id":999,"author":"ann","body":"x"}"#),
        post("/comments", r#"{"id":1,"note_id":1,"author":"ann","body":"x"}"#),
        patch("/comments?id=eq.3", r#"{"body":"y"}"#).prefer("count=exact"),
        post("/members", r#"{"team":1,"person":"dan","rank":2}"#),
        post("/members", r#"{"team":1,"person":"dan","rank":7}"#),
        patch("/members?team=eq.3", r#"{"rank":2}"#).prefer("count=exact"),
        patch("/members?team=eq.2", r#"{"rank":2}"#).prefer("count=exact"),
        patch("/members?team=eq.2", r#"{"rank":9}"#),
        post("/defaults", "{}").prefer("missing=default"),
        post("/defaults", r#"{"id":71}"#),
        returning(post("/defaults?select=id,kind,who", r#"{"id":71,"kind":"plain","who":"pol_user"}"#)),
        returning(post("/defaults?columns=id&select=id,kind,who", r#"{"id":71}"#).prefer("missing=default")),
        returning(post("/defaults?columns=id&select=id", r#"{"id":72}"#).prefer("missing=default")),
        post("/defaults", r#"{"id":1001,"kind":"plain"}"#),
        post("/closed", r#"{"id":2}"#),
        patch("/closed", r#"{"note":"y"}"#).prefer("count=exact"),
        post("/idle", r#"{"id":2}"#),
        Case::write("DELETE", "/note_tags?note_id=eq.1", "").prefer("count=exact"),
    ]
}
