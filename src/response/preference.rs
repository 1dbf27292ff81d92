//! `Preference-Applied`: which preferences of the request its answer obeys.
//!
//! Source: RFC 7240, section 3.

use crate::request::prefer::{Choice, Handling, Preferences};

/// `Preference-Applied`, in `PostgREST`'s order, then what is berth's own; `None` when nothing was applied.
pub(super) fn applied(preferences: &Preferences) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    let mut say = |name: &str, word: Option<&str>| words.extend(word.map(|word| format!("{name}={word}")));
    say("resolution", preferences.resolution.map(Choice::word));
    say("missing", preferences.missing.map(Choice::word));
    say("return", preferences.representation.map(Choice::word));
    say("count", preferences.count.map(Choice::word));
    say("tx", preferences.transaction.map(Choice::word));
    say("handling", preferences.handling.map(Choice::word));
    say("timezone", preferences.timezone.as_deref());
    if let (Some(Handling::Strict), Some(most)) = (preferences.handling, preferences.max_affected) {
        words.push(format!("max-affected={most}"));
    }
    if preferences.dry_run {
        words.push("dry-run".to_owned());
    }
    if preferences.distinct.is_some() {
        words.push("distinct".to_owned());
    }
    if preferences.seek.is_some() {
        words.push("pagination=keyset".to_owned());
    }
    (!words.is_empty()).then(|| words.join(", "))
}
