//! What the engines spell differently. Everything else of this stage is written once, over this trait.

use super::aggregate::Aggregation;
use super::embed::Naming;
use super::through::Lens;
use super::writer::{Alias, Writer};
use crate::catalog::{Computed, QualifiedName, TypeKind, TypeName};
use crate::plan::{RowFunction, Search, Target, Value};
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

    /// Whether a query in `FROM` may look at the tables before it.
    const HAS_LATERAL: bool;
    /// What the columns of a query are called whose rows become objects.
    const ROW_NAMING: Naming;

    /// A whole number, as this engine wants it bound. Numbers past `i64` stand for the greatest one.
    fn number(number: u64) -> Value;

    /// The table's name.
    fn table(writer: &mut Writer, table: &QualifiedName);

    /// The name of a result column, where the engine is the one that writes the answer.
    fn result_name(writer: &mut Writer, name: &str);

    /// The column, or what its path leads to.
    fn field(writer: &mut Writer, field: Field<'_>);

    /// The one row of `query` as an object, null without one. `members` are its columns.
    fn object(writer: &mut Writer, members: &[(&str, TypeName)], query: &mut dyn FnMut(&mut Writer));

    /// The rows of `query` as an array of objects.
    fn array(writer: &mut Writer, members: &[(&str, TypeName)], query: &mut dyn FnMut(&mut Writer));

    /// A query of one row: for each column of `query`, which are numbered, the array of its values.
    fn gather(writer: &mut Writer, types: &[TypeName], query: &mut dyn FnMut(&mut Writer));

    /// The array of the values of one column of `query`. Arrays of several columns have their values in one order.
    fn gather_one(writer: &mut Writer, types: &[TypeName], index: usize, query: &mut dyn FnMut(&mut Writer));

    /// The rows that a function gives for a row of `outer`, a row of the table `of`.
    fn computed_rows(writer: &mut Writer, computed: &Computed, of: &QualifiedName, outer: Scope<'_>);

    /// JSON in a form that equal values share.
    fn comparable_json(writer: &mut Writer, write: &mut dyn FnMut(&mut Writer));

    /// What an order compares: the field, unless the engine sorts its stored form otherwise than Postgres its value.
    fn sort_key(writer: &mut Writer, field: Field<'_>) {
        Self::field(writer, field);
    }

    /// A value as cursors have it.
    fn key(writer: &mut Writer, write: &mut dyn FnMut(&mut Writer)) {
        write(writer);
    }

    /// Adds to a value by which rows are told apart what makes equal values one.
    fn told_apart(_writer: &mut Writer, _kind: &TypeKind) {}

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

    /// The field is not `value`, null being equal to null.
    fn is_distinct(writer: &mut Writer, field: Field<'_>, value: &Value) {
        Self::field(writer, field);
        writer.push(" IS DISTINCT FROM ").bind(value.clone());
    }

    /// Operators of arrays, JSON and ranges.
    fn contain(writer: &mut Writer, field: Field<'_>, containment: Containment, value: &Value);

    /// Full text, where the engine reads the query.
    fn full_text(writer: &mut Writer, field: Field<'_>, operator: FullText, language: Option<&str>, query: &str);

    /// Full text, the query read.
    fn search(writer: &mut Writer, field: Field<'_>, search: &Search);
}

/// Where a column's name is looked up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope<'a> {
    /// In a table of the database.
    Table(&'a QualifiedName),
    /// In a named part of the statement itself.
    Part(&'static str),
    /// In a table that the statement has given a name.
    Alias(Alias),
    /// In a view that is written to, of whose table the rows are (SQLite).
    Written(Lens<'a>),
}

impl Scope<'_> {
    /// Adds `scope.column`. Always with the scope: SQLite reads an unknown name in double quotes as a string, but
    /// never a qualified one.
    pub(super) fn column<D: Dialect>(self, writer: &mut Writer, column: &str) {
        if let Self::Written(lens) = self {
            return lens.write_column(writer, column);
        }
        self.source::<D>(writer);
        writer.push(".").identifier(column);
    }

    /// Adds the name itself.
    pub(super) fn source<D: Dialect>(self, writer: &mut Writer) {
        match self {
            Self::Table(table) => D::table(writer, table),
            Self::Part(part) => _ = writer.push(part),
            Self::Alias(alias) => _ = writer.alias_name(alias),
            Self::Written(lens) => D::table(writer, &lens.through.table),
        }
    }
}

/// A column, perhaps with a way into its JSON.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) scope: Scope<'a>,
    pub(super) column: &'a str,
    /// The function of the row that gives the value, where no column does.
    pub(super) computed: Option<&'a RowFunction>,
    pub(super) type_name: &'a TypeName,
    pub(super) path: &'a [JsonStep],
    /// What is made of the values of all rows.
    pub(super) aggregation: Option<Aggregation<'a>>,
    /// The function that makes what is given of a value (Postgres).
    pub(super) formatter: Option<&'a QualifiedName>,
    /// The function that reads what the field is compared with (Postgres).
    pub(super) parser: Option<&'a QualifiedName>,
}

impl<'a> Field<'a> {
    /// What a condition looks at, a projection gives, or an order compares.
    pub(super) fn of(scope: Scope<'a>, target: &'a Target) -> Self {
        Self {
            scope,
            column: &target.column,
            computed: target.computed.as_deref(),
            type_name: &target.type_name,
            path: &target.path,
            aggregation: None,
            formatter: None,
            parser: target.parser.as_ref(),
        }
    }

    /// What the function makes of the field's values.
    pub(super) fn aggregated(self, aggregation: Aggregation<'a>) -> Self {
        Self { aggregation: Some(aggregation), ..self }
    }

    /// The field's values themselves, with the function around them.
    pub(super) fn take_aggregation(self) -> Option<(Self, Aggregation<'a>)> {
        self.aggregation.map(|aggregation| (Self { aggregation: None, ..self }, aggregation))
    }

    /// The kind of value it holds: the function's result, the column's, or what the last arrow gives.
    pub(super) fn kind(self) -> TypeKind {
        if let Some(aggregation) = self.aggregation {
            return aggregation.type_name.kind.clone();
        }
        match self.path.last().map(|step| step.arrow) {
            None => self.type_name.kind.clone(),
            Some(Arrow::Json) => TypeKind::Json,
            Some(Arrow::Text) => TypeKind::Text { max_length: None },
        }
    }
}
