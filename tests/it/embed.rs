//! Embedded resources, spread ones and aggregates, asked of both stores: status, body and `Content-Range` must be equal.

mod requests;

use std::path::{Path, PathBuf};

use crate::differential::{Pair, assert_equal};

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
