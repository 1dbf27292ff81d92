//! PostgREST's own specification, replayed over HTTP by `tests/conformance/run.py`.

use std::path::Path;
use std::process::Command;

use crate::support::postgres;

/// Where the specification is: a source tree of PostgREST.
const SOURCE: &str = "BERTH_POSTGREST_SOURCE";

/// The runner; `None`, with a line that says so, without Python.
fn runner() -> Option<Command> {
    if Command::new("python3").arg("--version").output().is_err() {
        eprintln!("skipped: python3 is not installed (make test installs it)");
        return None;
    }
    let mut command = Command::new("python3");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/run.py"));
    Some(command)
}

fn assert_succeeds(mut command: Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_documentation_lists_what_the_ledgers_list() {
    for store in ["postgres", "sqlite"] {
        let Some(mut command) = runner() else { return };
        command.args(["--check", "--store", store]);
        assert_succeeds(command);
    }
}

#[test]
fn the_specification_passes_on_postgres_but_for_the_ledger() {
    replay("postgres");
}

#[test]
fn the_specification_passes_on_sqlite_but_for_the_ledger() {
    replay("sqlite");
}

fn replay(store: &str) {
    let Some(source) = std::env::var_os(SOURCE) else {
        eprintln!(
            "skipped: {SOURCE} names no source tree of PostgREST (tests/conformance/README.md says how to get one)"
        );
        return;
    };
    let (Some(mut command), Some(_)) = (runner(), postgres::cluster()) else { return };
    command.arg("--source").arg(source).args(["--store", store, "--berth", env!("CARGO_BIN_EXE_berth")]);
    assert_succeeds(command);
}
