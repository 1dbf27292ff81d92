//! The examples of `docs/access.md`: its SQL is migrated, its requests are sent, its answers must come.

use std::collections::BTreeMap;

use super::stores::{Sender, Stores};
use crate::differential::requests::Case;
use crate::support::Answer;

const PAGE: &str = include_str!("../../../docs/access.md");

/// Fewest examples and requests that the page must have: an empty page would pass.
const EXAMPLES_MIN: usize = 4;
const REQUESTS_MIN: usize = 20;

/// A line of an example's table.
#[derive(Debug)]
struct Line<'a> {
    who: &'a str,
    case: Case,
    status: u16,
    /// The body, or an error's code.
    told: Option<&'a str>,
}

#[test]
fn every_example_of_the_documentation_does_what_it_says_on_every_store() {
    let Some(stores) = Stores::start("examples", &blocks("sql").join("\n"), "anon") else { return };
    let senders = senders();
    let examples: Vec<&str> = PAGE.split("\n## ").filter(|part| part.starts_with("Example: ")).collect();
    let lines: Vec<Line<'_>> = examples.iter().flat_map(|example| rows(example)).filter_map(line).collect();
    assert!(examples.len() >= EXAMPLES_MIN && lines.len() >= REQUESTS_MIN, "{} requests", lines.len());
    for (store, berth) in stores.all() {
        for Line { who, case, status, told } in &lines {
            let sender = senders.get(who).unwrap_or_else(|| panic!("nobody is called {who}"));
            let answer = case.send(&berth.client(), &sender.headers());
            let words = words(&answer);
            assert_eq!((answer.status, words.as_deref()), (*status, *told), "{store}: {who} {case:?}: {}", answer.body);
        }
    }
}

/// What an answer says: its rows, which Postgres puts each on a line, or its error's code.
fn words(answer: &Answer) -> Option<String> {
    if answer.status < 300 {
        return Some(answer.body.replace(", \n ", ",")).filter(|body| !body.is_empty());
    }
    let error: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
    error["code"].as_str().map(str::to_owned)
}

/// The blocks of code in a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("\n```{language}\n");
    PAGE.split(&opening).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

/// The rows of tables, without their heads.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| who |");
    text.lines().filter(is_row).map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
}

fn senders() -> BTreeMap<&'static str, Sender> {
    let sender = |claims: &str| match claims.trim_matches('`') {
        "" => Sender::anonymous(),
        claims => {
            let claims: serde_json::Value = serde_json::from_str(claims).unwrap();
            Sender::new(claims["role"].as_str().unwrap(), claims.clone())
        }
    };
    let part = PAGE.split("\n## ").find(|part| part.starts_with("Roles\n")).expect("the page says who asks");
    rows(part).map(|cells| (cells[0], sender(cells[1]))).collect()
}

/// `who | request, body and what is preferred in code | status and what is told in code`.
fn line(cells: Vec<&str>) -> Option<Line<'_>> {
    let [who, request, answer] = cells[..] else { return None };
    let words = code(request);
    let (method, path) = words.first()?.split_once(' ')?;
    let returned = if words.last() == Some(&"minimal") { "return=minimal" } else { "return=representation" };
    let body = words.get(1).filter(|body| body.starts_with('{')).copied().unwrap_or_default();
    let write = |method| Case::write(method, path, body).prefer(returned);
    let case = match method {
        "GET" => Case::get(path),
        "POST" => write("POST"),
        "PATCH" => write("PATCH"),
        "DELETE" => write("DELETE"),
        other => panic!("{other} is no verb of the examples"),
    };
    let status = answer.split(' ').next()?.parse().unwrap();
    Some(Line { who, case, status, told: code(answer).first().copied() })
}

/// What stands between backquotes.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}
