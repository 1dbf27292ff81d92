//! Any script is refused or applied, and what is translated is SQL that SQLite can read.
//!
//! Input: a script, which comes after one that makes a few tables.

#![no_main]

use std::time::Duration;

use berth::migrate::{Error, Mode, Report, Script, apply_sqlite};
use libfuzzer_sys::fuzz_target;
use rusqlite::Connection;
use rusqlite::backup::Backup;

/// What the script finds.
const BEFORE: &str = include_str!("../../migrations/0001_films.sql");

/// Steps of SQLite's machine, in thousands, after which a script is stopped: it may loop for ever, as its author says.
const STEPS_MAX: u32 = 2_000;

thread_local! {
    static WORLD: (Connection, Script) = {
        let sample = Script::new("1.sql", BEFORE).expect("the sample");
        let mut connection = Connection::open_in_memory().expect("a database");
        let scripts = std::slice::from_ref(&sample);
        apply_sqlite(&mut connection, scripts, Mode::Apply, &mut Report::default()).expect("the sample applies");
        (connection, sample)
    };
}

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(script) = Script::new("2.sql", text) else { return };
    WORLD.with(|(sample, before)| {
        let mut connection = Connection::open_in_memory().expect("a database");
        let copy = Backup::new(sample, &mut connection)
            .and_then(|copy| copy.run_to_completion(i32::MAX, Duration::ZERO, None));
        copy.expect("a copy of the sample");
        dry_run(&mut connection, &[before.clone(), script]);
    });
});

fn dry_run(connection: &mut Connection, scripts: &[Script]) {
    let mut steps = 0;
    let stop = move || {
        steps += 1;
        steps > STEPS_MAX
    };
    connection.progress_handler(1_000, Some(stop)).expect("a handler");
    if let Err(Error::Statement { message, statement, .. }) =
        apply_sqlite(connection, scripts, Mode::DryRun, &mut Report::default())
    {
        assert!(!message.contains("syntax error"), "{message}: {statement}");
    }
}
