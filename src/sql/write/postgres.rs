//! Postgres: one query that writes, in `berth_source`, and gives back what was written.
//!
//! The body is bound whole, as JSON, and the server types it by the columns' declared types.
//!
//! *How upserts are counted.* `xmax = 0` tells an inserted row from an updated one, but a view has no `xmax`. So the
//! condition of `DO UPDATE` counts in the transaction's setting `berth.updated`, which starts afresh with every
//! statement; the rows that come back less that number were inserted. The setting is read when all rows are counted.

use std::collections::BTreeSet;

use super::{is_update, write_conflict};
use crate::catalog::QualifiedName;
use crate::plan::{
    Delete, Insert, InsertColumn, InsertRows, Operand, Projection, Put, ReadNode, Returning, Update, Value,
};
use crate::request::prefer::Resolution;
use crate::sql::Work;
use crate::sql::condition::{Junction, write_junction, write_where};
use crate::sql::dialect::{Dialect, Scope};
use crate::sql::embed::write_rows;
use crate::sql::envelope::{self, Body, write_body};
use crate::sql::postgres::{Postgres, write_operand, write_through};
use crate::sql::writer::Writer;

/// Counts an update of an upsert; true.
const COUNT_UPDATE: &str = "set_config('berth.updated', \
                            (coalesce(nullif(current_setting('berth.updated', true), ''), '0')::bigint + 1)::text, \
                            true) <> ''";

/// Sets the counter to nothing, once, before the first row is written: it is joined to the rows.
const RESET_COUNT: &str = "set_config('berth.updated', '', true) AS berth_counter, ";

/// Rows that came back less updates counted.
const COUNT_INSERTED: &str = "count(*) - coalesce(nullif(current_setting('berth.updated', true), ''), '0')::bigint";

/// The row of the body.
const BODY: Scope<'static> = Scope::Part("berth_body");

/// Most pairs in one `jsonb_build_object`: Postgres takes no more than 100 arguments.
///
/// Source: `FUNC_MAX_ARGS`, <https://www.postgresql.org/docs/current/runtime-config-preset.html>.
const PAIRS_MAX: usize = 50;

/// `INSERT … SELECT … FROM` the body.
pub(in crate::sql) fn insert(insert: &Insert, body: Body<'_>) -> Work {
    let columns: Vec<&str> = insert.columns.iter().map(|column| column.name.as_str()).collect();
    let conflict = insert.conflict.as_ref();
    let updates = is_update(conflict, &columns);
    let mut writer = Writer::new(Postgres::PLACEHOLDER);
    writer.push("WITH berth_source AS (INSERT INTO ");
    Postgres::table(&mut writer, &insert.into);
    if !columns.is_empty() {
        writer.push(" (");
        writer.separated(", ", &columns, |writer, column| _ = writer.identifier(column));
        writer.push(")");
    }
    writer.push(" SELECT ");
    writer.separated(", ", &insert.columns, write_given);
    writer.push(" FROM ");
    if updates {
        writer.push(RESET_COUNT);
    }
    write_payload(&mut writer, &insert.columns, &insert.rows);
    write_key(&mut writer, insert.put.as_ref(), &insert.columns);
    write_conflict(&mut writer, conflict, &columns, COUNT_UPDATE);
    write_returning(&mut writer, &insert.into, &insert.returning);
    writer.push(")");
    let upsert =
        insert.put.is_some() || conflict.is_some_and(|conflict| conflict.resolution == Resolution::MergeDuplicates);
    let inserted = match (upsert, updates) {
        (true, true) => COUNT_INSERTED,
        (true, false) => "count(*)",
        (false, _) => "NULL::bigint",
    };
    write_answer(&mut writer, &insert.returning, body, inserted);
    Work::Envelope { query: writer.finish(), planned: None }
}

/// `UPDATE … FROM` the body; without columns to set, a query of the same columns and no rows.
pub(in crate::sql) fn update(update: &Update, body: Body<'_>) -> Work {
    let mut writer = Writer::new(Postgres::PLACEHOLDER);
    writer.push("WITH berth_source AS (");
    if update.columns.is_empty() {
        writer.push("SELECT ");
        write_returned(&mut writer, &update.table, &update.returning);
        writer.push(" FROM ");
        Postgres::table(&mut writer, &update.table);
        writer.push(" WHERE FALSE");
    } else {
        writer.push("UPDATE ");
        Postgres::table(&mut writer, &update.table);
        writer.push(" SET ");
        writer.separated(", ", &update.columns, |writer, column| {
            writer.identifier(&column.name).push(" = ");
            write_given(writer, column);
        });
        writer.push(" FROM ");
        write_payload(&mut writer, &update.columns, &update.row);
        write_where::<Postgres>(&mut writer, Scope::Table(&update.table), &update.filter);
        write_returning(&mut writer, &update.table, &update.returning);
    }
    writer.push(")");
    write_answer(&mut writer, &update.returning, body, "NULL::bigint");
    Work::Envelope { query: writer.finish(), planned: None }
}

/// `DELETE`.
pub(in crate::sql) fn delete(delete: &Delete, body: Body<'_>) -> Work {
    let mut writer = Writer::new(Postgres::PLACEHOLDER);
    writer.push("WITH berth_source AS (DELETE FROM ");
    Postgres::table(&mut writer, &delete.from);
    write_where::<Postgres>(&mut writer, Scope::Table(&delete.from), &delete.filter);
    write_returning(&mut writer, &delete.from, &delete.returning);
    writer.push(")");
    write_answer(&mut writer, &delete.returning, body, "NULL::bigint");
    Work::Envelope { query: writer.finish(), planned: None }
}

/// Adds the body as rows called `berth_body`.
///
/// With defaults, each object is laid over an object of the defaults, which is made anew for each row: two rows get
/// two numbers of a sequence. A default is asked for only where the object lacks it: who gives the key of an identity
/// column uses up no number, and needs no right to the sequence.
fn write_payload(writer: &mut Writer, columns: &[InsertColumn], rows: &InsertRows) {
    let json = Value::Text(match rows {
        InsertRows::Json(json) => json.clone(),
        // Planning makes no cells for Postgres.
        InsertRows::Cells(_) => "[]".to_owned(),
    });
    if columns.is_empty() {
        writer.push("json_array_elements(").bind(json).push("::json) AS berth_body");
        return;
    }
    let defaults: Vec<(&str, &str)> = columns
        .iter()
        .filter(|column| column.parser.is_none())
        .filter_map(|column| column.default.as_deref().map(|default| (column.name.as_str(), default)))
        .collect();
    if columns.iter().all(|column| column.default.is_none()) {
        writer.push("json_to_recordset(").bind(json).push("::json)");
    } else {
        writer.push("jsonb_array_elements(").bind(json).push("::jsonb) AS berth_element(value), jsonb_to_record(");
        for pairs in defaults.chunks(PAIRS_MAX) {
            writer.push("jsonb_build_object(");
            writer.separated(", ", pairs, |writer, (name, default)| {
                let name = writer.reserve(Value::Text((*name).to_owned()));
                writer.reserved(name).push("::text, CASE WHEN NOT berth_element.value ? ").reserved(name);
                writer.push("::text THEN ").catalog_sql(default).push(" END");
            });
            writer.push(") || ");
        }
        writer.push("berth_element.value)");
    }
    writer.push(" AS berth_body(");
    writer.separated(", ", columns, |writer, column| {
        let declared = if column.parser.is_some() { "json" } else { &column.type_name.declared };
        writer.identifier(&column.name).push(" ").catalog_sql(declared);
    });
    writer.push(")");
}

/// Adds what the body gives a column: what the function makes of its JSON where the column's domain has one, which its
/// default is none of.
fn write_given(writer: &mut Writer, column: &InsertColumn) {
    let Some(parser) = &column.parser else { return BODY.column::<Postgres>(writer, &column.name) };
    if column.default.is_some() {
        let name = writer.reserve(Value::Text(column.name.clone()));
        writer.push("CASE WHEN berth_element.value ? ").reserved(name).push("::text THEN ");
    }
    write_through(writer, parser, |writer| BODY.column::<Postgres>(writer, &column.name));
    if let Some(default) = &column.default {
        writer.push(" ELSE ").catalog_sql(default).push(" END");
    }
}

/// Adds the condition of a `PUT`: a row whose key is not that of the address is not written. A key column that the
/// body does not have is not equal to anything.
fn write_key(writer: &mut Writer, put: Option<&Put>, columns: &[InsertColumn]) {
    let Some(put) = put else { return };
    writer.push(" WHERE ");
    write_junction(writer, Junction::And, &put.key, &mut |writer, (target, value)| match columns
        .iter()
        .find(|column| column.name == target.column)
    {
        Some(column) => {
            write_given(writer, column);
            writer.push(" = ");
            write_operand(writer, target.parser.as_ref(), value);
        }
        None => _ = writer.push("FALSE"),
    });
}

/// Adds ` RETURNING …`.
fn write_returning(writer: &mut Writer, table: &QualifiedName, returning: &Returning) {
    writer.push(" RETURNING ");
    write_returned(writer, table, returning);
}

/// Adds the columns that the answer is made of and no others, each of which the role must be allowed to read; a
/// number when there are none, so that rows can be counted.
///
/// A function of the row, which may look at any of them, gets all.
fn write_returned(writer: &mut Writer, table: &QualifiedName, returning: &Returning) {
    if let Returning::Rows(node) = returning
        && node.embeds.iter().any(|embed| embed.relationship.computed().is_some())
    {
        Postgres::table(writer, table);
        writer.push(".*");
        return;
    }
    let mut columns: Vec<&str> = match returning {
        Returning::Nothing => Vec::new(),
        Returning::Location(columns) => columns.iter().map(String::as_str).collect(),
        Returning::Rows(node) => columns_of(node),
    };
    let mut seen = BTreeSet::new();
    columns.retain(|column| seen.insert(*column));
    if columns.is_empty() {
        writer.push("1");
    }
    writer.separated(", ", columns, |writer, column| Scope::Table(table).column::<Postgres>(writer, column));
}

/// The columns that a row's members, its place and its related rows depend on.
fn columns_of(node: &ReadNode) -> Vec<&str> {
    let selected = node.select.iter().filter(|projection| !counts_rows(projection));
    let mut columns: Vec<&str> = selected.map(|projection| projection.target.column.as_str()).collect();
    for order in &node.order {
        match &order.related {
            None => columns.push(&order.target.column),
            Some(related) => columns.extend(related.relationship.source_columns()),
        }
    }
    // `!inner` adds conditions on nothing but the columns of its embed's relationship.
    columns.extend(node.embeds.iter().flat_map(|embed| embed.relationship.source_columns()));
    columns
}

fn counts_rows(projection: &Projection) -> bool {
    projection.aggregate.as_ref().is_some_and(|aggregate| aggregate.operand == Operand::Rows)
}

/// Adds the outer query.
fn write_answer(writer: &mut Writer, returning: &Returning, body: Body<'_>, inserted: &'static str) {
    writer.push(" SELECT NULL::bigint AS total, count(*) AS page, ");
    match returning {
        Returning::Location(columns) if !columns.is_empty() => writer.push(
            "CASE WHEN count(*) = 1 THEN (SELECT json_object_agg(berth_key.key, berth_key.value)::text \
             FROM berth_source, json_each_text(row_to_json(berth_source.*)) AS berth_key) END",
        ),
        Returning::Nothing | Returning::Location(_) | Returning::Rows(_) => writer.push("NULL::text"),
    };
    writer.push(" AS location, ");
    match returning {
        Returning::Rows(node) => write_body(writer, body, node),
        Returning::Nothing | Returning::Location(_) => _ = writer.push("''::text"),
    }
    writer.push(" AS body, ").push(inserted).push(" AS inserted, ").push(envelope::SETTINGS);
    writer.push(" FROM ");
    match returning {
        Returning::Rows(node) => {
            writer.push("(");
            write_rows::<Postgres>(writer, node, Scope::Part(envelope::SOURCE));
            writer.push(")");
        }
        Returning::Nothing | Returning::Location(_) => _ = writer.push(envelope::SOURCE),
    }
    writer.push(" AS berth_row");
}
