//! Reads: `GET` and `HEAD`.

use super::dialect::{Dialect, Field, Scope};
use super::embed::output_columns;
use super::envelope::{self, Body, write_body};
use super::order::write_range;
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::top::{write_all, write_top};
use super::writer::Writer;
use super::{Output, Page, Planned, Work, computed, count, page};
use crate::catalog::TypeName;
use crate::plan::{Keyset, Order, Read, ReadNode, Rules};
use crate::request::prefer::Count;
use crate::request::{MediaType, Range};

/// SQLite: the rows, and their exact number when any count was asked for.
///
/// SQLite keeps no number of rows that a filter could be planned with, so planned and estimated counts are exact. A
/// `HEAD` reads the same columns as a `GET`, so that it fails where that would.
pub(super) fn sqlite(read: &Read, media: &MediaType, rules: &Rules) -> Work {
    let mut writer = Writer::new(Sqlite::PLACEHOLDER);
    let scope = computed::write_parts(&mut writer, read, rules);
    match &read.keyset {
        Some(keyset) => page::write_sqlite(&mut writer, &read.node, keyset, scope),
        None => write_top::<Sqlite>(&mut writer, read, scope),
    }
    Work::Rows {
        query: writer.finish(),
        count: read.count.map(|_| count::exact(read, rules)),
        // What a policy looks up may be much.
        by_key: read.by_key && !rules.looks_elsewhere(),
        page: read.keyset.as_ref().map(|keyset| Box::new(page_of(&read.node, keyset))),
        output: Output { media: media.clone(), columns: output_columns(&read.node), result: None },
    }
}

fn page_of(node: &ReadNode, keyset: &Keyset) -> Page {
    let scope = Scope::Table(&node.from);
    let key = |term: &Order| {
        let field = Field::of(scope, &term.target);
        TypeName { kind: field.kind(), ..term.target.type_name.clone() }
    };
    Page { side: keyset.side, size: keyset.size, keys: node.order.iter().map(key).collect() }
}

/// Postgres: rows and counts in one query, unless the rows are streamed.
pub(super) fn postgres(read: &Read, body: Body<'_>) -> Work {
    if read.streamed {
        return lines(read);
    }
    let mut writer = Writer::new(Postgres::PLACEHOLDER);
    writer.push("WITH berth_source AS (");
    let scope = Scope::Table(&read.node.from);
    match &read.keyset {
        Some(keyset) => page::write_source(&mut writer, &read.node, keyset, scope),
        None => write_top::<Postgres>(&mut writer, read, scope),
    }
    writer.push(")");
    let total = Total::of(read);
    total.write_part(&mut writer, ", ", read, scope);
    writer.push(" SELECT ");
    total.write(&mut writer);
    writer.push(" AS total, count(*) AS page, ");
    if read.headers_only {
        writer.push("''::text");
    } else {
        write_body(&mut writer, body, &read.node);
    }
    writer.push(" AS body, ").push(envelope::SETTINGS);
    match &read.keyset {
        Some(keyset) => {
            writer.push(", ");
            page::write_edges(&mut writer, &read.node, keyset);
            writer.push(" AS edges FROM (");
            page::write_rows(&mut writer, &read.node, keyset);
            writer.push(")");
        }
        None => _ = writer.push(" FROM ").push(envelope::SOURCE),
    }
    writer.push(" AS berth_row");
    Work::Envelope { query: writer.finish(), planned: planned(read) }
}

/// What the planner is asked: always when only its guess is wanted, and for an estimate when there are more rows than
/// one answer may have, or when that has no bound.
fn planned(read: &Read) -> Option<Planned> {
    let above = match read.count? {
        Count::Exact => return None,
        Count::Planned => None,
        Count::Estimated => read.max_rows,
    };
    Some(Planned { query: count::planned(read), above })
}

/// Postgres: the rows alone, each a line; all that is said before them in a query of its own.
fn lines(read: &Read) -> Work {
    let scope = Scope::Table(&read.node.from);
    let total = Total::of(read);
    let total = if matches!(total, Total::Page) { Total::Counted } else { total };
    let mut head = Writer::new(Postgres::PLACEHOLDER);
    total.write_part(&mut head, "WITH ", read, scope);
    head.push(" SELECT ");
    total.write(&mut head);
    head.push(" AS total, 0::bigint AS page, ''::text AS body, ");
    head.push(envelope::SETTINGS);
    let mut rows = Writer::new(Postgres::PLACEHOLDER);
    rows.push("SELECT ").push(envelope::ROW_AS_LINE).push(" FROM (");
    write_top::<Postgres>(&mut rows, read, scope);
    rows.push(") AS berth_row");
    Work::Lines { head: head.finish(), planned: planned(read), query: rows.finish() }
}

/// Where a Postgres read takes its total from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Total {
    /// It is not wanted.
    None,
    /// The planner's guess only.
    Planned,
    /// The rows that are given: nothing limits them.
    Page,
    /// All rows, one by one.
    Counted,
    /// All rows, but no more than one above this many.
    CountedUpTo(u64),
}

impl Total {
    /// How a read asks for it.
    fn of(read: &Read) -> Self {
        match (read.count, read.max_rows) {
            (Some(Count::Estimated), Some(max)) => Self::CountedUpTo(max),
            (None | Some(Count::Planned | Count::Exact | Count::Estimated), _) => Self::of_call(read),
        }
    }

    /// How the read of a function's result asks for it: the function has run, and its rows are all there.
    pub(super) fn of_call(read: &Read) -> Self {
        match read.count {
            None => Self::None,
            Some(Count::Planned) => Self::Planned,
            Some(Count::Exact | Count::Estimated) if read.node.range == Range::ALL && read.keyset.is_none() => {
                Self::Page
            }
            Some(Count::Exact | Count::Estimated) => Self::Counted,
        }
    }

    /// Adds the rows to be counted, behind what leads to them. One more than the limit is enough to know that there are
    /// more.
    pub(super) fn write_part(self, writer: &mut Writer, lead: &'static str, read: &Read, scope: Scope<'_>) {
        let limit = match self {
            Self::None | Self::Planned | Self::Page => return,
            Self::Counted => None,
            Self::CountedUpTo(max) => Some(max.saturating_add(1)),
        };
        writer.push(lead).push("berth_total AS (");
        write_all::<Postgres>(writer, read, scope);
        write_range::<Postgres>(writer, Range { offset: 0, limit });
        writer.push(")");
    }

    /// Adds the number.
    pub(super) fn write(self, writer: &mut Writer) {
        match self {
            Self::None | Self::Planned => writer.push("NULL::bigint"),
            Self::Page => writer.push("count(*)"),
            Self::Counted | Self::CountedUpTo(_) => writer.push("(SELECT count(*) FROM berth_total)"),
        };
    }
}
