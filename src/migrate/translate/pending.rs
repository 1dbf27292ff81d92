//! Tables whose changed shape is not written out yet.

use std::collections::BTreeMap;

use super::model::Column;
use super::{Action, Rebuild, Refusal, Translator, name, refuse, render, types};

/// What has to be written before rows can be touched.
#[derive(Debug, Default)]
pub(super) struct Pending {
    tables: BTreeMap<String, (usize, Unwritten)>,
    /// Where counters continue; set as soon as the table is one that SQLite counts.
    counters: BTreeMap<String, (usize, i64)>,
}

/// How a table is not written out yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unwritten {
    /// It does not exist in the file.
    Created,
    /// It exists in another shape. Each new column that gets values from the old rows, with an expression over them.
    Altered(Vec<(String, String)>),
}

impl Translator<'_> {
    /// Notes a new table.
    pub(super) fn will_create(&mut self, table: &str) {
        self.pending.tables.insert(table.to_owned(), (self.statement, Unwritten::Created));
    }

    /// Notes that a table changes, and gives the columns that are carried over, for the change to tell of.
    pub(super) fn will_alter(&mut self, table: &str) -> &mut Unwritten {
        let same = self.schema.table(table).into_iter().flat_map(|table| &table.columns);
        let same = same.filter(|column| column.generated.is_none());
        let carried = same.map(|column| (column.name.clone(), self.carried(column))).collect();
        let entry = self.pending.tables.entry(table.to_owned());
        let (statement, unwritten) = entry.or_insert((0, Unwritten::Altered(carried)));
        *statement = self.statement;
        unwritten
    }

    /// A column as it is carried over. Files that were made before hold as numbers what is text now.
    fn carried(&self, column: &Column) -> String {
        let quoted = name::quote(&column.name);
        if types::column_kind(column, &self.schema.types).is_wide() {
            return format!("berth_decimal({quoted})");
        }
        quoted
    }

    /// True while the file holds the table in no or another shape.
    pub(super) fn is_pending(&self, table: &str) -> bool {
        self.pending.tables.contains_key(table)
    }

    /// Forgets a table that is dropped; true when the file holds it.
    pub(super) fn forget_pending(&mut self, table: &str) -> bool {
        self.pending.counters.remove(table);
        !matches!(self.pending.tables.remove(table), Some((_, Unwritten::Created)))
    }

    /// Notes where a counter continues.
    pub(super) fn will_count(&mut self, table: &str, last: i64) {
        self.pending.counters.insert(table.to_owned(), (self.statement, last));
    }

    /// Writes out what is not, so that rows can be touched.
    pub(super) fn flush(&mut self) -> Result<(), Refusal> {
        self.flush_all().map_err(|(_, refusal)| refusal)
    }

    /// Writes out everything at the end of the script. An error comes with the statement it belongs to.
    pub(super) fn finish(&mut self) -> Result<(), (usize, Refusal)> {
        for (table, (statement, _)) in &self.pending.tables {
            if let Some(column) = self.schema.table(table).and_then(render::uncounted) {
                let reason = format!(
                    "the identity column \"{column}\" of \"{table}\" must be the table's primary key, alone: SQLite \
                     counts no other column"
                );
                return Err((*statement, Refusal(reason)));
            }
        }
        self.flush_all()
    }

    fn flush_all(&mut self) -> Result<(), (usize, Refusal)> {
        let current = self.statement;
        for (name, (statement, unwritten)) in std::mem::take(&mut self.pending.tables) {
            let Some(table) = self.schema.table(&name) else { continue };
            let render = || -> Result<Vec<Action>, Refusal> {
                if table.columns.is_empty() {
                    return refuse(format!("\"{name}\" has no columns: SQLite makes no such table"));
                }
                let indexes = render::indexes(table, self.schema)?;
                Ok(match unwritten {
                    Unwritten::Created => {
                        let create = render::table(table, &name, self.schema)?;
                        std::iter::once(create).chain(indexes).map(Action::Execute).collect()
                    }
                    Unwritten::Altered(carried) => {
                        let create = render::table(table, Rebuild::STAGE, self.schema)?;
                        vec![Action::Rebuild(Rebuild { table: name.clone(), create, carried, indexes })]
                    }
                })
            };
            let actions = render().map_err(|refusal| (statement, refusal))?;
            self.statement = statement;
            for action in actions {
                self.push(action);
            }
        }
        for (table, (statement, last)) in std::mem::take(&mut self.pending.counters) {
            if self.schema.table(&table).is_some_and(|table| table.counted().is_some()) {
                self.statement = statement;
                self.push(Action::Count { table, last });
            } else {
                self.pending.counters.insert(table, (statement, last));
            }
        }
        self.statement = current;
        Ok(())
    }
}
