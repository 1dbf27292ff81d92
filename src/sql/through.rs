//! SQLite: what a view says of a row of the table behind it, where the row is written.
//!
//! A column that is one of the table's is that. What the view computes is evaluated over a row of its own that is called
//! as the view's query calls the table, so that all names in it mean what they mean there:
//!
//! ```text
//! DELETE FROM "films" WHERE (SELECT (year > 1950) FROM (SELECT "films"."year" AS "year") AS "f") RETURNING "films"."id"
//! ```

use std::collections::BTreeSet;

use super::dialect::Dialect;
use super::rules::write_parts;
use super::sqlite::Sqlite;
use super::writer::Writer;
use crate::catalog::{Expression, ViewColumn};
use crate::plan::row_security::Shown;
use crate::plan::through::Level;
use crate::plan::{Rules, Through, Value};

/// A view through which rows of a table are seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lens<'a> {
    pub(super) through: &'a Through,
    pub(super) rules: &'a Rules,
}

impl<'a> Lens<'a> {
    /// Adds a column of the view that was named.
    pub(super) fn write_column(self, writer: &mut Writer, column: &str) {
        self.write_column_at(writer, 0, column);
    }

    fn level(self, depth: usize) -> Option<&'a Level> {
        self.through.levels.get(depth)
    }

    /// What names stand for in the expressions of a view.
    fn within(self, depth: usize) -> &'a [Shown] {
        self.rules.behind.get(depth).map_or(&[], Vec::as_slice)
    }

    /// Adds a column of the view at a depth, or behind the last one of the table. Calls itself for each view on the way.
    fn write_column_at(self, writer: &mut Writer, depth: usize, column: &str) {
        match self.level(depth).map(|level| level.shows.columns.get(column)) {
            None => {
                Sqlite::table(writer, &self.through.table);
                writer.push(".").identifier(column);
            }
            Some(Some(ViewColumn::Column(column))) => self.write_column_at(writer, depth + 1, column),
            Some(Some(ViewColumn::Expression(expression))) => self.write_expression(writer, depth, expression),
            // Planning has looked it up.
            Some(None) => _ = writer.push("NULL"),
        }
    }

    /// Adds what an expression of the view at a depth is for the row.
    fn write_expression(self, writer: &mut Writer, depth: usize, expression: &Expression) {
        let Some(level) = self.level(depth) else { return };
        let within = self.within(depth);
        writer.push("(");
        if !within.is_empty() {
            writer.push("WITH ");
            write_parts(writer, within);
            writer.push(" ");
        }
        // A comment at the end of the text must not take the parenthesis with it.
        writer.push("SELECT (").catalog_sql(&expression.sql).push("\n) FROM (SELECT ");
        self.write_row(writer, depth, &expression.columns);
        writer.push(") AS ").identifier(&level.shows.known_as).push(")");
    }

    fn write_row(self, writer: &mut Writer, depth: usize, columns: &BTreeSet<String>) {
        if columns.is_empty() {
            writer.push(Sqlite::NO_COLUMNS);
        }
        writer.separated(", ", columns, |writer, column| {
            self.write_column_at(writer, depth + 1, column);
            writer.push(" AS ").identifier(column);
        });
    }

    /// True when some rows of the table are not shown.
    pub(super) fn hides(self) -> bool {
        self.through.levels.iter().any(|level| level.hides_by().is_some())
    }

    /// Adds that the row is shown, where [`hides`](Self::hides).
    pub(super) fn write_shown(self, writer: &mut Writer) {
        let hiding = |(depth, level): (usize, &'a Level)| Some((depth, level.hides_by()?));
        let conditions: Vec<_> = self.through.levels.iter().enumerate().filter_map(hiding).collect();
        writer.separated(" AND ", conditions, |writer, (depth, condition)| {
            self.write_condition(writer, depth, condition)
        });
    }

    /// Adds a condition of the view at a depth. That of the last one means the same where it stands when it calls the
    /// table by its name, and an index may then answer it.
    fn write_condition(self, writer: &mut Writer, depth: usize, condition: &Expression) {
        let is_of_table = self.level(depth).is_some_and(|level| {
            depth + 1 == self.through.levels.len() && level.shows.known_as == self.through.table.name
        });
        if is_of_table && self.within(depth).is_empty() {
            writer.push("(").catalog_sql(&condition.sql).push("\n)");
        } else {
            self.write_expression(writer, depth, condition);
        }
    }

    /// True when what is written must be shown.
    pub(super) fn checks(self) -> bool {
        self.through.levels.iter().any(|level| level.checks_by().is_some())
    }

    /// Adds a value that is there when the row, as it has been written, is shown; else the write is refused. The views
    /// behind are asked first.
    pub(super) fn write_check(self, writer: &mut Writer) {
        writer.push("CASE");
        for (depth, level) in self.through.levels.iter().enumerate().rev() {
            let Some(condition) = level.checks_by() else { continue };
            writer.push(" WHEN ");
            self.write_expression(writer, depth, condition);
            let message = format!("new row violates check option for view \"{}\"", level.view.name);
            writer.push(" IS NOT TRUE THEN berth_refuse_unshown(").bind(Value::Text(message)).push(")");
        }
        writer.push(" ELSE 1 END");
    }
}
