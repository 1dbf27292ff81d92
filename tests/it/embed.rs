//! Embedded resources, spread ones and aggregates, asked of both stores: status, body and `Content-Range` must be equal.

mod requests;

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
fn chinook_is_embedded_the_same_on_both_stores() {
    let Some(script) = chinook("chinook.sql") else { return };
    let Some(pair) = Pair::start("embed_chinook", &std::fs::read_to_string(script).unwrap()) else { return };
    assert_equal("embedded in Chinook", &pair, &requests::chinook());
}
