//! Statements that touch rows: `INSERT`, `UPDATE`, `DELETE`, `TRUNCATE` and `COPY`.

use sqlparser::ast::{
    Assignment, AssignmentTarget, ConflictTarget, CopyOption, CopySource, CopyTarget, Delete, Expr, FromTable, Ident,
    Insert, OnConflict, OnConflictAction, OnInsert, SetExpr, TableFactor, TableObject, TableWithJoins, Truncate,
    Update,
};

use super::expression::Scope;
use super::literal::Literal;
use super::model::Column;
use super::schema::Schema;
use super::{Refusal, Translator, name, refuse, types};
use crate::catalog::{TypeKind, TypeName};

/// Rows that one `INSERT` of a `COPY` holds: enough to be quick, few enough for SQLite's bound on a statement.
const COPY_ROWS: usize = 200;

/// Types of the columns that values go to; empty where they are not known.
type Types = Vec<TypeName>;

impl Translator<'_> {
    pub(super) fn insert(&mut self, insert: &Insert) -> Result<(), Refusal> {
        let TableObject::TableName(table) = &insert.table else { return refuse("INSERT goes into a table") };
        let table = name::local(table)?;
        self.schema.require_relation(&table)?;
        if insert.returning.is_some() || !insert.assignments.is_empty() || insert.overwrite {
            return refuse("RETURNING has no one to return to");
        }
        self.flush()?;
        let columns: Vec<String> = insert.columns.iter().map(name::local).collect::<Result<_, _>>()?;
        let types = types_of(self.schema, &table, &columns);
        let mut sql = format!("INSERT INTO {}", name::quote(&table));
        if let Some(alias) = &insert.table_alias {
            sql += &format!(" AS {}", name::quote(&name::fold(&alias.alias)));
        }
        if !columns.is_empty() {
            sql += &format!(" ({})", name::quote_all(&columns));
        }
        let scope = Scope::new(self.schema);
        sql += &match insert.source.as_deref() {
            None => " DEFAULT VALUES".to_owned(),
            Some(query) => match query.body.as_ref() {
                SetExpr::Values(values) => {
                    let rows = values.rows.iter().map(|row| values_row(&scope, &row.content, &types));
                    format!(" VALUES {}", rows.collect::<Result<Vec<_>, _>>()?.join(", "))
                }
                // SQLite would read ON CONFLICT as a join's condition without a WHERE before it.
                _ if insert.on.is_some() => format!(" SELECT * FROM ({}) WHERE true", scope.query(query)?),
                _ => format!(" {}", scope.query(query)?),
            },
        };
        match &insert.on {
            None => {}
            Some(OnInsert::OnConflict(conflict)) => sql += &self.on_conflict(&table, conflict)?,
            Some(other) => return refuse(format!("{other} is not supported")),
        }
        self.execute(sql);
        Ok(())
    }

    fn on_conflict(&self, table: &str, conflict: &OnConflict) -> Result<String, Refusal> {
        let scope = self.scope_of(table);
        let mut sql = " ON CONFLICT".to_owned();
        match &conflict.conflict_target {
            None => {}
            Some(ConflictTarget::Columns { columns, predicate }) => {
                let columns: Vec<String> = columns.iter().map(name::fold).collect();
                sql += &format!(" ({})", name::quote_all(&columns));
                if let Some(predicate) = predicate {
                    sql += &format!(" WHERE {}", scope.write(predicate)?);
                }
            }
            Some(ConflictTarget::OnConstraint(constraint)) => {
                let constraint = name::local(constraint)?;
                let model = self.schema.table(table);
                let key = model
                    .and_then(|model| model.primary_key.iter().chain(&model.unique).find(|key| key.name == constraint));
                let Some(key) = key else {
                    return refuse(format!("constraint \"{constraint}\" for table \"{table}\" does not exist"));
                };
                sql += &format!(" ({})", name::quote_all(&key.columns));
            }
        }
        match &conflict.action {
            OnConflictAction::DoNothing => sql += " DO NOTHING",
            OnConflictAction::DoUpdate(update) => {
                sql += &format!(" DO UPDATE SET {}", self.assignments(table, &scope, &update.assignments)?);
                if let Some(selection) = &update.selection {
                    sql += &format!(" WHERE {}", scope.write(selection)?);
                }
            }
        }
        Ok(sql)
    }

    pub(super) fn update(&mut self, update: &Update) -> Result<(), Refusal> {
        if update.from.is_some() || update.returning.is_some() || !update.table.joins.is_empty() {
            return refuse("UPDATE with FROM or RETURNING is not supported");
        }
        let (table, alias) = self.target(&update.table)?;
        self.flush()?;
        let scope = self.scope_of(&table);
        let mut sql = format!(
            "UPDATE {}{alias} SET {}",
            name::quote(&table),
            self.assignments(&table, &scope, &update.assignments)?
        );
        if let Some(selection) = &update.selection {
            sql += &format!(" WHERE {}", scope.write(selection)?);
        }
        self.execute(sql);
        Ok(())
    }

    pub(super) fn delete(&mut self, delete: &Delete) -> Result<(), Refusal> {
        let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
        let ([table], None, None) = (tables.as_slice(), &delete.using, &delete.returning) else {
            return refuse("DELETE with USING or RETURNING is not supported");
        };
        let (table, alias) = self.target(table)?;
        self.flush()?;
        let mut sql = format!("DELETE FROM {}{alias}", name::quote(&table));
        if let Some(selection) = &delete.selection {
            sql += &format!(" WHERE {}", self.scope_of(&table).write(selection)?);
        }
        self.execute(sql);
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
        let listed = if columns.is_empty() { String::new() } else { format!(" ({})", name::quote_all(&columns)) };
        let lines: Vec<&str> = rows.lines().collect();
        for chunk in lines.chunks(COPY_ROWS) {
            let values: Vec<String> = chunk.iter().map(|line| copied_row(line, &types)).collect::<Result<_, _>>()?;
            self.execute(format!("INSERT INTO {}{listed} VALUES {}", name::quote(&table), values.join(", ")));
        }
        Ok(())
    }

    fn target(&self, table: &TableWithJoins) -> Result<(String, String), Refusal> {
        let TableFactor::Table { name: of, alias, .. } = &table.relation else { return refuse("expected a table") };
        let table = name::local(of)?;
        self.schema.require_relation(&table)?;
        let alias = alias.as_ref().map(|alias| format!(" AS {}", name::quote(&name::fold(&alias.name))));
        Ok((table, alias.unwrap_or_default()))
    }

    fn scope_of(&self, table: &str) -> Scope<'_> {
        let mut scope = Scope::new(self.schema);
        if let Some(table) = self.schema.table(table) {
            scope.add(&table.name, table);
        }
        scope
    }

    fn assignments(&self, table: &str, scope: &Scope<'_>, assignments: &[Assignment]) -> Result<String, Refusal> {
        let written = assignments.iter().map(|assignment| {
            let AssignmentTarget::ColumnName(column) = &assignment.target else {
                return refuse("a list of columns on the left of = is not supported");
            };
            let column = name::parts(column)?.pop().unwrap_or_default();
            let types = types_of(self.schema, table, std::slice::from_ref(&column));
            if is_default(&assignment.value) {
                return refuse("DEFAULT is not supported in UPDATE");
            }
            let value = scope.assigned(&assignment.value, types.first().unwrap_or(&untyped()))?;
            Ok(format!("{} = {value}", name::quote(&column)))
        });
        Ok(written.collect::<Result<Vec<_>, _>>()?.join(", "))
    }
}

fn types_of(schema: &Schema, table: &str, columns: &[String]) -> Types {
    let Some(table) = schema.table(table) else { return Types::new() };
    let of = |column: &Column| types::type_name(types::base(&column.declared, &schema.types));
    if columns.is_empty() {
        return table.columns.iter().map(of).collect();
    }
    columns.iter().map(|column| table.column(column).map_or_else(untyped, of)).collect()
}

/// The type of a column that berth has no model of: a value goes there as it is written.
fn untyped() -> TypeName {
    TypeName { declared: String::new(), kind: TypeKind::Any }
}

fn values_row(scope: &Scope<'_>, values: &[Expr], types: &Types) -> Result<String, Refusal> {
    let written = values.iter().enumerate().map(|(at, value)| {
        if is_default(value) {
            return refuse("DEFAULT among values is not supported: leave the column out");
        }
        scope.assigned(value, types.get(at).unwrap_or(&untyped()))
    });
    Ok(format!("({})", written.collect::<Result<Vec<_>, _>>()?.join(", ")))
}

fn is_default(value: &Expr) -> bool {
    let is = |ident: &Ident| ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("default");
    matches!(value, Expr::Identifier(ident) if is(ident))
}

/// A line of `COPY` in the text format.
///
/// Source: <https://www.postgresql.org/docs/current/sql-copy.html>, "File Formats".
fn copied_row(line: &str, types: &Types) -> Result<String, Refusal> {
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
