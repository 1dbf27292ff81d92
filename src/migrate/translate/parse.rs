//! Text → sqlparser's tree, and what berth reads itself because the parser does not.

use std::sync::LazyLock;

use regex::Regex;
use sqlparser::ast::{Expr, Statement};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::{Refusal, refuse};

/// How deep a statement may nest: each level takes stack.
const DEPTH_MAX: usize = 100;

/// Parses one statement.
pub(super) fn statement(text: &str) -> Result<Statement, Refusal> {
    let mut statements = parser(text)?.parse_statements().map_err(|error| unreadable(&error.to_string()))?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(statement),
        _ => refuse("expected one statement"),
    }
}

/// Parses an expression that the model keeps as text.
pub(super) fn expression(text: &str) -> Result<Expr, Refusal> {
    parser(text)?.parse_expr().map_err(|error| unreadable(&error.to_string()))
}

fn parser(text: &str) -> Result<Parser<'_>, Refusal> {
    Parser::new(&PostgreSqlDialect {})
        .with_recursion_limit(DEPTH_MAX)
        .try_with_sql(text)
        .map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(error: &str) -> Refusal {
    Refusal(format!("cannot be read: {}", error.trim_start_matches("sql parser error: ")))
}

/// Takes `SEQUENCE NAME x` out of `ADD GENERATED … AS IDENTITY (…)`, as `pg_dump` writes it, and gives the name.
pub(super) fn take_sequence_name(text: &str) -> (String, Option<String>) {
    static CLAUSE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?i)\bsequence\s+name\s+(?:"?\w+"?\.)?("[^"]+"|\w+)"#).ok());
    let identity = text.to_ascii_lowercase().contains("as identity");
    match CLAUSE.as_ref().filter(|_| identity).and_then(|clause| Some((clause, clause.captures(text)?))) {
        Some((clause, found)) => {
            let name = found.get(1).map(|name| name.as_str().trim_matches('"').to_owned());
            (clause.replace(text, "").into_owned(), name)
        }
        None => (text.to_owned(), None),
    }
}

/// The statements that guard `CREATE ROLE` in the two usual ways, since PostgreSQL has no `IF NOT EXISTS` for it:
/// `DO $$ BEGIN … EXCEPTION WHEN duplicate_object THEN NULL; END $$` and
/// `DO $$ BEGIN IF NOT EXISTS (…) THEN CREATE ROLE …; END IF; END $$`. `None` for any other `DO`.
pub(super) fn guarded_roles(text: &str) -> Option<Vec<String>> {
    static BLOCK: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?is)^do\s+(?:language\s+plpgsql\s+)?\$\w*\$\s*begin\s+(.*?)\s*(?:exception\s+when\s+(?:duplicate_object|unique_violation|others|\s+or\s+)+\s+then\s+(?:null|raise\s+notice\s+[^;]*)\s*;\s*)?end\s*;?\s*\$\w*\$\s*(?:language\s+plpgsql)?$",
        )
        .ok()
    });
    static GUARD: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?is)if\s+not\s+exists\s*\(\s*select\b[^;]*?\bpg_(?:catalog\.pg_)?roles\b[^;]*?\)\s*then\s+(.*?)\s*end\s+if\s*;",
        )
        .ok()
    });
    let body = BLOCK.as_ref()?.captures(text)?.get(1)?.as_str();
    let plain = GUARD.as_ref()?.replace_all(body, "$1").into_owned();
    let statements: Vec<String> = plain
        .split(';')
        .map(|statement| statement.trim().to_owned())
        .filter(|statement| !statement.is_empty())
        .collect();
    let only_roles = statements.iter().all(|statement| {
        let words: Vec<String> = statement.split_whitespace().take(2).map(str::to_ascii_lowercase).collect();
        words == ["create", "role"]
    });
    (only_roles && !statements.is_empty()).then_some(statements)
}

/// True when an expression that is kept as text names the column.
pub(super) fn mentions(expression: &str, column: &str) -> bool {
    tokens(expression).iter().any(|token| is_name(token, column))
}

/// Replaces a column's name in an expression that is kept as text.
pub(super) fn rename_column(expression: &str, from: &str, to: &str) -> String {
    let quoted = format!("\"{}\"", to.replace('"', "\"\""));
    let renamed = |token: &Token| if is_name(token, from) { quoted.clone() } else { token.to_string() };
    tokens(expression).iter().map(renamed).collect()
}

/// The tokens of an expression that was read before, and so can be read again.
fn tokens(expression: &str) -> Vec<Token> {
    Tokenizer::new(&PostgreSqlDialect {}, expression).with_unescape(false).tokenize().unwrap_or_default()
}

fn is_name(token: &Token, name: &str) -> bool {
    let Token::Word(word) = token else { return false };
    if word.quote_style.is_some() { word.value == name } else { word.value.to_lowercase() == name }
}
