//! The few rules that every grammar of a query string is built from.
//!
//! A [`Lexer`] walks over one text. A rule is a function `&mut Lexer -> Parsed<T>`: when it fails where it began, the
//! next alternative may be tried; when it fails further on, the text is wrong, unless [`Lexer::attempt`] takes it back.
//! That is Parsec's rule, and with `fault.rs` the error texts of the dialect follow from it.
//!
//! A text is parsed without keeping faults, which is quick; only when that fails it is parsed again to say why.

use std::borrow::Cow;

use super::Error;
use super::fault::{Expected, Fault, Found};

/// How deep `select=` and `and=`/`or=` may nest: each level is a frame on the stack, and no honest request needs more.
pub(super) const DEPTH_MAX: usize = 32;

/// Items of one text (fields, conditions, terms, columns): `SQLite`'s own bound on the columns of a result.
pub(super) const ITEMS_MAX: usize = 2_000;

/// Values of one `in.(…)`: the most that `SQLite` binds in one statement.
pub(super) const LIST_MAX: usize = 32_766;

/// Bytes of one name: far above the 63 that Postgres keeps, so that only nonsense is refused.
pub(super) const NAME_MAX_BYTES: usize = 1_024;

/// Why a rule did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// The text does not follow the grammar here.
    Syntax,
    /// A bound was reached; no alternative can help.
    TooLarge(Bound),
}

/// A bound of the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// [`DEPTH_MAX`].
    Depth,
    /// [`ITEMS_MAX`].
    Items,
    /// [`LIST_MAX`].
    List,
    /// [`NAME_MAX_BYTES`].
    Name,
}

impl Bound {
    fn message(self, what: &str) -> String {
        match self {
            Self::Depth => format!("{what}: nested deeper than {DEPTH_MAX} levels"),
            Self::Items => format!("{what}: more than {ITEMS_MAX} items"),
            Self::List => format!("{what}: more than {LIST_MAX} values in a list"),
            Self::Name => format!("{what}: a name longer than {NAME_MAX_BYTES} bytes"),
        }
    }
}

/// What a rule gives.
pub(super) type Parsed<T> = Result<T, Failure>;

/// Parses `text` by `rule`; what stands behind the rule's end is not looked at.
///
/// # Errors
/// [`Error::QueryParameter`] in `PostgREST`'s words: `what (shown)` names the text. [`Error::TooLarge`] past a bound.
pub(super) fn parse<'a, T>(
    what: &'static str,
    shown: &str,
    text: &'a str,
    rule: impl Fn(&mut Lexer<'a>) -> Parsed<T>,
) -> Result<T, Error> {
    let failure = match rule(&mut Lexer { text, at: 0, items: 0, fault: None }) {
        Ok(value) => return Ok(value),
        Err(failure) => failure,
    };
    if let Failure::TooLarge(bound) = failure {
        return Err(Error::TooLarge(bound.message(what)));
    }
    let mut lexer = Lexer { text, at: 0, items: 0, fault: Some(Fault::default()) };
    match rule(&mut lexer) {
        Ok(value) => Ok(value),
        Err(_) => {
            let fault = lexer.fault.unwrap_or_default();
            let message = format!("\"{what} ({shown})\" {}", fault.position(text));
            Err(Error::QueryParameter { message, details: fault.details() })
        }
    }
}

/// A text and the place reached in it.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    /// Byte offset, always on a character's boundary.
    at: usize,
    items: usize,
    /// Kept only when a failure is to be explained.
    fault: Option<Fault>,
}

impl<'a> Lexer<'a> {
    /// What is left of the text.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes all that is left.
    pub(super) fn take_rest(&mut self) -> &'a str {
        let rest = self.rest();
        self.advance(rest.len());
        rest
    }

    /// Takes one character that passes `test`.
    pub(super) fn satisfy(&mut self, test: impl Fn(char) -> bool) -> Parsed<char> {
        self.one(test, None)
    }

    /// Takes `character`; `text` is the same, to be named in a fault.
    pub(super) fn symbol(&mut self, character: char, text: &'static str) -> Parsed<()> {
        self.one(|found| found == character, Some(Expected::Text(text))).map(drop)
    }

    /// Takes the dot between the parts of a filter, a path or a term.
    pub(super) fn delimiter(&mut self) -> Parsed<()> {
        self.one(|found| found == '.', Some(Expected::Label("delimiter (.)"))).map(drop)
    }

    /// Takes `word`. A word half there counts as text taken.
    pub(super) fn word(&mut self, word: &'static str) -> Parsed<()> {
        let rest = self.rest();
        if rest.starts_with(word) {
            self.advance(word.len());
            return Ok(());
        }
        let same = word.chars().zip(rest.chars()).take_while(|(expected, found)| expected == found);
        let taken: usize = same.map(|(character, _)| character.len_utf8()).sum();
        let next = rest.get(taken..).and_then(|rest| rest.chars().next());
        self.note(self.at, next, Some(Expected::Text(word)));
        self.at += taken;
        Err(Failure::Syntax)
    }

    /// Takes `word` (lower case) in any case of its letters.
    pub(super) fn word_in_any_case(&mut self, word: &'static str) -> Parsed<()> {
        word.chars().try_for_each(|expected| self.satisfy(|found| found.to_ascii_lowercase() == expected).map(drop))
    }

    /// Takes as many characters as pass `test`, perhaps none; `names` are told when another one stands behind them.
    pub(super) fn take_while(&mut self, test: impl Fn(char) -> bool, names: &[&'static str]) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|character| !test(character)).unwrap_or(rest.len());
        self.advance(length);
        let next = self.rest().chars().next();
        if names.is_empty() {
            self.note(self.at, next, None);
        }
        for name in names {
            self.note(self.at, next, Some(Expected::Label(name)));
        }
        rest.get(..length).unwrap_or_default()
    }

    /// As [`Self::take_while`], but at least one.
    pub(super) fn take_some(&mut self, test: impl Fn(char) -> bool, names: &[&'static str]) -> Parsed<&'a str> {
        let taken = self.take_while(test, names);
        if taken.is_empty() { Err(Failure::Syntax) } else { Ok(taken) }
    }

    /// Takes spaces and tabs.
    pub(super) fn space(&mut self) {
        self.take_while(|character| matches!(character, ' ' | '\t'), &[]);
    }

    /// Runs `rule` with space around it.
    pub(super) fn lexeme<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.space();
        let value = rule(self)?;
        self.space();
        Ok(value)
    }

    /// Holds at the end of the text.
    pub(super) fn end(&mut self) -> Parsed<()> {
        let next = self.rest().chars().next();
        if let Some(fault) = &mut self.fault {
            let mut own =
                next.map_or_else(|| Fault::new(self.at, Found::End, None), |next| Fault::refused(self.at, next));
            own.rename(self.at, "end of input");
            fault.merge(own);
        }
        if next.is_none() { Ok(()) } else { Err(Failure::Syntax) }
    }

    /// Holds when the next character does not pass `test`; takes nothing.
    pub(super) fn not_followed_by(&mut self, test: impl Fn(char) -> bool) -> Parsed<()> {
        match self.rest().chars().next() {
            Some(next) if test(next) => {
                if let Some(fault) = &mut self.fault {
                    fault.merge(Fault::refused(self.at + next.len_utf8(), next));
                }
                Err(Failure::Syntax)
            }
            next => {
                self.note(self.at, next, None);
                Ok(())
            }
        }
    }

    /// Runs `rule`; when it fails nothing counts as taken.
    pub(super) fn attempt<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let (start, before) = (self.at, self.fault.clone());
        let result = rule(self);
        if matches!(result, Err(Failure::Syntax)) && self.at != start {
            self.at = start;
            if let (Some(mut before), Some(own)) = (before, self.fault.take()) {
                before.merge(own);
                self.fault = Some(before);
            }
        }
        result
    }

    /// Runs `rule`; `None` when it fails without taking anything.
    pub(super) fn optional<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<Option<T>> {
        let start = self.at;
        match rule(self) {
            Ok(value) => Ok(Some(value)),
            Err(Failure::Syntax) if self.at == start => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// [`Self::optional`] over [`Self::attempt`].
    pub(super) fn perhaps<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<Option<T>> {
        self.optional(|lexer| lexer.attempt(rule))
    }

    /// Runs `rule` and gives back what it took; nothing counts as taken when it fails.
    pub(super) fn look_ahead(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<()>) -> Parsed<()> {
        let (start, before) = (self.at, self.fault.clone());
        self.attempt(rule)?;
        self.at = start;
        self.fault = before;
        Ok(())
    }

    /// Runs `rule` under a name: its expectations are told by that name.
    pub(super) fn label<T>(&mut self, name: &'static str, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let Some(mut before) = self.fault.take() else { return rule(self) };
        self.fault = Some(Fault::default());
        let start = self.at;
        let result = rule(self);
        if self.at == start {
            let mut own = self.fault.take().unwrap_or_default();
            if result.is_err() || !own.is_unknown() {
                own.rename(start, name);
            }
            before.merge(own);
            self.fault = Some(before);
        }
        result
    }

    /// One `item` or more with `separator` between them.
    pub(super) fn separated<T>(
        &mut self,
        most: (usize, Bound),
        item: impl Fn(&mut Self) -> Parsed<T>,
        separator: impl Fn(&mut Self) -> Parsed<()>,
    ) -> Parsed<Vec<T>> {
        let mut items = vec![item(self)?];
        while let Some(next) = self.optional(|lexer| separator(lexer).and_then(|()| item(lexer)))? {
            if items.len() >= most.0 {
                return Err(Failure::TooLarge(most.1));
            }
            items.push(next);
            self.forget();
        }
        Ok(items)
    }

    /// A comma with space around it.
    pub(super) fn comma(&mut self) -> Parsed<()> {
        self.lexeme(|lexer| lexer.symbol(',', ","))
    }

    /// Counts one item against [`ITEMS_MAX`], over all levels of the text.
    pub(super) fn count_item(&mut self) -> Parsed<()> {
        self.items += 1;
        if self.items > ITEMS_MAX { Err(Failure::TooLarge(Bound::Items)) } else { Ok(()) }
    }

    /// `"` any characters, `\` before `"` and `\` `"`.
    pub(super) fn quoted(&mut self) -> Parsed<Cow<'a, str>> {
        self.symbol('"', "\"")?;
        let plain = self.take_while(is_plain, &[]);
        let mut value = Cow::Borrowed(plain);
        while self.rest().starts_with('\\') {
            self.advance(1);
            let escaped = self.satisfy(|_| true)?;
            let plain = self.take_while(is_plain, &[]);
            let value = value.to_mut();
            value.push(escaped);
            value.push_str(plain);
        }
        self.note(self.at, self.rest().chars().next(), Some(Expected::Text("\\")));
        self.symbol('"', "\"")?;
        Ok(value)
    }

    fn one(&mut self, test: impl Fn(char) -> bool, expected: Option<Expected>) -> Parsed<char> {
        match self.rest().chars().next() {
            Some(next) if test(next) => {
                self.advance(next.len_utf8());
                Ok(next)
            }
            next => {
                self.note(self.at, next, expected);
                Err(Failure::Syntax)
            }
        }
    }

    fn advance(&mut self, bytes: usize) {
        if bytes > 0 {
            self.at += bytes;
            self.forget();
        }
    }

    /// Drops the fault kept so far, as taking a character does.
    pub(super) fn forget(&mut self) {
        if let Some(fault) = &mut self.fault {
            *fault = Fault::default();
        }
    }

    fn note(&mut self, at: usize, next: Option<char>, expected: Option<Expected>) {
        if let Some(fault) = &mut self.fault {
            fault.merge(Fault::new(at, next.map_or(Found::End, Found::Token), expected));
        }
    }
}

/// What needs no backslash within quotes.
fn is_plain(character: char) -> bool {
    !matches!(character, '\\' | '"')
}
