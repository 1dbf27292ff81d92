//! SQLite: the statements of the function's body, the last of which gives a part that is read like a table.
//!
//! ```text
//! WITH berth_source(columns…) AS (body) SELECT … FROM berth_source …
//! ```
//!
//! The values of the parameters are the first placeholders of each statement: `?1` is the first one's. SQLite cannot read
//! the rows that a write gives back as a part of a query; they are kept, and come back as JSON that `berth_cell` takes
//! apart.

use crate::catalog::{Body, Piece, QualifiedName, Step};
use crate::plan::call::{Arguments, Call, Outcome, VALUE};
use crate::plan::row_security::{Shown, WriteRules};
use crate::plan::{Rules, Value};
use crate::request::MediaType;
use crate::sql::computed::write_pieces;
use crate::sql::dialect::{Dialect, Scope};
use crate::sql::embed::output_columns;
use crate::sql::envelope::SOURCE;
use crate::sql::rules::{write_before_part, write_parts, write_refusals, write_rules};
use crate::sql::sqlite::Sqlite;
use crate::sql::top::write_top;
use crate::sql::writer::Writer;
use crate::sql::{Argument, Invocation, Kept, Output, Query, Run, Work, count};

/// The statements and what becomes of their result.
pub(in crate::sql) fn call(call: &Call, media: &MediaType, rules: &Rules) -> Work {
    // Planning makes no call without a body for SQLite.
    let Some(body) = &call.body else { return Work::None };
    let arguments = arguments(call, body);
    if body.strict && arguments.iter().any(is_null) {
        return without_run(call, media, rules, arguments);
    }
    let bound = arguments.len();
    let (last, before) = match body.steps.split_last() {
        Some((last, before)) if call.result != Outcome::Nothing => (Some(last), before),
        Some(_) | None => (None, body.steps.as_slice()),
    };
    let before = before.iter().map(|step| run(step, rules, bound)).collect();
    let Some(last) = last else {
        return Work::Call(Box::new(invocation(call, media, arguments, before)));
    };
    let is_kept = body.verb().is_some();
    let kept = is_kept.then(|| Kept { run: run(last, rules, bound), one: call.result.is_one() });
    let source = if is_kept { kept_rows(bound, columns_of(call).len()) } else { text_of(last) };
    let of = Given { call, source: given(&source, call.result), bound: bound + usize::from(is_kept), rules };
    Work::Call(Box::new(Invocation {
        kept,
        read: Some(of.rows()),
        count: call.read.count.map(|_| of.count()),
        ..invocation(call, media, arguments, before)
    }))
}

/// A call that runs nothing: its result is null, or empty.
fn without_run(call: &Call, media: &MediaType, rules: &Rules, arguments: Vec<Argument>) -> Work {
    let columns = columns_of(call);
    let nulls = vec!["NULL"; columns.len()].join(", ");
    let rows = if call.result.is_one() { "" } else { " WHERE FALSE" };
    let of = Given { call, source: format!("SELECT {nulls}{rows}"), bound: arguments.len(), rules };
    let is_void = call.result == Outcome::Nothing;
    Work::Call(Box::new(Invocation {
        read: (!is_void).then(|| of.rows()),
        count: call.read.count.filter(|_| !is_void).map(|_| of.count()),
        ..invocation(call, media, arguments, Vec::new())
    }))
}

fn invocation(call: &Call, media: &MediaType, arguments: Vec<Argument>, before: Vec<Run>) -> Invocation {
    Invocation {
        arguments,
        before,
        kept: None,
        read: None,
        count: None,
        output: Output { media: media.clone(), columns: output_columns(&call.read.node), result: Some(call.result) },
        writes: call.body.as_ref().is_some_and(|body| body.verb().is_some()),
    }
}

/// What each parameter gets.
fn arguments(call: &Call, body: &Body) -> Vec<Argument> {
    let Arguments::Values(values) = &call.arguments else { return Vec::new() };
    let argument = |(value, default): (&Option<Value>, &Option<String>)| match (value, default) {
        (Some(value), _) => Argument::Value(value.clone()),
        (None, Some(default)) => Argument::Default(default.clone()),
        (None, None) => Argument::Value(Value::Null),
    };
    values.iter().zip(&body.defaults).map(argument).collect()
}

fn is_null(argument: &Argument) -> bool {
    match argument {
        Argument::Value(value) => *value == Value::Null,
        Argument::Default(default) => default == "NULL",
    }
}

/// The names of the columns that the body gives, as the read of the result knows them.
fn columns_of(call: &Call) -> Vec<String> {
    if call.result.is_row() { call.columns.clone() } else { vec![VALUE.to_owned()] }
}

/// A statement of the body that is run by itself. Its own values are those behind the `bound` first.
fn run(step: &Step, rules: &Rules, bound: usize) -> Run {
    let mut writer = Writer::after(Sqlite::PLACEHOLDER, bound);
    let of_change = step.change.as_ref().and_then(|change| rules.called.get(change));
    let mut pieces = step.sql.0.clone();
    if !rules.shown.is_empty() {
        write_with(&mut writer, &mut pieces, &rules.shown);
    }
    write_pieces(&mut writer, &pieces, &mut |writer, piece| {
        if let (Some(change), Some(rules)) = (&step.change, of_change) {
            write_rule_of(writer, piece, &change.table, rules);
        }
    });
    let Query { text, values } = writer.finish();
    let table = step.change.as_ref().map_or_else(String::new, |change| change.table.name.clone());
    Run { table, text, columns: Vec::new(), values: vec![values] }
}

/// Adds what names stand for, before what the statement names itself.
fn write_with(writer: &mut Writer, pieces: &mut [Piece], shown: &[Shown]) {
    let first = match pieces.first_mut() {
        Some(Piece::Text(text)) => text,
        Some(_) | None => &mut String::new(),
    };
    let is_recursive = first.starts_with("WITH RECURSIVE ");
    writer.push(if is_recursive { "WITH RECURSIVE " } else { "WITH " });
    write_parts(writer, shown);
    match first.strip_prefix("WITH RECURSIVE ").or_else(|| first.strip_prefix("WITH ")) {
        Some(rest) => {
            writer.push(", ");
            *first = rest.to_owned();
        }
        None => _ = writer.push(" "),
    }
}

/// Adds what must hold of rows that a statement of a body writes.
fn write_rule_of(writer: &mut Writer, piece: &Piece, table: &QualifiedName, rules: &WriteRules) {
    match piece {
        Piece::Existing { .. } if rules.existing.is_empty() => {}
        Piece::Existing { known_as: None } => {
            writer.push(" AND ");
            write_rules(writer, &rules.existing);
        }
        Piece::Existing { known_as: Some(name) } => {
            writer.push(" AND ").identifier(name).push(".rowid IN (SELECT rowid FROM main.").identifier(&table.name);
            writer.push(" WHERE ");
            write_rules(writer, &rules.existing);
            writer.push(")");
        }
        Piece::Made { returning } => {
            let checks = if rules.inserted.is_empty() { &rules.updated } else { &rules.inserted };
            writer.push(if *returning { ", CASE" } else { " RETURNING CASE" });
            write_refusals(writer, table, checks, None);
            writer.push(" END");
        }
        Piece::Text(_) | Piece::Parameter(_) | Piece::Column(_) | Piece::Rows(_) | Piece::AllRows(_) => {}
    }
}

/// A query of the body, to stand within another.
fn text_of(step: &Step) -> String {
    let mut writer = Writer::new(Sqlite::PLACEHOLDER);
    // A function of a row is no call.
    write_pieces(&mut writer, &step.sql.0, &mut |writer, piece| {
        if matches!(piece, Piece::Column(_)) {
            writer.push("NULL");
        }
    });
    writer.finish().text
}

/// A query of the rows that a write gave back.
fn kept_rows(arguments: usize, columns: usize) -> String {
    let cells: Vec<String> = (0..columns).map(|place| format!("berth_cell(value, {place})")).collect();
    format!("SELECT {} FROM json_each(?{})", cells.join(", "), arguments + 1)
}

/// `source`, made to give one result where the function gives one: the first, or null without any.
fn given(source: &str, result: Outcome) -> String {
    match result {
        Outcome::Value => format!("SELECT ({source})"),
        Outcome::Row => format!(
            "SELECT berth_given.* FROM (SELECT 1) LEFT JOIN (SELECT * FROM ({source}) LIMIT 1) AS berth_given ON TRUE"
        ),
        Outcome::Nothing | Outcome::Values | Outcome::Rows => source.to_owned(),
    }
}

/// What a call gives, as a query reads it.
struct Given<'a> {
    call: &'a Call,
    source: String,
    /// Placeholders that are bound elsewhere.
    bound: usize,
    rules: &'a Rules,
}

impl Given<'_> {
    fn rows(&self) -> Query {
        self.read(|writer, scope| write_top::<Sqlite>(writer, &self.call.read, scope))
    }

    fn count(&self) -> Query {
        self.read(|writer, scope| count::write_count::<Sqlite>(writer, &self.call.read, scope))
    }

    fn read(&self, write: impl FnOnce(&mut Writer, Scope<'_>)) -> Query {
        let mut writer = Writer::after(Sqlite::PLACEHOLDER, self.bound);
        write_before_part(&mut writer, &self.rules.shown);
        writer.push(SOURCE).push("(");
        writer.separated(", ", columns_of(self.call), |writer, column| _ = writer.identifier(&column));
        writer.push(") AS (").catalog_sql(&self.source).push(") ");
        write(&mut writer, Scope::Part(SOURCE));
        writer.finish()
    }
}
