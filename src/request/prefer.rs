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

/// A preference with one of a few values, each a word of the header.
pub trait Choice: Copy + 'static {
    /// All values.
    const ALL: &'static [Self];

    /// The word that stands for the value.
    fn word(self) -> &'static str;
}

/// What happens to a row whose key is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// It is updated.
    MergeDuplicates,
    /// It is left out.
    IgnoreDuplicates,
}

impl Choice for Resolution {
    const ALL: &'static [Self] = &[Self::MergeDuplicates, Self::IgnoreDuplicates];

    fn word(self) -> &'static str {
        match self {
            Self::MergeDuplicates => "merge-duplicates",
            Self::IgnoreDuplicates => "ignore-duplicates",
        }
    }
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

impl Choice for Representation {
    const ALL: &'static [Self] = &[Self::Full, Self::HeadersOnly, Self::Minimal];

    fn word(self) -> &'static str {
        match self {
            Self::Full => "representation",
            Self::HeadersOnly => "headers-only",
            Self::Minimal => "minimal",
        }
    }
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

impl Choice for Count {
    const ALL: &'static [Self] = &[Self::Exact, Self::Planned, Self::Estimated];

    fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Planned => "planned",
            Self::Estimated => "estimated",
        }
    }
}

/// Whether a transaction stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionEnd {
    /// It does.
    Commit,
    /// It does not.
    Rollback,
}

impl Choice for TransactionEnd {
    const ALL: &'static [Self] = &[Self::Commit, Self::Rollback];

    fn word(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Rollback => "rollback",
        }
    }
}

/// What a key missing from an object means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The column's default.
    Default,
    /// Null.
    Null,
}

impl Choice for Missing {
    const ALL: &'static [Self] = &[Self::Default, Self::Null];

    fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Null => "null",
        }
    }
}

/// What happens to preferences that berth does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// They are an error.
    Strict,
    /// They are ignored.
    Lenient,
}

impl Choice for Handling {
    const ALL: &'static [Self] = &[Self::Strict, Self::Lenient];

    fn word(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Lenient => "lenient",
        }
    }
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
        match name {
            "resolution" => choose(&mut self.resolution, value),
            "return" => choose(&mut self.representation, value),
            "count" => choose(&mut self.count, value),
            "tx" => choose(&mut self.transaction, value),
            "missing" => choose(&mut self.missing, value),
            "handling" => choose(&mut self.handling, value),
            "pagination" | "after" | "before" => seek::prefer(&mut self.seek, name, value),
            "distinct" => distinct::prefer(&mut self.distinct, Some(value)),
            "timezone" => {
                self.timezone.get_or_insert_with(|| value.to_owned());
                Some(())
            }
            // What is no number of rows is ignored, under `handling=strict` too.
            "max-affected" => {
                self.max_affected = self.max_affected.or_else(|| value.parse().ok());
                Some(())
            }
            _ => None,
        }
    }
}

/// Takes in the choice that a word stands for, unless one was made before; `None` when it stands for none.
fn choose<T: Choice>(place: &mut Option<T>, word: &str) -> Option<()> {
    let choice = T::ALL.iter().find(|choice| choice.word() == word)?;
    place.get_or_insert(*choice);
    Some(())
}
