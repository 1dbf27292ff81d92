//! The names in SQLite's words, in the spelling in which they were declared.

use std::collections::BTreeMap;

use sqlparser::tokenizer::Token;

use super::definition::is_bare;
use super::expression::GRAMMAR;
use crate::catalog::{Catalog, Table};
use crate::transfer::quote;

/// Names as they were declared, by their lower case: SQLite knows no case in them, and Postgres does.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    /// Of what is in reach.
    all: BTreeMap<String, String>,
    /// The columns behind each name or alias of a table.
    columns: BTreeMap<String, BTreeMap<String, String>>,
}

impl Names {
    /// Those of a table's own expressions.
    pub(super) fn of_table(table: &Table) -> Self {
        let mut names = Self::default();
        names.add_table(table, &[]);
        names
    }

    /// Those of the tables and views that a query names.
    pub(super) fn of_query(catalog: &Catalog, tokens: &[Token]) -> Self {
        let mut names = Self::default();
        for (at, token) in tokens.iter().enumerate() {
            let Token::Word(word) = token else { continue };
            let is_table = |table: &&Table| table.name.name.eq_ignore_ascii_case(&word.value);
            let Some(table) = catalog.tables.values().find(is_table) else { continue };
            let behind = at + 1 + usize::from(tokens.get(at + 1).is_some_and(|next| is_bare(next, "AS")));
            let alias = match tokens.get(behind) {
                Some(Token::Word(alias)) if !GRAMMAR.contains(&alias.value.to_lowercase().as_str()) => {
                    Some(alias.value.as_str())
                }
                _ => None,
            };
            names.add_table(table, &Vec::from_iter(alias));
        }
        names
    }

    fn add_table(&mut self, table: &Table, aliases: &[&str]) {
        self.add(&table.name.name);
        let columns: BTreeMap<String, String> =
            table.columns.iter().map(|column| (column.name.to_lowercase(), column.name.clone())).collect();
        table.columns.iter().for_each(|column| self.add(&column.name));
        for alias in aliases.iter().copied().chain([table.name.name.as_str()]) {
            self.columns.insert(alias.to_lowercase(), columns.clone());
        }
    }

    pub(super) fn add(&mut self, name: &str) {
        self.all.entry(name.to_lowercase()).or_insert_with(|| name.to_owned());
    }

    pub(super) fn knows(&self, name: &str) -> bool {
        self.all.contains_key(&name.to_lowercase())
    }

    /// The name in the spelling that is known, quoted.
    pub(super) fn quoted(&self, name: &str) -> String {
        quote(self.all.get(&name.to_lowercase()).map_or(name, String::as_str))
    }

    /// The name of a column of what `qualifier` names.
    pub(super) fn quoted_of(&self, qualifier: &str, name: &str) -> String {
        let known = self.columns.get(&qualifier.to_lowercase()).and_then(|columns| columns.get(&name.to_lowercase()));
        known.map_or_else(|| self.quoted(name), |known| quote(known))
    }

    #[cfg(test)]
    pub(super) fn for_test(all: &[&str], (table, columns): (&str, &[&str])) -> Self {
        let mut names = Self::default();
        all.iter().for_each(|name| names.add(name));
        let columns = columns.iter().map(|column| (column.to_lowercase(), (*column).to_owned())).collect();
        names.columns.insert(table.to_owned(), columns);
        names
    }
}
