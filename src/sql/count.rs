//! How many rows there are without limit and offset.

use super::Query;
use super::condition::write_where;
use super::dialect::{Dialect, Scope};
use super::postgres::Postgres;
use super::rules::write_shown;
use super::sqlite::Sqlite;
use super::writer::Writer;
use crate::plan::{ReadNode, Rules};

/// Adds `SELECT 1 FROM … WHERE …`: the rows without their columns, order and range.
pub(super) fn write_all_rows<D: Dialect>(writer: &mut Writer, node: &ReadNode, scope: Scope<'_>) {
    writer.push("SELECT 1");
    write_source::<D>(writer, node, scope);
}

/// SQLite: counts the rows.
pub(super) fn exact(node: &ReadNode, rules: &Rules) -> Query {
    let mut writer = Writer::new(Sqlite::PLACEHOLDER);
    write_shown(&mut writer, &rules.shown);
    writer.push("SELECT count(*)");
    write_source::<Sqlite>(&mut writer, node, Scope::Table(&node.from));
    writer.finish()
}

/// Postgres: asks the planner how many rows it expects.
pub(super) fn planned(node: &ReadNode) -> Query {
    let mut writer = Writer::new(Postgres::PLACEHOLDER);
    writer.push("EXPLAIN (FORMAT JSON) ");
    write_all_rows::<Postgres>(&mut writer, node, Scope::Table(&node.from));
    writer.finish()
}

fn write_source<D: Dialect>(writer: &mut Writer, node: &ReadNode, scope: Scope<'_>) {
    writer.push(" FROM ");
    scope.source::<D>(writer);
    write_where::<D>(writer, scope, &node.filter);
}
