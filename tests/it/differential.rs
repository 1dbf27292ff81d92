//! The same requests to berth over SQLite and over Postgres: status, body and `Content-Range` must be equal.
//!
//! Postgres is the oracle. Runs over the project's own sample tables, over requests generated from a seed and, where it is
//! there, over Chinook.

mod computed;
mod expressions;
pub(crate) mod generated;
mod numeric;
mod ordered;
mod reckoned;
pub(crate) mod requests;
pub(crate) mod sample;
mod search;
mod shrink;
mod views;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::support::deployment::Deployment;
use crate::support::{Answer, Berth, Client, chinook, scripts_with_types, torture};
use requests::Case;

/// Both stores with the same migrations.
pub(crate) struct Pair {
    sqlite: Berth,
    postgres: Berth,
    _deployments: Vec<Deployment>,
}

impl Pair {
    /// SQLite in place and a database of its own; `None`, with a line that says so, without a Postgres server.
    pub(crate) fn start(database: &str, schema: &str) -> Option<Self> {
        let deployments = vec![Deployment::in_place(schema), Deployment::postgres(database, schema)?];
        let [sqlite, postgres] = [0, 1].map(|at| deployments[at].instance().with("DB_AGGREGATES_ENABLED", true).run());
        Some(Self { sqlite, postgres, _deployments: deployments })
    }

    /// Two that are there.
    pub(crate) fn of(sqlite: Berth, postgres: Berth) -> Self {
        Self { sqlite, postgres, _deployments: Vec::new() }
    }

    /// Sends every case to both, in order; returns what differed.
    fn compare(&self, cases: &[Case]) -> Vec<String> {
        let (sqlite, postgres) = (self.sqlite.client(), self.postgres.client());
        let differs = |case| Some(told(case, &difference_of(&sqlite, &postgres, case)?));
        cases.iter().filter_map(differs).collect()
    }

    /// As [`compare`](Self::compare), for cases that stand alone: tells the smallest request that still differs.
    fn compare_small(&self, cases: &[Case]) -> Vec<String> {
        let (sqlite, postgres) = (self.sqlite.client(), self.postgres.client());
        let differs = |case: &Case| difference_of(&sqlite, &postgres, case);
        let mut told_already = BTreeSet::new();
        for case in cases.iter().filter(|case| differs(case).is_some()).take(SHRUNK_MAX) {
            let smallest = shrink::shrink(case, |candidate| differs(candidate).is_some());
            told_already.insert(told(&smallest, &differs(&smallest).unwrap_or_default()));
        }
        told_already.into_iter().collect()
    }
}

/// Requests that differ and are made smaller; more than these say the same.
const SHRUNK_MAX: usize = 60;

fn difference_of(sqlite: &Client, postgres: &Client, case: &Case) -> Option<String> {
    difference(&case.send(sqlite, &[]), &case.send(postgres, &[]))
}

fn told(case: &Case, difference: &str) -> String {
    format!("{} {} {:?} {}\n{difference}", case.method, case.path, case.headers, case.body)
}

/// What SQLite does not tell of a violated constraint: the other values of the row.
fn without_untold(sqlite: &Answer, postgres: &Answer) -> String {
    let (Ok(ours), Ok(mut oracle)) = (
        serde_json::from_str::<serde_json::Value>(&sqlite.body),
        serde_json::from_str::<serde_json::Value>(&postgres.body),
    ) else {
        return postgres.body.clone();
    };
    let is_told = !matches!(oracle["code"].as_str(), Some("23502" | "23505" | "23514" | "44000"));
    if is_told || !ours["details"].is_null() {
        return postgres.body.clone();
    }
    oracle["details"] = serde_json::Value::Null;
    serde_json::to_string(&oracle).unwrap()
}

/// What is different between two answers, for a person; `None` when nothing is.
fn difference(sqlite: &Answer, postgres: &Answer) -> Option<String> {
    let mut text = String::new();
    let mut note = |what: &str, sqlite: &str, postgres: &str| {
        if sqlite != postgres {
            let same = sqlite.chars().zip(postgres.chars()).take_while(|(ours, oracle)| ours == oracle).count();
            let cut = |text: &str| text.chars().skip(same.saturating_sub(200)).take(500).collect::<String>();
            writeln!(text, "  {what}\n    sqlite   {}\n    postgres {}", cut(sqlite), cut(postgres)).unwrap();
        }
    };
    note("status", &sqlite.status.to_string(), &postgres.status.to_string());
    note("body", &sqlite.body, &without_untold(sqlite, postgres));
    for header in ["content-range", "content-type", "location", "preference-applied", "content-location", "allow"] {
        note(header, sqlite.header(header).unwrap_or("(none)"), postgres.header(header).unwrap_or("(none)"));
    }
    (!text.is_empty()).then_some(text)
}

pub(crate) fn assert_equal(name: &str, pair: &Pair, cases: &[Case]) {
    assert_none(name, cases, &pair.compare(cases));
}

fn assert_none(name: &str, cases: &[Case], differences: &[String]) {
    eprintln!("{name}: {} requests, {} differences", cases.len(), differences.len());
    assert!(
        differences.is_empty(),
        "{} of {} requests differ:\n\n{}",
        differences.len(),
        cases.len(),
        differences.join("\n")
    );
}

#[test]
fn the_sample_and_every_type_answer_the_same_on_both_stores() {
    let Some(pair) = Pair::start("sample", &scripts_with_types().concat()) else { return };
    assert_equal("sample", &pair, &sample::cases());
}

/// Requests of an ordinary run, of which `BERTH_TORTURE` makes many more; and the seed they come from.
const GENERATED: usize = 2_000;
const GENERATED_TORTURE: usize = 40_000;
const SEED: u64 = 4;

/// `usual`, or where the seed comes from in a longer hunt: `BERTH_SEED=7`.
pub(crate) fn seed(usual: u64) -> u64 {
    std::env::var("BERTH_SEED").map_or(usual, |seed| seed.parse().expect("a seed is a number"))
}

#[test]
fn generated_requests_answer_the_same_on_both_stores() {
    let schema = scripts_with_types().concat()
        + include_str!("differential/functions.sql")
        + include_str!("differential/search.sql");
    let Some(pair) = Pair::start("generated", &schema) else { return };
    let count = if torture() { GENERATED_TORTURE } else { GENERATED };
    let seed = seed(SEED);
    let cases = generated::cases(seed, count);
    assert_none(&format!("generated from seed {seed}"), &cases, &pair.compare_small(&cases));
}

#[test]
fn chinook_answers_the_same_on_both_stores() {
    let Some(script) = chinook("chinook.sql") else { return };
    let Some(pair) = Pair::start("chinook", &std::fs::read_to_string(script).unwrap()) else { return };
    let cases = requests::chinook();
    assert!(cases.len() >= 300, "only {} requests", cases.len());
    assert_equal("chinook", &pair, &cases);
}
