//! Looks at SQL: whether all that stands outside quotes is this program's own.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

/// Options of `EXPLAIN`, which a media type may have.
const OPTIONS: [&str; 5] = ["analyze", "verbose", "settings", "buffers", "wal"];

/// The words that SQL may be made of: those of the renderer's sources and of the catalog.
#[derive(Debug)]
pub struct Words(HashSet<String>);

impl Words {
    /// Reads the sources beside this crate; `catalog` is the catalog in any form that has its SQL in it.
    ///
    /// # Panics
    /// When the sources are not there.
    #[must_use]
    pub fn of(catalog: &str) -> Self {
        let mut known = HashSet::new();
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src");
        for part in ["sql", "plan", "catalog"] {
            gather(&root.join(part), &mut known);
        }
        known.extend(OPTIONS.map(str::to_owned));
        known.extend(words(catalog).map(str::to_ascii_lowercase));
        Self(known)
    }

    /// The first word or sign outside quotes that is not this program's own; `allowed`: words of the request that may
    /// stand there, such as the type of a cast.
    #[must_use]
    pub fn stranger<'a>(&self, sql: &'a str, allowed: &str) -> Option<&'a str> {
        let allowed: HashSet<String> = words(allowed).map(str::to_ascii_lowercase).collect();
        Bare { rest: sql }.find(|piece| {
            let is_sign = matches!(*piece, ";" | "--" | "/*" | "\0");
            let known = |word: &str| {
                let base = word.trim_end_matches(|sign: char| sign.is_ascii_digit());
                [word, base].iter().any(|word| self.0.contains(*word)) || allowed.contains(word)
            };
            is_sign || words(piece).any(|word| !known(&word.to_ascii_lowercase()))
        })
    }
}

fn gather(folder: &Path, known: &mut HashSet<String>) {
    for entry in fs::read_dir(folder).expect("the sources of berth") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            gather(&path, known);
        } else {
            let text = fs::read_to_string(&path).expect("a source file");
            known.extend(words(&text).map(str::to_ascii_lowercase));
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    text.split(move |character| !is_part(character))
        .filter(|word| word.starts_with(|first: char| first.is_alphabetic() || first == '_'))
}

/// What stands outside quotes, in pieces.
struct Bare<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Bare<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let rest = self.rest;
            let first = rest.chars().next()?;
            if first == '"' || first == '\'' {
                // A doubled quote begins the next quoted piece.
                let end = rest[1..].find(first).map_or(rest.len(), |at| at + 2);
                self.rest = &rest[end..];
                continue;
            }
            let length = if rest.starts_with("--") || rest.starts_with("/*") {
                2
            } else if matches!(first, ';' | '\0') {
                1
            } else {
                let starts = ["\"", "'", ";", "--", "/*", "\0"];
                starts.iter().filter_map(|start| rest.find(start)).min().unwrap_or(rest.len())
            };
            let (piece, behind) = rest.split_at(length);
            self.rest = behind;
            return Some(piece);
        }
    }
}
