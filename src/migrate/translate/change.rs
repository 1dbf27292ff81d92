//! `INSERT`, `UPDATE` and `DELETE`, wherever they stand.

use sqlparser::ast::{
    Assignment, AssignmentTarget, ConflictTarget, Delete, Expr, FromTable, Ident, Insert, OnConflict, OnConflictAction,
    OnInsert, SelectItem, SetExpr, Statement, TableFactor, TableObject, TableWithJoins, Update, UpdateTableFromKind,
};

use super::decimal::held;
use super::query::Target;
use super::schema::Schema;
use super::scope::{Purpose, Scope, Source};
use super::{Refusal, name, refuse, types};
use crate::catalog::{Piece, Privilege, TypeKind, TypeName};

/// The table that a statement changes.
pub(super) struct Changed {
    pub(super) table: String,
    /// Its name in the statement.
    known_as: String,
}

impl Changed {
    /// `table`, with the name that it has in the statement.
    fn write(&self) -> String {
        let table = name::quote(&self.table);
        if self.known_as == self.table { table } else { format!("{table} AS {}", name::quote(&self.known_as)) }
    }

    /// Its columns, in the statement.
    fn source(&self, schema: &Schema) -> Source {
        match schema.relation(&self.table) {
            Some(table) => Source::of_table(&self.known_as, table),
            None => Source { table: Some(self.table.clone()), ..Source::of_query(&self.known_as, None, None) },
        }
    }
}

impl Scope<'_> {
    /// Writes a statement that changes rows: as several when the rows of an `INSERT` leave different columns to their
    /// defaults.
    pub(super) fn change(&self, statement: &Statement, target: Option<Target<'_>>) -> Result<Vec<String>, Refusal> {
        match statement {
            Statement::Insert(insert) => self.insert(insert, target),
            Statement::Update(update) => Ok(vec![self.update(update, target)?]),
            Statement::Delete(delete) => Ok(vec![self.delete(delete, target)?]),
            other => refuse(format!("a function cannot contain {other}")),
        }
    }

    fn insert(&self, insert: &Insert, target: Option<Target<'_>>) -> Result<Vec<String>, Refusal> {
        if !insert.assignments.is_empty() || insert.overwrite {
            return refuse("this form of INSERT is not supported");
        }
        let changed = self.changed_by_insert(insert)?;
        let columns: Vec<String> = insert.columns.iter().map(name::local).collect::<Result<_, _>>()?;
        let target_columns = columns_of(self.schema, &changed.table, &columns);
        self.note(&changed.table, Privilege::Insert, None);
        for (column, _) in &target_columns {
            self.note(&changed.table, Privilege::Insert, Some(column));
        }
        let into = format!("INSERT INTO {}", changed.write());
        let conflict = match &insert.on {
            None => String::new(),
            Some(OnInsert::OnConflict(conflict)) => self.on_conflict(&changed, conflict)?,
            Some(other) => return refuse(format!("{other} is not supported")),
        };
        let returning = self.returning(&changed, insert.returning.as_deref(), target)?;
        let made = self.made(insert.returning.is_some());
        let statements = match insert.source.as_deref() {
            None => vec![format!("{into} DEFAULT VALUES{conflict}{returning}{made}")],
            Some(query) => match query.body.as_ref() {
                SetExpr::Values(values) => {
                    let filled = Filled { scope: self, columns: target_columns };
                    let rows: Vec<&[Expr]> = values.rows.iter().map(|row| row.content.as_slice()).collect();
                    let written = filled.values(&rows)?;
                    written.into_iter().map(|values| format!("{into}{values}{conflict}{returning}{made}")).collect()
                }
                _ => {
                    let types: Vec<TypeName> = target_columns.into_iter().map(|(_, type_name)| type_name).collect();
                    let target = Target { types: &types, is_row: false };
                    // SQLite would read ON CONFLICT as a join's condition without a WHERE before it.
                    let query = self.query_into(query, Some(target))?;
                    let query = if conflict.is_empty() { query } else { format!("SELECT * FROM ({query}) WHERE true") };
                    vec![format!("{into}{} {query}{conflict}{returning}{made}", listed(&columns))]
                }
            },
        };
        match statements.as_slice() {
            [_] => Ok(statements),
            _ if returning.is_empty() => Ok(statements),
            _ => refuse("rows that leave different columns to their defaults cannot be given back together"),
        }
    }

    fn on_conflict(&self, changed: &Changed, conflict: &OnConflict) -> Result<String, Refusal> {
        let table = &changed.table;
        let mut scope = self.inner();
        scope.add(changed.source(self.schema));
        let mut sql = " ON CONFLICT".to_owned();
        match &conflict.conflict_target {
            None => {}
            Some(ConflictTarget::Columns { columns, predicate }) => {
                let columns: Vec<String> = columns.iter().map(name::fold).collect();
                columns.iter().for_each(|column| self.note(table, Privilege::Select, Some(column)));
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
                key.columns.iter().for_each(|column| self.note(table, Privilege::Select, Some(column)));
                sql += &format!(" ({})", name::quote_all(&key.columns));
            }
        }
        match &conflict.action {
            OnConflictAction::DoNothing => sql += " DO NOTHING",
            OnConflictAction::DoUpdate(update) => {
                // What was to be inserted.
                scope.add(Source { table: None, known_as: "excluded".to_owned(), ..changed.source(self.schema) });
                sql += &format!(" DO UPDATE SET {}", scope.assignments(table, &update.assignments)?);
                if let Some(selection) = &update.selection {
                    sql += &format!(" WHERE {}", scope.write(selection)?);
                }
            }
        }
        Ok(sql)
    }

    fn update(&self, update: &Update, target: Option<Target<'_>>) -> Result<String, Refusal> {
        if !update.table.joins.is_empty() || update.limit.is_some() {
            return refuse("this form of UPDATE is not supported");
        }
        let changed = self.changed(&update.table)?;
        let mut scope = self.inner();
        scope.add(changed.source(self.schema));
        let from = match &update.from {
            None => String::new(),
            Some(UpdateTableFromKind::AfterSet(tables) | UpdateTableFromKind::BeforeSet(tables)) => {
                scope.read_all(tables)?;
                format!(" FROM {}", scope.tables(tables)?)
            }
        };
        let assignments = scope.assignments(&changed.table, &update.assignments)?;
        let written = update.selection.as_ref().map(|selection| scope.write(selection)).transpose()?;
        let condition = self.condition(written, &changed, update.from.is_some());
        let returning = self.returning(&changed, update.returning.as_deref(), target)?;
        let made = self.made(update.returning.is_some());
        Ok(format!("UPDATE {} SET {assignments}{from}{condition}{returning}{made}", changed.write()))
    }

    /// SQLite has no `USING`: the rows beside a row are looked for.
    fn delete(&self, delete: &Delete, target: Option<Target<'_>>) -> Result<String, Refusal> {
        let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
        let ([table], None) = (tables.as_slice(), &delete.limit) else {
            return refuse("this form of DELETE is not supported");
        };
        let changed = self.changed(table)?;
        self.note(&changed.table, Privilege::Delete, None);
        let mut scope = self.inner();
        scope.add(changed.source(self.schema));
        let written = match &delete.using {
            None => delete.selection.as_ref().map(|selection| scope.write(selection)).transpose()?,
            Some(tables) => {
                scope.read_all(tables)?;
                let tables = scope.tables(tables)?;
                let selection = delete.selection.as_ref().map(|selection| scope.write(selection)).transpose()?;
                let selection = selection.map(|selection| format!(" WHERE {selection}")).unwrap_or_default();
                Some(format!("EXISTS (SELECT 1 FROM {tables}{selection})"))
            }
        };
        let condition = self.condition(written, &changed, false);
        let returning = self.returning(&changed, delete.returning.as_deref(), target)?;
        Ok(format!("DELETE FROM {}{condition}{returning}", changed.write()))
    }

    /// Writes ` WHERE …`, in a function with a place for what must hold besides. `is_joined`: the names of columns may
    /// be those of other tables.
    fn condition(&self, written: Option<String>, changed: &Changed, is_joined: bool) -> String {
        if self.purpose != Purpose::Template {
            return written.map(|written| format!(" WHERE {written}")).unwrap_or_default();
        }
        let is_known = !is_joined && changed.known_as == changed.table;
        let existing = Piece::Existing { known_as: (!is_known).then(|| changed.known_as.clone()) }.to_text();
        match written {
            Some(written) => format!(" WHERE ({written}){existing}"),
            None => format!(" WHERE TRUE{existing}"),
        }
    }

    /// In a function: a place for what must hold of the rows that are made.
    fn made(&self, returning: bool) -> String {
        match self.purpose {
            Purpose::Template => Piece::Made { returning }.to_text(),
            Purpose::File | Purpose::View => String::new(),
        }
    }

    /// The table that a statement changes; `None` for a query.
    pub(super) fn changed_by(&self, statement: &Statement) -> Result<Option<Changed>, Refusal> {
        match statement {
            Statement::Insert(insert) => self.changed_by_insert(insert).map(Some),
            Statement::Update(update) => self.changed(&update.table).map(Some),
            Statement::Delete(delete) => {
                let (FromTable::WithFromKeyword(tables) | FromTable::WithoutKeyword(tables)) = &delete.from;
                tables.first().map(|table| self.changed(table)).transpose()
            }
            _ => Ok(None),
        }
    }

    fn changed_by_insert(&self, insert: &Insert) -> Result<Changed, Refusal> {
        let TableObject::TableName(table) = &insert.table else { return refuse("INSERT goes into a table") };
        let table = name::local(table)?;
        self.schema.require_relation(&table)?;
        let known_as = insert.table_alias.as_ref().map_or_else(|| table.clone(), |alias| name::fold(&alias.alias));
        Ok(Changed { table, known_as })
    }

    fn changed(&self, table: &TableWithJoins) -> Result<Changed, Refusal> {
        let TableFactor::Table { name: of, alias, .. } = &table.relation else { return refuse("expected a table") };
        let table = name::local(of)?;
        self.schema.require_relation(&table)?;
        let known_as = alias.as_ref().map_or_else(|| table.clone(), |alias| name::fold(&alias.name));
        Ok(Changed { table, known_as })
    }

    /// Writes ` RETURNING …`. SQLite knows the table there by no name but its own.
    fn returning(
        &self,
        changed: &Changed,
        items: Option<&[SelectItem]>,
        target: Option<Target<'_>>,
    ) -> Result<String, Refusal> {
        let Some(items) = items else { return Ok(String::new()) };
        let mut scope = self.inner();
        scope.enter(Vec::new());
        scope.add(changed.returned(self.schema));
        Ok(format!(" RETURNING {}", scope.items(items, &[], target)?))
    }

    /// The columns that `RETURNING` gives.
    pub(super) fn output_of_returning(&self, statement: &Statement) -> Result<Option<Vec<super::Column>>, Refusal> {
        let (Some(changed), Some(items)) = (self.changed_by(statement)?, returned(statement)) else { return Ok(None) };
        let mut scope = self.inner();
        scope.enter(Vec::new());
        scope.add(changed.returned(self.schema));
        scope.output_of_items(items)
    }

    fn assignments(&self, table: &str, assignments: &[Assignment]) -> Result<String, Refusal> {
        let mut written = Vec::with_capacity(assignments.len());
        for assignment in assignments {
            match (&assignment.target, &assignment.value) {
                (AssignmentTarget::ColumnName(column), value) => {
                    written.push(self.assignment(table, column, value)?);
                }
                (AssignmentTarget::Tuple(columns), Expr::Tuple(values)) if columns.len() == values.len() => {
                    for (column, value) in columns.iter().zip(values) {
                        written.push(self.assignment(table, column, value)?);
                    }
                }
                (AssignmentTarget::Tuple(_), _) => {
                    return refuse("a list of columns on the left of = takes a list of values");
                }
            }
        }
        Ok(written.join(", "))
    }

    fn assignment(&self, table: &str, column: &sqlparser::ast::ObjectName, value: &Expr) -> Result<String, Refusal> {
        let column = name::parts(column)?.pop().unwrap_or_default();
        self.note(table, Privilege::Update, Some(&column));
        let types = types_of(self.schema, table, std::slice::from_ref(&column));
        if is_default(value) {
            return refuse("DEFAULT is not supported in UPDATE");
        }
        let value = self.assigned(value, types.first().unwrap_or(&untyped()))?;
        Ok(format!("{} = {value}", name::quote(&column)))
    }
}

impl Changed {
    /// Its columns, in `RETURNING`.
    fn returned(&self, schema: &Schema) -> Source {
        let mut source = self.source(schema);
        let table = name::quote(&self.table);
        let write = |column: &super::Column| (column.name.clone(), format!("{table}.{}", name::quote(&column.name)));
        source.written = source.columns.iter().flatten().map(write).collect();
        source
    }
}

/// What `RETURNING` asks for.
pub(super) fn returned(statement: &Statement) -> Option<&[SelectItem]> {
    match statement {
        Statement::Insert(Insert { returning, .. })
        | Statement::Update(Update { returning, .. })
        | Statement::Delete(Delete { returning, .. }) => returning.as_deref(),
        _ => None,
    }
}

pub(super) fn types_of(schema: &Schema, table: &str, columns: &[String]) -> Vec<TypeName> {
    let Some(table) = schema.table(table) else { return Vec::new() };
    let of = |column: &super::Column| held(types::type_name(types::base(&column.declared, &schema.types)));
    if columns.is_empty() {
        return table.columns.iter().map(of).collect();
    }
    columns.iter().map(|column| table.column(column).map_or_else(untyped, of)).collect()
}

/// The type of a column that berth has no model of: a value goes there as it is written.
pub(super) fn untyped() -> TypeName {
    TypeName { declared: String::new(), kind: TypeKind::Any }
}

/// The columns that values go to: those that were named, else all.
fn columns_of(schema: &Schema, table: &str, named: &[String]) -> Vec<(String, TypeName)> {
    let types = types_of(schema, table, named);
    let names = match schema.relation(table) {
        Some(table) if named.is_empty() => table.columns.iter().map(|column| column.name.clone()).collect(),
        Some(_) | None => named.to_vec(),
    };
    names.into_iter().zip(types.into_iter().chain(std::iter::repeat_with(untyped))).collect()
}

pub(super) fn listed(columns: &[String]) -> String {
    if columns.is_empty() { String::new() } else { format!(" ({})", name::quote_all(columns)) }
}

/// Where the rows of `VALUES` go.
struct Filled<'a, 'b> {
    scope: &'a Scope<'b>,
    columns: Vec<(String, TypeName)>,
}

impl Filled<'_, '_> {
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
