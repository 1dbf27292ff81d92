//! Instances over a log of which a file was damaged: none serves an older state as if it were the newest.

use std::path::Path;

use crate::support::{Berth, Start, write_migrations};

const SCHEMA: &str = "CREATE TABLE notes (id int PRIMARY KEY);";

fn instance(folder: &Path) -> Start<'_> {
    let migrations = write_migrations(folder, &[SCHEMA]);
    Start::sqlite(folder, &folder.join("volume"))
        .with("VOLUME_MODE", "shared-log")
        .with("MIGRATIONS", migrations.display())
}

/// Writes a note; the status.
fn note(berth: &Berth, id: u64) -> u16 {
    berth.client().post("/notes", &format!(r#"{{"id":{id}}}"#)).status
}

/// The status of a read, and how many notes it gave.
fn notes(berth: &Berth) -> (u16, usize) {
    let answer = berth.client().get("/notes");
    (answer.status, answer.json().as_array().map_or(0, Vec::len))
}

#[test]
fn a_damaged_file_at_the_end_of_the_log_stops_who_needs_it_until_it_is_brought_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (maker, other) = (instance(folder).run(), instance(folder).run());
    assert_eq!((note(&maker, 1), notes(&other), note(&maker, 2)), (201, (200, 1), 201));
    let newest = folder.join("volume/app/ltx/0/0000000000000003-0000000000000003.ltx");
    let sound = std::fs::read(&newest).unwrap();
    let mut altered = sound.clone();
    altered[sound.len() / 2] ^= 4;
    std::fs::write(&newest, &altered).unwrap();

    // Of the note 2, which was acknowledged, only its maker knows.
    assert_eq!(notes(&maker), (200, 2));
    let mut late = instance(folder).spawn();
    assert_eq!((notes(&other).0, note(&other, 3)), (503, 503));
    assert_eq!(late.wait(), Some(1));
    assert!(late.log_text().contains("the file of slot 0000000000000003 is not whole"), "{}", late.log_text());

    std::fs::write(&newest, &sound).unwrap();
    assert_eq!((note(&other, 3), notes(&maker), notes(&instance(folder).run())), (201, (200, 3), (200, 3)));
}
