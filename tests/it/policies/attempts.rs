//! Ways round a policy, each of which must end where it began: ann sees nothing of cid's.

use super::stores::Sender;
use crate::differential::requests::Case;
use crate::support::Answer;

/// What is in rows that ann must not see, and nowhere else.
const HIDDEN: [&str; 3] = ["s5", "cid one", "four-hidden"];

pub(super) fn all() -> Vec<(Sender, Case)> {
    Vec::new()
}

pub(super) fn assert_nothing_hidden(case: &Case, answer: &Answer) {
    for hidden in HIDDEN {
        let was_sent = case.path.contains(hidden) || case.body.contains(hidden);
        assert!(was_sent || !answer.body.contains(hidden), "{case:?} was told {hidden}: {}", answer.body);
    }
}
