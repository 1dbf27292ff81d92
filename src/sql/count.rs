//! How many rows there are without limit and offset.

use super::condition::write_where;
use super::dialect::{Dialect, Scope};
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::top::write_all;
use super::writer::Writer;
use super::{Query, computed};
use crate::plan::{Distinct, Read, ReadNode, Rules};

/// Adds `SELECT 1 FROM … WHERE …`: the rows without their columns, order and range.
pub(super) fn write_all_rows<D: Dialect>(writer: &mut Writer, node: &ReadNode, scope: Scope<'_>) {
    writer.push("SELECT 1");
    write_source::<D>(writer, node, scope);
}

/// SQLite: counts the rows.
pub(super) fn exact(read: &Read, rules: &Rules) -> Query {
    let mut writer = Writer::new(Sqlite::PLACEHOLDER);
    let scope = computed::write_parts(&mut writer, read, rules);
    write_count::<Sqlite>(&mut writer, read, scope);
    writer.finish()
}

/// Adds `SELECT count(*) FROM … WHERE …`, or of the rows that are given once.
pub(super) fn write_count<D: Dialect>(writer: &mut Writer, read: &Read, scope: Scope<'_>) {
    writer.push("SELECT count(*)");
    if read.distinct == Distinct::No {
        write_source::<D>(writer, &read.node, scope);
    } else {
        writer.push(" FROM (");
        write_all::<D>(writer, read, scope);
        writer.push(")");
    }
}

/// Postgres: asks the planner how many rows it expects.
pub(super) fn planned(read: &Read) -> Query {
    let mut writer = Writer::new(Postgres::PLACEHOLDER);
    writer.push("EXPLAIN (FORMAT JSON) ");
    write_all::<Postgres>(&mut writer, read, Scope::Table(&read.node.from));
    writer.finish()
}

fn write_source<D: Dialect>(writer: &mut Writer, node: &ReadNode, scope: Scope<'_>) {
    writer.push(" FROM ");
    scope.source::<D>(writer);
    write_where::<D>(writer, scope, &node.filter);
}
