//! Configurations: which words a text is found by.

use rust_stemmers::{Algorithm, Stemmer};

use super::scan::{Scan, TokenKind};
use super::vector::Vector;
use super::{Error, stop};

/// Longer words are found by nobody, in bytes.
const WORD_MAX: usize = 2_046;

/// A text search configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Configuration {
    /// Words are found as they are, in lower case.
    Simple,
    /// Words are found by their stems, and the most common ones not at all.
    English,
}

impl Configuration {
    /// The one that counts where none is named; `default_text_search_config` of a server for English.
    pub const DEFAULT: Self = Self::English;

    /// All that there are.
    pub const ALL: [Self; 2] = [Self::Simple, Self::English];

    /// The configuration of that name, which may name its schema, as a cast to `regconfig` reads it.
    ///
    /// # Errors
    /// 42704 when there is none; 42602 when it is no name.
    pub fn named(name: &str) -> Result<Self, Error> {
        let (schema, local) = match name.rsplit_once('.') {
            Some((schema, local)) => (Some(folded(schema)), folded(local)),
            None => (None, folded(name)),
        };
        if local.is_empty() || schema.as_deref() == Some("") {
            return Err(Error::new("42602", "invalid name syntax"));
        }
        let is_reachable = schema.as_deref().is_none_or(|schema| schema == "pg_catalog");
        let found = Self::ALL.into_iter().find(|of| is_reachable && of.name() == local);
        found.ok_or_else(|| Error::new("42704", format!("text search configuration \"{name}\" does not exist")))
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::English => "english",
        }
    }

    /// What `text` is found by: `to_tsvector`.
    #[must_use]
    pub fn vector(self, text: &str) -> Vector {
        let mut vector = Vector::default();
        self.add_words(text, 0, &mut |word, place| vector.add(word, place));
        vector
    }

    /// What the texts are found by that stand one behind the other, with a place left free between them.
    #[must_use]
    pub fn vector_of_all<'a>(self, texts: impl IntoIterator<Item = &'a str>) -> Vector {
        let mut vector = Vector::default();
        let mut place = 0;
        for text in texts {
            let before = place;
            place = self.add_words(text, before, &mut |word, place| vector.add(word, place));
            place += u32::from(place > before);
        }
        vector
    }

    /// Tells each word of `text` with its place, counted on from `before`; gives the last place. Words that are left out
    /// have a place too.
    pub(super) fn add_words(self, text: &str, before: u32, add: &mut dyn FnMut(String, u32)) -> u32 {
        let mut place = before;
        for token in Scan::of(text) {
            if token.text.len() > WORD_MAX {
                continue;
            }
            place += 1;
            if let Some(word) = self.lexeme(token.kind, token.text) {
                add(word, place);
            }
        }
        place
    }

    fn lexeme(self, kind: TokenKind, text: &str) -> Option<String> {
        let word = lower(text);
        match (self, kind) {
            (Self::Simple, _) | (Self::English, TokenKind::Other) => Some(word),
            (Self::English, TokenKind::Word) if stop::is_english(&word) => None,
            (Self::English, TokenKind::Word) => Some(Stemmer::create(Algorithm::English).stem(&word).into_owned()),
        }
    }
}

/// A part of a name: in lower case, unless it stands in quotes.
fn folded(part: &str) -> String {
    let part = part.trim();
    match part.strip_prefix('"').and_then(|part| part.strip_suffix('"')) {
        Some(quoted) => quoted.replace("\"\"", "\""),
        None => part.to_ascii_lowercase(),
    }
}

/// Lower case character by character, as Postgres does under a UTF-8 locale.
fn lower(text: &str) -> String {
    let one = |character: char| {
        let mut folded = character.to_lowercase();
        match (folded.next(), folded.next()) {
            (Some(only), None) => only,
            (_, _) => character,
        }
    };
    text.chars().map(one).collect()
}
