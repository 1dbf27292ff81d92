//! Configurations: which words a text is found by.

use super::scan::{Scan, TokenKind};
use super::vector::Vector;
use super::{Error, stem, stop};

/// Longer words are found by nobody, in bytes.
pub(super) const WORD_MAX: usize = 2_046;

/// A text search configuration: one of those that every Postgres has.
///
/// By all but [`Simple`](Self::Simple) words are found by their stems, and the most common ones of the language not at all.
#[expect(missing_docs, reason = "the names of languages say what they are")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Configuration {
    /// Words are found as they are, in lower case.
    Simple,
    Arabic,
    Armenian,
    Basque,
    Catalan,
    Danish,
    Dutch,
    English,
    Finnish,
    French,
    German,
    Greek,
    Hindi,
    Hungarian,
    Indonesian,
    Irish,
    Italian,
    Lithuanian,
    Nepali,
    Norwegian,
    Portuguese,
    Romanian,
    Russian,
    Serbian,
    Spanish,
    Swedish,
    Tamil,
    Turkish,
    Yiddish,
}

impl Configuration {
    /// The one that counts where none is named; `default_text_search_config` of a server for English.
    pub const DEFAULT: Self = Self::English;

    /// All that there are.
    pub const ALL: [Self; 29] = [
        Self::Simple,
        Self::Arabic,
        Self::Armenian,
        Self::Basque,
        Self::Catalan,
        Self::Danish,
        Self::Dutch,
        Self::English,
        Self::Finnish,
        Self::French,
        Self::German,
        Self::Greek,
        Self::Hindi,
        Self::Hungarian,
        Self::Indonesian,
        Self::Irish,
        Self::Italian,
        Self::Lithuanian,
        Self::Nepali,
        Self::Norwegian,
        Self::Portuguese,
        Self::Romanian,
        Self::Russian,
        Self::Serbian,
        Self::Spanish,
        Self::Swedish,
        Self::Tamil,
        Self::Turkish,
        Self::Yiddish,
    ];

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
            Self::Arabic => "arabic",
            Self::Armenian => "armenian",
            Self::Basque => "basque",
            Self::Catalan => "catalan",
            Self::Danish => "danish",
            Self::Dutch => "dutch",
            Self::English => "english",
            Self::Finnish => "finnish",
            Self::French => "french",
            Self::German => "german",
            Self::Greek => "greek",
            Self::Hindi => "hindi",
            Self::Hungarian => "hungarian",
            Self::Indonesian => "indonesian",
            Self::Irish => "irish",
            Self::Italian => "italian",
            Self::Lithuanian => "lithuanian",
            Self::Nepali => "nepali",
            Self::Norwegian => "norwegian",
            Self::Portuguese => "portuguese",
            Self::Romanian => "romanian",
            Self::Russian => "russian",
            Self::Serbian => "serbian",
            Self::Spanish => "spanish",
            Self::Swedish => "swedish",
            Self::Tamil => "tamil",
            Self::Turkish => "turkish",
            Self::Yiddish => "yiddish",
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

    pub(super) fn lexeme(self, kind: TokenKind, text: &str) -> Option<String> {
        let word = lower(text);
        let language = match (self, kind) {
            (_, TokenKind::Number | TokenKind::Other) => return Some(word),
            // What is written in Latin letters is taken for English.
            (Self::Hindi | Self::Russian, TokenKind::AsciiWord) => Self::English,
            (_, TokenKind::AsciiWord | TokenKind::Word) => self,
        };
        (!stop::is_left_out(language, &word)).then(|| stem::stem(language, word))
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

/// Lower case character by character, as Postgres does under a UTF-8 locale: of `İ`, whose lower case is two characters to
/// Unicode, the first.
#[must_use]
pub fn lower(text: &str) -> String {
    let one = |character: char| character.to_lowercase().next().unwrap_or(character);
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.chars().map(one).collect() }
}
