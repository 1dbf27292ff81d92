//! `Preference-Applied`: which preferences of the request its answer obeys.
//!
//! Source: RFC 7240, section 3.

use crate::request::prefer::{Count, Handling, Missing, Preferences, Representation, Resolution, TransactionEnd};

/// `Preference-Applied`, in `PostgREST`'s order, then what is berth's own; `None` when nothing was applied.
pub(super) fn applied(preferences: &Preferences) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    let mut say = |word: Option<&str>| words.extend(word.map(str::to_owned));
    say(preferences.resolution.map(|resolution| match resolution {
        Resolution::MergeDuplicates => "resolution=merge-duplicates",
        Resolution::IgnoreDuplicates => "resolution=ignore-duplicates",
    }));
    say(preferences.missing.map(|missing| match missing {
        Missing::Default => "missing=default",
        Missing::Null => "missing=null",
    }));
    say(preferences.representation.map(|representation| match representation {
        Representation::Full => "return=representation",
        Representation::HeadersOnly => "return=headers-only",
        Representation::Minimal => "return=minimal",
    }));
    say(preferences.count.map(|count| match count {
        Count::Exact => "count=exact",
        Count::Planned => "count=planned",
        Count::Estimated => "count=estimated",
    }));
    say(preferences.transaction.map(|end| match end {
        TransactionEnd::Commit => "tx=commit",
        TransactionEnd::Rollback => "tx=rollback",
    }));
    say(preferences.handling.map(|handling| match handling {
        Handling::Strict => "handling=strict",
        Handling::Lenient => "handling=lenient",
    }));
    if let Some(zone) = &preferences.timezone {
        words.push(format!("timezone={zone}"));
    }
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
