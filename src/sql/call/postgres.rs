//! Postgres: the result is a part of the statement that is read like a table, so that the function runs once however
//! often its rows are looked at.
//!
//! ```text
//! WITH berth_source AS (SELECT berth_call.* FROM [the body's members,] function(…) AS berth_call), … SELECT …
//! ```

use crate::catalog::Parameter;
use crate::plan::Value;
use crate::plan::call::{Arguments, Call, Given, VALUE};
use crate::request::payload::Shape;
use crate::sql::Work;
use crate::sql::dialect::{Dialect, Scope};
use crate::sql::envelope::{self, Body, write_result};
use crate::sql::postgres::{Postgres, array_literal};
use crate::sql::read::Total;
use crate::sql::top::write_top;
use crate::sql::writer::Writer;

/// The result and its counts in one query.
pub(in crate::sql) fn call(call: &Call, body: Body<'_>) -> Work {
    let scope = Scope::Part(envelope::SOURCE);
    let node = &call.read.node;
    let mut writer = Writer::new(Postgres::PLACEHOLDER);
    writer.push("WITH berth_source AS (");
    write_call(&mut writer, call);
    writer.push(")");
    let total = Total::of_call(&call.read);
    total.write_part(&mut writer, ", ", &call.read, scope);
    writer.push(" SELECT ");
    total.write(&mut writer);
    writer.push(" AS total, ").push(if call.result.is_one() { "1::bigint" } else { "count(*)" });
    writer.push(" AS page, ");
    write_result(&mut writer, body, node, call.result);
    writer.push(" AS body, ").push(envelope::SETTINGS).push(" FROM (");
    write_top::<Postgres>(&mut writer, &call.read, scope);
    writer.push(") AS berth_row");
    Work::Envelope { query: writer.finish(), planned: None }
}

/// Adds `SELECT … FROM function(…)`. Columns that the result's table computes are computed here, where a row is still
/// one of that table.
fn write_call(writer: &mut Writer, call: &Call) {
    writer.push("SELECT berth_call.*");
    for column in &call.computed {
        writer.push(", berth_call.").identifier(column);
    }
    writer.push(" FROM ");
    match &call.arguments {
        Arguments::Named(arguments) => {
            write_function(writer, call, &mut |writer| {
                writer.separated(", ", arguments, |writer, (parameter, given)| {
                    write_name(writer, parameter);
                    write_given(writer, given);
                    write_type(writer, parameter);
                });
            });
        }
        Arguments::Members { parameters, json, shape } => {
            write_members(writer, parameters, json, *shape);
            writer.push(", LATERAL ");
            write_function(writer, call, &mut |writer| {
                writer.separated(", ", parameters, |writer, parameter| {
                    write_name(writer, parameter);
                    writer.push("berth_body.").identifier(&parameter.name);
                });
            });
        }
        // Planning types no arguments for Postgres.
        Arguments::Values(_) => write_function(writer, call, &mut |_| {}),
        Arguments::Whole(parameter, value) => {
            write_function(writer, call, &mut |writer| {
                writer.bind(value.clone());
                write_type(writer, parameter);
            });
        }
    }
}

/// Adds the function as a table, with a value in a column of a known name.
fn write_function(writer: &mut Writer, call: &Call, write_arguments: &mut dyn FnMut(&mut Writer)) {
    if !call.result.is_row() {
        writer.push("(SELECT ");
    }
    Postgres::table(writer, &call.function);
    writer.push("(");
    write_arguments(writer);
    writer.push(")");
    if !call.result.is_row() {
        writer.push(" AS ").push(VALUE).push(")");
    }
    writer.push(" AS berth_call");
}

/// Adds the members of the body's object as a row, `berth_body`.
fn write_members(writer: &mut Writer, parameters: &[Parameter], json: &str, shape: Shape) {
    writer.push(match shape {
        Shape::Object => "json_to_record(",
        Shape::Array => "(SELECT * FROM json_to_recordset(",
    });
    writer.bind(Value::Text(json.to_owned())).push("::json) AS berth_body(");
    writer.separated(", ", parameters, |writer, parameter| {
        writer.identifier(&parameter.name).push(" ").catalog_sql(unbounded(&parameter.type_name.declared));
    });
    writer.push(match shape {
        Shape::Object => ")",
        Shape::Array => ") LIMIT 1) AS berth_body",
    });
}

fn write_name(writer: &mut Writer, parameter: &Parameter) {
    if parameter.variadic {
        writer.push("VARIADIC ");
    }
    writer.identifier(&parameter.name).push(" := ");
}

fn write_given(writer: &mut Writer, given: &Given) {
    match given {
        Given::One(value) => writer.bind(value.clone()),
        Given::Many(values) => writer.bind(Value::Text(array_literal(values))),
    };
}

fn write_type(writer: &mut Writer, parameter: &Parameter) {
    writer.push("::").catalog_sql(unbounded(&parameter.type_name.declared));
}

/// The type that takes what a parameter takes: of these, the plain name stands for a length of one.
fn unbounded(declared: &str) -> &str {
    match declared {
        "bit" => "bit varying",
        "bit[]" => "bit varying[]",
        "character" => "character varying",
        "character[]" => "character varying[]",
        other => other,
    }
}
