//! Builds SQL text with its values: the only place that quotes a name or makes a placeholder.
//!
//! Text comes in by four doors: words of this program ([`Writer::push`], `'static` so that nothing from a request
//! fits), names ([`Writer::identifier`]), values ([`Writer::bind`]), and SQL that the database itself told
//! ([`Writer::catalog_sql`]).

use super::Query;
use crate::plan::Value;

/// Bytes that most texts stay below.
const USUAL_BYTES: usize = 512;

/// SQL text under construction.
#[derive(Debug)]
pub(super) struct Writer {
    text: String,
    values: Vec<Value>,
    placeholder: char,
    /// Placeholders that are bound elsewhere, before those of this text.
    bound: usize,
    aliases: usize,
}

/// A placeholder whose value is bound, and which stands nowhere in the text yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

/// A name that the statement itself gives to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Alias(usize);

impl Writer {
    /// An empty text whose placeholders start with `placeholder`.
    pub(super) fn new(placeholder: char) -> Self {
        Self::after(placeholder, 0)
    }

    /// The same, when the first `bound` placeholders are bound elsewhere.
    pub(super) fn after(placeholder: char, bound: usize) -> Self {
        let text = String::with_capacity(USUAL_BYTES);
        Self { text, values: Vec::new(), placeholder, bound, aliases: 0 }
    }

    /// Adds words of this program.
    pub(super) fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a name in double quotes.
    ///
    /// NUL is left out: no engine allows it in a name, and SQLite would end the text there.
    pub(super) fn identifier(&mut self, name: &str) -> &mut Self {
        self.text.push('"');
        for character in name.chars() {
            match character {
                '\0' => {}
                '"' => self.text.push_str("\"\""),
                _ => self.text.push(character),
            }
        }
        self.text.push('"');
        self
    }

    /// Adds a placeholder for `value`, numbered in order.
    pub(super) fn bind(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        self.placeholder(self.bound + self.values.len() - 1)
    }

    /// Adds the placeholder at `place`, counted from 0, which is bound elsewhere.
    pub(super) fn placeholder(&mut self, place: usize) -> &mut Self {
        self.text.push(self.placeholder);
        self.position(place + 1)
    }

    /// Binds `value` and adds nothing: it may then stand anywhere, and more than once.
    pub(super) fn reserve(&mut self, value: Value) -> Place {
        self.values.push(value);
        Place(self.values.len())
    }

    /// Adds the placeholder of a value that is bound already.
    pub(super) fn reserved(&mut self, place: Place) -> &mut Self {
        self.text.push(self.placeholder);
        self.position(place.0)
    }

    /// Adds SQL that the catalog holds: a declared type, a default's expression. Never text of a request.
    pub(super) fn catalog_sql(&mut self, sql: &str) -> &mut Self {
        self.text.push_str(sql);
        self
    }

    /// Adds a type that a request named. What does not look like a type is quoted, so that the engine calls it an
    /// unknown type instead of reading it as SQL.
    pub(super) fn requested_type(&mut self, name: &str) -> &mut Self {
        if is_type_name(name) {
            self.text.push_str(name);
            self
        } else {
            self.identifier(name)
        }
    }

    /// A name that no other table of the statement has: `berth_1`, `berth_2`, ….
    pub(super) fn alias(&mut self) -> Alias {
        self.aliases += 1;
        Alias(self.aliases)
    }

    /// Adds the name.
    pub(super) fn alias_name(&mut self, alias: Alias) -> &mut Self {
        self.text.push_str("berth_");
        self.position(alias.0)
    }

    /// Adds the name of a column that the statement itself numbers: `c0`, `c1`, ….
    pub(super) fn column_number(&mut self, index: usize) -> &mut Self {
        self.text.push('c');
        self.position(index)
    }

    /// Adds a number as it is: the position of a column.
    pub(super) fn position(&mut self, position: usize) -> &mut Self {
        self.text.push_str(&position.to_string());
        self
    }

    /// Adds each item with `separator` between them.
    pub(super) fn separated<T>(
        &mut self,
        separator: &'static str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.push(separator);
            }
            write(self, item);
        }
        self
    }

    /// The text and its values.
    pub(super) fn finish(self) -> Query {
        Query { text: self.text, values: self.values }
    }
}

/// Whether `name` is words, perhaps with one `(n)` or `(n,m)` among them, perhaps with `[]` behind: nothing that
/// could close the parenthesis of a `CAST`.
fn is_type_name(name: &str) -> bool {
    let base = name.trim_end_matches("[]");
    let (words, rest) = match base.split_once('(') {
        None => (base, ""),
        Some((words, rest)) => match rest.split_once(')') {
            Some((modifier, rest)) if is_modifier(modifier) => (words, rest),
            Some(_) | None => return false,
        },
    };
    words.starts_with(|c: char| c.is_alphabetic() || c == '_') && is_words(words) && is_words(rest)
}

/// Whether `text` holds only what a type's words are made of.
fn is_words(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ' ' | '.'))
}

/// Whether `text` is a type's length, or its precision and scale.
fn is_modifier(text: &str) -> bool {
    text.split(',').all(|number| {
        let digits = number.trim().trim_start_matches('-');
        !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Writer)) -> String {
        let mut writer = Writer::new('$');
        write(&mut writer);
        writer.finish().text
    }

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        assert_eq!(written(|w| _ = w.identifier("a\" FROM b; --\0")), "\"a\"\" FROM b; --\"");
    }

    #[test]
    fn values_are_numbered_in_the_order_of_their_text() {
        let mut writer = Writer::new('?');
        writer.bind(Value::Integer(7)).push(" + ").bind(Value::Null);
        let query = writer.finish();
        assert_eq!(query.text, "?1 + ?2");
        assert_eq!(query.values, [Value::Integer(7), Value::Null]);
    }

    #[test]
    fn a_requested_type_is_written_bare_only_when_it_is_nothing_else() {
        for name in ["text", "double precision", "numeric(10,2)", "timestamp(3) with time zone", "int[][]", "a.b"] {
            assert_eq!(written(|w| _ = w.requested_type(name)), name);
        }
        for name in ["int), secret, (id", "int(1)) --", "", "1", "text;", "int(x)", "a\"b", "$$", "int()", "a'"] {
            assert!(written(|w| _ = w.requested_type(name)).starts_with('"'), "{name}");
        }
    }
}
