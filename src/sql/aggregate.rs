//! What is made of the values of many rows.
//!
//! SQLite's own `sum` and `avg` give floats, and add them in an order of their own; `berth_sum` and `berth_avg`, which
//! the store registers, give what Postgres gives. Their second argument is the number of digits behind the point that
//! the values have, or the type of a float.

use super::dialect::{Dialect, Field};
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::writer::Writer;
use crate::catalog::{TypeKind, TypeName};
use crate::plan::value::key;
use crate::plan::{Aggregated, Operand, Projection, Value};
use crate::request::select::Aggregate;

/// An aggregate function around a field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aggregation<'a> {
    operand: Operand,
    /// The type that the values are cast to before.
    cast: Option<&'a TypeName>,
    /// The type of the result.
    pub(super) type_name: &'a TypeName,
}

impl<'a> Aggregation<'a> {
    pub(super) fn of(projection: &'a Projection, aggregated: &'a Aggregated) -> Self {
        Self { operand: aggregated.operand, cast: projection.cast.as_ref(), type_name: &aggregated.type_name }
    }

    fn write_values<D: Dialect>(self, writer: &mut Writer, values: Field<'_>) {
        match self.cast {
            Some(to) => D::cast(writer, values, to),
            None => D::field(writer, values),
        }
    }
}

fn count_rows(writer: &mut Writer) {
    writer.push("count(*)");
}

/// Postgres: the function.
pub(super) fn write_postgres(writer: &mut Writer, values: Field<'_>, aggregation: Aggregation<'_>) {
    let function = match aggregation.operand {
        Operand::Rows => return count_rows(writer),
        Operand::Values(Aggregate::Avg) => "avg(",
        Operand::Values(Aggregate::Count) => "count(",
        Operand::Values(Aggregate::CountDistinct) => "count(DISTINCT ",
        Operand::Values(Aggregate::Max) => "max(",
        Operand::Values(Aggregate::Min) => "min(",
        Operand::Values(Aggregate::Sum) => "sum(",
    };
    writer.push(function);
    aggregation.write_values::<Postgres>(writer, values);
    writer.push(")");
}

/// SQLite: the function, or berth's where SQLite's gives something else.
pub(super) fn write_sqlite(writer: &mut Writer, values: Field<'_>, aggregation: Aggregation<'_>) {
    let exact = aggregation.cast.map_or_else(|| values.kind(), |cast| cast.kind.clone());
    let operand = aggregation.operand;
    let function = match operand {
        Operand::Rows => return count_rows(writer),
        Operand::Values(Aggregate::Avg) => "berth_avg(",
        Operand::Values(Aggregate::Count) => "count(",
        Operand::Values(Aggregate::CountDistinct) => "count(DISTINCT ",
        Operand::Values(Aggregate::Max) => "max(",
        Operand::Values(Aggregate::Min) => "min(",
        Operand::Values(Aggregate::Sum) if aggregation.type_name.kind == TypeKind::BigInt => "sum(",
        Operand::Values(Aggregate::Sum) => "berth_sum(",
    };
    if let (TypeKind::Enum { labels, .. }, Operand::Values(Aggregate::Max | Aggregate::Min)) = (&exact, operand) {
        return write_extreme_label(writer, function, labels, |writer| {
            aggregation.write_values::<Sqlite>(writer, values)
        });
    }
    if let (true, Operand::Values(Aggregate::Max | Aggregate::Min)) = (key::is_needed(&exact), operand) {
        writer.push(if operand == Operand::Values(Aggregate::Max) { "berth_max(" } else { "berth_min(" });
        aggregation.write_values::<Sqlite>(writer, values);
        writer.push(", ").bind(Value::Text(exact.postgres_name())).push(")");
        return;
    }
    writer.push(function);
    aggregation.write_values::<Sqlite>(writer, values);
    if operand == Operand::Values(Aggregate::CountDistinct) {
        Sqlite::told_apart(writer, &exact);
    }
    if function.starts_with("berth_") {
        if exact == TypeKind::Real {
            writer.push(", 'real'");
        } else if exact == TypeKind::Double {
            writer.push(", 'double'");
        } else if let TypeKind::Numeric { scale: Some(scale), .. } = exact {
            writer.push(", ").bind(Value::Integer(scale.into()));
        } else {
            writer.push(", 0");
        }
    }
    writer.push(")");
}

/// The label whose place is first or last.
fn write_extreme_label(
    writer: &mut Writer,
    function: &'static str,
    labels: &[String],
    values: impl FnOnce(&mut Writer),
) {
    let places = || (0..).zip(labels).map(|(place, label)| (Value::Integer(place), Value::Text(label.clone())));
    writer.push("CASE ").push(function).push("CASE ");
    values(writer);
    for (place, label) in places() {
        writer.push(" WHEN ").bind(label).push(" THEN ").bind(place);
    }
    writer.push(" END)");
    for (place, label) in places() {
        writer.push(" WHEN ").bind(place).push(" THEN ").bind(label);
    }
    writer.push(" END");
}
