//! Embedded resources, spread ones and aggregates, asked of both stores: status, body and `Content-Range` must be equal.

mod requests;

use std::path::{Path, PathBuf};

use crate::differential::{Pair, assert_equal};
use crate::support::{Start, chinook};

/// The tables of the requests as a migration, in a directory of `folder`.
fn migrations(folder: &Path) -> PathBuf {
    let directory = folder.join("migrations");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("0001_films.sql"), include_str!("embed/schema.sql")).unwrap();
    directory
}

#[test]
fn both_stores_embed_in_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let Some(pair) = Pair::start(folder.path(), &migrations(folder.path()), "embed_reads") else { return };
    assert_equal("embedded in reads", &pair, &requests::reads());
}

#[test]
fn both_stores_embed_in_what_a_write_gives_back() {
    let folder = tempfile::tempdir().unwrap();
    let Some(pair) = Pair::start(folder.path(), &migrations(folder.path()), "embed_writes") else { return };
    assert_equal("embedded in writes", &pair, &requests::writes());
}

#[test]
fn sqlite_refuses_what_it_cannot_group_or_spread() {
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("data");
    std::fs::create_dir(&volume).unwrap();
    let migrations = migrations(folder.path());
    let berth = Start::sqlite(folder.path(), &volume)
        .with("MIGRATIONS", migrations.display())
        .with("DB_AGGREGATES_ENABLED", true)
        .run();
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
    let folder = tempfile::tempdir().unwrap();
    let Some(script) = chinook("chinook.sql") else { return };
    let migrations = folder.path().join("migrations");
    std::fs::create_dir(&migrations).unwrap();
    std::fs::copy(script, migrations.join("0001_chinook.sql")).unwrap();
    let Some(pair) = Pair::start(folder.path(), &migrations, "embed_chinook") else { return };
    assert_equal("embedded in Chinook", &pair, &requests::chinook());
}
