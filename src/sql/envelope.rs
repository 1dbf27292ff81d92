//! Postgres: one query whose only row is the whole answer.
//!
//! ```text
//! WITH berth_source AS (…), … SELECT total, page, [location,] body, [inserted,] response_headers, response_status FROM …
//! ```
//!
//! The rows of `FROM` are called `berth_row`. `berth_row.*` in a function's argument is the row as one value even
//! when it has a column of that name.
//!
//! Source: the columns are those of `PostgREST`'s main query (`Query/Statements.hs`), so that its GUCs
//! (`response.headers`, `response.status`) work unchanged.

use super::dialect::Dialect;
use super::embed::members;
use super::postgres::Postgres;
use super::writer::Writer;
use crate::plan::call::{Outcome, VALUE};
use crate::plan::{Maker, ReadNode, Value};
use crate::request::MediaType;

/// The part of the statement that makes the rows.
pub(super) const SOURCE: &str = "berth_source";

/// The last columns: what code in the database set for the answer. A setting that was set in an earlier transaction
/// of the connection is empty, not null.
pub(super) const SETTINGS: &str = "nullif(current_setting('response.headers', true), '') AS response_headers, \
                                   nullif(current_setting('response.status', true), '') AS response_status";

/// A row on a line of its own. A line feed that is left in JSON stands between its values, never in a string.
pub(super) const ROW_AS_LINE: &str = "translate(row_to_json(berth_row.*)::text, E'\\n\\r', '  ') || E'\\n'";

/// A result that is no row.
const VALUE_AS_LINE: &str = "translate(to_json(berth_row.pgrst_scalar)::text, E'\\n\\r', '  ') || E'\\n'";

/// What an answer's body is, and what makes it where berth does not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body<'a> {
    pub(super) media: &'a MediaType,
    pub(super) maker: Option<&'a Maker>,
}

/// Adds the body: the rows in the media type that was asked for.
///
/// What planning does not let through (plans, forms, plain text) is written as JSON.
pub(super) fn write_body(writer: &mut Writer, body: Body<'_>, node: &ReadNode) {
    if let Some(maker) = body.maker {
        return write_made(writer, maker);
    }
    match body.media {
        MediaType::ObjectJson { strip_nulls: false } => writer.push("coalesce(json_agg(berth_row.*)->0, 'null')"),
        MediaType::ObjectJson { strip_nulls: true } => {
            writer.push("coalesce(json_strip_nulls(json_agg(berth_row.*)->0), 'null')")
        }
        MediaType::ArrayJson { strip_nulls: true } => {
            writer.push("coalesce(json_strip_nulls(json_agg(berth_row.*)), '[]')")
        }
        MediaType::Csv => writer.push("coalesce(").bind(Value::Text(csv_header(node))).push(
            "::text || string_agg(\
                 substring((berth_row.*)::text, 2, length((berth_row.*)::text) - 2), E'\\n'), E'\\n')",
        ),
        MediaType::NdJson => writer.push("coalesce(string_agg(").push(ROW_AS_LINE).push(", ''), '')"),
        MediaType::GeoJson => writer.push(
            "json_build_object('type', 'FeatureCollection', \
             'features', coalesce(json_agg(ST_AsGeoJSON(berth_row.*)::json), '[]'))",
        ),
        MediaType::Any
        | MediaType::Json
        | MediaType::ArrayJson { strip_nulls: false }
        | MediaType::Text
        | MediaType::Xml
        | MediaType::OpenApi
        | MediaType::UrlEncoded
        | MediaType::OctetStream
        | MediaType::Plan { .. }
        | MediaType::Other(_) => writer.push("coalesce(json_agg(berth_row.*), '[]')"),
    };
}

/// Adds the body of a call: what [`write_body`] gives, but a single result stands alone and a value has no name.
pub(super) fn write_result(writer: &mut Writer, body: Body<'_>, node: &ReadNode, result: Outcome) {
    if let Some(maker) = body.maker {
        return write_made(writer, maker);
    }
    let strips = match body.media {
        MediaType::NdJson if !result.is_row() => {
            writer.push("coalesce(string_agg(coalesce(").push(VALUE_AS_LINE).push(", E'null\\n'), ''), '')");
            return;
        }
        MediaType::Any | MediaType::Json | MediaType::ArrayJson { strip_nulls: false } => false,
        MediaType::ArrayJson { strip_nulls: true } => true,
        MediaType::ObjectJson { strip_nulls } if matches!(result, Outcome::Nothing | Outcome::Value) => *strip_nulls,
        MediaType::ObjectJson { .. }
        | MediaType::GeoJson
        | MediaType::Csv
        | MediaType::NdJson
        | MediaType::Text
        | MediaType::Xml
        | MediaType::OpenApi
        | MediaType::UrlEncoded
        | MediaType::OctetStream
        | MediaType::Plan { .. }
        | MediaType::Other(_) => return write_body(writer, body, node),
    };
    let stripped = |writer: &mut Writer, gathered: &'static str| {
        writer.push(if strips { "json_strip_nulls(" } else { "(" }).push(gathered).push(")");
    };
    writer.push("coalesce(");
    match result {
        Outcome::Nothing | Outcome::Value => stripped(writer, "json_agg(berth_row.pgrst_scalar)->0"),
        Outcome::Values => stripped(writer, "json_agg(berth_row.pgrst_scalar)"),
        Outcome::Row => stripped(writer, "json_agg(berth_row.*)->0"),
        Outcome::Rows => stripped(writer, "json_agg(berth_row.*)"),
    }
    writer.push(if result.is_one() { ", 'null')" } else { ", '[]')" });
}

/// Adds what code of the database makes of the rows, or of the value.
fn write_made(writer: &mut Writer, maker: &Maker) {
    match maker {
        Maker::Value => _ = writer.push("berth_row.").push(VALUE),
        Maker::Aggregate { function, of } => {
            Postgres::table(writer, function);
            writer.push("((berth_row.*)");
            if let Some(of) = of {
                writer.push("::");
                Postgres::table(writer, of);
            }
            writer.push(")");
        }
    }
}

/// The first line of a CSV body with its line feed. Rows are as Postgres writes a record; names are quoted by
/// RFC 4180 where they must be.
///
/// As in `PostgREST`, an answer without rows has none.
fn csv_header(node: &ReadNode) -> String {
    let names: Vec<String> = members(node).into_iter().map(|(name, _)| csv_field(name)).collect();
    names.join(",") + "\n"
}

fn csv_field(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}
