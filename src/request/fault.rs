//! What a parser found and what it expected, told the way `PostgREST` tells it.
//!
//! `PostgREST` shows its clients the messages of its parser library, Parsec, so the rules by which Parsec gathers them
//! are part of the dialect:
//! 1. Of two faults the one farther into the text counts; at the same place their expectations add up.
//! 2. A character taken forgets all faults before it.
//! 3. A label over a grammar rule replaces the expectations within it.
//!
//! Source: <https://hackage.haskell.org/package/parsec/docs/Text-Parsec-Error.html>

/// What stood at the place of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A character that fits no rule.
    Token(char),
    /// Nothing more.
    End,
}

/// What a rule would have taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// This very text; shown in quotes.
    Text(&'static str),
    /// Whatever has this name.
    Label(&'static str),
}

/// The fault that a parser would report if it could not go on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fault {
    at: usize,
    found: Option<Found>,
    refused: Option<char>,
    expected: Vec<Expected>,
}

impl Fault {
    /// A fault at byte `at` where `found` stood; `expected` has a name for what did not.
    pub(super) fn new(at: usize, found: Found, expected: Option<Expected>) -> Self {
        Self { at, found: Some(found), refused: None, expected: expected.into_iter().collect() }
    }

    /// A fault at byte `at` because `refused` must not follow.
    pub(super) fn refused(at: usize, refused: char) -> Self {
        Self { at, found: None, refused: Some(refused), expected: Vec::new() }
    }

    /// Adds what is known from elsewhere.
    pub(super) fn merge(&mut self, other: Self) {
        if other.is_unknown() {
            return;
        }
        if self.is_unknown() || other.at > self.at {
            *self = other;
        } else if other.at == self.at {
            self.found = self.found.or(other.found);
            self.refused = self.refused.or(other.refused);
            self.expected.extend(other.expected);
        }
    }

    /// Replaces the expectations by one name; `at` is the place when nothing was known.
    pub(super) fn rename(&mut self, at: usize, label: &'static str) {
        if self.is_unknown() {
            self.at = at;
        }
        self.expected = vec![Expected::Label(label)];
    }

    /// True when it says nothing.
    pub(super) fn is_unknown(&self) -> bool {
        self.found.is_none() && self.refused.is_none() && self.expected.is_empty()
    }

    /// The place in `text`, e.g. `(line 1, column 4)`.
    pub(super) fn position(&self, text: &str) -> String {
        /// Tabs reach to the next of these columns.
        const TAB_COLUMNS: usize = 8;
        let (mut line, mut column) = (1_usize, 1_usize);
        for (_, character) in text.char_indices().take_while(|(at, _)| *at < self.at) {
            match character {
                '\n' => (line, column) = (line + 1, 1),
                '\t' => column += TAB_COLUMNS - (column - 1) % TAB_COLUMNS,
                _ => column += 1,
            }
        }
        format!("(line {line}, column {column})")
    }

    /// What was found and what was expected, e.g. `unexpected "v" expecting "not"`.
    pub(super) fn details(&self) -> String {
        let found = match (self.refused, self.found) {
            (Some(character), _) => Some(format!("unexpected {}", show(character, '\''))),
            (None, Some(Found::Token(character))) => Some(format!("unexpected {}", show(character, '"'))),
            (None, Some(Found::End)) => Some("unexpected end of input".to_owned()),
            (None, None) => None,
        };
        let parts: Vec<String> = found.into_iter().chain(self.expectation()).collect();
        if parts.is_empty() { "unknown parse error".to_owned() } else { parts.join(" ") }
    }

    fn expectation(&self) -> Option<String> {
        let mut names: Vec<String> = Vec::new();
        for expected in &self.expected {
            let name = match expected {
                Expected::Text(text) => quote(text),
                Expected::Label(label) => (*label).to_owned(),
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let last = names.pop()?;
        Some(if names.is_empty() {
            format!("expecting {last}")
        } else {
            format!("expecting {} or {last}", names.join(", "))
        })
    }
}

fn quote(text: &str) -> String {
    let escaped: String = text.chars().map(|character| escape(character, '"')).collect();
    format!("\"{escaped}\"")
}

fn show(character: char, quote: char) -> String {
    format!("{quote}{}{quote}", escape(character, quote))
}

/// A character as Haskell's `show` writes it.
fn escape(character: char, quote: char) -> String {
    match character {
        '\\' => "\\\\".to_owned(),
        '\x07' => "\\a".to_owned(),
        '\x08' => "\\b".to_owned(),
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\x0b' => "\\v".to_owned(),
        '\x0c' => "\\f".to_owned(),
        '\r' => "\\r".to_owned(),
        '\x7f' => "\\DEL".to_owned(),
        _ if character == quote => format!("\\{character}"),
        ' '..='~' => character.to_string(),
        _ => format!("\\{}", u32::from(character)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_farther_fault_counts_and_equals_add_up() {
        let mut fault = Fault::new(1, Found::Token('x'), Some(Expected::Text("a")));
        fault.merge(Fault::new(0, Found::End, Some(Expected::Text("b"))));
        assert_eq!(fault.details(), "unexpected \"x\" expecting \"a\"");
        fault.merge(Fault::new(1, Found::Token('y'), Some(Expected::Label("digit"))));
        fault.merge(Fault::new(1, Found::Token('y'), Some(Expected::Text("a"))));
        assert_eq!(fault.details(), "unexpected \"x\" expecting \"a\" or digit");
        fault.merge(Fault::refused(2, '>'));
        assert_eq!(fault.details(), "unexpected '>'");
    }

    #[test]
    fn characters_are_shown_as_haskell_shows_them() {
        for (character, shown) in [('"', r#""\"""#), ('\\', r#""\\""#), ('é', r#""\233""#), ('\n', r#""\n""#)] {
            assert_eq!(
                Fault::new(0, Found::Token(character), None).details(),
                format!("unexpected {shown}"),
                "{character:?}"
            );
        }
    }

    #[test]
    fn positions_count_characters_lines_and_tabs() {
        for (text, at, position) in
            [("éa", 2, "(line 1, column 2)"), ("a\nb", 2, "(line 2, column 1)"), ("a\tb", 2, "(line 1, column 9)")]
        {
            assert_eq!(Fault::refused(at, 'x').position(text), position, "{text:?}");
        }
    }
}
