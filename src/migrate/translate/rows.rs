//! Statements of a script that touch rows: `INSERT`, `UPDATE`, `DELETE`, `TRUNCATE` and `COPY`.

use sqlparser::ast::{CopyOption, CopySource, CopyTarget, Statement, Truncate};

use super::change::{listed, returned, types_of, untyped};
use super::expression::Functions;
use super::literal::Literal;
use super::scope::Scope;
use super::{Refusal, Translator, name, refuse};
use crate::catalog::TypeName;

/// Rows that one `INSERT` of a `COPY` holds: enough to be quick, few enough for SQLite's bound on a statement.
const COPY_ROWS: usize = 200;

impl Translator<'_> {
    /// `INSERT`, `UPDATE` and `DELETE`.
    pub(super) fn change_rows(&mut self, statement: &Statement) -> Result<(), Refusal> {
        if returned(statement).is_some() {
            return refuse("RETURNING has no one to return to");
        }
        let scope = Scope::new(self.schema);
        scope.functions.set(Functions::Served);
        let statements = scope.change(statement, None)?;
        self.flush()?;
        statements.into_iter().for_each(|statement| self.execute(statement));
        Ok(())
    }

    pub(super) fn truncate(&mut self, truncate: &Truncate) -> Result<(), Refusal> {
        let tables: Vec<String> =
            truncate.table_names.iter().map(|target| name::local(&target.name)).collect::<Result<_, _>>()?;
        for table in tables {
            self.schema.require_relation(&table)?;
            self.flush()?;
            self.execute(format!("DELETE FROM {}", name::quote(&table)));
        }
        Ok(())
    }

    pub(super) fn copy(
        &mut self,
        source: &CopySource,
        target: &CopyTarget,
        options: &[CopyOption],
        rows: Option<&str>,
    ) -> Result<(), Refusal> {
        let (CopySource::Table { table_name, columns }, CopyTarget::Stdin, Some(rows)) = (source, target, rows) else {
            return refuse("of COPY only FROM stdin, with the rows after it, is supported");
        };
        if !options.is_empty() {
            return refuse("of COPY only the text format without options is supported");
        }
        let table = name::local(table_name)?;
        self.schema.require_relation(&table)?;
        self.flush()?;
        let columns: Vec<String> = columns.iter().map(name::fold).collect();
        let types = types_of(self.schema, &table, &columns);
        let listed = listed(&columns);
        let lines: Vec<&str> = rows.lines().collect();
        for chunk in lines.chunks(COPY_ROWS) {
            let values: Vec<String> = chunk.iter().map(|line| copied_row(line, &types)).collect::<Result<_, _>>()?;
            self.execute(format!("INSERT INTO {}{listed} VALUES {}", name::quote(&table), values.join(", ")));
        }
        Ok(())
    }
}

/// A line of `COPY` in the text format. `types`: those of the columns, as far as they are known.
///
/// Source: <https://www.postgresql.org/docs/current/sql-copy.html>, "File Formats".
fn copied_row(line: &str, types: &[TypeName]) -> Result<String, Refusal> {
    let values = line.split('\t').enumerate().map(|(at, field)| {
        if field == "\\N" {
            return Ok("NULL".to_owned());
        }
        Ok(Literal::Text(unescape(field)).stored(types.get(at).unwrap_or(&untyped()))?.to_sql())
    });
    Ok(format!("({})", values.collect::<Result<Vec<_>, Refusal>>()?.join(", ")))
}

fn unescape(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        text.push(match characters.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\u{b}',
            Some(other) => other,
            None => '\\',
        });
    }
    text
}
