//! Writes: `POST`, `PUT`, `PATCH` and `DELETE`.

pub(super) mod postgres;
pub(super) mod sqlite;

use super::writer::Writer;
use crate::plan::Conflict;
use crate::request::prefer::Resolution;

/// Adds ` ON CONFLICT (…) DO …`; nothing without key columns to look for a conflict in.
///
/// An update sets every inserted column to the value that was to be inserted (`excluded`, defaults included), as
/// `PostgREST` does; `counts` is a condition that is always true and counts the updates while it is asked. Without a
/// column to set there is nothing to update.
fn write_conflict(writer: &mut Writer, conflict: Option<&Conflict>, columns: &[&str], counts: &'static str) {
    let Some(conflict) = conflict.filter(|conflict| !conflict.columns.is_empty()) else { return };
    writer.push(" ON CONFLICT (");
    writer.separated(", ", &conflict.columns, |writer, column| _ = writer.identifier(column));
    writer.push(")");
    if !is_update(Some(conflict), columns) {
        writer.push(" DO NOTHING");
        return;
    }
    writer.push(" DO UPDATE SET ");
    writer.separated(", ", columns, |writer, column| {
        writer.identifier(column).push(" = excluded.").identifier(column);
    });
    writer.push(" WHERE ").push(counts);
}

/// Whether the rows whose key is taken are updated.
fn is_update(conflict: Option<&Conflict>, columns: &[&str]) -> bool {
    conflict.is_some_and(|conflict| {
        conflict.resolution == Resolution::MergeDuplicates && !conflict.columns.is_empty() && !columns.is_empty()
    })
}
