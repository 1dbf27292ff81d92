//! Names: how PostgreSQL folds them, how SQLite has them written.

use sqlparser::ast::{Expr, Ident, ObjectName, ObjectNamePart};

use super::{Refusal, refuse};

/// The one schema that SQLite has, by the name that the API gives it.
pub(super) const SCHEMA: &str = "public";

/// The name as PostgreSQL knows it: what is not quoted is lower-case.
pub(super) fn fold(ident: &Ident) -> String {
    if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() }
}

/// The folded parts of a dotted name.
pub(super) fn parts(name: &ObjectName) -> Result<Vec<String>, Refusal> {
    name.0
        .iter()
        .map(|part| match part {
            ObjectNamePart::Identifier(ident) => Ok(fold(ident)),
            ObjectNamePart::Function(_) => refuse(format!("\"{name}\" is not a name")),
        })
        .collect()
}

/// The name of a column, behind that of what it is read from if that is said; `None` for any other expression.
pub(super) fn of_column(expression: &Expr) -> Option<Vec<String>> {
    match expression {
        Expr::Identifier(ident) => Some(vec![fold(ident)]),
        Expr::CompoundIdentifier(idents) => Some(idents.iter().rev().take(2).rev().map(fold).collect()),
        _ => None,
    }
}

/// The last part of a name that lies in `public` or says no schema.
pub(super) fn local(name: &ObjectName) -> Result<String, Refusal> {
    let mut parts = parts(name)?;
    let Some(last) = parts.pop() else { return refuse("a name is missing") };
    match parts.last() {
        Some(schema) if schema != SCHEMA => {
            refuse(format!("\"{name}\" lies in the schema \"{schema}\", and SQLite has one, \"{SCHEMA}\""))
        }
        _ if last.to_lowercase().starts_with("_berth_") || last.to_lowercase().starts_with("sqlite_") => {
            refuse(format!("the name \"{last}\" is reserved"))
        }
        _ => Ok(last),
    }
}

/// `name` as an identifier of SQLite: bare when that is safe, for readable definitions.
pub(crate) fn quote(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain && !KEYWORDS.contains(&name) { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Several names, separated by commas.
pub(super) fn quote_all(names: &[String]) -> String {
    names.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}

/// `value` as a text literal. SQLite ends its statements at a NUL, so one cannot be written.
pub(crate) fn text(value: &str) -> String {
    format!("'{}'", value.replace('\0', "").replace('\'', "''"))
}

/// Several values as text literals, separated by commas.
pub(super) fn text_all(values: &[String]) -> String {
    values.iter().map(|value| text(value)).collect::<Vec<_>>().join(", ")
}

/// Words that SQLite reads as its own.
///
/// Source: <https://www.sqlite.org/lang_keywords.html>.
const KEYWORDS: [&str; 147] = [
    "abort",
    "action",
    "add",
    "after",
    "all",
    "alter",
    "always",
    "analyze",
    "and",
    "as",
    "asc",
    "attach",
    "autoincrement",
    "before",
    "begin",
    "between",
    "by",
    "cascade",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "commit",
    "conflict",
    "constraint",
    "create",
    "cross",
    "current",
    "current_date",
    "current_time",
    "current_timestamp",
    "database",
    "default",
    "deferrable",
    "deferred",
    "delete",
    "desc",
    "detach",
    "distinct",
    "do",
    "drop",
    "each",
    "else",
    "end",
    "escape",
    "except",
    "exclude",
    "exclusive",
    "exists",
    "explain",
    "fail",
    "filter",
    "first",
    "following",
    "for",
    "foreign",
    "from",
    "full",
    "generated",
    "glob",
    "group",
    "groups",
    "having",
    "if",
    "ignore",
    "immediate",
    "in",
    "index",
    "indexed",
    "initially",
    "inner",
    "insert",
    "instead",
    "intersect",
    "into",
    "is",
    "isnull",
    "join",
    "key",
    "last",
    "left",
    "like",
    "limit",
    "match",
    "materialized",
    "natural",
    "no",
    "not",
    "nothing",
    "notnull",
    "null",
    "nulls",
    "of",
    "offset",
    "on",
    "or",
    "order",
    "others",
    "outer",
    "over",
    "partition",
    "plan",
    "pragma",
    "preceding",
    "primary",
    "query",
    "raise",
    "range",
    "recursive",
    "references",
    "regexp",
    "reindex",
    "release",
    "rename",
    "replace",
    "restrict",
    "returning",
    "right",
    "rollback",
    "row",
    "rows",
    "savepoint",
    "select",
    "set",
    "table",
    "temp",
    "temporary",
    "then",
    "ties",
    "to",
    "transaction",
    "trigger",
    "unbounded",
    "union",
    "unique",
    "update",
    "using",
    "vacuum",
    "values",
    "view",
    "virtual",
    "when",
    "where",
    "window",
    "with",
    "without",
];
