//! SQLite: what row security adds to statements.
//!
//! *Reads.* A common table expression of a table's own name stands for the rows of it that are shown, wherever the
//! statement reads the table; SQLite works it into the query around it, so that keys and indexes are used as ever. Names
//! in the query of a view that SQLite holds are never led there: such a view reads with its owner's rights.
//!
//! ```text
//! WITH "notes" AS NOT MATERIALIZED (SELECT "notes"."id" AS "id" FROM main."notes" WHERE (owner = …)) SELECT …
//! ```
//!
//! *Writes.* What must hold of the rows that are there stands beside the filter. What must hold of new rows is evaluated
//! over a row of the new values that has the table's name, before it is written and before any constraint is looked at:
//!
//! ```text
//! INSERT INTO "notes" (…) SELECT … FROM (SELECT ?1 AS "id", …) AS "notes" WHERE CASE WHEN (…) IS NOT TRUE THEN berth_refuse(…) ELSE TRUE END
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use super::condition::{Junction, write_junction};
use super::dialect::{Dialect, Scope};
use super::sqlite::Sqlite;
use super::through::Lens;
use super::writer::{Place, Writer};
use crate::catalog::{Expression, QualifiedName};
use crate::plan::row_security::{Absent, Check, RowColumn, Rule, Shown, Source};
use crate::plan::{Guard, Value};

/// What the query of a view is called in the part that shows it.
pub(super) const VIEW: &str = "berth_view";

/// Adds `WITH … ` for what names stand for; nothing when each stands for itself.
pub(super) fn write_shown(writer: &mut Writer, shown: &[Shown]) {
    if !shown.is_empty() {
        writer.push("WITH ");
        write_parts(writer, shown);
        writer.push(" ");
    }
}

/// Adds `WITH` and what names of tables and views stand for, to be followed by another part.
pub(super) fn write_before_part(writer: &mut Writer, shown: &[Shown]) {
    writer.push("WITH ");
    if !shown.is_empty() {
        write_parts(writer, shown);
        writer.push(", ");
    }
}

/// Adds the parts of `WITH`. Calls itself for what stands within the query of a view; planning has put all of that into
/// one list.
pub(super) fn write_parts(writer: &mut Writer, shown: &[Shown]) {
    writer.separated(", ", shown, |writer, Shown { relation, source, apart }| {
        writer.identifier(&relation.name);
        writer.push(if *apart { " AS MATERIALIZED (" } else { " AS NOT MATERIALIZED (" });
        match source {
            Source::Itself(columns) => {
                writer.push("SELECT ");
                write_columns(writer, &relation.name, columns);
                writer.push(" FROM ");
                write_itself(writer, relation);
            }
            Source::Rows { columns, rule, mark } => {
                writer.push("SELECT ");
                write_columns(writer, &relation.name, columns);
                if let Some(mark) = mark {
                    writer.push(", (");
                    write_rule(writer, rule);
                    writer.push(") AS ").identifier(mark);
                }
                writer.push(" FROM ");
                write_itself(writer, relation);
                writer.push(" WHERE ");
                write_rule(writer, rule);
            }
            Source::Query { sql, names, columns, within } => {
                writer.push("WITH ");
                if !within.is_empty() {
                    write_parts(writer, within);
                    writer.push(", ");
                }
                writer.push(VIEW).push("(").separated(", ", names, |writer, name| _ = writer.identifier(name));
                // A comment at the end of the text must not take the parenthesis with it.
                writer.push(") AS NOT MATERIALIZED (").catalog_sql(sql).push("\n) SELECT ");
                write_columns(writer, VIEW, columns);
                writer.push(" FROM ").push(VIEW);
            }
        }
        writer.push(")");
    });
}

/// Adds the table itself, whatever its name stands for.
fn write_itself(writer: &mut Writer, relation: &QualifiedName) {
    writer.push("main.").identifier(&relation.name);
}

fn write_columns(writer: &mut Writer, of: &str, columns: &BTreeSet<String>) {
    if columns.is_empty() {
        writer.push(Sqlite::NO_COLUMNS);
    }
    writer.separated(", ", columns, |writer, column| {
        writer.identifier(of).push(".").identifier(column).push(" AS ").identifier(column);
    });
}

/// Adds a rule about the row of the table whose name its expressions have in them.
pub(super) fn write_rule(writer: &mut Writer, rule: &Rule) {
    writer.push("(");
    write_alternatives(writer, &rule.permissive);
    writer.push(")");
    for expression in &rule.restrictive {
        writer.push(" AND (").catalog_sql(&expression.sql).push(")");
    }
}

fn write_alternatives(writer: &mut Writer, any: &[Arc<Expression>]) {
    write_junction(writer, Junction::Or, any, &mut |writer, expression| {
        writer.push("(").catalog_sql(&expression.sql).push(")");
    });
}

/// Adds what tells that a row is there for the sender.
pub(super) fn write_guard<D: Dialect>(writer: &mut Writer, scope: Scope<'_>, guard: &Guard) {
    match guard {
        Guard::Mark(column) => scope.column::<D>(writer, column),
        Guard::Rules(rules) => match scope {
            Scope::Written(lens) => write_there(writer, Some(lens), rules),
            Scope::Table(_) | Scope::Part(_) | Scope::Alias(_) => write_rules(writer, rules),
        },
    }
}

/// Adds that a row is there for the sender: that the view that is written to shows it, and all rules.
pub(super) fn write_there(writer: &mut Writer, lens: Option<Lens<'_>>, rules: &[Rule]) {
    match lens.filter(|lens| lens.hides()) {
        Some(lens) if rules.is_empty() => lens.write_shown(writer),
        Some(lens) => {
            write_rules(writer, rules);
            writer.push(" AND ");
            lens.write_shown(writer);
        }
        None => write_rules(writer, rules),
    }
}

/// Adds all rules.
pub(super) fn write_rules(writer: &mut Writer, rules: &[Rule]) {
    write_junction(writer, Junction::And, rules, &mut |writer, rule| write_rule(writer, rule));
}

/// Adds ` WHEN … THEN` the refusal for each check, to be put between `CASE` and `ELSE`. They are tried one after the
/// other.
///
/// `row` writes a query of one row, which then has the table's name; without it they are about the row at hand.
pub(super) fn write_refusals(
    writer: &mut Writer,
    table: &QualifiedName,
    checks: &[Check],
    row: Option<&dyn Fn(&mut Writer)>,
) {
    for Check { any, message } in checks {
        writer.push(" WHEN (");
        match row {
            None => write_alternatives(writer, any),
            Some(row) => {
                writer.push("SELECT ");
                write_alternatives(writer, any);
                writer.push(" FROM (");
                row(writer);
                writer.push(") AS ");
                Sqlite::table(writer, table);
            }
        }
        writer.push(") IS NOT TRUE THEN berth_refuse(").bind(Value::Text(message.clone())).push(")");
    }
}

/// Where a new row has the value of a column from.
#[derive(Debug, Clone, Copy)]
pub(super) enum From<'a> {
    /// A placeholder.
    Place(Place),
    /// The row that came and whose key is taken.
    Excluded,
    /// The row that is there.
    Existing(&'a QualifiedName),
    /// What it has when nothing is given.
    Absent,
}

/// Adds a query of one row: the columns that checks look at, and `others` before them. Generated columns are computed
/// from the rest, which stands in a query inside of this.
pub(super) fn write_row<'a>(
    writer: &mut Writer,
    table: &QualifiedName,
    others: &[(&str, From<'_>)],
    row: &'a [RowColumn],
    from: &dyn Fn(&'a str) -> From<'a>,
) {
    let generated = |column: &&RowColumn| matches!(column.absent, Absent::Generated(_));
    let has_generated = row.iter().any(|column| generated(&column));
    if has_generated {
        writer.push("SELECT ").identifier(&table.name).push(".*");
        for column in row {
            if let Absent::Generated(sql) = &column.absent {
                writer.push(", (").catalog_sql(sql).push("\n) AS ").identifier(&column.name);
            }
        }
        writer.push(" FROM (");
    }
    writer.push("SELECT ");
    let plain = row.iter().filter(|column| !generated(column)).map(|column| (column, from(&column.name)));
    let mut is_first = true;
    let mut separate = |writer: &mut Writer| {
        if !std::mem::take(&mut is_first) {
            writer.push(", ");
        }
    };
    for (name, from) in others {
        separate(writer);
        write_value(writer, name, *from, &Absent::Null);
        writer.push(" AS ").identifier(name);
    }
    for (column, from) in plain {
        separate(writer);
        // Compared as the column is.
        writer.push(if column.is_decimal { "CAST(" } else { "" });
        write_value(writer, &column.name, from, &column.absent);
        writer.push(if column.is_decimal { " AS TEXT) COLLATE decimal AS " } else { " AS " }).identifier(&column.name);
    }
    if is_first {
        writer.push(Sqlite::NO_COLUMNS);
    }
    if has_generated {
        writer.push(") AS ");
        Sqlite::table(writer, table);
    }
}

fn write_value(writer: &mut Writer, name: &str, from: From<'_>, absent: &Absent) {
    match (from, absent) {
        (From::Place(place), _) => _ = writer.reserved(place),
        (From::Excluded, _) => _ = writer.push("excluded.").identifier(name),
        (From::Existing(table), _) => _ = writer.identifier(&table.name).push(".").identifier(name),
        (From::Absent, Absent::Null | Absent::Generated(_)) => _ = writer.push("NULL"),
        (From::Absent, Absent::Default(sql) | Absent::Number(sql)) => {
            _ = writer.push("(").catalog_sql(sql).push("\n)");
        }
    }
}
