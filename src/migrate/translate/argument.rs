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
    /// A row: its columns, and what stands before each; `None`: a place for each.
    Row { columns: Vec<Column>, prefix: Option<String> },
}

impl Routine {
    pub(super) fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.name == name && !name.is_empty())
    }
}

impl Argument {
    pub(super) fn member(&self, name: &str) -> Option<&Column> {
        match &self.written {
            Written::Value(_) => None,
            Written::Row { columns, .. } => columns.iter().find(|column| column.name == name),
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
    pub(super) fn row(&self, expression: &Expr) -> Option<(Written, Vec<Column>)> {
        let of_argument = |argument: &Argument| match &argument.written {
            Written::Value(_) => None,
            Written::Row { columns, .. } => Some((argument.written.clone(), columns.clone())),
        };
        match expression {
            Expr::Nested(inner) => self.row(inner),
            Expr::Identifier(ident) => {
                let name = name::fold(ident);
                match self.find(std::slice::from_ref(&name)) {
                    Some(Found::Argument(argument)) => of_argument(argument),
                    Some(Found::Column(..) | Found::Member(..)) => None,
                    None => {
                        let source = self.source(&name)?;
                        let columns = source.columns.clone()?;
                        if let Some(table) = &source.table {
                            columns.iter().for_each(|of| self.note(table, Privilege::Select, Some(&of.name)));
                        }
                        let prefix = Some(name::quote(&name));
                        Some((Written::Row { columns: columns.clone(), prefix }, columns))
                    }
                }
            }
            other => self.placeholder(other).and_then(of_argument),
        }
    }

    /// Writes `$1`, or `$1.column`.
    pub(super) fn argument(&self, root: &Expr, access: &[AccessExpr]) -> Result<Option<String>, Refusal> {
        let Some((written, columns)) = self.row(root).filter(|_| !access.is_empty()) else {
            let Some(argument) = self.placeholder(root).filter(|_| access.is_empty()) else { return Ok(None) };
            return write_argument(argument).map(Some);
        };
        let [AccessExpr::Dot(Expr::Identifier(ident))] = access else { return Ok(None) };
        let name = name::fold(ident);
        if columns.iter().all(|column| column.name != name) {
            return refuse(format!("column \"{name}\" does not exist"));
        }
        Ok(Some(write_member(&written, &name)))
    }

    /// What kind of value a column of a row is.
    pub(super) fn kind_of_member(&self, root: &Expr, access: &[AccessExpr]) -> Option<TypeKind> {
        let [AccessExpr::Dot(Expr::Identifier(ident))] = access else { return None };
        let name = name::fold(ident);
        let (_, columns) = self.row(root)?;
        self.kind_of_declared(&columns.iter().find(|column| column.name == name)?.declared)
    }
}

/// Writes a column of a row.
pub(super) fn write_member(row: &Written, column: &str) -> String {
    match row {
        Written::Row { prefix: Some(prefix), .. } => format!("{prefix}.{}", name::quote(column)),
        Written::Row { prefix: None, .. } | Written::Value(_) => Piece::Column(column.to_owned()).to_text(),
    }
}

pub(super) fn write_argument(argument: &Argument) -> Result<String, Refusal> {
    match &argument.written {
        Written::Value(written) => Ok(written.clone()),
        Written::Row { .. } => refuse(format!("the row \"{}\" cannot be used as a value", argument.name)),
    }
}
