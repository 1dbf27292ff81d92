//! How many rows there are without limit and offset.

use super::Query;
use super::condition::write_where;
use super::dialect::{Dialect, Scope};
use super::postgres::Postgres;
use super::rules::write_shown;
use super::sqlite::Sqlite;
use super::top::write_all;
use super::writer::Writer;
use crate::plan::{Distinct, Read, ReadNode, Rules};

/// Adds `SELECT 1 FROM … WHERE …`: the rows without their columns, order and range.
pub(super) fn write_all_rows<D: Dialect>(writer: &mut Writer, node: &ReadNode, scope: Scope<'_>) {
    writer.push("SELECT 1");
    write_source::<D>(writer, node, scope);
}

/// SQLite: counts the rows.
pub(super) fn exact(read: &Read, rules: &Rules) -> Query {
    let mut writer = Writer::new(Sqlite::PLACEHOLDER);
    let scope = Scope::Table(&read.node.from);
    write_shown(&mut writer, &rules.shown);
    writer.push("SELECT count(*)");
    if read.distinct == Distinct::No {
        write_source::<Sqlite>(&mut writer, &read.node, scope);
    } else {
        writer.push(" FROM (");
        write_all::<Sqlite>(&mut writer, read, scope);
        writer.push(")");
    }
    writer.finish()
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
