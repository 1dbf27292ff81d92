//! Functions that give rows, in `FROM`: the user's own, and those over arrays, JSON and series.
//!
//! Arrays and JSON are walked by SQLite's `json_each`, whose columns are written in the form that the kind of value has.

use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, TableAlias, TableFactor, TableFunctionArgs};

use super::model::Column;
use super::scope::{Scope, Source};
use super::{Refusal, function, name, refuse, search, types};
use crate::catalog::TypeKind;

/// A function in `FROM`.
pub(super) struct TableFunction {
    /// Its columns.
    pub(super) source: Source,
    /// How it is written, with its name.
    pub(super) written: String,
}

/// A call in `FROM`.
struct Call<'f> {
    name: String,
    arguments: Vec<FunctionArg>,
    alias: Option<&'f TableAlias>,
    with_ordinality: bool,
}

/// Each element of a JSON value of the kind that its text has: `json_each` gives strings without their quotes.
const ELEMENT_AS_JSON: &str = "CASE {each}.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' \
     WHEN 'null' THEN 'null' WHEN 'object' THEN {each}.value WHEN 'array' THEN {each}.value \
     ELSE json_quote({each}.value) END";

/// Each element as text.
const ELEMENT_AS_TEXT: &str = "CASE {each}.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' \
     WHEN 'null' THEN NULL ELSE CAST({each}.value AS TEXT) END";

impl Scope<'_> {
    /// Reads a function in `FROM`.
    pub(super) fn table_function(&self, factor: &TableFactor) -> Result<TableFunction, Refusal> {
        let call = read_call(factor)?;
        if !call.with_ordinality
            && let Some((source, written)) = self.own_rows(&call.name, &call.arguments, call.alias)?
        {
            return Ok(TableFunction { source, written });
        }
        if call.name == "generate_series" {
            return self.series(&call);
        }
        if search::gives_query(&call.name) && !call.with_ordinality {
            return self.search_row(&call);
        }
        let [FunctionArg::Unnamed(FunctionArgExpr::Expr(of))] = call.arguments.as_slice() else {
            return refuse(format!("the function {}() in FROM is not supported", call.name));
        };
        let known_as = call.known_as();
        let each = name::quote(&known_as);
        let mut columns = self.columns_of_each(&call, of, &known_as)?;
        if call.with_ordinality {
            columns.push(("ordinality".to_owned(), "bigint".to_owned(), "({each}.key + 1)".to_owned()));
        }
        let plain = columns.iter().map(|(name, declared, _)| Column::plain(name.clone(), declared.clone())).collect();
        let mut source = Source::of_query(&known_as, Some(plain), call.alias.filter(|alias| !is_typed(alias)));
        let names = source.columns.iter().flatten().map(|column| column.name.clone());
        source.written =
            names.zip(columns).map(|(name, (_, _, written))| (name, written.replace("{each}", &each))).collect();
        Ok(TableFunction { source, written: format!("json_each({}) AS {each}", self.write(of)?) })
    }

    /// Name, type and expression of each column of a function over arrays or JSON.
    fn columns_of_each(
        &self,
        call: &Call<'_>,
        of: &Expr,
        known_as: &str,
    ) -> Result<Vec<(String, String, String)>, Refusal> {
        let one =
            |name: &str, declared: &str, written: &str| (name.to_owned(), declared.to_owned(), written.to_owned());
        Ok(match call.name.as_str() {
            "unnest" => {
                let Some(TypeKind::Array(element)) = self.kind(of) else {
                    return refuse(format!("the type of the array {of} cannot be told: cast it"));
                };
                vec![one(known_as, &element.postgres_name(), &element_of(&element))]
            }
            "json_array_elements" | "jsonb_array_elements" => {
                let declared = call.name.split('_').next().unwrap_or_default();
                vec![one(if call.alias.is_some() { known_as } else { "value" }, declared, ELEMENT_AS_JSON)]
            }
            "json_array_elements_text" | "jsonb_array_elements_text" => {
                vec![one(if call.alias.is_some() { known_as } else { "value" }, "text", ELEMENT_AS_TEXT)]
            }
            "json_object_keys" | "jsonb_object_keys" => vec![one(known_as, "text", "{each}.key")],
            "json_each" | "jsonb_each" => {
                let declared = call.name.split('_').next().unwrap_or_default();
                vec![one("key", "text", "{each}.key"), one("value", declared, ELEMENT_AS_JSON)]
            }
            "json_each_text" | "jsonb_each_text" => {
                vec![one("key", "text", "{each}.key"), one("value", "text", ELEMENT_AS_TEXT)]
            }
            "json_to_recordset" | "jsonb_to_recordset" => self.columns_of_records(call)?,
            other => return refuse(format!("the function {other}() in FROM is not supported")),
        })
    }

    /// The columns that stand behind `AS`, each a member of an object.
    fn columns_of_records(&self, call: &Call<'_>) -> Result<Vec<(String, String, String)>, Refusal> {
        let listed = call.alias.map(|alias| alias.columns.as_slice()).unwrap_or_default();
        if listed.is_empty() {
            return refuse(format!("the function {}() needs a list of columns with types behind AS", call.name));
        }
        let mut columns = Vec::new();
        for column in listed {
            let Some(data_type) = &column.data_type else { return refuse("a column behind AS needs a type") };
            let declared = types::declared(data_type, &self.schema.types)?;
            let name = name::fold(&column.name);
            let written = format!("berth_member({{each}}.value, {}, {})", name::text(&name), name::text(&declared));
            columns.push((name, declared, written));
        }
        Ok(columns)
    }

    /// A function that gives a query of text search: one row with one column.
    fn search_row(&self, call: &Call<'_>) -> Result<TableFunction, Refusal> {
        let arguments: Result<Vec<&Expr>, Refusal> = call.arguments.iter().map(function::plain).collect();
        let written = self.outer().search_function(&call.name, &arguments?)?;
        let (known_as, column) = (call.known_as(), call.column());
        let written = format!("(SELECT {written} AS {}) AS {}", name::quote(&column), name::quote(&known_as));
        let columns = vec![Column::plain(column, "tsquery".to_owned())];
        Ok(TableFunction { source: Source::of_query(&known_as, Some(columns), None), written })
    }

    /// `generate_series` of whole numbers.
    fn series(&self, call: &Call<'_>) -> Result<TableFunction, Refusal> {
        let bounds: Vec<&Expr> = call
            .arguments
            .iter()
            .filter_map(|argument| match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(expression),
                _ => None,
            })
            .collect();
        let (from, to, step) = match bounds.as_slice() {
            [from, to] => (from, to, "1".to_owned()),
            [from, to, step] => (from, to, self.outer().operand(step)?),
            _ => return refuse("generate_series() takes two or three arguments"),
        };
        let kind = self.kind(from).filter(super::expression::is_temporal);
        if kind.is_some() {
            return refuse("generate_series() of dates and times is not supported");
        }
        let (known_as, column) = (call.known_as(), call.column());
        let outer = self.outer();
        let (from, to) = (outer.operand(from)?, outer.operand(to)?);
        let (each, column_name) = (name::quote(&known_as), name::quote(&column));
        let is_within = |value: &str| format!("CASE WHEN {step} > 0 THEN {value} <= {to} ELSE {value} >= {to} END");
        let written = format!(
            "(WITH RECURSIVE {each}({column_name}) AS (SELECT {from} WHERE {} UNION ALL \
             SELECT {column_name} + {step} FROM {each} WHERE {}) SELECT * FROM {each}) AS {each}",
            is_within(&from),
            is_within(&format!("{column_name} + {step}")),
        );
        let columns = vec![Column::plain(column, "integer".to_owned())];
        Ok(TableFunction { source: Source::of_query(&known_as, Some(columns), None), written })
    }
}

impl Call<'_> {
    fn known_as(&self) -> String {
        self.alias.map_or_else(|| self.name.clone(), |alias| name::fold(&alias.name))
    }

    /// The name of its only column.
    fn column(&self) -> String {
        let named = self.alias.and_then(|alias| alias.columns.first());
        named.map_or_else(|| self.known_as(), |column| name::fold(&column.name))
    }
}

/// True when the alias tells the types of its columns: they are the columns then, and rename nothing.
fn is_typed(alias: &TableAlias) -> bool {
    alias.columns.iter().any(|column| column.data_type.is_some())
}

/// An element of an array in the form in which a column of its type holds it.
fn element_of(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Timestamp => "replace({each}.value, 'T', ' ')",
        TypeKind::TimestampTz => "substr(replace({each}.value, 'T', ' '), 1, length({each}.value) - 3)",
        TypeKind::Bytea => "unhex(substr({each}.value, 3))",
        TypeKind::Json | TypeKind::Jsonb => ELEMENT_AS_JSON,
        _ => "{each}.value",
    }
    .to_owned()
}

fn read_call(factor: &TableFactor) -> Result<Call<'_>, Refusal> {
    match factor {
        TableFactor::Table {
            name,
            alias,
            args: Some(TableFunctionArgs { args, settings: None }),
            with_ordinality,
            ..
        }
        | TableFactor::Function { name, args, alias, with_ordinality, .. } => Ok(Call {
            name: name::parts(name)?.pop().unwrap_or_default(),
            arguments: args.clone(),
            alias: alias.as_ref(),
            with_ordinality: *with_ordinality,
        }),
        TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_ordinality, .. } => Ok(Call {
            name: "unnest".to_owned(),
            arguments: array_exprs.iter().map(|of| FunctionArg::Unnamed(FunctionArgExpr::Expr(of.clone()))).collect(),
            alias: alias.as_ref(),
            with_ordinality: *with_ordinality,
        }),
        other => refuse(format!("{other} in FROM is not supported")),
    }
}
