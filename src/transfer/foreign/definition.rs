//! The words that made a table, an index or a view of SQLite: found, not understood.
//!
//! SQLite has accepted them, so it is enough to tell names, parentheses and a few keywords apart.
//!
//! Source: <https://www.sqlite.org/lang_createtable.html>.

use sqlparser::dialect::SQLiteDialect;
use sqlparser::tokenizer::{Token, Tokenizer, Word};

/// What of a table's definition no pragma tells.
#[derive(Debug, Default)]
pub(super) struct Definition {
    pub(super) checks: Vec<Check>,
    /// Columns and the collations that they are compared by.
    pub(super) collations: Vec<(String, String)>,
    computed: Vec<(String, Vec<Token>)>,
    keys: Vec<Key>,
}

/// A check.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) name: Option<String>,
    /// Its condition.
    pub(super) tokens: Vec<Token>,
}

impl Check {
    /// The condition in its own words.
    pub(super) fn text(&self) -> String {
        text(&self.tokens)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyKind {
    Primary,
    Unique,
    Foreign,
}

#[derive(Debug)]
struct Key {
    kind: KeyKind,
    name: Option<String>,
    columns: Vec<String>,
    is_deferred: bool,
}

impl Definition {
    /// Finds them; what is not understood gives nothing.
    pub(super) fn read(sql: &str) -> Self {
        let mut definition = Self::default();
        let tokens = tokens(sql);
        let Some(open) = tokens.iter().position(|token| *token == Token::LParen) else { return definition };
        let Some(body) = inside(&tokens, open) else { return definition };
        for item in split(body) {
            definition.read_item(&item);
        }
        definition
    }

    fn read_item(&mut self, item: &[Token]) {
        let starts = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
        let of_table = item.first().is_some_and(|first| starts.iter().any(|word| is_bare(first, word)));
        let column = if of_table { None } else { item.first().and_then(name_of) };
        let mut name = None;
        let mut at = usize::from(column.is_some());
        while let Some(token) = item.get(at) {
            let next = |ahead: usize| item.get(at + ahead);
            if is_bare(token, "CONSTRAINT") {
                name = next(1).and_then(name_of);
                at += 2;
                continue;
            }
            let open = item.iter().skip(at).position(|token| *token == Token::LParen).map(|ahead| at + ahead);
            if is_bare(token, "CHECK") {
                if let Some(condition) = open.and_then(|open| inside(item, open)) {
                    self.checks.push(Check { name: name.take(), tokens: condition.to_vec() });
                }
            } else if is_bare(token, "AS") {
                if let (Some(column), Some(expression)) = (&column, open.and_then(|open| inside(item, open))) {
                    self.computed.push((column.clone(), expression.to_vec()));
                }
            } else if is_bare(token, "COLLATE") {
                if let (Some(column), Some(collation)) = (&column, next(1).and_then(name_of))
                    && !collation.eq_ignore_ascii_case("binary")
                {
                    self.collations.push((column.clone(), collation));
                }
            } else if let Some(kind) = key_kind(token, column.is_some()) {
                let columns = match &column {
                    Some(column) => vec![column.clone()],
                    None => open.and_then(|open| inside(item, open)).map(names).unwrap_or_default(),
                };
                let rest = item.get(at..).unwrap_or_default();
                let is_deferred = rest.windows(2).any(
                    |pair| matches!(pair, [one, other] if is_bare(one, "INITIALLY") && is_bare(other, "DEFERRED")),
                );
                self.keys.push(Key { kind, name: name.take(), columns, is_deferred });
            }
            // What stands in parentheses was read with the word before them.
            at = match token {
                Token::LParen => closing(item, at).map_or(item.len(), |close| close + 1),
                _ => at + 1,
            };
        }
    }

    /// The expression of a computed column.
    pub(super) fn computed(&self, column: &str) -> Option<&[Token]> {
        let found = self.computed.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
        found.map(|(_, tokens)| tokens.as_slice())
    }

    pub(super) fn name_of_primary_key(&self) -> Option<&str> {
        self.keys.iter().find(|key| key.kind == KeyKind::Primary)?.name.as_deref()
    }

    pub(super) fn name_of_unique(&self, columns: &[String]) -> Option<&str> {
        self.key(KeyKind::Unique, columns)?.name.as_deref()
    }

    pub(super) fn is_deferred(&self, columns: &[String]) -> bool {
        self.key(KeyKind::Foreign, columns).is_some_and(|key| key.is_deferred)
    }

    fn key(&self, kind: KeyKind, columns: &[String]) -> Option<&Key> {
        let same = |key: &&Key| {
            key.kind == kind
                && key.columns.len() == columns.len()
                && key.columns.iter().zip(columns).all(|(one, other)| one.eq_ignore_ascii_case(other))
        };
        self.keys.iter().find(same)
    }
}

fn key_kind(token: &Token, of_column: bool) -> Option<KeyKind> {
    if is_bare(token, "PRIMARY") {
        Some(KeyKind::Primary)
    } else if is_bare(token, "UNIQUE") {
        Some(KeyKind::Unique)
    } else if is_bare(token, if of_column { "REFERENCES" } else { "FOREIGN" }) {
        Some(KeyKind::Foreign)
    } else {
        None
    }
}

/// `(…) WHERE …` of `CREATE INDEX … ON table (…) WHERE …`.
pub(super) fn index_tail(sql: &str) -> Option<Vec<Token>> {
    let tokens = tokens(sql);
    let on = tokens.iter().position(|token| is_bare(token, "ON"))?;
    tokens.get(on + 2..).map(<[Token]>::to_vec)
}

/// `(columns) AS SELECT …` of `CREATE VIEW name (columns) AS SELECT …`.
pub(super) fn view_tail(sql: &str) -> Option<Vec<Token>> {
    let tokens = tokens(sql);
    let view = tokens.iter().position(|token| is_bare(token, "VIEW"))?;
    let start = tokens.iter().skip(view).position(|token| *token == Token::LParen || is_bare(token, "AS"))?;
    tokens.get(view + start..).map(<[Token]>::to_vec)
}

/// The tokens without blanks and comments; none when the words cannot be read.
pub(super) fn tokens(sql: &str) -> Vec<Token> {
    let read = Tokenizer::new(&SQLiteDialect {}, sql).tokenize().unwrap_or_default();
    read.into_iter().filter(|token| !matches!(token, Token::Whitespace(_) | Token::SemiColon | Token::EOF)).collect()
}

/// Tokens for people.
fn text(tokens: &[Token]) -> String {
    tokens.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Whether it is this word, without quotes.
pub(super) fn is_bare(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(Word { value, quote_style: None, .. }) if value.eq_ignore_ascii_case(word))
}

/// The name that it may be.
fn name_of(token: &Token) -> Option<String> {
    match token {
        Token::Word(word) => Some(word.value.clone()),
        // SQLite takes strings for names where only a name can stand.
        Token::SingleQuotedString(name) | Token::DoubleQuotedString(name) => Some(name.clone()),
        _ => None,
    }
}

/// The first name of each item of a list of columns.
fn names(tokens: &[Token]) -> Vec<String> {
    split(tokens).iter().filter_map(|item| item.first().and_then(name_of)).collect()
}

/// The place of the parenthesis that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// What stands between the parenthesis at `open` and the one that closes it.
fn inside(tokens: &[Token], open: usize) -> Option<&[Token]> {
    tokens.get(open + 1..closing(tokens, open)?)
}

/// Cuts at the commas that stand in no parentheses.
fn split(tokens: &[Token]) -> Vec<Vec<Token>> {
    let mut items = vec![Vec::new()];
    let mut depth = 0_usize;
    for token in tokens {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            Token::Comma if depth == 0 => {
                items.push(Vec::new());
                continue;
            }
            _ => {}
        }
        if let Some(item) = items.last_mut() {
            item.push(token.clone());
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_pragma_tells_is_found() {
        let definition = Definition::read(
            "CREATE TABLE [My Table] (id INTEGER PRIMARY KEY, a TEXT COLLATE NOCASE CONSTRAINT long CHECK (length(a) > 3),
             b INT AS (id * (2 + 1)) STORED, c INT REFERENCES other (x) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
             d numeric(10, 2) DEFAULT (1 + 2) CHECK (d > 0), -- a comment, with a comma
             CONSTRAINT one_of UNIQUE (a COLLATE BINARY, \"b\"), FOREIGN KEY (a, b) REFERENCES other, CHECK (a <> b))",
        );
        let checks: Vec<_> = definition.checks.iter().map(|check| (check.name.as_deref(), check.text())).collect();
        assert_eq!(
            checks,
            [(Some("long"), "length ( a ) > 3".to_owned()), (None, "d > 0".to_owned()), (None, "a <> b".to_owned())]
        );
        assert_eq!(definition.collations, [("a".to_owned(), "NOCASE".to_owned())]);
        assert_eq!(definition.computed("B").map(text).as_deref(), Some("id * ( 2 + 1 )"));
        let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(definition.name_of_unique(&columns(&["a", "B"])), Some("one_of"));
        assert!(definition.is_deferred(&columns(&["c"])) && !definition.is_deferred(&columns(&["a", "b"])));
        assert_eq!(definition.name_of_primary_key(), None);
    }

    #[test]
    fn an_index_and_a_view_are_cut_behind_their_names() {
        let index = index_tail("CREATE UNIQUE INDEX i ON t (lower(a), b DESC) WHERE a IS NOT NULL").unwrap();
        assert_eq!(text(&index), "( lower ( a ) , b DESC ) WHERE a IS NOT NULL");
        assert_eq!(text(&view_tail("CREATE VIEW v AS SELECT 1").unwrap()), "AS SELECT 1");
        assert_eq!(text(&view_tail("CREATE TEMP VIEW IF NOT EXISTS v (x) AS SELECT 1").unwrap()), "( x ) AS SELECT 1");
    }
}
