//! A text in pieces: its words, and what stands between them.

use crate::search::configuration::{Configuration, WORD_MAX};
use crate::search::query::{Query, Word};
use crate::search::scan::{Passed, Scan, TokenKind};
use crate::search::vector::{Vector, Weight};

/// What a piece is, as far as headlines tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// White space and punctuation.
    Blank,
    /// A tag, which a blank is shown for.
    Tag,
    /// What is told in parts behind it, and shown by them.
    Whole,
    /// An entity, or a scheme: it counts as a word, and none ends with it.
    Sign,
    /// A number: nor with it.
    Number,
    /// Any other word.
    Word,
}

/// A piece of a text.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) text: &'a str,
    pub(super) kind: Kind,
    /// It is a word of the query.
    pub(super) is_asked: bool,
    /// The one before it once more, which is another word of the query too.
    pub(super) is_repeated: bool,
}

impl Piece<'_> {
    /// True for what counts as a word.
    pub(super) fn is_word(&self) -> bool {
        !matches!(self.kind, Kind::Blank | Kind::Tag | Kind::Whole)
    }

    /// True for a word of the query, once.
    pub(super) fn is_interesting(&self) -> bool {
        self.is_asked && !self.is_repeated
    }

    /// True for what a headline should not end with: it is no word, or too short a one, in bytes.
    pub(super) fn ends_badly(&self, short: usize) -> bool {
        let is_bad = self.kind != Kind::Word || self.text.len() <= short;
        is_bad && !self.is_interesting()
    }
}

/// A word of the query where it stands in the text.
#[derive(Debug)]
struct Asked {
    /// Which piece it is.
    at: usize,
    /// Its place among the words.
    place: u16,
    /// The number of the word in the query, as a word.
    word: String,
}

/// All of a text.
#[derive(Debug)]
pub(super) struct Pieces<'a> {
    pub(super) list: Vec<Piece<'a>>,
    asked: Vec<Asked>,
    /// The query, with the numbers of its words for them.
    query: Query,
}

impl<'a> Pieces<'a> {
    pub(super) fn of(configuration: Configuration, text: &'a str, query: &Query) -> Self {
        let mut words = Vec::new();
        query.root().into_iter().for_each(|root| root.add_words(&mut words));
        let mut pieces = Self { list: Vec::new(), asked: Vec::new(), query: query.with_numbers_for_words() };
        let mut scan = Scan::noting(text);
        let (mut told, mut place) = (0, 0);
        while let Some(token) = scan.next() {
            let start = token.text.as_ptr().addr() - text.as_ptr().addr();
            pieces.add_between(text, &scan.take_passed(), told, start);
            told = if token.is_whole { start } else { start + token.text.len() };
            if token.text.len() > WORD_MAX {
                continue;
            }
            place += 1;
            let kind = match token.kind {
                _ if token.is_whole => Kind::Whole,
                TokenKind::Number => Kind::Number,
                TokenKind::Word | TokenKind::AsciiWord | TokenKind::Other => Kind::Word,
            };
            let lexeme = configuration.lexeme(token.kind, token.text);
            pieces.add_word(token.text, kind, place, lexeme.as_deref(), &words);
        }
        pieces.add_between(text, &scan.take_passed(), told, text.len());
        pieces
    }

    fn add(&mut self, text: &'a str, kind: Kind) {
        if !text.is_empty() {
            self.list.push(Piece { text, kind, is_asked: false, is_repeated: false });
        }
    }

    /// Adds what stands before a token.
    fn add_between(&mut self, text: &'a str, passed: &[(usize, usize, Passed)], from: usize, to: usize) {
        let mut at = from;
        for (start, end, what) in passed {
            self.add(text.get(at..*start).unwrap_or_default(), Kind::Blank);
            let kind = match what {
                Passed::Tag => Kind::Tag,
                Passed::Sign => Kind::Sign,
            };
            self.add(text.get(*start..*end).unwrap_or_default(), kind);
            at = *end;
        }
        self.add(text.get(at..to).unwrap_or_default(), Kind::Blank);
    }

    fn add_word(&mut self, text: &'a str, kind: Kind, place: u32, lexeme: Option<&str>, words: &[&Word]) {
        let is_asked = |word: &Word, lexeme: &str| {
            if word.is_start { lexeme.starts_with(&word.text) } else { lexeme == word.text }
        };
        let place = u16::try_from(place).unwrap_or(u16::MAX);
        let mut is_repeated = false;
        // The words of a query are looked through from the last to the first.
        for (number, _) in
            words.iter().enumerate().rev().filter(|(_, word)| lexeme.is_some_and(|of| is_asked(word, of)))
        {
            self.asked.push(Asked { at: self.list.len(), place, word: number.to_string() });
            self.list.push(Piece { text, kind, is_asked: true, is_repeated });
            is_repeated = true;
        }
        if !is_repeated {
            self.list.push(Piece { text, kind, is_asked: false, is_repeated });
        }
    }

    /// The first part from `from` on in which the query holds, with fewer than `longest` pieces between its first and its
    /// last one, which are words of the query.
    ///
    /// # Errors
    /// What `go_on` says.
    pub(super) fn cover<Over>(
        &self,
        from: usize,
        longest: usize,
        go_on: &mut dyn FnMut() -> Result<(), Over>,
    ) -> Result<Option<(usize, usize)>, Over> {
        let begin = self.asked.partition_point(|asked| asked.at < from);
        let asked = self.asked.get(begin..).unwrap_or_default();
        for (index, first) in asked.iter().enumerate() {
            let mut vector = Vector::default();
            let within = asked.iter().skip(index).take_while(|last| last.at - first.at < longest.max(1));
            for last in within {
                vector.add_weighed(&last.word, last.place, Weight::D);
                if self.query.matches(&vector) {
                    return Ok(Some((first.at, last.at)));
                }
                go_on()?;
            }
        }
        Ok(None)
    }
}
