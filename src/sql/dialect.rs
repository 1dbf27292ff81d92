//! What the engines spell differently. Everything else of this stage is written once, over this trait.

use super::writer::Writer;
use crate::catalog::{QualifiedName, TypeKind, TypeName};
use crate::plan::{Order, Projection, Target, Value};
use crate::request::filter::{Arrow, Comparison, Containment, FullText, JsonStep, Quantifier};

/// An engine's spelling. Its types hold nothing: the choice is made at compile time.
pub(super) trait Dialect {
    /// What a placeholder starts with.
    const PLACEHOLDER: char;
    /// `is unknown`.
    const IS_UNKNOWN: &'static str;
    /// The limit that stands for none where only an offset is wanted.
    const NO_LIMIT: &'static str;
    /// What stands behind `SELECT` when no column is wanted.
    const NO_COLUMNS: &'static str;

    /// A whole number, as this engine wants it bound. Numbers past `i64` stand for the greatest one.
    fn number(number: u64) -> Value;

    /// The table's name.
    fn table(writer: &mut Writer, table: &QualifiedName);

    /// The name of a result column, where the engine is the one that writes the answer.
    fn result_name(writer: &mut Writer, name: &str);

    /// The column, or what its path leads to.
    fn field(writer: &mut Writer, field: Field<'_>);

    /// What an order compares: the field, unless the engine sorts its stored form otherwise than Postgres its value.
    fn sort_key(writer: &mut Writer, field: Field<'_>) {
        Self::field(writer, field);
    }

    /// The field as another type.
    fn cast(writer: &mut Writer, field: Field<'_>, to: &TypeName);

    /// `field operator value`.
    fn compare(writer: &mut Writer, field: Field<'_>, comparison: Comparison, value: &Value);

    /// `field operator any|all (values)`.
    fn quantified(
        writer: &mut Writer,
        field: Field<'_>,
        comparison: Comparison,
        quantifier: Quantifier,
        values: &[Value],
    );

    /// The field is one of `values`.
    fn is_one_of(writer: &mut Writer, field: Field<'_>, values: &[Value]);

    /// Operators of arrays, JSON and ranges.
    fn contain(writer: &mut Writer, field: Field<'_>, containment: Containment, value: &Value);

    /// Full text.
    fn full_text(writer: &mut Writer, field: Field<'_>, operator: FullText, language: Option<&str>, query: &str);
}

/// Where a column's name is looked up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    /// In a table of the database.
    Table(&'a QualifiedName),
    /// In a named part of the statement itself.
    Part(&'static str),
}

impl Scope<'_> {
    /// Adds `scope.column`. Always with the scope: SQLite reads an unknown name in double quotes as a string, but
    /// never a qualified one.
    pub(super) fn column<D: Dialect>(self, writer: &mut Writer, column: &str) {
        match self {
            Self::Table(table) => D::table(writer, table),
            Self::Part(part) => _ = writer.push(part),
        }
        writer.push(".").identifier(column);
    }
}

/// A column, perhaps with a way into its JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) column: &'a str,
    pub(super) type_name: &'a TypeName,
    pub(super) path: &'a [JsonStep],
}

impl<'a> Field<'a> {
    /// What a condition looks at.
    pub(super) fn of_target(scope: Scope<'a>, target: &'a Target) -> Self {
        Self { scope, column: &target.column, type_name: &target.type_name, path: &target.path }
    }

    /// What a projection gives.
    pub(super) fn of_projection(scope: Scope<'a>, projection: &'a Projection) -> Self {
        Self { scope, column: &projection.column, type_name: &projection.type_name, path: &projection.path }
    }

    /// What an order compares.
    pub(super) fn of_order(scope: Scope<'a>, order: &'a Order) -> Self {
        Self { scope, column: &order.column, type_name: &order.type_name, path: &order.path }
    }

    /// The kind of value it holds: the column's, or what the last arrow gives.
    pub(super) fn kind(self) -> TypeKind {
        match self.path.last().map(|step| step.arrow) {
            None => self.type_name.kind.clone(),
            Some(Arrow::Json) => TypeKind::Json,
            Some(Arrow::Text) => TypeKind::Text { max_length: None },
        }
    }
}
