//! Functions that make JSON: of values, of rows, and of many.
//!
//! | PostgreSQL | SQLite |
//! |---|---|
//! | `json_build_object('a', value, …)` | `json_object('a', member, …)` |
//! | `json_build_array(value, …)` | `json_array(member, …)` |
//! | `json_agg(value)`, `array_agg(value)` | `json_group_array(member)`, null of no rows |
//! | `json_object_agg(key, value)` | `json_group_object(key, member)`, null of no rows |
//! | `to_json(value)`, `row_to_json(row)` | `member` |
//! | the same of `jsonb` | `berth_jsonb(…)` of it |
//!
//! A member is the value as `row_to_json` writes one of its type: SQLite alone would write a boolean as a number, a
//! document as a string and a moment without its `T`. Those of `store/sqlite/functions/rows.rs` write what it cannot.

use sqlparser::ast::{Expr, Function, Query, SelectItem, SetExpr};

use super::cast::convert;
use super::decimal::held_name;
use super::function::{self, arguments};
use super::literal::Literal;
use super::scope::{Scope, Source};
use super::{Refusal, name, refuse};
use crate::catalog::TypeKind;

/// What a function makes, and of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Object,
    Array,
    ArrayOfMany,
    ObjectOfMany,
    /// The value itself.
    Member,
}

/// Whether a document is brought into the form that `jsonb` has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Jsonb,
    /// The elements of an array are kept as JSON.
    Elements,
}

fn made_by(name: &str) -> Option<(Made, Form)> {
    Some(match name {
        "json_build_object" => (Made::Object, Form::Json),
        "jsonb_build_object" => (Made::Object, Form::Jsonb),
        "json_build_array" => (Made::Array, Form::Json),
        "jsonb_build_array" => (Made::Array, Form::Jsonb),
        "json_agg" => (Made::ArrayOfMany, Form::Json),
        "jsonb_agg" => (Made::ArrayOfMany, Form::Jsonb),
        "array_agg" => (Made::ArrayOfMany, Form::Elements),
        "json_object_agg" => (Made::ObjectOfMany, Form::Json),
        "jsonb_object_agg" => (Made::ObjectOfMany, Form::Jsonb),
        "to_json" | "row_to_json" => (Made::Member, Form::Json),
        "to_jsonb" => (Made::Member, Form::Jsonb),
        _ => return None,
    })
}

/// What kind of value a function of that name makes, if it makes JSON.
pub(super) fn kind_of(name: &str) -> Option<TypeKind> {
    match made_by(name)?.1 {
        Form::Json => Some(TypeKind::Json),
        Form::Jsonb => Some(TypeKind::Jsonb),
        Form::Elements => None,
    }
}

impl Scope<'_> {
    /// Writes a call of a function that makes JSON; `None` for any other.
    pub(super) fn document_call(&self, name: &str, call: &Function) -> Result<Option<String>, Refusal> {
        let Some((made, form)) = made_by(name) else { return Ok(None) };
        let given = arguments(call)?;
        let written = match (made, given.as_slice()) {
            (Made::Object, pairs) if pairs.len().is_multiple_of(2) => {
                let items = pairs.iter().enumerate().map(|(at, argument)| {
                    if at.is_multiple_of(2) { self.write(argument) } else { self.member(argument) }
                });
                format!("json_object({})", items.collect::<Result<Vec<_>, _>>()?.join(", "))
            }
            (Made::Array, items) => {
                let items = items.iter().map(|argument| self.member(argument)).collect::<Result<Vec<_>, _>>()?;
                format!("json_array({})", items.join(", "))
            }
            (Made::ArrayOfMany, [value]) => self.of_many("json_group_array", call, &self.member(value)?)?,
            (Made::ObjectOfMany, [key, value]) => {
                let items = format!("{}, {}", self.write(key)?, self.member(value)?);
                self.of_many("json_group_object", call, &items)?
            }
            (Made::Member, [value]) => self.document_of(value)?,
            _ => return refuse(format!("the function {name}() with {} arguments is not supported", given.len())),
        };
        Ok(Some(match form {
            Form::Json | Form::Elements => written,
            Form::Jsonb => format!("berth_jsonb({written})"),
        }))
    }

    /// An aggregate: on Postgres those of no rows are null.
    fn of_many(&self, own: &str, call: &Function, items: &str) -> Result<String, Refusal> {
        let aggregate = self.aggregate(own, call, items)?;
        if call.over.is_some() {
            return Ok(aggregate);
        }
        let filter = call.filter.as_ref().map(|filter| self.write(filter)).transpose()?;
        let filter = filter.map(|filter| format!(" FILTER (WHERE {filter})")).unwrap_or_default();
        Ok(format!("CASE WHEN count(*){filter} > 0 THEN {aggregate} END"))
    }

    /// A value as the text of a document.
    fn document_of(&self, value: &Expr) -> Result<String, Refusal> {
        if let Some(source) = self.row_named(value) {
            return self.whole_row(source);
        }
        // With all digits that a number has.
        let written = self.write_for_text(value)?;
        match self.kind(value) {
            Some(TypeKind::Json | TypeKind::Jsonb | TypeKind::Array(_)) => Ok(written),
            _ if is_document(value) => Ok(written),
            Some(kind) => Ok(format!("berth_to_json({written}, {})", name::text(&held_name(kind)))),
            None => refuse(format!("the type of {value} is not known: write it behind ::")),
        }
    }

    /// A value where JSON is made of it.
    fn member(&self, value: &Expr) -> Result<String, Refusal> {
        if let Some(Literal::Boolean(boolean)) = self.constant(value)? {
            return Ok(format!("json('{boolean}')"));
        }
        if self.row_named(value).is_some() || is_document(value) {
            return Ok(format!("json({})", self.document_of(value)?));
        }
        match self.kind(value) {
            Some(TypeKind::Boolean) => {
                let written = self.operand(value)?;
                Ok(format!("json({})", convert(&written, &TypeKind::Boolean, &TypeKind::Text { max_length: None })?))
            }
            Some(
                TypeKind::Json
                | TypeKind::Jsonb
                | TypeKind::Array(_)
                | TypeKind::Timestamp
                | TypeKind::TimestampTz
                | TypeKind::Numeric { .. }
                | TypeKind::Real
                | TypeKind::Double
                | TypeKind::Bytea,
            ) => Ok(format!("json({})", self.document_of(value)?)),
            _ => self.write(value),
        }
    }

    /// What is read from under that name, when no column has it.
    fn row_named(&self, value: &Expr) -> Option<&Source> {
        let Expr::Identifier(ident) = value else { return None };
        let known_as = name::fold(ident);
        if self.find(std::slice::from_ref(&known_as)).is_some() {
            return None;
        }
        self.source(&known_as)
    }

    /// A row as `row_to_json` writes it.
    fn whole_row(&self, source: &Source) -> Result<String, Refusal> {
        let Some(columns) = &source.columns else {
            return refuse(format!("the columns of {} are not known: name them", source.known_as));
        };
        if columns.len() > ROW_COLUMNS_MAX {
            return refuse(format!("a row of more than {ROW_COLUMNS_MAX} columns as JSON is not supported"));
        }
        let shape: Vec<(&str, String)> = columns
            .iter()
            .map(|column| {
                self.note_column(source, &column.name);
                let kind = self.kind_of_declared(&column.declared).filter(|kind| *kind != TypeKind::Any);
                (column.name.as_str(), kind.map(held_name).unwrap_or_default())
            })
            .collect();
        let values: Vec<String> = columns.iter().map(|column| source.write(&column.name)).collect();
        let shape = name::text(&serde_json::json!(shape).to_string());
        Ok(format!("berth_row({shape}, {})", values.join(", ")))
    }
}

/// Most columns of a row that is handed to one function.
///
/// Source: <https://www.sqlite.org/limits.html#max_function_arg>.
const ROW_COLUMNS_MAX: usize = 100;

/// True for what is JSON whatever the columns are: a function that makes it, alone, in a query or beside others.
fn is_document(value: &Expr) -> bool {
    match value {
        Expr::Nested(inner) => is_document(inner),
        Expr::Subquery(query) => only_item(query).is_some_and(is_document),
        Expr::Function(call) => match function::name_of(call).as_deref() {
            Ok("coalesce") => arguments(call).is_ok_and(|given| given.into_iter().any(is_document)),
            Ok(name) => made_by(name).is_some(),
            Err(_) => false,
        },
        _ => false,
    }
}

/// The only thing that a query selects.
fn only_item(query: &Query) -> Option<&Expr> {
    let SetExpr::Select(select) = query.body.as_ref() else { return None };
    match select.projection.as_slice() {
        [SelectItem::UnnamedExpr(item) | SelectItem::ExprWithAlias { expr: item, .. }] => Some(item),
        _ => None,
    }
}
