//! The simulation tells when a rule is not kept: else it would show nothing.

use std::panic;

use super::simulate;
use crate::volume::log::rule::Rule;

/// How many seeds may pass before one tells.
const SEEDS: u64 = 300;

const STEPS: u64 = 4_000;

/// The first seed that fails without the rule, and what it says.
fn first_failure(rule: Rule) -> Option<(u64, String)> {
    (0..SEEDS).find_map(|seed| {
        let failure = panic::catch_unwind(|| simulate(seed, STEPS, Some(rule))).err()?;
        let text = failure.downcast_ref::<String>().cloned();
        Some((seed, text.or_else(|| failure.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()))
    })
}

#[test]
fn without_any_of_its_rules_the_log_goes_wrong() {
    let failures: Vec<_> = Rule::ALL.into_iter().map(|rule| (rule, first_failure(rule))).collect();
    for (rule, failure) in &failures {
        match failure {
            Some((seed, text)) => eprintln!("{rule:?}: seed {seed}: {}", text.lines().next().unwrap_or_default()),
            None => eprintln!("{rule:?}: not missed"),
        }
    }
    assert!(failures.iter().all(|(_, failure)| failure.is_some()), "a rule is not missed, see above");
}
