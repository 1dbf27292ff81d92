//! Parameters of a function while its body is written: values, and rows of which only columns can be named.

use sqlparser::ast::{AccessExpr, Expr, Value};

use super::model::Column;
use super::scope::{Found, Scope};
use super::{Refusal, name, refuse};
use crate::catalog::{Piece, Privilege, TypeKind};

/// A function while its body is written.
#[derive(Debug)]
pub(super) struct Routine {
    pub(super) name: String,
    pub(super) arguments: Vec<Argument>,
}

/// What a parameter stands for.
#[derive(Debug, Clone)]
pub(super) struct Argument {
    /// Its name; empty without one.
    pub(super) name: String,
    /// Its type, as a column's is told.
    pub(super) declared: String,
    /// How it is written.
    pub(super) written: Written,
}

/// How what a parameter stands for is written.
#[derive(Debug, Clone)]
pub(super) enum Written {
    /// A value.
    Value(String),
    /// A row.
    Row(Row),
}

/// A row, of which only columns can be named.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) columns: Vec<Column>,
    /// What stands before each; `None`: a place for each.
    pub(super) prefix: Option<String>,
}

impl Routine {
    pub(super) fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.name == name && !name.is_empty())
    }
}

impl Argument {
    /// The row that it is; `None` for a value.
    pub(super) fn row(&self) -> Option<&Row> {
        match &self.written {
            Written::Value(_) => None,
            Written::Row(row) => Some(row),
        }
    }
}

impl Row {
    pub(super) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Writes a column.
    pub(super) fn write(&self, column: &str) -> String {
        match &self.prefix {
            Some(prefix) => format!("{prefix}.{}", name::quote(column)),
            None => Piece::Column(column.to_owned()).to_text(),
        }
    }
}

impl Scope<'_> {
    /// The argument that `$1` stands for.
    pub(super) fn placeholder(&self, expression: &Expr) -> Option<&Argument> {
        let Expr::Value(value) = expression else { return None };
        let Value::Placeholder(written) = &value.value else { return None };
        let place: usize = written.strip_prefix('$')?.parse().ok()?;
        self.routine.as_ref()?.arguments.get(place.checked_sub(1)?)
    }

    /// The row that an expression stands for: a parameter, or one of what the query reads from.
    pub(super) fn row(&self, expression: &Expr) -> Option<Row> {
        match expression {
            Expr::Nested(inner) => self.row(inner),
            Expr::Identifier(ident) => {
                let name = name::fold(ident);
                match self.find(std::slice::from_ref(&name)) {
                    Some(Found::Argument(argument)) => argument.row().cloned(),
                    Some(Found::Column(..) | Found::Member(..)) => None,
                    None => {
                        let source = self.source(&name)?;
                        let columns = source.columns.clone()?;
                        if let Some(table) = &source.table {
                            columns.iter().for_each(|of| self.note(table, Privilege::Select, Some(&of.name)));
                        }
                        Some(Row { columns, prefix: Some(name::quote(&name)) })
                    }
                }
            }
            other => self.placeholder(other)?.row().cloned(),
        }
    }

    /// Writes `$1`, or `$1.column`.
    pub(super) fn argument(&self, root: &Expr, access: &[AccessExpr]) -> Result<Option<String>, Refusal> {
        let Some(row) = self.row(root).filter(|_| !access.is_empty()) else {
            let Some(argument) = self.placeholder(root).filter(|_| access.is_empty()) else { return Ok(None) };
            return write_argument(argument).map(Some);
        };
        let [AccessExpr::Dot(Expr::Identifier(ident))] = access else { return Ok(None) };
        let name = name::fold(ident);
        match row.column(&name) {
            Some(_) => Ok(Some(row.write(&name))),
            None => refuse(format!("column \"{name}\" does not exist")),
        }
    }

    /// What kind of value a column of a row is.
    pub(super) fn kind_of_member(&self, root: &Expr, access: &[AccessExpr]) -> Option<TypeKind> {
        let [AccessExpr::Dot(Expr::Identifier(ident))] = access else { return None };
        let name = name::fold(ident);
        self.kind_of_declared(&self.row(root)?.column(&name)?.declared)
    }
}

pub(super) fn write_argument(argument: &Argument) -> Result<String, Refusal> {
    match &argument.written {
        Written::Value(written) => Ok(written.clone()),
        Written::Row(_) => refuse(format!("the row \"{}\" cannot be used as a value", argument.name)),
    }
}
