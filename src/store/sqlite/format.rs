//! Rows into bodies: JSON as `json_agg` of Postgres writes it, CSV as `PostgREST` has Postgres write it.
//!
//! A body grows in one buffer, row by row; what can be written once per query (the members' names) is. Start at
//! [`BodyWriter`].
//!
//! | body | first row | between rows | end | no row |
//! |---|---|---|---|---|
//! | array | `[` | `, \n ` | `]` | `[]` |
//! | array without nulls | `[` | `,` (`json_strip_nulls` drops white space) | `]` | `[]` |
//! | object | | (later rows are left out) | | `null` |
//! | lines | | line feed | line feed | |
//! | values of a function | `[` | `, `; `, \n ` between arrays | `]` | `[]` |
//! | a function's value | | (later rows are left out) | | `null` |
//! | CSV | names, `\n` | `\n` | | `\n` |
//!
//! Source: <https://docs.postgrest.org/en/stable/references/api/media_type_handlers.html>; observed on Postgres 15.

mod csv;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use rusqlite::types::ValueRef;

use super::{bind, session};
use crate::catalog::{TypeKind, TypeName};
use crate::plan::Zone;
use crate::plan::call::Outcome;
use crate::plan::value::form::{self, Scalar};
use crate::request::MediaType;
use crate::sql::Output;

pub use csv::{array_literal, element_text, write_csv};

/// Writes a value of SQLite as `row_to_json` writes a value of the type, moments in the zone of who asks.
///
/// A file made by others may hold anything in any column; what is written is always one JSON value: text that is not
/// UTF-8 has its faults replaced, a `json` column's text that is no JSON becomes a string.
pub fn write_json(out: &mut Vec<u8>, value: ValueRef<'_>, kind: &TypeKind, zone: Option<&Zone>) {
    with_shown(value, kind, zone, |scalar| form::write_json(out, scalar, kind));
}

/// Lends the value as it is shown in a zone.
pub(super) fn with_shown<Answer>(
    value: ValueRef<'_>,
    kind: &TypeKind,
    zone: Option<&Zone>,
    use_it: impl FnOnce(Scalar<'_>) -> Answer,
) -> Answer {
    with_scalar(value, |scalar| match (scalar, zone) {
        (Scalar::Text(stored), Some(zone)) => match zone.show(stored, kind) {
            Some(shown) => use_it(Scalar::Text(&shown)),
            None => use_it(scalar),
        },
        _ => use_it(scalar),
    })
}

/// Between two rows, as `json_agg` has it.
pub(super) const BETWEEN_ROWS: &[u8] = b", \n ";

/// What `json_agg` writes between two values of a type: arrays stand on lines of their own, as rows do.
pub(super) fn between_values(kind: &TypeKind) -> &'static [u8] {
    if matches!(kind, TypeKind::Array(_)) { BETWEEN_ROWS } else { b", " }
}

/// Lends the value with text as UTF-8.
pub(super) fn with_scalar<Answer>(value: ValueRef<'_>, use_it: impl FnOnce(Scalar<'_>) -> Answer) -> Answer {
    match value {
        ValueRef::Null => use_it(Scalar::Null),
        ValueRef::Integer(integer) => use_it(Scalar::Integer(integer)),
        ValueRef::Real(real) => use_it(Scalar::Real(real)),
        ValueRef::Text(bytes) => use_it(Scalar::Text(&bind::text(bytes))),
        ValueRef::Blob(bytes) => use_it(Scalar::Blob(bytes)),
    }
}

/// What the rows become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Array,
    Object,
    Lines,
    Csv,
    /// The first column of each row, in an array.
    Values,
    /// The first column of each row, on a line of its own.
    ValueLines,
    /// The first column of the first row.
    Value,
}

/// Whether members that are null are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nulls {
    Kept,
    Stripped,
}

/// A result column, its member's name ready to be copied.
#[derive(Debug)]
struct Column {
    /// `"name":`, escaped.
    member: Vec<u8>,
    type_name: TypeName,
}

/// Writes the rows of one query as one body.
#[derive(Debug)]
pub struct BodyWriter {
    shape: Shape,
    nulls: Nulls,
    columns: Vec<Column>,
    /// The names of CSV, which are written only when there is a row.
    header: Vec<u8>,
    /// Of who asks.
    zone: Option<Zone>,
    out: Vec<u8>,
    rows: u64,
}

impl BodyWriter {
    /// Begins a body for who asks at the moment, of the media type; any that is neither CSV, lines nor a single object
    /// becomes an array.
    #[must_use]
    pub fn new(output: &Output) -> Self {
        let (shape, nulls) = match output.media {
            // A single result stands alone, and a value has no name.
            MediaType::Any | MediaType::Json | MediaType::ArrayJson { .. } if output.result.is_some() => {
                let stripped = matches!(output.media, MediaType::ArrayJson { strip_nulls: true });
                (shape_of(output.result), if stripped { Nulls::Stripped } else { Nulls::Kept })
            }
            MediaType::ObjectJson { strip_nulls } if output.result == Some(Outcome::Value) => {
                (Shape::Value, if strip_nulls { Nulls::Stripped } else { Nulls::Kept })
            }
            MediaType::Csv => (Shape::Csv, Nulls::Kept),
            MediaType::NdJson if output.result.is_some_and(|of| !of.is_row()) => (Shape::ValueLines, Nulls::Kept),
            MediaType::NdJson => (Shape::Lines, Nulls::Kept),
            MediaType::ObjectJson { strip_nulls: true } => (Shape::Object, Nulls::Stripped),
            MediaType::ObjectJson { strip_nulls: false } => (Shape::Object, Nulls::Kept),
            MediaType::ArrayJson { strip_nulls: true } => (Shape::Array, Nulls::Stripped),
            MediaType::ArrayJson { strip_nulls: false }
            | MediaType::Any
            | MediaType::Json
            | MediaType::GeoJson
            | MediaType::Text
            | MediaType::Xml
            | MediaType::OpenApi
            | MediaType::UrlEncoded
            | MediaType::OctetStream
            | MediaType::Plan { .. }
            | MediaType::Other(_) => (Shape::Array, Nulls::Kept),
        };
        let columns = output.columns.iter().map(|column| {
            let mut member = Vec::with_capacity(column.name.len() + 3);
            form::write_json_string(&mut member, &column.name);
            member.push(b':');
            Column { member, type_name: column.type_name.clone() }
        });
        let names: Vec<&str> = output.columns.iter().map(|column| column.name.as_str()).collect();
        let header = if shape == Shape::Csv { names.join(",").into_bytes() } else { Vec::new() };
        let zone = session::zone();
        Self { shape, nulls, columns: columns.collect(), header, zone, out: Vec::new(), rows: 0 }
    }

    /// Writes one row, whose columns are those of the output in their order.
    ///
    /// # Errors
    /// [`rusqlite::Error::InvalidColumnIndex`] when the row has fewer columns.
    pub fn row(&mut self, row: &rusqlite::Row<'_>) -> rusqlite::Result<()> {
        self.values(|index| row.get_ref(index))
    }

    /// Writes a row that was kept.
    ///
    /// # Errors
    /// As [`row`](Self::row).
    pub(super) fn kept(&mut self, values: &[rusqlite::types::Value]) -> rusqlite::Result<()> {
        self.values(|index| values.get(index).map(ValueRef::from).ok_or(rusqlite::Error::InvalidColumnIndex(index)))
    }

    /// Rows written so far; for a single object also those that were left out.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes written so far, for whoever bounds the body.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.out.len()
    }

    /// Takes what is written so far, of a body that goes on.
    pub(super) fn take(&mut self) -> Bytes {
        let capacity = self.out.len();
        std::mem::replace(&mut self.out, Vec::with_capacity(capacity)).into()
    }

    /// Ends the body.
    #[must_use]
    pub fn finish(mut self) -> Bytes {
        match (self.shape, self.rows) {
            (Shape::Array | Shape::Values, 0) => self.out.extend_from_slice(b"[]"),
            (Shape::Array | Shape::Values, _) => self.out.push(b']'),
            (Shape::Object | Shape::Value, 0) => self.out.extend_from_slice(b"null"),
            (Shape::Csv, 0) => self.out.push(b'\n'),
            (Shape::Object | Shape::Value | Shape::Lines | Shape::ValueLines | Shape::Csv, _) => {}
        }
        Bytes::from(self.out)
    }

    fn values<'row>(&mut self, get: impl Fn(usize) -> rusqlite::Result<ValueRef<'row>>) -> rusqlite::Result<()> {
        let is_first = self.rows == 0;
        self.rows += 1;
        match (self.shape, is_first, self.nulls) {
            (Shape::Object | Shape::Value, true, _) | (Shape::Lines | Shape::ValueLines, _, _) => {}
            (Shape::Object | Shape::Value, false, _) => return Ok(()),
            (Shape::Array | Shape::Values, true, _) => self.out.push(b'['),
            (Shape::Values, false, Nulls::Kept) => {
                let kind = self.columns.first().map_or(&TypeKind::Any, |column| &column.type_name.kind);
                self.out.extend_from_slice(between_values(kind));
            }
            (Shape::Values, false, Nulls::Stripped) => self.out.push(b','),
            (Shape::Array, false, Nulls::Kept) => self.out.extend_from_slice(BETWEEN_ROWS),
            (Shape::Array, false, Nulls::Stripped) => self.out.push(b','),
            (Shape::Csv, true, _) => {
                self.out.append(&mut self.header);
                self.out.push(b'\n');
            }
            (Shape::Csv, false, _) => self.out.push(b'\n'),
        }
        match (self.shape, self.nulls) {
            (Shape::Csv, _) => self.csv_row(get),
            (Shape::Lines | Shape::ValueLines, _) => self.line(get),
            (Shape::Value | Shape::Values, nulls) => self.value(get, nulls),
            (Shape::Array | Shape::Object, Nulls::Kept) => self.object(get),
            (Shape::Array | Shape::Object, Nulls::Stripped) => self.stripped_object(get),
        }
    }

    fn value<'row>(
        &mut self,
        get: impl Fn(usize) -> rusqlite::Result<ValueRef<'row>>,
        nulls: Nulls,
    ) -> rusqlite::Result<()> {
        // Without a column nothing of it was asked for.
        let Some(column) = self.columns.first() else {
            self.out.extend_from_slice(b"null");
            return Ok(());
        };
        let value = get(0)?;
        match nested_json(value, &column.type_name.kind, self.zone.as_ref()).filter(|_| nulls == Nulls::Stripped) {
            Some(json) => write_stripped(&mut self.out, &json),
            None => write_json(&mut self.out, value, &column.type_name.kind, self.zone.as_ref()),
        }
        Ok(())
    }

    fn csv_row<'row>(&mut self, get: impl Fn(usize) -> rusqlite::Result<ValueRef<'row>>) -> rusqlite::Result<()> {
        for (index, column) in self.columns.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            write_csv(&mut self.out, get(index)?, &column.type_name.kind, self.zone.as_ref());
        }
        Ok(())
    }

    /// A line feed that is left in JSON stands between its values, never in a string.
    fn line<'row>(&mut self, get: impl Fn(usize) -> rusqlite::Result<ValueRef<'row>>) -> rusqlite::Result<()> {
        let start = self.out.len();
        if self.shape == Shape::ValueLines {
            self.value(get, Nulls::Kept)?
        } else {
            self.object(get)?
        }
        let line = self.out.get_mut(start..).unwrap_or_default();
        line.iter_mut().filter(|byte| matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b' ');
        self.out.push(b'\n');
        Ok(())
    }

    fn object<'row>(&mut self, get: impl Fn(usize) -> rusqlite::Result<ValueRef<'row>>) -> rusqlite::Result<()> {
        self.out.push(b'{');
        for (index, column) in self.columns.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(&column.member);
            write_json(&mut self.out, get(index)?, &column.type_name.kind, self.zone.as_ref());
        }
        self.out.push(b'}');
        Ok(())
    }

    fn stripped_object<'row>(
        &mut self,
        get: impl Fn(usize) -> rusqlite::Result<ValueRef<'row>>,
    ) -> rusqlite::Result<()> {
        self.out.push(b'{');
        let start = self.out.len();
        for (index, column) in self.columns.iter().enumerate() {
            let value = get(index)?;
            let nested = nested_json(value, &column.type_name.kind, self.zone.as_ref());
            if matches!(value, ValueRef::Null) || matches!(nested, Some(serde_json::Value::Null)) {
                continue;
            }
            if self.out.len() > start {
                self.out.push(b',');
            }
            self.out.extend_from_slice(&column.member);
            match nested {
                Some(json) => write_stripped(&mut self.out, &json),
                None => write_json(&mut self.out, value, &column.type_name.kind, self.zone.as_ref()),
            }
        }
        self.out.push(b'}');
        Ok(())
    }
}

/// How a function's result is written where nothing else was asked for.
fn shape_of(result: Option<Outcome>) -> Shape {
    match result {
        Some(Outcome::Value | Outcome::Nothing) => Shape::Value,
        Some(Outcome::Values) => Shape::Values,
        Some(Outcome::Row) => Shape::Object,
        Some(Outcome::Rows) | None => Shape::Array,
    }
}

/// The JSON that a value holds, in a type whose values are JSON.
fn nested_json(value: ValueRef<'_>, kind: &TypeKind, zone: Option<&Zone>) -> Option<serde_json::Value> {
    if !matches!(kind, TypeKind::Json | TypeKind::Jsonb | TypeKind::Array(_)) {
        return None;
    }
    with_shown(value, kind, zone, |scalar| match scalar {
        Scalar::Text(json) => serde_json::from_str(json).ok(),
        Scalar::Null | Scalar::Integer(_) | Scalar::Real(_) | Scalar::Blob(_) => None,
    })
}

/// Writes JSON as `json_strip_nulls` does: no white space, no member that is null; null elements of arrays stay.
///
/// Calls itself for what is nested; `serde_json` bounded the depth when it read the value.
fn write_stripped(out: &mut Vec<u8>, json: &serde_json::Value) {
    match json {
        serde_json::Value::Object(members) => {
            out.push(b'{');
            let kept = members.iter().filter(|(_, member)| !member.is_null());
            for (index, (name, member)) in kept.enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                form::write_json_string(out, name);
                out.push(b':');
                write_stripped(out, member);
            }
            out.push(b'}');
        }
        serde_json::Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_stripped(out, item);
            }
            out.push(b']');
        }
        serde_json::Value::String(string) => form::write_json_string(out, string),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {
            out.extend_from_slice(json.to_string().as_bytes());
        }
    }
}
