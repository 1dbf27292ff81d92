//! Rows that are kept between two statements, as JSON: what a function's last statement gives back, to be read like a
//! table.
//!
//! A row is an array. An integer is a number without a point or an exponent, a finite float one with either, text a
//! string, null null. `{"b":"00ff"}` are bytes, `{"r":"inf"}` and `{"r":"-inf"}` the floats that JSON lacks.
//! `berth_cell(row, place)` gives the value at a place.

use rusqlite::functions::Context;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Error, Result, Row};
use serde_json::Value as Json;

use crate::plan::value::form;
use crate::store::sqlite::bind;

/// Adds a row behind those that are there.
pub(in crate::store::sqlite) fn write_row(out: &mut Vec<u8>, row: &Row<'_>, columns: usize) -> Result<()> {
    out.extend_from_slice(if out.is_empty() { b"[[" } else { b",[" });
    for place in 0..columns {
        if place > 0 {
            out.push(b',');
        }
        match row.get_ref(place)? {
            ValueRef::Null => out.extend_from_slice(b"null"),
            ValueRef::Integer(integer) => out.extend_from_slice(integer.to_string().as_bytes()),
            // Debug, because it tells 1.0 from 1.
            ValueRef::Real(real) if real.is_finite() => out.extend_from_slice(format!("{real:?}").as_bytes()),
            ValueRef::Real(real) => out.extend_from_slice(format!("{{\"r\":\"{real}\"}}").as_bytes()),
            ValueRef::Text(text) => form::write_json_string(out, &bind::text(text)),
            ValueRef::Blob(bytes) => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                out.extend_from_slice(format!("{{\"b\":\"{digits}\"}}").as_bytes());
            }
        }
    }
    out.push(b']');
    Ok(())
}

/// Ends the array of rows.
pub(in crate::store::sqlite) fn finish(mut out: Vec<u8>) -> String {
    out.extend_from_slice(if out.is_empty() { b"[]" } else { b"]" });
    String::from_utf8(out).unwrap_or_else(|_| "[]".to_owned())
}

/// `berth_cell`.
pub(super) fn cell(context: &Context<'_>) -> Result<Value> {
    let Some(row) = super::text(context.get_raw(0)) else { return Ok(Value::Null) };
    let cells: Vec<Json> = serde_json::from_str(&row).map_err(|error| Error::UserFunctionError(Box::new(error)))?;
    let place = usize::try_from(context.get::<i64>(1)?).unwrap_or(usize::MAX);
    Ok(cells.into_iter().nth(place).map_or(Value::Null, read))
}

fn read(json: Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(boolean) => Value::Integer(i64::from(boolean)),
        Json::Number(number) => {
            let text = number.to_string();
            match text.parse() {
                Ok(integer) => Value::Integer(integer),
                Err(_) => text.parse().map_or(Value::Null, Value::Real),
            }
        }
        Json::String(text) => Value::Text(text),
        Json::Array(_) => Value::Null,
        Json::Object(members) => {
            let member = |name: &str| members.get(name).and_then(Json::as_str);
            match (member("b"), member("r")) {
                (Some(digits), _) => Value::Blob(bytes(digits)),
                (None, Some(real)) => real.parse().map_or(Value::Null, Value::Real),
                (None, None) => Value::Null,
            }
        }
    }
}

fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use crate::store::sqlite::functions::tests::connection;

    use super::*;

    #[test]
    fn values_of_every_kind_come_back_as_they_were() {
        let connection = connection();
        let all = "SELECT NULL, 1, 1.0, 1e300, -9e999, 9223372036854775807, 'a \"b\"\n', x'00ff', ''";
        let kept = connection
            .query_row(all, [], |row| {
                let mut out = Vec::new();
                write_row(&mut out, row, 9)?;
                write_row(&mut out, row, 9)?;
                Ok(finish(out))
            })
            .unwrap();
        let cells: Vec<String> = (0..9).map(|place| format!("berth_cell(value, {place})")).collect();
        let sql = format!("SELECT {} FROM json_each(?1) LIMIT 1 OFFSET 1", cells.join(", "));
        let values = |sql: &str, parameters: &[&dyn rusqlite::ToSql]| {
            connection
                .query_row(sql, parameters, |row| (0..9).map(|at| row.get::<_, Value>(at)).collect::<Result<Vec<_>>>())
                .unwrap()
        };
        assert_eq!(values(&sql, &[&kept]), values(all, &[]));
        assert_eq!(finish(Vec::new()), "[]");
    }
}
