//! Text search: the functions that make documents and queries, and the indexes of words.
//!
//! `CREATE INDEX … USING gin (tsv)` over a column of type `tsvector`, and `USING gin (to_tsvector('english', body))`, are
//! the indexes that a filter of a request can use. [`all`] tells them; whoever applies a script keeps them in step with it
//! (`migrate/words.rs`).

use sqlparser::ast::{Expr, Function};

use super::literal::Literal;
use super::model::{Index, Method, Table};
use super::schema::Schema;
use super::scope::Scope;
use super::{Refusal, function, name, parse, refuse, types};
use crate::catalog::TypeKind;
use crate::search::Configuration;

/// An index of the words that a column's texts are found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::migrate) struct WordIndex {
    /// Its name.
    pub(in crate::migrate) name: String,
    /// The table.
    pub(in crate::migrate) table: String,
    /// The column.
    pub(in crate::migrate) column: String,
    /// The configuration by which texts become words; `None`: the column is a `tsvector`.
    pub(in crate::migrate) configuration: Option<Configuration>,
}

/// The indexes of words of all tables.
pub(in crate::migrate) fn all(schema: &Schema) -> Vec<WordIndex> {
    fn of_table<'a>(table: &'a Table, schema: &'a Schema) -> impl Iterator<Item = WordIndex> + 'a {
        let words = table.indexes.iter().filter(|index| index.method == Method::Words);
        words.filter_map(move |index| of(index, table, schema))
    }
    schema.tables.values().flat_map(|table| of_table(table, schema)).collect()
}

/// What an index is over, when it is one of words.
///
/// The index knows rows by their ids, which stay what they are only in tables that have a key.
pub(super) fn of(index: &Index, table: &Table, schema: &Schema) -> Option<WordIndex> {
    let [part] = index.parts.as_slice() else { return None };
    table.primary_key.as_ref()?;
    if table.column("rowid").is_some() {
        return None;
    }
    let expression = parse::expression(&part.expression).ok()?;
    let (column, configuration) = match &expression {
        Expr::Identifier(column) => (name::fold(column), None),
        Expr::Function(call) if function::name_of(call).ok()? == "to_tsvector" => {
            let arguments = function::arguments(call).ok()?;
            let [named, Expr::Identifier(column)] = arguments.as_slice() else { return None };
            let Literal::Text(named) = Scope::new(schema).constant(of_configuration(named)).ok()?? else { return None };
            (name::fold(column), Some(Configuration::named(&named).ok()?))
        }
        _ => return None,
    };
    let kind = types::column_kind(table.column(&column)?, &schema.types);
    let fits = match configuration {
        None => kind == TypeKind::TsVector,
        Some(_) => matches!(kind, TypeKind::Text { .. }),
    };
    fits.then(|| WordIndex { name: index.name.clone(), table: table.name.clone(), column, configuration })
}

/// The name of a configuration without its cast to `regconfig`.
fn of_configuration(expression: &Expr) -> &Expr {
    match expression {
        Expr::Cast { expr, data_type, .. } if data_type.to_string().eq_ignore_ascii_case("regconfig") => expr,
        other => other,
    }
}

impl Scope<'_> {
    /// Functions of text search; `None` when this is none of them.
    pub(super) fn search_call(&self, name: &str, call: &Function) -> Result<Option<String>, Refusal> {
        let function = match name {
            "to_tsvector" => "berth_to_tsvector",
            "to_tsquery" => "berth_to_tsquery",
            "plainto_tsquery" => "berth_plainto_tsquery",
            "phraseto_tsquery" => "berth_phraseto_tsquery",
            "websearch_to_tsquery" => "berth_websearch_to_tsquery",
            "setweight" => "berth_setweight",
            _ => return Ok(None),
        };
        let arguments = function::arguments(call)?;
        let (first, second) = match arguments.as_slice() {
            [text] if name != "setweight" => (name::text(Configuration::DEFAULT.name()), *text),
            [vector, letter] if name == "setweight" => (self.write(vector)?, *letter),
            [configuration, text] => (self.configuration(configuration)?, *text),
            _ => return refuse(format!("the function {name}() takes other arguments")),
        };
        let is_json = matches!(self.kind(second), Some(TypeKind::Json | TypeKind::Jsonb));
        let function = if name == "to_tsvector" && is_json { "berth_json_to_tsvector" } else { function };
        Ok(Some(format!("{function}({first}, {})", self.write(second)?)))
    }

    /// The name of a configuration; a constant one must be there.
    fn configuration(&self, expression: &Expr) -> Result<String, Refusal> {
        let expression = of_configuration(expression);
        if let Some(Literal::Text(named)) = self.constant(expression)? {
            Configuration::named(&named).map_err(|error| Refusal(error.message))?;
        }
        self.write(expression)
    }

    /// `document @@ query`; a text is made a document.
    pub(super) fn search_match(&self, left: &Expr, right: &Expr) -> Result<String, Refusal> {
        let document = self.write(left)?;
        let document = match self.kind(left) {
            Some(TypeKind::TsVector) => document,
            Some(TypeKind::Text { .. }) => {
                format!("berth_to_tsvector({}, {document})", name::text(Configuration::DEFAULT.name()))
            }
            _ => return refuse("@@ needs a tsvector or a text on its left"),
        };
        Ok(format!("berth_ts_match({document}, {})", self.write(right)?))
    }
}
