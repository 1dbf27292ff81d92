//! Indexes of the words that texts are searched for.
//!
//! `CREATE INDEX … USING gin (tsv)` over a column of type `tsvector`, and `USING gin (to_tsvector('english', body))`, are
//! the indexes that a filter of a request can use. [`all`] tells them; whoever applies a script keeps them in step with it
//! (`migrate/words.rs`).

use sqlparser::ast::Expr;

use super::literal::Literal;
use super::model::{Index, Method, Table};
use super::schema::Schema;
use super::scope::Scope;
use super::{function, name, parse, types};
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
pub(super) fn of_configuration(expression: &Expr) -> &Expr {
    match expression {
        Expr::Cast { expr, data_type, .. } if data_type.to_string().eq_ignore_ascii_case("regconfig") => expr,
        other => other,
    }
}
