//! The rows of a read, each of which may be given once.
//!
//! | rows | how |
//! |---|---|
//! | each | the `SELECT` of the node |
//! | once | the same, grouped by all its columns |
//! | the first of those that are equal in some columns | the rows with their places (`row_number()`) in a query inside the query, which takes those at place 1; what they are ordered by comes with them |

use super::count::write_all_rows;
use super::dialect::{Dialect, Field, Scope};
use super::embed::{Naming, Select, members, write_rows, write_select, write_told_apart};
use super::order::{write_range, write_way};
use super::writer::Writer;
use crate::plan::{Distinct, Read, ReadNode, Target};
use crate::request::Range;

/// Adds the `SELECT` of a read.
pub(super) fn write_top<D: Dialect>(writer: &mut Writer, read: &Read, scope: Scope<'_>) {
    let node = &read.node;
    match &read.distinct {
        Distinct::No => write_rows::<D>(writer, node, scope),
        Distinct::Rows => write_select::<D>(writer, node, scope, &Select { grouped: true, ..Select::of(node) }),
        Distinct::By(targets) => write_first::<D>(writer, node, scope, targets),
    }
}

/// Adds a query of as many rows as a read gives without limit and offset.
pub(super) fn write_all<D: Dialect>(writer: &mut Writer, read: &Read, scope: Scope<'_>) {
    let node = &read.node;
    match &read.distinct {
        Distinct::No => write_all_rows::<D>(writer, node, scope),
        Distinct::Rows => {
            let all = Select { grouped: true, order: &[], range: Range::ALL, ..Select::of(node) };
            write_select::<D>(writer, node, scope, &all);
        }
        Distinct::By(targets) => {
            write_all_rows::<D>(writer, node, scope);
            writer.push(" GROUP BY ");
            writer.separated(", ", targets, |writer, target| write_told_apart::<D>(writer, Field::of(scope, target)));
        }
    }
}

/// Adds the first row of those that are equal in `targets`.
fn write_first<D: Dialect>(writer: &mut Writer, node: &ReadNode, scope: Scope<'_>, targets: &[Target]) {
    let rows = writer.alias();
    let members = members(node);
    writer.push("SELECT ");
    if members.is_empty() {
        writer.push(D::NO_COLUMNS);
    }
    writer.separated(", ", members.iter().enumerate(), |writer, (index, (name, _))| {
        writer.alias_name(rows).push(".").column_number(index);
        D::result_name(writer, name);
    });
    let keys = members.len();
    let inner = Select {
        naming: Naming::Number,
        sort_keys: &node.order,
        first: Some((targets, &node.order)),
        order: &[],
        range: Range::ALL,
        ..Select::of(node)
    };
    writer.push(" FROM (");
    write_select::<D>(writer, node, scope, &inner);
    writer.push(") AS ").alias_name(rows).push(" WHERE ");
    writer.alias_name(rows).push(".").column_number(keys + node.order.len()).push(" = 1");
    if !node.order.is_empty() {
        writer.push(" ORDER BY ");
        writer.separated(", ", node.order.iter().enumerate(), |writer, (index, term)| {
            writer.alias_name(rows).push(".").column_number(keys + index);
            write_way(writer, term);
        });
    }
    write_range::<D>(writer, node.range);
}
