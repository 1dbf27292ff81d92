//! The console at `/-/` in a real browser; `tests/console` has what is asked of it.

use std::path::Path;
use std::process::Command;

use crate::support::Start;

/// Names under which a Chromium may be installed.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

fn is_there(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn the_console_works_in_a_browser() {
    let Some(browser) = BROWSERS.into_iter().find(|program| is_there(program)) else {
        eprintln!("skipped: there is no Chromium here (apt-get install chromium)");
        return;
    };
    if !is_there("node") {
        eprintln!("skipped: node, which drives the browser, is not here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("data");
    std::fs::create_dir(&volume).unwrap();
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let berth = Start::sqlite(folder.path(), &volume).with("MIGRATIONS", project.join("migrations").display()).run();
    let output = Command::new("node")
        .arg(project.join("tests/console/console.test.mjs"))
        .args([browser, &format!("http://127.0.0.1:{}", berth.port)])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("ok the overview"), "{said}");
}
