//! What is embedded: rows as `berth_row` and its like write them.

use crate::catalog::{TypeKind, TypeName};
use crate::plan::Value;
use crate::sql::writer::{Alias, Writer};

/// Most values handed to one function. SQLite allows 1,000 arguments, and 127 before version 3.48.
///
/// Source: <https://www.sqlite.org/limits.html#max_function_arg>.
pub(super) const ARGUMENTS_MAX: usize = 100;

/// Adds the rows of `query` as `function` writes them.
///
/// Its first argument tells names and types of the values behind it as JSON: `[["id","integer"],…]`. Past
/// [`ARGUMENTS_MAX`] the values come in parts, each written by `berth_members` and told by `null`.
pub(super) fn write_rows(
    writer: &mut Writer,
    function: &'static str,
    members: &[(&str, TypeName)],
    query: &mut dyn FnMut(&mut Writer),
) {
    let rows = writer.alias();
    writer.push("(SELECT ").push(function);
    if members.len() <= ARGUMENTS_MAX {
        write_values(writer, rows, members, 0);
    } else {
        let parts = members.chunks(ARGUMENTS_MAX);
        let shape = serde_json::Value::Array(vec![serde_json::Value::Null; parts.len()]);
        writer.bind(Value::Text(shape.to_string()));
        for (part, members) in parts.enumerate() {
            writer.push(", berth_members(");
            write_values(writer, rows, members, part * ARGUMENTS_MAX);
            writer.push(")");
        }
    }
    writer.push(") FROM (");
    query(writer);
    writer.push(") AS ").alias_name(rows).push(")");
}

/// Adds names and types of `members`, then their values, which are columns from `first` on.
pub(super) fn write_values(writer: &mut Writer, rows: Alias, members: &[(&str, TypeName)], first: usize) {
    let shape: Vec<(&str, String)> = members.iter().map(|(name, of)| (*name, shape_type(of))).collect();
    writer.bind(Value::Text(serde_json::json!(shape).to_string()));
    for index in 0..members.len() {
        writer.push(", ").alias_name(rows).push(".").column_number(first + index);
    }
}

/// A type's name as `berth_row` and its like read it: empty where the value itself tells.
pub(super) fn shape_type(type_name: &TypeName) -> String {
    if type_name.kind == TypeKind::Any { String::new() } else { type_name.postgres_name() }
}
