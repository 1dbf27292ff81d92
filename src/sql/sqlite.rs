//! SQLite's spelling.
//!
//! The store registers the functions that SQLite lacks on every connection: `berth_like`, `berth_ilike`,
//! `berth_match` and `berth_imatch` take pattern and text; `berth_json` and `berth_json_text` take JSON and one
//! operand (`->` and `->>` as Postgres has them); `berth_contains` and `berth_overlaps` take two JSON texts. What is
//! embedded is written by `berth_row`, `berth_rows`, `berth_members` and `berth_values`; `berth_sum` and `berth_avg`
//! are in `aggregate`.

pub(super) mod key;
mod rows;

use self::key::{is_keyed, key_kind, write_key, write_place};
use self::rows::{ARGUMENTS_MAX, shape_type, write_rows};
use super::aggregate::write_sqlite;
use super::computed::write_body;
use super::condition::{Junction, write_junction};
use super::dialect::{Dialect, Field, Scope};
use super::embed::Naming;
use super::envelope::SOURCE;
use super::writer::Writer;
use crate::catalog::{Computed, QualifiedName, TypeKind, TypeName};
use crate::plan::value::key as plan_key;
use crate::plan::value::zone::is_zoned;
use crate::plan::{Document, Indexed, Search, Value, value};
use crate::request::filter::{Arrow, Comparison, Containment, FullText, JsonOperand, Quantifier};

/// Most values of a list that are bound one by one. SQLite allows 32,766 placeholders in a statement; well before
/// that, one JSON array keeps the text (and with it the cache of prepared statements) small.
///
/// Source: <https://www.sqlite.org/limits.html#max_variable_number>.
const LIST_MAX: usize = 100;

/// The spelling of SQLite.
#[derive(Debug)]
pub(super) struct Sqlite;

impl Dialect for Sqlite {
    const PLACEHOLDER: char = '?';
    const IS_UNKNOWN: &'static str = " IS NULL";
    const NO_LIMIT: &'static str = "-1";
    const NO_COLUMNS: &'static str = "1";
    const HAS_LATERAL: bool = false;
    const ROW_NAMING: Naming = Naming::Number;

    fn number(number: u64) -> Value {
        Value::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// SQLite has one schema; its name is left out.
    fn table(writer: &mut Writer, table: &QualifiedName) {
        writer.identifier(&table.name);
    }

    /// None: the store names the members, and texts that differ only there are prepared once.
    fn result_name(_: &mut Writer, _: &str) {}

    fn field(writer: &mut Writer, field: Field<'_>) {
        if let Some((values, aggregation)) = field.take_aggregation() {
            return write_sqlite(writer, values, aggregation);
        }
        if is_made_decimal(field) {
            return write_decimal(writer, "berth_decimal(", |writer| write_plain(writer, field), ")");
        }
        write_plain(writer, field);
    }

    fn object(writer: &mut Writer, members: &[(&str, TypeName)], query: &mut dyn FnMut(&mut Writer)) {
        write_rows(writer, "berth_row(", members, query);
    }

    fn array(writer: &mut Writer, members: &[(&str, TypeName)], query: &mut dyn FnMut(&mut Writer)) {
        write_rows(writer, "berth_rows(", members, query);
    }

    /// Never asked for: there is no `LATERAL` to put it in.
    fn gather(writer: &mut Writer, types: &[TypeName], query: &mut dyn FnMut(&mut Writer)) {
        writer.push("SELECT ");
        writer.separated(", ", 0..types.len(), |writer, index| {
            Self::gather_one(writer, types, index, query);
            writer.push(" AS ").column_number(index);
        });
    }

    /// Every column is handed over although one is kept: queries that read the same columns walk the same index, and
    /// so all arrays have their values in one order.
    fn gather_one(writer: &mut Writer, types: &[TypeName], index: usize, query: &mut dyn FnMut(&mut Writer)) {
        let rows = writer.alias();
        let first = index - index % ARGUMENTS_MAX;
        let handed = first..types.len().min(first + ARGUMENTS_MAX);
        let type_name = types.get(index).map(shape_type).unwrap_or_default();
        writer.push("(SELECT berth_values(").bind(Value::Text(type_name)).push(", ");
        writer.position(index - first);
        for column in handed {
            writer.push(", ").alias_name(rows).push(".").column_number(column);
        }
        writer.push(") FROM (");
        query(writer);
        writer.push(") AS ").alias_name(rows).push(")");
    }

    fn computed_rows(writer: &mut Writer, computed: &Computed, of: &QualifiedName, outer: Scope<'_>) {
        match &computed.body {
            Some(body) => write_body(writer, body, outer),
            // The catalog of SQLite has none without.
            None => Self::table(writer, of),
        }
    }

    fn comparable_json(writer: &mut Writer, write: &mut dyn FnMut(&mut Writer)) {
        writer.push("berth_jsonb(");
        write(writer);
        writer.push(")");
    }

    fn told_apart(writer: &mut Writer, kind: &TypeKind) {
        if plan_key::tells_equality(kind) {
            writer.push(" COLLATE ").identifier(&plan_key::collation(kind));
        }
    }

    fn cast(writer: &mut Writer, field: Field<'_>, to: &TypeName) {
        // A step into `jsonb` is `jsonb`, which is compared as text is, and cast as it is not.
        let kind = field.kind();
        let is_jsonb = kind == TypeKind::Json && field.type_name.kind == TypeKind::Jsonb;
        let from = if is_jsonb { TypeKind::Jsonb } else { kind };
        match (&from, &to.kind) {
            (TypeKind::SmallInt, TypeKind::Integer)
            | (TypeKind::SmallInt | TypeKind::Integer, TypeKind::BigInt)
            | (TypeKind::Text { .. }, TypeKind::Text { max_length: None })
            | (_, TypeKind::Enum { .. } | TypeKind::Any | TypeKind::Other) => Self::field(writer, field),
            (from, to) if from == to => Self::field(writer, field),
            (
                TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt | TypeKind::Uuid,
                TypeKind::Text { max_length: None },
            ) => write_around(writer, "CAST(", field, " AS TEXT)"),
            (from, _) => {
                let is_local = is_zoned(from) || is_zoned(&to.kind);
                writer.push(if is_local { "berth_convert_here(" } else { "berth_convert(" });
                Self::field(writer, field);
                writer.push(", ").bind(Value::Text(from.postgres_name()));
                writer.push(", ").bind(Value::Text(to.held_name())).push(")");
                if to.kind.is_decimal_text() {
                    writer.push(" COLLATE decimal");
                }
            }
        }
    }

    fn sort_key(writer: &mut Writer, field: Field<'_>) {
        if value::key::is_needed(&key_kind(field)) {
            return write_key(writer, field, |writer| Self::field(writer, field));
        }
        write_place(writer, &field.kind(), |writer| Self::field(writer, field));
    }

    fn is_distinct(writer: &mut Writer, field: Field<'_>, value: &Value) {
        if !value::key::tells_equality(&key_kind(field)) {
            Self::field(writer, field);
            writer.push(" IS DISTINCT FROM ").bind(value.clone());
            return;
        }
        write_key(writer, field, |writer| Self::field(writer, field));
        writer.push(" IS DISTINCT FROM ");
        write_key(writer, field, |writer| _ = writer.bind(value.clone()));
    }

    fn compare(writer: &mut Writer, field: Field<'_>, comparison: Comparison, value: &Value) {
        match spelling(comparison) {
            Spelling::Operator(operator)
                if comparison.is_by_place() && matches!(field.kind(), TypeKind::Enum { .. }) =>
            {
                Self::sort_key(writer, field);
                writer.push(operator);
                write_place(writer, &field.kind(), |writer| _ = writer.bind(value.clone()));
            }
            Spelling::Operator(operator) if is_keyed(field, comparison) => {
                write_key(writer, field, |writer| Self::field(writer, field));
                writer.push(operator);
                write_key(writer, field, |writer| _ = writer.bind(value.clone()));
            }
            Spelling::Operator(operator) => {
                Self::field(writer, field);
                writer.push(operator).bind(value.clone());
            }
            Spelling::Function(function) => {
                writer.push(function).bind(value.clone()).push(", ");
                Self::field(writer, field);
                writer.push(")");
            }
        }
    }

    fn quantified(
        writer: &mut Writer,
        field: Field<'_>,
        comparison: Comparison,
        quantifier: Quantifier,
        values: &[Value],
    ) {
        let junction = match quantifier {
            Quantifier::Any if comparison == Comparison::Equal => return Self::is_one_of(writer, field, values),
            Quantifier::Any => Junction::Or,
            Quantifier::All => Junction::And,
        };
        writer.push("(");
        write_junction(writer, junction, values, &mut |writer, value| {
            Self::compare(writer, field, comparison, value);
        });
        writer.push(")");
    }

    fn is_one_of(writer: &mut Writer, field: Field<'_>, values: &[Value]) {
        if values.is_empty() {
            writer.push("FALSE");
            return;
        }
        let is_keyed = is_keyed(field, Comparison::Equal);
        let write_side = |writer: &mut Writer, value: &dyn Fn(&mut Writer)| {
            if is_keyed { write_key(writer, field, value) } else { value(writer) }
        };
        write_side(writer, &|writer| Self::field(writer, field));
        match json_array(values) {
            Some(array) if values.len() > LIST_MAX => {
                writer.push(" IN (SELECT ");
                write_side(writer, &|writer| _ = writer.push("value"));
                writer.push(" FROM json_each(").bind(Value::Text(array)).push("))");
            }
            Some(_) | None => {
                writer.push(" IN (");
                writer.separated(", ", values, |writer, value| {
                    write_side(writer, &|writer| _ = writer.bind(value.clone()));
                });
                writer.push(")");
            }
        }
    }

    /// Ranges do not exist here and planning refuses their operators; should one come, it is unknown, which no row
    /// passes, negated or not.
    fn contain(writer: &mut Writer, field: Field<'_>, containment: Containment, value: &Value) {
        let contains =
            if matches!(field.kind(), TypeKind::Array(_)) { "berth_array_contains(" } else { "berth_contains(" };
        match containment {
            Containment::Contains => write_pair(writer, contains, field, value),
            Containment::ContainedIn => {
                writer.push(contains).bind(value.clone()).push(", ");
                Self::field(writer, field);
                writer.push(")");
            }
            Containment::Overlap => write_pair(writer, "berth_overlaps(", field, value),
            Containment::StrictlyLeft
            | Containment::StrictlyRight
            | Containment::NotExtendsRight
            | Containment::NotExtendsLeft
            | Containment::Adjacent => _ = writer.push("NULL"),
        }
    }

    /// Planning has the query read; should one come that is not, it is unknown, which no row passes, negated or not.
    fn full_text(writer: &mut Writer, _: Field<'_>, _: FullText, _: Option<&str>, _: &str) {
        writer.push("NULL");
    }

    /// An index finds rows by their ids; where it may find more than the query does, each is looked at.
    fn search(writer: &mut Writer, field: Field<'_>, search: &Search) {
        let Some(Indexed { name, question }) = &search.index else {
            return write_match(writer, field, search);
        };
        writer.push("(");
        field.scope.source::<Self>(writer);
        writer.push(".rowid IN (SELECT rowid FROM main.").identifier(name).push(" WHERE ").identifier(name);
        writer.push(" MATCH ").bind(Value::Text(question.text.clone())).push(")");
        if !question.is_exact {
            writer.push(" AND ");
            write_match(writer, field, search);
        }
        writer.push(")");
    }
}

/// Adds that the words of the field are those that are looked for.
fn write_match(writer: &mut Writer, field: Field<'_>, search: &Search) {
    writer.push("berth_ts_match(");
    let configuration = match search.document {
        Document::Vector => None,
        Document::Text(configuration) => Some(("berth_to_tsvector(", configuration)),
        Document::Json(configuration) => Some(("berth_json_to_tsvector(", configuration)),
    };
    if let Some((function, configuration)) = configuration {
        writer.push(function).bind(Value::Text(configuration.name().to_owned())).push(", ");
    }
    Sqlite::field(writer, field);
    writer.push(if configuration.is_some() { "), " } else { ", " }).bind(Value::Text(search.query.clone())).push(")");
}

/// Adds the column or the function's value, and the steps from there: the last one is the outermost call, as in
/// `berth_json_text(berth_json("t"."c", ?1), ?2)`.
fn write_plain(writer: &mut Writer, field: Field<'_>) {
    for step in field.path.iter().rev() {
        writer.push(match step.arrow {
            Arrow::Json => "berth_json(",
            Arrow::Text => "berth_json_text(",
        });
    }
    match field.computed.and_then(|function| function.routine.body.as_deref()) {
        Some(body) => write_body(writer, body, field.scope),
        None => field.scope.column::<Sqlite>(writer, field.column),
    }
    for step in field.path {
        writer.push(", ").bind(match &step.operand {
            JsonOperand::Key(key) => Value::Text(key.clone()),
            JsonOperand::Index(index) => Value::Integer(*index),
        });
        writer.push(")");
    }
}

/// True for a `numeric` that no column of a table holds: what a function gives may be a number as well as text.
fn is_made_decimal(field: Field<'_>) -> bool {
    let is_made = field.computed.is_some() || matches!(field.scope, Scope::Part(SOURCE));
    is_made && field.aggregation.is_none() && field.kind().is_decimal_text()
}

/// Adds the text of a decimal, to be compared as one.
fn write_decimal(writer: &mut Writer, before: &'static str, write: impl FnOnce(&mut Writer), after: &'static str) {
    writer.push(before);
    write(writer);
    writer.push(after).push(" COLLATE decimal");
}

/// How a comparison is written.
enum Spelling {
    /// Between field and value.
    Operator(&'static str),
    /// A function of value and field.
    Function(&'static str),
}

fn spelling(comparison: Comparison) -> Spelling {
    match comparison {
        Comparison::Equal => Spelling::Operator(" = "),
        Comparison::NotEqual => Spelling::Operator(" <> "),
        Comparison::Greater => Spelling::Operator(" > "),
        Comparison::GreaterOrEqual => Spelling::Operator(" >= "),
        Comparison::Less => Spelling::Operator(" < "),
        Comparison::LessOrEqual => Spelling::Operator(" <= "),
        Comparison::Like => Spelling::Function("berth_like("),
        Comparison::ILike => Spelling::Function("berth_ilike("),
        Comparison::Match => Spelling::Function("berth_match("),
        Comparison::IMatch => Spelling::Function("berth_imatch("),
    }
}

fn write_around(writer: &mut Writer, before: &'static str, field: Field<'_>, after: &'static str) {
    writer.push(before);
    Sqlite::field(writer, field);
    writer.push(after);
}

fn write_pair(writer: &mut Writer, function: &'static str, field: Field<'_>, value: &Value) {
    writer.push(function);
    Sqlite::field(writer, field);
    writer.push(", ").bind(value.clone()).push(")");
}

/// `values` as a JSON array; `None` when one of them would not come back from it as it was.
fn json_array(values: &[Value]) -> Option<String> {
    let items: Option<Vec<serde_json::Value>> = values
        .iter()
        .map(|value| match value {
            Value::Null => Some(serde_json::Value::Null),
            Value::Integer(number) => Some((*number).into()),
            Value::Text(text) => Some(text.as_str().into()),
            Value::Real(_) | Value::Blob(_) => None,
        })
        .collect();
    items.map(|items| serde_json::Value::Array(items).to_string())
}
