//! Embedded resources, spread ones and aggregates, asked of both stores: status, body and `Content-Range` must be equal.

mod requests;

use serde_json::json;

use crate::differential::{Pair, assert_equal};
use crate::support::chinook;
use crate::support::deployment::Deployment;

const SCHEMA: &str = include_str!("embed/schema.sql");

#[test]
fn both_stores_embed_in_the_same_bytes() {
    let Some(pair) = Pair::start("embed_reads", SCHEMA) else { return };
    assert_equal("embedded in reads", &pair, &requests::reads());
}

#[test]
fn both_stores_embed_in_what_a_write_gives_back() {
    let Some(pair) = Pair::start("embed_writes", SCHEMA) else { return };
    assert_equal("embedded in writes", &pair, &requests::writes());
}

#[test]
fn sqlite_refuses_what_it_cannot_group_or_spread() {
    let deployment = Deployment::in_place(SCHEMA);
    let berth = deployment.instance().with("DB_AGGREGATES_ENABLED", true).run();
    let nested = |depth: usize| {
        (0..depth).rev().fold("id".to_owned(), |inner, level| {
            let name = if level % 2 == 0 { "notes" } else { "films" };
            format!("id,a{level}:id,b{level}:id,...{name}({inner})")
        })
    };
    let ungrouped = "/notes?select=...films(...director_id(name)),count()&order=films(title)";
    assert_eq!(berth.client().get(ungrouped).json()["code"], "42803");
    for (depth, status) in [(4, 200), (8, 400), (16, 400)] {
        let answer = berth.client().get(&format!("/films?select={}", nested(depth)));
        assert_eq!(answer.status, status, "{depth}: {}", answer.body);
    }
}

#[test]
fn a_resource_that_is_named_by_its_relation_in_spite_of_its_alias_is_warned_of_or_refused() {
    for deployment in Deployment::on_each_store("embed_legacy", SCHEMA) {
        let store = deployment.name();
        let berth = deployment.instance().run();
        let warned = |path: &str| {
            let answer = berth.client().get(path);
            assert_eq!(answer.status, 200, "{store}: {path} {}", answer.body);
            answer.header("Warning").map(str::to_owned)
        };
        let path = "/films?select=id,é:notes(id)&notes.limit=1";
        let warning = warned(path).unwrap_or_default();
        assert!(warning.starts_with("299 berth \"Embedded resource was referenced by relation name"), "{warning}");
        assert!(warning.contains("Update `notes` to `%C3%A9` in query string filters"), "{store}: {warning}");
        assert_eq!(warned("/films?select=id,a:notes(id)&a.limit=1"), None, "{store}");
        assert_eq!(warned("/films?select=id,a:notes(id),notes(id)&notes.order=id"), None, "{store}");
        drop(berth);
        let berth = deployment.instance().with("URL_USE_LEGACY_TARGET_NAMES", false).run();
        let refused = berth.client().get("/films?select=id,a:notes(id)&notes.limit=1");
        let expected = json!({
            "code": "PGRST108",
            "details": "Target names are not allowed in filters if they have an alias",
            "hint": "Change 'notes' to 'a' in filters, orders or limits.",
            "message": "'notes' is not an embedded resource in this request",
        });
        assert_eq!((refused.status, refused.json()), (400, expected), "{store}");
        assert_eq!(berth.client().get("/films?select=id,a:notes(id)&a.limit=1").status, 200, "{store}");
    }
}

#[test]
fn chinook_is_embedded_the_same_on_both_stores() {
    let Some(script) = chinook("chinook.sql") else { return };
    let Some(pair) = Pair::start("embed_chinook", &std::fs::read_to_string(script).unwrap()) else { return };
    assert_equal("embedded in Chinook", &pair, &requests::chinook());
}
