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
        let mut into = format!("INSERT INTO {}", name::quote(&table));
        if let Some(alias) = &insert.table_alias {
            into += &format!(" AS {}", name::quote(&name::fold(&alias.alias)));
        }
        let conflict = match &insert.on {
            None => String::new(),
            Some(OnInsert::OnConflict(conflict)) => self.on_conflict(&table, conflict)?,
            Some(other) => return refuse(format!("{other} is not supported")),
        };
        let scope = Scope::new(self.schema);
        let statements = match insert.source.as_deref() {
            None => vec![format!("{into} DEFAULT VALUES{conflict}")],
            Some(query) => match query.body.as_ref() {
                SetExpr::Values(values) => {
                    let target = Target { scope: &scope, columns: columns_of(self.schema, &table, &columns) };
                    let rows: Vec<&[Expr]> = values.rows.iter().map(|row| row.content.as_slice()).collect();
                    let written = target.values(&rows)?;
                    written.into_iter().map(|values| format!("{into}{values}{conflict}")).collect()
                }
                _ => {
                    let listed = listed(&columns);
                    // SQLite would read ON CONFLICT as a join's condition without a WHERE before it.
                    let query = match insert.on {
                        Some(_) => format!("SELECT * FROM ({}) WHERE true", scope.query(query)?),
                        None => scope.query(query)?,
                    };
                    vec![format!("{into}{listed} {query}{conflict}")]
                }
            },
        };
        for statement in statements {
            self.execute(statement);
        }
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
        let listed = listed(&columns);
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

/// The columns that values go to: those that were named, else all.
fn columns_of(schema: &Schema, table: &str, named: &[String]) -> Vec<(String, TypeName)> {
    let types = types_of(schema, table, named);
    let names = match schema.table(table) {
        Some(table) if named.is_empty() => table.columns.iter().map(|column| column.name.clone()).collect(),
        Some(_) | None => named.to_vec(),
    };
    names.into_iter().zip(types.into_iter().chain(std::iter::repeat_with(untyped))).collect()
}

fn listed(columns: &[String]) -> String {
    if columns.is_empty() { String::new() } else { format!(" ({})", name::quote_all(columns)) }
}

/// Where the rows of `VALUES` go.
struct Target<'a> {
    scope: &'a Scope<'a>,
    columns: Vec<(String, TypeName)>,
}

impl Target<'_> {
    /// What follows `INSERT INTO table`: rows that fill the same columns share a statement, for a column whose value
    /// is `DEFAULT`, or missing at a row's end, is one that SQLite must not see named.
    fn values(&self, rows: &[&[Expr]]) -> Result<Vec<String>, Refusal> {
        let mut statements = Vec::new();
        for group in rows.chunk_by(|one, other| filled(one) == filled(other)) {
            let Some(places) = group.first().map(|row| filled(row)) else { continue };
            let names: Vec<String> = places.iter().map(|place| self.column(*place).0).collect();
            if places.is_empty() {
                statements.extend(group.iter().map(|_| " DEFAULT VALUES".to_owned()));
                continue;
            }
            let columns = if self.columns.is_empty() { String::new() } else { listed(&names) };
            let rows = group.iter().map(|row| self.row(row)).collect::<Result<Vec<_>, _>>()?;
            statements.push(format!("{columns} VALUES {}", rows.join(", ")));
        }
        Ok(statements)
    }

    fn row(&self, values: &[Expr]) -> Result<String, Refusal> {
        let too_many = !self.columns.is_empty() && values.len() > self.columns.len();
        if too_many {
            return refuse("INSERT has more expressions than target columns");
        }
        let written = filled(values).into_iter().map(|place| match values.get(place) {
            Some(value) => self.scope.assigned(value, &self.column(place).1),
            None => Ok("NULL".to_owned()),
        });
        Ok(format!("({})", written.collect::<Result<Vec<_>, _>>()?.join(", ")))
    }

    fn column(&self, place: usize) -> (String, TypeName) {
        self.columns.get(place).cloned().unwrap_or_else(|| (String::new(), untyped()))
    }
}

/// Places of the values that are written out.
fn filled(values: &[Expr]) -> Vec<usize> {
    values.iter().enumerate().filter(|(_, value)| !is_default(value)).map(|(place, _)| place).collect()
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
