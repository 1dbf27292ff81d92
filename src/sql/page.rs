//! Pages by keys.
//!
//! The rows are found away from the cursor, one more than the page has: that tells whether there are others. Of each, the
//! values of the order come with it, in columns behind its own. A page before a cursor is found backwards and turned
//! round.

use super::condition::write_condition;
use super::dialect::{Dialect, Scope};
use super::embed::{Naming, Select, members, write_select};
use super::envelope;
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::writer::Writer;
use crate::plan::{Keyset, ReadNode};
use crate::request::Range;
use crate::request::seek::Side;

/// The last row first.
const TURNED: &str = " ORDER BY row_number() OVER () DESC";

fn select<'a>(node: &'a ReadNode, keyset: &'a Keyset) -> Select<'a> {
    Select {
        naming: Naming::Number,
        beyond: keyset.beyond.as_ref(),
        keys: &node.order,
        order: &keyset.order,
        range: Range { offset: 0, limit: keyset.size.map(|size| size.saturating_add(1)) },
        ..Select::of(node)
    }
}

/// SQLite: the rows with their keys. Before a cursor the number of rows that were found comes too, as the last column: when
/// it is more than the page has, the first row is the one too many.
pub(super) fn write_sqlite(writer: &mut Writer, node: &ReadNode, keyset: &Keyset, scope: Scope<'_>) {
    if keyset.side == Side::After {
        return write_select::<Sqlite>(writer, node, scope, &select(node, keyset));
    }
    let rows = writer.alias();
    writer.push("SELECT ");
    writer.separated(", ", 0..members(node).len() + node.order.len(), |writer, index| {
        writer.alias_name(rows).push(".").column_number(index);
    });
    writer.push(", count(*) OVER () FROM (");
    write_select::<Sqlite>(writer, node, scope, &select(node, keyset));
    writer.push(") AS ").alias_name(rows).push(TURNED);
}

/// Postgres: the rows with their keys, for the part of the statement that [`write_rows`] and [`write_edges`] read.
pub(super) fn write_source(writer: &mut Writer, node: &ReadNode, keyset: &Keyset, scope: Scope<'_>) {
    write_select::<Postgres>(writer, node, scope, &select(node, keyset));
}

/// Postgres: the rows of the page, in the order of the request, with the names of the answer.
pub(super) fn write_rows(writer: &mut Writer, node: &ReadNode, keyset: &Keyset) {
    writer.push("SELECT ");
    writer.separated(", ", members(node).iter().enumerate(), |writer, (index, (name, _))| {
        writer.column_number(index);
        Postgres::result_name(writer, name);
    });
    match keyset.side {
        Side::After => {
            writer.push(" FROM ").push(envelope::SOURCE);
            write_limit(writer, keyset);
        }
        Side::Before => {
            writer.push(" FROM (SELECT * FROM ").push(envelope::SOURCE);
            write_limit(writer, keyset);
            writer.push(") AS berth_page").push(TURNED);
        }
    }
}

fn write_limit(writer: &mut Writer, keyset: &Keyset) {
    if let Some(size) = keyset.size {
        writer.push(" LIMIT ").bind(Postgres::number(size));
    }
}

/// Postgres: the keys of the first and the last row of the page, and whether there are more rows behind or before it, as
/// `{"first": […], "last": […], "more": true}`.
pub(super) fn write_edges(writer: &mut Writer, node: &ReadNode, keyset: &Keyset) {
    let (nearest, farthest) = match keyset.side {
        Side::After => ("json_build_object('first', ", ", 'last', "),
        Side::Before => ("json_build_object('last', ", ", 'first', "),
    };
    writer.push(nearest);
    write_keys(writer, node);
    writer.push(" LIMIT 1)").push(farthest);
    write_keys(writer, node);
    writer.push(" LIMIT 1 OFFSET (SELECT greatest(");
    match keyset.size {
        Some(size) => writer.push("least(count(*), ").bind(Postgres::number(size)).push("::bigint)"),
        None => writer.push("count(*)"),
    };
    writer.push(" - 1, 0) FROM ").push(envelope::SOURCE).push(")), 'more', ");
    match keyset.size {
        Some(size) => {
            writer.push("(SELECT count(*) > ").bind(Postgres::number(size)).push("::bigint FROM ");
            writer.push(envelope::SOURCE).push(")");
        }
        None => _ = writer.push("FALSE"),
    }
    writer.push(")::text");
}

/// Adds a query of the keys, without its end.
fn write_keys(writer: &mut Writer, node: &ReadNode) {
    let first = members(node).len();
    writer.push("(SELECT json_build_array(");
    writer.separated(", ", 0..node.order.len(), |writer, index| _ = writer.column_number(first + index));
    writer.push(") FROM ").push(envelope::SOURCE);
}

/// Adds what holds for rows beyond a cursor, behind the ` WHERE` of `filtered` rows or as the first of it.
pub(super) fn write_beyond<D: Dialect>(writer: &mut Writer, scope: Scope<'_>, select: &Select<'_>, is_filtered: bool) {
    if let Some(beyond) = select.beyond {
        writer.push(if is_filtered { " AND (" } else { " WHERE (" });
        write_condition::<D>(writer, scope, beyond);
        writer.push(")");
    }
}
