//! The rows of a body: which columns they write, and what goes to the engine.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::scope::Scope;
use super::{Cell, Engine, Error, InsertColumn, InsertRows, Value};
use crate::catalog::{Column, Generated, QualifiedName};
use crate::request::Payload;
use crate::request::payload::{Rows, Shape};
use crate::request::prefer::Missing;

/// What the server gets for a body without rows.
const NO_ROWS: &str = "[]";

/// The rows of a body with the columns that they write.
#[derive(Debug)]
pub(super) struct Written<'a> {
    /// In the order of their names, so that equal sets of keys give equal statements.
    pub(super) columns: Vec<&'a Column>,
    /// For each of them the function that reads its JSON.
    parsers: Vec<Option<QualifiedName>>,
    rows: Option<Rows>,
    missing: Missing,
}

impl<'a> Written<'a> {
    /// Looks the body's keys up.
    ///
    /// # Errors
    /// [`Error::ColumnNotFound`] for the first key that is no column.
    pub(super) fn new(scope: &Scope<'a>, payload: Option<Payload>, missing: Missing) -> Result<Self, Error> {
        let rows = match payload {
            Some(Payload::Rows(rows)) => Some(rows),
            Some(Payload::Bytes(_)) | None => None,
        };
        let names: BTreeSet<&String> = rows.iter().flat_map(|rows| &rows.keys).collect();
        let columns = names.into_iter().map(|name| scope.written_column(name)).collect::<Result<Vec<_>, _>>()?;
        let parser = |column: &&Column| scope.representation(&column.type_name)?.from_json.clone();
        Ok(Self { parsers: columns.iter().map(parser).collect(), columns, rows, missing })
    }

    /// True without any row.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.as_ref().is_none_or(|rows| rows.objects.is_empty())
    }

    /// The columns, with their defaults when a missing key means the default.
    pub(super) fn insert_columns(&self) -> Vec<InsertColumn> {
        let defaults = self.missing == Missing::Default;
        let column = |(column, parser): (&&Column, &Option<QualifiedName>)| InsertColumn {
            name: column.name.clone(),
            type_name: column.type_name.clone(),
            default: column.default.clone().filter(|_| defaults),
            parser: parser.clone(),
        };
        self.columns.iter().zip(&self.parsers).map(column).collect()
    }

    /// The rows as the engine takes them.
    ///
    /// # Errors
    /// [`Error::Sqlstate`] on SQLite for what is no value of a column's type.
    pub(super) fn into_rows(self, scope: &Scope<'_>) -> Result<InsertRows, Error> {
        match scope.engine {
            Engine::Postgres => Ok(InsertRows::Json(self.rows.map_or_else(|| NO_ROWS.to_owned(), array_text))),
            Engine::Sqlite => {
                let objects = self.rows.iter().flat_map(|rows| &rows.objects);
                let cells =
                    objects.map(|object| self.columns.iter().map(|column| self.cell(scope, column, object)).collect());
                Ok(InsertRows::Cells(cells.collect::<Result<_, Error>>()?))
            }
        }
    }

    fn cell(&self, scope: &Scope<'_>, column: &Column, object: &Map<String, Json>) -> Result<Cell, Error> {
        let has_default = column.default.is_some() || column.generated != Generated::No;
        match (object.get(&column.name), self.missing) {
            (Some(member), _) => {
                let value = scope.reader().from_json(member, &column.type_name);
                value.map(Cell::Value).map_err(|error| error.of_key(&column.name))
            }
            (None, Missing::Default) if has_default => Ok(Cell::Default),
            (None, Missing::Default | Missing::Null) => Ok(Cell::Value(Value::Null)),
        }
    }
}

/// The body as the text of an array.
fn array_text(rows: Rows) -> String {
    match rows.shape {
        Shape::Object => format!("[{}]", rows.json),
        Shape::Array => rows.json,
    }
}

/// The same body with nothing but its first object.
pub(super) fn first_only(payload: Option<Payload>) -> Option<Payload> {
    match payload {
        Some(Payload::Rows(rows)) if rows.objects.len() > 1 => Some(Payload::Rows(only_first(rows))),
        other => other,
    }
}

fn only_first(mut rows: Rows) -> Rows {
    rows.objects.truncate(1);
    // An object of strings and JSON values has a text; should it not, the body stays and the engine takes one of it.
    if let Some(json) = rows.objects.first().and_then(|object| serde_json::to_string(object).ok()) {
        rows.json = json;
        rows.shape = Shape::Object;
    }
    rows
}
