//! The client libraries that people use, in their own languages: the same expectations over every store.
//!
//! The tests themselves are in `tests/clients`; `tests/setup.sh` installs what they need.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::deployment::Deployment;

/// The tables of the clients.
const SCHEMA: &str = include_str!("../clients/schema.sql");

/// The folder of the clients' tests.
fn folder_of_clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// The commands that run the clients' tests, of those whose libraries are here.
fn commands() -> Vec<Command> {
    let mut commands = Vec::new();
    if folder_of_clients().join("node_modules/@supabase/supabase-js").exists() {
        let mut node = Command::new("node");
        node.args(["--test", "javascript.test.mjs"]);
        commands.push(node);
    } else {
        eprintln!("skipped: supabase-js and ra-data-postgrest are not installed (make test installs them)");
    }
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python");
    let has_client = Command::new(&python).args(["-c", "import postgrest, pytest"]).output();
    if has_client.is_ok_and(|output| output.status.success()) {
        let mut pytest = Command::new(python);
        pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_python.py"]);
        commands.push(pytest);
    } else {
        eprintln!("skipped: postgrest-py is not installed (make test installs it)");
    }
    commands
}

/// Runs every client's tests against an instance.
fn assert_clients_work(deployment: &Deployment) {
    let berth = deployment.instance().run();
    for mut command in commands() {
        let output = command
            .current_dir(folder_of_clients())
            .env("BERTH_URL", format!("http://127.0.0.1:{}", berth.port))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .expect("the client's tests start");
        assert!(
            output.status.success(),
            "{command:?}\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn clients_work_over_sqlite_in_place() {
    assert_clients_work(&Deployment::in_place(SCHEMA));
}

#[test]
fn clients_work_over_the_shared_log() {
    assert_clients_work(&Deployment::shared_log(SCHEMA));
}

#[test]
fn clients_work_over_postgres() {
    let Some(deployment) = Deployment::postgres("clients", SCHEMA) else { return };
    assert_clients_work(&deployment);
}
