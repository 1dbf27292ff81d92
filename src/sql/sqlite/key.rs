//! What values sort by, and are compared by, where they do not sort as Postgres sorts them.

use super::Sqlite;
use crate::catalog::TypeKind;
use crate::plan::Value;
use crate::plan::value::key;
use crate::request::filter::Comparison;
use crate::sql::dialect::{Dialect, Field};
use crate::sql::writer::Writer;

/// The kind that a field's keys are of: a part of a document is one.
pub(super) fn key_kind(field: Field<'_>) -> TypeKind {
    let kind = field.kind();
    if kind == TypeKind::Json { TypeKind::Jsonb } else { kind }
}

/// True where keys are compared, and not the values.
pub(super) fn is_keyed(field: Field<'_>, comparison: Comparison) -> bool {
    let kind = key_kind(field);
    if comparison.is_by_place() { key::is_needed(&kind) } else { key::tells_equality(&kind) }
}

/// Adds what sorts, and is equal, as the values of the field's type do.
pub(super) fn write_key(writer: &mut Writer, field: Field<'_>, value: impl FnOnce(&mut Writer)) {
    writer.push("berth_key(");
    value(writer);
    writer.push(", ").bind(Value::Text(key_kind(field).postgres_name())).push(")");
}

/// Adds what a row that a write gives back is sorted by, in bytes or as SQLite sorts without a collation.
pub(in crate::sql) fn write_returned_key(writer: &mut Writer, field: Field<'_>) {
    if field.kind().is_decimal_text() {
        write_key(writer, field, |writer| Sqlite::field(writer, field));
    } else {
        Sqlite::sort_key(writer, field);
    }
}

/// What a value sorts by: itself, or the place of an enumeration's label in the list.
pub(super) fn write_place(writer: &mut Writer, kind: &TypeKind, value: impl FnOnce(&mut Writer)) {
    let TypeKind::Enum { labels, .. } = kind else { return value(writer) };
    writer.push("CASE ");
    value(writer);
    for (place, label) in (0..).zip(labels) {
        writer.push(" WHEN ").bind(Value::Text(label.clone())).push(" THEN ").bind(Value::Integer(place));
    }
    writer.push(" END");
}
