//! Rows that a function of a row gives.

use super::child::write_table;
use super::dialect::{Dialect, Scope};
use super::writer::{Alias, Writer};
use crate::catalog::Relationship;

/// Adds the rows that a relationship leads to from a row of `outer`: a table, or a function of that row.
///
/// A part of the statement has rows of no table: such a row is cast, which fits as long as it has all columns of the
/// table and no others.
pub(super) fn write_target<D: Dialect>(
    writer: &mut Writer,
    relationship: &Relationship,
    outer: Scope<'_>,
    alias: Alias,
) {
    let Some(computed) = relationship.computed() else {
        return write_table::<D>(writer, &relationship.target, alias);
    };
    D::table(writer, &computed.function);
    writer.push("(");
    outer.source::<D>(writer);
    match outer {
        Scope::Part(_) => {
            writer.push("::");
            D::table(writer, &relationship.table);
        }
        Scope::Table(_) | Scope::Alias(_) => _ = writer.push(".*"),
    }
    writer.push(") AS ").alias_name(alias);
}
