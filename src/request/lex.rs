//! What the parsers of query parameters share: a cursor, names, quoted values and the form of faults.

use super::Error;
use super::filter::{Arrow, Field, JsonOperand, JsonStep};

/// Longest name of a column, relation or JSON key, in bytes. Postgres cuts names at 63; JSON keys may be longer.
const MAX_NAME_BYTES: usize = 1_024;

/// Most arrows of one JSON path: deeper documents than `serde_json` reads (128) do not exist here.
const MAX_JSON_STEPS: usize = 128;

/// Where a text did not parse and what could have stood there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    position: usize,
    unexpected: Option<char>,
    expected: String,
}

impl Fault {
    /// The error that the client sees; `what` names the parameter and `offset` says at which byte the text began.
    pub(super) fn into_error(self, what: &str, text: &str) -> Error {
        let before = text.get(..self.position).unwrap_or(text);
        let column = before.chars().count() + 1;
        let found = self.unexpected.map_or_else(|| "end of input".to_owned(), |c| format!("\"{c}\""));
        Error::QueryParameter {
            message: format!("\"failed to parse {what} ({text})\" (line 1, column {column})"),
            details: format!("unexpected {found} expecting {}", self.expected),
        }
    }
}

/// A place in a text.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, position: 0 }
    }

    /// What is still to be read.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.position >= self.text.len()
    }

    /// Reads `token` if it stands here.
    pub(super) fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.position += token.len();
        }
        found
    }

    pub(super) fn expect(&mut self, token: &str) -> Result<(), Fault> {
        if self.eat(token) { Ok(()) } else { Err(self.fault(&format!("\"{token}\""))) }
    }

    pub(super) fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.position += end;
        rest.get(..end).unwrap_or_default()
    }

    /// Everything up to the end.
    pub(super) fn take_rest(&mut self) -> &'a str {
        let rest = self.rest();
        self.position = self.text.len();
        rest
    }

    pub(super) fn skip_blanks(&mut self) {
        self.take_while(|c| c == ' ' || c == '\t');
    }

    /// A fault at this place.
    pub(super) fn fault(&self, expected: &str) -> Fault {
        Fault { position: self.position, unexpected: self.peek(), expected: expected.to_owned() }
    }

    pub(super) fn expect_end(&self) -> Result<(), Fault> {
        if self.is_at_end() { Ok(()) } else { Err(self.fault("end of input")) }
    }

    /// `"…"`, backslash taking the next character as it is.
    pub(super) fn quoted(&mut self) -> Result<String, Fault> {
        self.expect("\"")?;
        let mut value = String::new();
        loop {
            value.push_str(self.take_while(|c| c != '"' && c != '\\'));
            if self.eat("\"") {
                return Ok(value);
            }
            self.expect("\\").map_err(|_| self.fault("\"\\\"\""))?;
            let Some(escaped) = self.peek() else { return Err(self.fault("a character")) };
            value.push(escaped);
            self.position += escaped.len_utf8();
        }
    }

    /// A name: quoted, or letters, digits, `_`, `$`, spaces and dashes (a dash before `>` begins an arrow).
    pub(super) fn name(&mut self) -> Result<String, Fault> {
        const EXPECTED: &str = "field name (* or [a..z0..9_$])";
        if self.peek() == Some('"') {
            return self.quoted().and_then(|name| self.bounded(name));
        }
        self.dashed(is_name_character, EXPECTED)
    }

    /// Pieces of accepted characters, joined by dashes.
    fn dashed(&mut self, accept: fn(char) -> bool, expected: &str) -> Result<String, Fault> {
        let start = self.position;
        loop {
            if self.take_while(accept).is_empty() {
                return Err(self.fault(expected));
            }
            if self.rest().starts_with("->") || !self.eat("-") {
                break;
            }
        }
        let name = self.text.get(start..self.position).unwrap_or_default().trim().to_owned();
        self.bounded(name)
    }

    fn bounded(&self, name: String) -> Result<String, Fault> {
        if name.len() > MAX_NAME_BYTES {
            return Err(self.fault(&format!("a name of at most {MAX_NAME_BYTES} bytes")));
        }
        Ok(name)
    }

    /// A column with its JSON path, blanks around it skipped.
    pub(super) fn field(&mut self) -> Result<Field, Fault> {
        self.skip_blanks();
        let name = self.name()?;
        let path = self.json_path()?;
        self.skip_blanks();
        Ok(Field { name, path })
    }

    /// `->a->>b`, perhaps empty.
    pub(super) fn json_path(&mut self) -> Result<Vec<JsonStep>, Fault> {
        let mut path = Vec::new();
        loop {
            let arrow = if self.eat("->>") {
                Arrow::Text
            } else if self.eat("->") {
                Arrow::Json
            } else {
                return Ok(path);
            };
            if path.len() == MAX_JSON_STEPS {
                return Err(self.fault(&format!("at most {MAX_JSON_STEPS} arrows")));
            }
            path.push(JsonStep { arrow, operand: self.json_operand()? });
        }
    }

    fn json_operand(&mut self) -> Result<JsonOperand, Fault> {
        if let Some(index) = self.json_index() {
            return Ok(JsonOperand::Index(index));
        }
        if self.peek() == Some('"') {
            return Ok(JsonOperand::Key(self.quoted()?));
        }
        let is_key = |c: char| !matches!(c, '(' | '-' | ':' | '.' | ',' | '>' | ')');
        self.dashed(is_key, "any non reserved character different from: .,>()").map(JsonOperand::Key)
    }

    /// An index is digits that end where the operand ends; otherwise they begin a key such as `2nd`.
    fn json_index(&mut self) -> Option<i64> {
        let mut ahead = self.clone();
        let negative = ahead.eat("-");
        let digits = ahead.take_while(|c| c.is_ascii_digit());
        let rest = ahead.rest();
        let ends = rest.is_empty() || ["->", "::", ".", ",", ")"].iter().any(|end| rest.starts_with(end));
        if !ends {
            return None;
        }
        // Postgres' indexes are 32 bits wide: a longer run of digits is a key.
        let index: i32 = digits.parse().ok()?;
        *self = ahead;
        Some(i64::from(if negative { -index } else { index }))
    }
}

fn is_name_character(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | ' ' | '$')
}
