//! What functions of a row give: rows, and on SQLite values.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::child::write_table;
use super::dialect::{Dialect, Scope};
use super::postgres::Postgres;
use super::rules::{write_before_part, write_shown};
use super::sqlite::Sqlite;
use super::writer::{Alias, Writer};
use crate::catalog::{Body, Piece, QualifiedName, Relationship};
use crate::plan::{Condition, Read, ReadNode, RowFunction, Rules, Target};

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
    D::computed_rows(writer, computed, &relationship.table, outer);
    writer.push(" AS ").alias_name(alias);
}

/// The rows of a read whose functions look at tables themselves.
const ROWS: &str = "berth_rows";

/// SQLite: adds the parts of a read's statement, and says what its rows are called.
///
/// Inside of a function a table's name means what the function reads. Where it may be the name of the rows as well, they
/// get another. Planning has seen that the sender may read them whole.
pub(super) fn write_parts<'a>(writer: &mut Writer, read: &'a Read, rules: &Rules) -> Scope<'a> {
    if !looks_at_tables(&read.node) {
        write_shown(writer, &rules.shown);
        return Scope::Table(&read.node.from);
    }
    write_before_part(writer, &rules.shown);
    writer.push(ROWS).push(" AS NOT MATERIALIZED (SELECT * FROM ");
    Sqlite::table(writer, &read.node.from);
    writer.push(") ");
    Scope::Part(ROWS)
}

/// True when a function of a row of this level reads a table.
fn looks_at_tables(node: &ReadNode) -> bool {
    let of_body = |body: &Body| body.steps.iter().any(|step| step.sql.0.iter().any(reads_rows));
    let of_row = |function: &Arc<RowFunction>| function.routine.body.as_deref().is_some_and(of_body);
    let leads = |relationship: &Relationship| {
        relationship.computed().and_then(|computed| computed.body.as_deref()).is_some_and(of_body)
    };
    node.select.iter().any(|projection| projection.target.computed.as_ref().is_some_and(of_row))
        || node.order.iter().any(|order| {
            order.target.computed.as_ref().is_some_and(of_row)
                || order.related.as_ref().is_some_and(|related| leads(&related.relationship))
        })
        || node.embeds.iter().any(|embed| leads(&embed.relationship))
        || tests_any(&node.filter, &|target| target.computed.as_ref().is_some_and(of_row), &leads)
}

fn reads_rows(piece: &Piece) -> bool {
    matches!(piece, Piece::Rows(_) | Piece::AllRows(_))
}

/// Calls itself as deep as conditions are nested, which is bounded.
fn tests_any(
    condition: &Condition,
    of_target: &dyn Fn(&Target) -> bool,
    leads: &dyn Fn(&Relationship) -> bool,
) -> bool {
    match condition {
        Condition::And(children) | Condition::Or(children) => {
            children.iter().any(|child| tests_any(child, of_target, leads))
        }
        Condition::Not(child) | Condition::Behind(_, child) => tests_any(child, of_target, leads),
        Condition::Test(target, _) => of_target(target),
        Condition::Related(related) => leads(&related.relationship),
    }
}

/// Postgres: adds a call with the row.
pub(super) fn write_call(writer: &mut Writer, function: &QualifiedName, of: &QualifiedName, outer: Scope<'_>) {
    Postgres::table(writer, function);
    writer.push("(");
    outer.source::<Postgres>(writer);
    match outer {
        Scope::Part(_) => {
            writer.push("::");
            Postgres::table(writer, of);
        }
        Scope::Table(_) | Scope::Alias(_) | Scope::Written(_) => _ = writer.push(".*"),
    }
    writer.push(")");
}

/// SQLite: adds the query that the function consists of, in parentheses, with the columns of the row in their places.
///
/// Inside of it a table's name means what the query reads: the columns of a row that is known by its table's name are
/// given another.
pub(super) fn write_body(writer: &mut Writer, body: &Body, outer: Scope<'_>) {
    let Some(step) = body.steps.last() else {
        writer.push("(SELECT NULL WHERE FALSE)");
        return;
    };
    let pieces = &step.sql.0;
    let is_hidden = matches!(outer, Scope::Table(_) | Scope::Written(_)) && pieces.iter().any(reads_rows);
    if !is_hidden {
        writer.push("(");
        write_pieces(writer, pieces, &mut |writer, piece| {
            column_of(piece).into_iter().for_each(|column| outer.column::<Sqlite>(writer, column));
        });
        writer.push(")");
        return;
    }
    let row = writer.alias();
    writer.push("(WITH ").alias_name(row).push(" AS (SELECT ");
    let columns: BTreeSet<&str> = pieces.iter().filter_map(column_of).collect();
    if columns.is_empty() {
        writer.push("1");
    }
    writer.separated(", ", columns, |writer, column| {
        outer.column::<Sqlite>(writer, column);
        writer.push(" AS ").identifier(column);
    });
    writer.push(") SELECT * FROM (");
    write_pieces(writer, pieces, &mut |writer, piece| {
        if let Some(column) = column_of(piece) {
            writer.push("(SELECT ").identifier(column).push(" FROM ").alias_name(row).push(")");
        }
    });
    writer.push("))");
}

fn column_of(piece: &Piece) -> Option<&str> {
    match piece {
        Piece::Column(column) => Some(column),
        Piece::Text(_)
        | Piece::Parameter(_)
        | Piece::Rows(_)
        | Piece::AllRows(_)
        | Piece::Existing { .. }
        | Piece::Made { .. } => None,
    }
}

/// Adds the pieces of a statement of a body; `write_other` those that depend on where it stands. A function's parameters
/// are the first placeholders of the statement.
pub(super) fn write_pieces(writer: &mut Writer, pieces: &[Piece], write_other: &mut dyn FnMut(&mut Writer, &Piece)) {
    for piece in pieces {
        match piece {
            Piece::Text(text) => _ = writer.catalog_sql(text),
            Piece::Parameter(place) => _ = writer.placeholder(*place),
            Piece::Rows(table) => _ = writer.identifier(table),
            Piece::AllRows(table) => _ = writer.push("main.").identifier(table),
            Piece::Column(_) | Piece::Existing { .. } | Piece::Made { .. } => write_other(writer, piece),
        }
    }
}
