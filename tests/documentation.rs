//! Holds the documentation against what is there: its links, the files that it names, the codes and metrics that it explains.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders with nothing of this project's own words.
const PASSED_OVER: [&str; 4] = [".git", "node_modules", "target", "data"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder whose name ends so.
fn files(folder: &Path, end: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !PASSED_OVER.contains(&name.as_str()) {
            files(&path, end, found);
        } else if path.is_file() && name.ends_with(end) {
            found.push(path);
        }
    }
}

fn pages() -> Vec<PathBuf> {
    let mut pages = Vec::new();
    files(root(), ".md", &mut pages);
    pages
}

/// A page without what it shows of other files.
fn prose(page: &Path) -> String {
    let text = fs::read_to_string(page).unwrap();
    text.split("```").step_by(2).collect()
}

/// The targets of a page's links.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

/// What a heading is called in an address.
fn anchor(heading: &str) -> String {
    let letters = heading.trim().to_lowercase();
    let kept = letters.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

fn anchors(page: &Path) -> BTreeSet<String> {
    let headings = |line: &str| line.starts_with('#').then(|| anchor(line.trim_start_matches('#')));
    prose(page).lines().filter_map(headings).collect()
}

#[test]
fn every_link_to_a_file_leads_to_one_and_to_a_heading_of_it() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = prose(&page);
        for target in links(&text).filter(|target| !target.contains("://")) {
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let is_there = file.exists() && (heading.is_empty() || anchors(&file).contains(heading));
            if !is_there {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_file_that_is_named_is_there() {
    let is_path = |word: &&str| {
        let folders = ["benches/", "docs/", "fuzz/", "k8s/", "migrations/", "scripts/", "src/", "tests/"];
        folders.iter().any(|folder| word.starts_with(folder)) && !word.contains([' ', '*', '…', '{'])
    };
    let mut missing = Vec::new();
    for page in pages().into_iter().filter(|page| !page.ends_with("CHANGELOG.md")) {
        let text = prose(&page);
        let named = text.split('`').skip(1).step_by(2).filter(is_path);
        missing
            .extend(named.filter(|path| !root().join(path).exists()).map(|path| format!("{}: {path}", page.display())));
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_code_of_berths_own_is_explained() {
    let mut sources = Vec::new();
    files(&root().join("src"), ".rs", &mut sources);
    let page = fs::read_to_string(root().join("docs/dialect.md")).unwrap();
    let mut unexplained = BTreeSet::new();
    for source in sources {
        let text = fs::read_to_string(source).unwrap();
        let named = text.match_indices("\"BERTH").filter_map(|(at, _)| text.get(at + 1..at + 9));
        let codes = named.filter(|code| code[5..].bytes().all(|byte| byte.is_ascii_digit()));
        unexplained.extend(codes.filter(|code| !page.contains(&format!("| `{code}` |"))).map(str::to_owned));
    }
    assert!(unexplained.is_empty(), "docs/dialect.md does not have {unexplained:?}");
}

#[test]
fn every_metric_is_explained() {
    let mut sources = Vec::new();
    files(&root().join("src/telemetry"), ".rs", &mut sources);
    let page = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let mut unexplained = BTreeSet::new();
    for source in sources {
        let text = fs::read_to_string(source).unwrap();
        let quoted = text.split('"').filter(|word| word.starts_with("berth_"));
        let names = quoted.filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        unexplained.extend(names.filter(|name| !page.contains(*name)).map(str::to_owned));
    }
    assert!(unexplained.is_empty(), "docs/operations.md does not have {unexplained:?}");
}
