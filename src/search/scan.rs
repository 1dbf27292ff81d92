//! Text → tokens: words, numbers, addresses, files. What no configuration has a word for is left out: white space,
//! punctuation, tags, entities and the scheme before an address.
//!
//! ```text
//! word     = letter+                           a letter is one of any script
//! numword  = letters and digits
//! compound = part ("-" part)+                  told whole, then part by part; no part is a number alone
//! number   = ["+" | "-"] digits ["." digits] [e ["+" | "-"] digits]  |  digits ("." digits){2,}
//! host     = label ("." label)+ [":" digits]   ASCII; the last label has two letters or more and nothing else
//! email    = name "@" host
//! address  = host "/" path                     told whole, then the host, then the path
//! file     = names with "/" and "." between
//! ```
//!
//! Where several begin at the same place the first of these is taken: email, host, number, file, compound, word.
//!
//! Source: <https://www.postgresql.org/docs/15/textsearch-parsers.html>, and what Postgres 15 answered when asked.

mod address;
mod letter;
mod markup;
mod number;

use letter::{is_alphanumeric, is_in_word};

/// Addresses and files are no longer, in bytes: the search for an end must not go on through the whole text each time.
const REACH: usize = 1_024;

/// What a token is, as far as configurations tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// Letters, also with hyphens between.
    Word,
    /// The same, of ASCII only.
    AsciiWord,
    /// A number.
    Number,
    /// Whatever else has digits, or is an address or a file.
    Other,
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind,
    pub(super) text: &'a str,
    /// Its parts are told next.
    pub(super) is_whole: bool,
}

/// What is passed over between tokens, apart from white space and punctuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passed {
    /// A tag or a comment.
    Tag,
    /// An entity, or the scheme before an address.
    Sign,
}

/// The tokens of a text, one after the other.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// Until there the parts of a compound are told.
    compound_end: usize,
    /// The host and the path of an address that was told.
    address: Option<(usize, usize)>,
    /// No comment ends behind here.
    comments_open: bool,
    /// Within `<script>` or `<style>`, of which nothing is told.
    is_hidden: bool,
    /// Where what is passed over begins and ends, if anybody wants to know.
    passed: Option<Vec<(usize, usize, Passed)>>,
}

impl<'a> Scan<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0, compound_end: 0, address: None, comments_open: false, is_hidden: false, passed: None }
    }

    /// The same, which notes what it passes over.
    pub(super) fn noting(text: &'a str) -> Self {
        Self { passed: Some(Vec::new()), ..Self::of(text) }
    }

    /// What was passed over since this was last asked: places, and what was there.
    pub(super) fn take_passed(&mut self) -> Vec<(usize, usize, Passed)> {
        self.passed.as_mut().map(std::mem::take).unwrap_or_default()
    }

    fn pass(&mut self, end: usize, what: Passed) {
        if let Some(passed) = &mut self.passed {
            passed.push((self.at, end, what));
        }
        self.at = end;
    }

    fn peek(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    fn is_at(&self, at: usize, test: impl Fn(char) -> bool) -> bool {
        self.peek(at).is_some_and(test)
    }

    fn take(&mut self, kind: TokenKind, end: usize) -> Token<'a> {
        let text = self.text.get(self.at..end).unwrap_or_default();
        self.at = end;
        Token { kind, text, is_whole: false }
    }

    /// The end of the characters from `at` that pass.
    fn end_of(&self, at: usize, test: impl Fn(char) -> bool) -> usize {
        let rest = self.text.get(at..).unwrap_or_default();
        at + rest.find(|character| !test(character)).unwrap_or(rest.len())
    }

    /// Goes over white space and punctuation, as far as nothing may begin there.
    fn pass_blank(&mut self) {
        let Some(first) = self.peek(self.at) else { return };
        let is_blank =
            |character: char| !is_alphanumeric(character) && !matches!(character, '<' | '-' | '+' | '&' | '/');
        self.at = self.end_of(self.at + first.len_utf8(), is_blank);
    }

    /// The part of a compound that begins here.
    fn part(&mut self) -> Option<Token<'a>> {
        while self.at < self.compound_end {
            let end = self.end_of(self.at, is_in_word).min(self.compound_end);
            if end > self.at {
                let kind = kind_of(self.text.get(self.at..end).unwrap_or_default());
                return Some(self.take(kind, end));
            }
            self.at += 1;
        }
        if self.compound_end > 0 && self.at == self.compound_end {
            // A hyphen behind it joins what follows, and is no sign.
            self.compound_end = 0;
            let joins = self.is_at(self.at, |next| next == '-') && self.is_at(self.at + 1, is_alphanumeric);
            self.at += usize::from(joins);
        }
        None
    }

    /// What begins with a letter or a digit.
    fn word(&mut self, first: char) -> Token<'a> {
        let start = self.at;
        let plain_end = self.end_of(start, |character| character.is_ascii_alphanumeric());
        let end = self.end_of(start, is_in_word);
        let is_plain = plain_end == end;
        if first.is_ascii_alphanumeric()
            && (!first.is_ascii_digit() || !self.is_exponent(start))
            && let Some(found) = address::host(self, start)
        {
            return self.take_address(found);
        }
        let letters_end = self.end_of(start, |character| is_in_word(character) && !character.is_ascii_digit());
        let is_number = self.end_of(start, |character| character.is_ascii_digit()) == end;
        if first.is_ascii_digit()
            && let Some(end) = number::unsigned(self, start)
        {
            return self.take(TokenKind::Number, end);
        }
        let has_digits = letters_end < end;
        let may_be_file = match self.peek(end) {
            Some('/') => is_plain || has_digits,
            Some('.') => !is_number && (is_plain || has_digits),
            _ => false,
        };
        if may_be_file && let Some(end) = address::file_behind(self, end) {
            return self.take(TokenKind::Other, end);
        }
        if !is_number && let Some(end) = self.compound(end) {
            let whole = self.text.get(start..end).unwrap_or_default();
            self.compound_end = end;
            return Token { kind: kind_of(whole), text: whole, is_whole: true };
        }
        self.take(kind_of(self.text.get(start..end).unwrap_or_default()), end)
    }

    /// True where digits and an exponent begin, which are no host.
    fn is_exponent(&self, at: usize) -> bool {
        let digits = self.end_of(at, |character| character.is_ascii_digit());
        self.is_at(digits, |character| matches!(character, 'e' | 'E')) && number::exponent(self, digits).is_some()
    }

    /// The end of the parts that follow the one that ends here; `None` when none does.
    fn compound(&self, first_end: usize) -> Option<usize> {
        let mut end = first_end;
        while self.is_at(end, |character| character == '-') {
            let part = end + 1;
            let part_end = self.end_of(part, is_in_word);
            let is_number = self.end_of(part, |character| character.is_ascii_digit()) == part_end;
            if is_number || !self.is_at(part, is_alphanumeric) {
                break;
            }
            end = part_end;
        }
        (end > first_end).then_some(end)
    }

    fn take_address(&mut self, found: address::Found) -> Token<'a> {
        match found {
            address::Found::Host(end) => self.take(TokenKind::Other, end),
            address::Found::Url { host, end } => {
                self.address = Some((host, end));
                let text = self.text.get(self.at..end).unwrap_or_default();
                Token { kind: TokenKind::Other, text, is_whole: true }
            }
        }
    }

    /// The host of an address that was told, then its path.
    fn address_part(&mut self) -> Option<Token<'a>> {
        let (host, end) = self.address?;
        if self.at < host {
            return Some(self.take(TokenKind::Other, host));
        }
        self.address = None;
        Some(self.take(TokenKind::Other, end))
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if let Some(part) = self.address_part().or_else(|| self.part()) {
                return Some(part);
            }
            let first = self.peek(self.at)?;
            if first == '<' && self.pass_tag() || first == '&' && self.pass_entity() {
                continue;
            }
            if self.is_hidden {
                self.at += first.len_utf8();
                self.at = self.end_of(self.at, |character| character != '<');
                continue;
            }
            let mut kind = TokenKind::Other;
            let found = match first {
                '-' | '+' => {
                    kind = TokenKind::Number;
                    number::signed(self, self.at)
                }
                '/' => address::file_behind(self, self.at),
                '.' | '~' => address::file_at(self, self.at),
                _ if is_alphanumeric(first) => {
                    if self.pass_scheme() {
                        continue;
                    }
                    return Some(self.word(first));
                }
                _ => None,
            };
            match found {
                Some(end) => return Some(self.take(kind, end)),
                None => self.pass_blank(),
            }
        }
    }
}

fn kind_of(text: &str) -> TokenKind {
    if text.bytes().any(|byte| byte.is_ascii_digit()) {
        TokenKind::Other
    } else if text.is_ascii() {
        TokenKind::AsciiWord
    } else {
        TokenKind::Word
    }
}
