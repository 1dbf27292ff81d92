//! Reads names out of the text of `CREATE TABLE` and `CREATE TRIGGER`: what SQLite's pragmas do not tell.
//!
//! SQLite has accepted the text, so this only tells words, quoted names, strings, comments and parentheses apart and
//! looks at the places where a constraint can stand. What it does not understand it leaves out.
//!
//! Source: <https://www.sqlite.org/lang_createtable.html>, <https://www.sqlite.org/lang_createtrigger.html>.

mod token;

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _};

use crate::catalog::{Table, Verb};
use token::{Token, matching_parenthesis, tokens};

/// Kinds of constraints that have names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::sqlite) enum ConstraintKind {
    /// `PRIMARY KEY`.
    PrimaryKey,
    /// `UNIQUE`.
    Unique,
    /// `REFERENCES`.
    ForeignKey,
    /// `CHECK`.
    Check,
    /// `GENERATED ALWAYS AS`.
    Generated,
}

/// A constraint as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Constraint {
    pub(super) kind: ConstraintKind,
    pub(super) name: Option<String>,
    /// Columns of the key; of a check the words and names in its expression.
    pub(super) columns: Vec<String>,
    /// The expression of a check, as written.
    pub(super) expression: String,
}

/// A check with the name that Postgres would tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store::sqlite) struct Check {
    /// Given, or made of table and column as Postgres makes it.
    pub(in crate::store::sqlite) name: String,
    is_given: bool,
    expression: String,
}

impl Check {
    /// Whether it is the one that SQLite's message names: by its name, or by its expression. SQLite takes an
    /// expression that begins with a quoted name for a name, and cuts it there.
    pub(in crate::store::sqlite) fn is_named_by(&self, failed: &str) -> bool {
        if self.is_given {
            return self.name == failed;
        }
        let cut = || match tokens(&self.expression).into_iter().next()? {
            Token::Name(name, _) => Some(name),
            Token::Word(..) | Token::Literal | Token::Symbol(..) => None,
        };
        self.expression == failed || cut().is_some_and(|name| name == failed)
    }
}

/// The text that made a table; `None` when there is no such table.
///
/// # Errors
/// What SQLite says.
pub(in crate::store::sqlite) fn read(connection: &Connection, table: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    connection.prepare_cached(sql)?.query_row([table], |row| row.get(0)).optional()
}

/// The name that a key was given.
pub(in crate::store::sqlite) fn constraint_name(sql: &str, kind: ConstraintKind, columns: &[String]) -> Option<String> {
    named(&constraints(sql), kind, columns)
}

/// The name among these of the key on these columns.
pub(super) fn named(constraints: &[Constraint], kind: ConstraintKind, columns: &[String]) -> Option<String> {
    let is_same = |other: &[String]| {
        other.len() == columns.len() && other.iter().zip(columns).all(|(a, b)| a.eq_ignore_ascii_case(b))
    };
    let mut found = constraints.iter().filter(|constraint| constraint.kind == kind && is_same(&constraint.columns));
    found.find_map(|constraint| constraint.name.clone())
}

/// The checks of a table in their order. One without a name is called `table_column_check` when it is about one
/// column, else `table_check`, with a number when that is taken.
pub(in crate::store::sqlite) fn checks(sql: &str, table: &Table) -> Vec<Check> {
    let mut checks: Vec<Check> = Vec::new();
    for constraint in constraints(sql).into_iter().filter(|constraint| constraint.kind == ConstraintKind::Check) {
        let is_given = constraint.name.is_some();
        let name = constraint.name.unwrap_or_else(|| {
            let mentioned = |name: &str| constraint.columns.iter().any(|word| word.eq_ignore_ascii_case(name));
            let mut columns = table.columns.iter().filter(|column| mentioned(&column.name));
            let base = match (columns.next(), columns.next()) {
                (Some(column), None) => format!("{}_{}_check", table.name.name, column.name),
                (Some(_), Some(_)) | (None, _) => format!("{}_check", table.name.name),
            };
            free_name(base, |name| checks.iter().any(|check| check.name == name))
        });
        checks.push(Check { name, is_given, expression: constraint.expression });
    }
    checks
}

/// What each generated column is generated from.
pub(super) fn generated(sql: &str) -> BTreeMap<String, String> {
    let generated = constraints(sql).into_iter().filter(|of| of.kind == ConstraintKind::Generated);
    generated.filter_map(|of| Some((of.columns.into_iter().next()?, of.expression))).collect()
}

/// Whether numbers of rows that are gone are not given out again.
pub(super) fn is_counted(sql: &str) -> bool {
    tokens(sql).iter().any(|token| token.is_word("AUTOINCREMENT"))
}

/// Whether there is a query in an expression.
pub(super) fn has_query(sql: &str) -> bool {
    tokens(sql).iter().any(|token| token.is_word("SELECT"))
}

/// The query of a `CREATE VIEW`.
pub(super) fn view_query(sql: &str) -> Option<&str> {
    let tokens = tokens(sql);
    let mut place = tokens.iter().position(|token| token.is_word("VIEW"))? + 1;
    while let Some(token) = tokens.get(place) {
        match token {
            Token::Symbol('(', _) => place = matching_parenthesis(&tokens, place),
            Token::Word(word, start) if word.eq_ignore_ascii_case("AS") => return sql.get(start + word.len()..),
            Token::Word(..) | Token::Name(..) | Token::Literal | Token::Symbol(..) => {}
        }
        place += 1;
    }
    None
}

/// The name, or else the name with the first number that makes it free.
pub(super) fn free_name(base: String, is_taken: impl Fn(&str) -> bool) -> String {
    if !is_taken(&base) {
        return base;
    }
    let mut numbered = (1_u64..).map(|number| format!("{base}{number}"));
    numbered.find(|name| !is_taken(name)).unwrap_or(base)
}

/// What an `INSTEAD OF` trigger is for.
pub(super) fn instead_of(sql: &str) -> Option<Verb> {
    tokens(sql).windows(3).find_map(|words| match words {
        [instead, of, event] if instead.is_word("INSTEAD") && of.is_word("OF") => {
            let verbs = [("INSERT", Verb::Insert), ("UPDATE", Verb::Update), ("DELETE", Verb::Delete)];
            verbs.into_iter().find(|(word, _)| event.is_word(word)).map(|(_, verb)| verb)
        }
        _ => None,
    })
}

/// All named kinds of constraints of a `CREATE TABLE`.
pub(super) fn constraints(sql: &str) -> Vec<Constraint> {
    let tokens = tokens(sql);
    let Some(open) = tokens.iter().position(|token| token.is_symbol('(')) else { return Vec::new() };
    let close = matching_parenthesis(&tokens, open);
    let mut found = Vec::new();
    let mut start = open + 1;
    let mut place = start;
    while place <= close {
        let is_end = place == close || tokens.get(place).is_some_and(|token| token.is_symbol(','));
        if is_end {
            read_item(sql, tokens.get(start..place).unwrap_or_default(), &mut found);
            start = place + 1;
        } else if tokens.get(place).is_some_and(|token| token.is_symbol('(')) {
            place = matching_parenthesis(&tokens, place);
        }
        place += 1;
    }
    found
}

/// Reads a column with its constraints, or a constraint of the table.
fn read_item(sql: &str, item: &[Token], found: &mut Vec<Constraint>) {
    let is_of_table = item.first().is_some_and(|token| {
        ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"].iter().any(|word| token.is_word(word))
    });
    let column = if is_of_table { None } else { item.first().and_then(Token::text) };
    let mut name = None;
    let mut place = usize::from(!is_of_table);
    while let Some(token) = item.get(place) {
        let columns = || match &column {
            Some(column) => vec![column.clone()],
            None => listed(item, place),
        };
        let mut add =
            |kind, columns, expression| found.push(Constraint { kind, name: name.take(), columns, expression });
        match token {
            Token::Symbol('(', _) => place = matching_parenthesis(item, place),
            Token::Word(word, _) => match word.to_ascii_uppercase().as_str() {
                "CONSTRAINT" => {
                    name = item.get(place + 1).and_then(Token::text);
                    place += 1;
                }
                "PRIMARY" => add(ConstraintKind::PrimaryKey, columns(), String::new()),
                "UNIQUE" => add(ConstraintKind::Unique, columns(), String::new()),
                "FOREIGN" => add(ConstraintKind::ForeignKey, columns(), String::new()),
                "REFERENCES" if column.is_some() => add(ConstraintKind::ForeignKey, columns(), String::new()),
                "CHECK" => {
                    let (words, expression) = expression(sql, item, place + 1);
                    add(ConstraintKind::Check, words, expression);
                }
                "AS" if column.is_some() && item.get(place + 1).is_some_and(|next| next.is_symbol('(')) => {
                    add(ConstraintKind::Generated, columns(), expression(sql, item, place + 1).1);
                }
                "NOT" | "DEFAULT" | "COLLATE" | "GENERATED" | "AS" => name = None,
                _ => {}
            },
            Token::Name(..) | Token::Literal | Token::Symbol(..) => {}
        }
        place += 1;
    }
}

/// The names in the first parentheses after `place`: the columns of a key.
fn listed(item: &[Token], place: usize) -> Vec<String> {
    let Some(open) = (place..item.len()).find(|&at| item.get(at).is_some_and(|token| token.is_symbol('('))) else {
        return Vec::new();
    };
    let inside = item.get(open + 1..matching_parenthesis(item, open)).unwrap_or_default();
    // `a COLLATE nocase DESC`: the first word of each part.
    inside.split(|token| token.is_symbol(',')).filter_map(|part| part.first()?.text()).collect()
}

/// The words of the parenthesised expression at `open`, and its text without the space around it.
fn expression(sql: &str, item: &[Token], open: usize) -> (Vec<String>, String) {
    let close = matching_parenthesis(item, open);
    let inside = item.get(open + 1..close).unwrap_or_default();
    let text = match (item.get(open), item.get(close)) {
        (Some(Token::Symbol('(', start)), Some(Token::Symbol(')', end))) => sql.get(start + 1..*end),
        (_, _) => None,
    };
    (inside.iter().filter_map(Token::text).collect(), text.unwrap_or_default().trim().to_owned())
}

#[cfg(test)]
mod tests;
