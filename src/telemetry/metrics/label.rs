//! Requests and their errors under few labels, whatever clients send.

use std::sync::OnceLock;

use prometheus::{IntCounter, IntCounterVec};

use crate::telemetry::event::RouteClass;

/// Verbs with a label of their own; the last stands for all others.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"];

/// Statuses with a label of their own, ascending.
const STATUSES: [u16; 27] = [
    200, 201, 204, 206, 300, 304, 308, 400, 401, 403, 404, 405, 406, 408, 409, 412, 413, 415, 416, 422, 429, 431, 499,
    500, 501, 503, 504,
];

/// Answered requests, each combination looked up once.
#[derive(Debug)]
pub(super) struct Requests {
    all: IntCounterVec,
    known: Box<[OnceLock<IntCounter>]>,
}

impl Requests {
    pub(super) fn new(all: IntCounterVec) -> Self {
        let combinations = RouteClass::ALL.len() * METHODS.len() * (STATUSES.len() + 1);
        Self { all, known: (0..combinations).map(|_| OnceLock::new()).collect() }
    }

    pub(super) fn count(&self, class: RouteClass, method: &str, status: u16) {
        let method_position = METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1);
        let status_position = STATUSES.binary_search(&status).unwrap_or(STATUSES.len());
        let position = (class as usize * METHODS.len() + method_position) * (STATUSES.len() + 1) + status_position;
        let Some(known) = self.known.get(position) else { return };
        known
            .get_or_init(|| {
                let method = METHODS.get(method_position).copied().unwrap_or("other");
                let status = STATUSES.get(status_position).map_or_else(|| "other".to_owned(), u16::to_string);
                self.all.with_label_values(&[class.name(), method, status.as_str()])
            })
            .inc();
    }
}

/// An error code as one of few labels: `PostgREST`'s and berth's codes whole, SQLSTATEs by class, anything that SQL
/// made up as `other`.
pub(super) fn code_label(code: &str) -> String {
    const SQLSTATE_CLASSES: [&str; 38] = [
        "01", "02", "03", "08", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "20", "21", "22", "23", "24", "25", "26",
        "27", "28", "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "3F", "40", "42", "44", "53", "54", "55", "57",
        "58", "XX",
    ];
    let is_ours = ["PGRST", "BERTH"].iter().any(|prefix| {
        code.strip_prefix(prefix).is_some_and(|rest| {
            rest.len() == 3
                && rest.bytes().enumerate().all(|(at, byte)| byte.is_ascii_digit() || (at == 0 && byte == b'X'))
        })
    });
    if is_ours {
        return code.to_owned();
    }
    match code.get(..2).filter(|class| code.len() == 5 && SQLSTATE_CLASSES.contains(class)) {
        Some(class) => format!("{class}xxx"),
        None => "other".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::{fs, io};

    use regex::Regex;

    use super::*;

    /// What the sources of a folder say outside their tests.
    fn source(folder: &Path) -> io::Result<String> {
        let mut text = String::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                text += &source(&path)?;
            } else if path.file_stem().is_some_and(|name| name != "tests") {
                let file = fs::read_to_string(&path)?;
                text += file.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            }
        }
        Ok(text)
    }

    /// Every number that `of` finds and that can be a status.
    fn statuses(of: &str, text: &str) -> BTreeSet<u16> {
        let of = Regex::new(of).unwrap();
        let found =
            text.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| of.captures_iter(line));
        found.filter_map(|number| number[1].parse().ok()).filter(|number| (200..600).contains(number)).collect()
    }

    #[test]
    fn every_status_that_berth_answers_with_has_a_label() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        // berth's own codes end in their status; other numbers stand where answers are made.
        let mut said = statuses(r#""BERTH([0-9]{3})""#, &source(&root).unwrap());
        for folder in ["response", "http"] {
            said.extend(statuses(r#"(?:^|[\s(|])([0-9]{3})(?:$|[\s,;)}])"#, &source(&root.join(folder)).unwrap()));
        }
        // The port of https.
        said.remove(&443);
        assert!([200, 308, 499, 501].iter().all(|status| said.contains(status)), "{said:?}");
        let unlabelled: Vec<_> = said.iter().filter(|status| !STATUSES.contains(status)).collect();
        assert!(unlabelled.is_empty(), "{unlabelled:?}");
    }

    #[test]
    fn codes_that_sql_makes_up_share_one_label() {
        for (code, label) in [
            ("PGRST116", "PGRST116"),
            ("PGRSTX00", "PGRSTX00"),
            ("BERTH503", "BERTH503"),
            ("23505", "23xxx"),
            ("PT402", "other"),
            ("ZZ999", "other"),
            ("PGRSTABC", "other"),
            ("é2345", "other"),
            ("", "other"),
        ] {
            assert_eq!(code_label(code), label, "{code}");
        }
    }

    #[test]
    fn statuses_can_be_searched() {
        assert!(STATUSES.is_sorted());
    }
}
