//! Holds the arrows between modules: a module may name only what stands behind its arrow in `ARROWS`.
//!
//! It reads text, so two ways round it are forbidden as well: `super::super::` and re-exports across modules.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Module → modules it may name. The order is the way of a request, from the outside in.
const ARROWS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("catalog", &[]),
    ("request", &[]),
    ("config", &[]),
    ("outbound", &[]),
    ("search", &[]),
    ("telemetry", &["clock", "outbound"]),
    ("auth", &["clock", "telemetry", "outbound"]),
    ("plan", &["request", "catalog", "auth", "search"]),
    ("sql", &["plan", "catalog", "request"]),
    ("volume", &["clock"]),
    ("store", &["sql", "plan", "request", "catalog", "search", "volume", "clock", "telemetry"]),
    ("migrate", &["catalog", "plan", "search", "store", "clock"]),
    ("transfer", &["catalog", "plan", "store", "migrate", "clock"]),
    ("response", &["request", "plan", "store", "catalog"]),
    ("error", &["request", "auth", "plan", "store", "response"]),
    ("pipeline", &["request", "auth", "catalog", "plan", "sql", "store", "response", "error", "clock", "telemetry"]),
    ("http", &["pipeline", "error", "request", "response", "config", "telemetry", "clock"]),
];

/// Modules that may name everything: the composition root.
const UNRESTRICTED: &[&str] = &["command", "lib", "main"];

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The top-level module a file belongs to.
fn module_of(path: &Path, source: &Path) -> String {
    let relative = path.strip_prefix(source).unwrap();
    let first = relative.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The text without comments: what is said there binds nobody.
fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Modules named as `crate::x`, also inside `crate::{x, y::{…}}`.
fn named_modules(text: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for (position, _) in text.match_indices("crate::") {
        let rest = &text[position + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            named.extend(heads_of_group(group));
        } else {
            named.insert(leading_identifier(rest));
        }
    }
    named.retain(|name| !name.is_empty());
    named
}

fn leading_identifier(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// First identifiers of the items of a `use` group, whose opening brace has been read.
fn heads_of_group(group: &str) -> Vec<String> {
    let mut depth = 0_usize;
    let mut item = String::new();
    let mut heads = Vec::new();
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(leading_identifier(&std::mem::take(&mut item))),
            _ => {}
        }
        if !(c == ',' && depth == 0) {
            item.push(c);
        }
    }
    heads.push(leading_identifier(&item));
    heads
}

fn forbidden(module: &str, text: &str) -> Vec<String> {
    let text = without_comments(text);
    let mut faults = Vec::new();
    if text.contains("super::super::") {
        faults.push("super::super:: hides an arrow: name the module from crate::".to_owned());
    }
    if UNRESTRICTED.contains(&module) {
        return faults;
    }
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == module) else {
        faults.push(format!("module {module} has no arrows in tests/architecture.rs"));
        return faults;
    };
    for named in named_modules(&text) {
        if named != module && !allowed.contains(&named.as_str()) {
            faults.push(format!("{module} → {named}"));
        }
    }
    faults
}

/// The folder of the sources, and every file in it.
fn sources() -> (PathBuf, Vec<PathBuf>) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    (source, files)
}

#[test]
fn modules_name_only_what_their_arrows_allow() {
    let (source, files) = sources();
    let mut faults = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        for fault in forbidden(&module_of(&path, &source), &text) {
            faults.push(format!("{}: {fault}", path.strip_prefix(&source).unwrap().display()));
        }
    }
    assert!(faults.is_empty(), "arrows that are not allowed:\n{}", faults.join("\n"));
}

#[test]
fn every_arrow_is_needed() {
    let (source, files) = sources();
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files {
        let text = without_comments(&fs::read_to_string(&path).unwrap());
        named.entry(module_of(&path, &source)).or_default().extend(named_modules(&text));
    }
    for (module, allowed) in ARROWS {
        let unused: Vec<_> = allowed.iter().filter(|other| !named[*module].contains(**other)).collect();
        assert!(unused.is_empty(), "{module} names none of {unused:?}");
    }
}

#[test]
fn only_the_vfs_shim_is_unsafe() {
    let (source, mut files) = sources();
    files.retain(|path| without_comments(&fs::read_to_string(path).unwrap()).contains("unsafe_code"));
    assert_eq!(files, [source.join("volume/log/vfs.rs")]);
}

#[test]
fn an_arrow_against_the_flow_is_seen_in_every_spelling() {
    assert_eq!(forbidden("plan", "use crate::store::Outcome;"), ["plan → store"]);
    assert_eq!(forbidden("request", "use crate::{request::Raw, catalog::{Table, Column}};"), ["request → catalog"]);
    assert_eq!(forbidden("error", "fn f() { crate::http::serve(); }"), ["error → http"]);
    assert_eq!(
        forbidden("sql", "use super::super::store;"),
        ["super::super:: hides an arrow: name the module from crate::"]
    );
    assert!(forbidden("plan", "// use crate::store::Outcome;").is_empty());
    assert!(forbidden("store", "use crate::{sql::Statement, catalog};").is_empty());
}
