//! `Prefer` headers (RFC 7240).
//!
//! ```text
//! header     = preference *( "," preference )       ; space around each is dropped
//! preference = name [ "=" value ]                   ; the names and values that [`Preferences`] lists
//! ```
//!
//! `dry-run`, `distinct`, `pagination`, `after` and `before` are berth's own.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/preferences.html>

use super::distinct::{self, Distinct};
use super::seek::{self, Side};

/// What a request prefers; the first of several wins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preferences {
    /// `resolution=`
    pub resolution: Option<Resolution>,
    /// `return=`
    pub representation: Option<Representation>,
    /// `count=`
    pub count: Option<Count>,
    /// `tx=`
    pub transaction: Option<TransactionEnd>,
    /// `missing=`
    pub missing: Option<Missing>,
    /// `handling=`
    pub handling: Option<Handling>,
    /// `timezone=`
    pub timezone: Option<String>,
    /// `max-affected=`
    pub max_affected: Option<u64>,
    /// `dry-run`: the write is tried and undone.
    pub dry_run: bool,
    /// `distinct` and `distinct=`
    pub distinct: Option<Distinct>,
    /// `pagination=keyset`, `after=` and `before=`: the side, and the cursor.
    pub seek: Option<(Side, Option<String>)>,
    /// What berth does not know, as sent.
    pub unknown: Vec<String>,
}

/// What happens to a row whose key is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// It is updated.
    MergeDuplicates,
    /// It is left out.
    IgnoreDuplicates,
}

/// What a write answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Representation {
    /// The rows.
    Full,
    /// Where the row is.
    HeadersOnly,
    /// Nothing.
    Minimal,
}

/// How the rows without a limit are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// One by one.
    Exact,
    /// As the engine's planner guesses.
    Planned,
    /// Exactly up to the greatest number of rows, guessed above it.
    Estimated,
}

/// Whether a transaction stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionEnd {
    /// It does.
    Commit,
    /// It does not.
    Rollback,
}

/// What a key missing from an object means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The column's default.
    Default,
    /// Null.
    Null,
}

/// What happens to preferences that berth does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// They are an error.
    Strict,
    /// They are ignored.
    Lenient,
}

impl Preferences {
    /// Reads the values of all `Prefer` headers, in order of arrival. Never fails: what is not known is kept aside.
    pub(super) fn parse<'a>(headers: impl Iterator<Item = &'a str>) -> Self {
        let mut preferences = Self::default();
        let listed = headers.flat_map(|header| header.split(',')).map(str::trim);
        for preference in listed.filter(|preference| !preference.is_empty()) {
            if preferences.take(preference).is_none() {
                preferences.unknown.push(preference.to_owned());
            }
        }
        preferences
    }

    /// Takes one preference in; `None` when it is not known.
    fn take(&mut self, preference: &str) -> Option<()> {
        match preference {
            "dry-run" => self.dry_run = true,
            "distinct" => return distinct::prefer(&mut self.distinct, None),
            _ => return self.take_pair(preference.split_once('=')?),
        }
        Some(())
    }

    fn take_pair(&mut self, (name, value): (&str, &str)) -> Option<()> {
        match (name, value) {
            ("resolution", "merge-duplicates") => first(&mut self.resolution, Resolution::MergeDuplicates),
            ("resolution", "ignore-duplicates") => first(&mut self.resolution, Resolution::IgnoreDuplicates),
            ("return", "representation") => first(&mut self.representation, Representation::Full),
            ("return", "headers-only") => first(&mut self.representation, Representation::HeadersOnly),
            ("return", "minimal") => first(&mut self.representation, Representation::Minimal),
            ("count", "exact") => first(&mut self.count, Count::Exact),
            ("count", "planned") => first(&mut self.count, Count::Planned),
            ("count", "estimated") => first(&mut self.count, Count::Estimated),
            ("tx", "commit") => first(&mut self.transaction, TransactionEnd::Commit),
            ("tx", "rollback") => first(&mut self.transaction, TransactionEnd::Rollback),
            ("missing", "default") => first(&mut self.missing, Missing::Default),
            ("missing", "null") => first(&mut self.missing, Missing::Null),
            ("handling", "strict") => first(&mut self.handling, Handling::Strict),
            ("handling", "lenient") => first(&mut self.handling, Handling::Lenient),
            ("pagination" | "after" | "before", value) => return seek::prefer(&mut self.seek, name, value),
            ("distinct", field) => return distinct::prefer(&mut self.distinct, Some(field)),
            ("timezone", zone) => first(&mut self.timezone, zone.to_owned()),
            // What is no number of rows is ignored, under `handling=strict` too.
            ("max-affected", rows) => rows.parse().ok().map_or((), |rows| first(&mut self.max_affected, rows)),
            _ => return None,
        }
        Some(())
    }
}

fn first<T>(place: &mut Option<T>, value: T) {
    place.get_or_insert(value);
}
