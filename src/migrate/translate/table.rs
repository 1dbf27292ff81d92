//! `CREATE TABLE` and `CREATE VIEW` → the model; columns, wherever they are declared.

use std::collections::BTreeSet;

use sqlparser::ast::{ColumnDef, ColumnOption, CreateTable, CreateTableOptions, CreateView, Expr, GeneratedAs};

use super::constraint::{self, Place};
use super::expression::Functions;
use super::model::{Column, Identity, IdentityKind, Nullability, Table};
use super::schema::Schema;
use super::scope::{Purpose, Scope};
use super::view::{self, Rights};
use super::{Refusal, Translator, cast, name, refuse, render, types};

impl Translator<'_> {
    pub(super) fn create_table(&mut self, create: &CreateTable) -> Result<(), Refusal> {
        let name = name::local(&create.name)?;
        if let Some(clause) = unsupported_clause(create) {
            return refuse(format!("{clause} is not supported"));
        }
        if self.schema.has_relation(&name) {
            let exists = refuse(format!("relation \"{name}\" already exists"));
            return if create.if_not_exists { Ok(()) } else { exists };
        }
        let mut table = Table::new(name.clone());
        for column in &create.columns {
            add_column(&mut table, column, self.schema)?;
        }
        for constraint in &create.constraints {
            constraint::add(&mut table, constraint, Place::Table)?;
        }
        self.put_table(table)?;
        self.will_create(&name);
        self.begin_counting(&name, &create.columns)?;
        self.grant_defaults(&name);
        Ok(())
    }

    /// Takes a table in, after a look whether it can be written: a fault belongs to the statement at hand.
    pub(super) fn put_table(&mut self, table: Table) -> Result<(), Refusal> {
        let faulty = table.foreign_keys.iter().flat_map(|key| &key.columns).find(|name| table.column(name).is_none());
        let keys = table.primary_key.iter().chain(&table.unique).flat_map(|key| &key.columns);
        if let Some(column) = keys.into_iter().find(|name| table.column(name).is_none()).or(faulty) {
            return refuse(format!("column \"{column}\" named in key does not exist"));
        }
        self.check_references(&table)?;
        render::table(&table, &table.name, self.schema)?;
        render::indexes(&table, self.schema)?;
        self.schema.tables.insert(table.name.clone(), table);
        Ok(())
    }

    /// Refuses foreign keys to what is not there, or is no key: SQLite would not look before the first row comes.
    fn check_references(&self, table: &Table) -> Result<(), Refusal> {
        for key in &table.foreign_keys {
            let to = &key.references;
            let referenced = if *to == table.name { Some(table) } else { self.schema.tables.get(to) };
            let Some(referenced) = referenced else {
                // What the file had before is not known so well.
                if self.schema.has_relation(to) {
                    continue;
                }
                return refuse(format!("relation \"{to}\" does not exist"));
            };
            if key.references_columns.is_empty() {
                match &referenced.primary_key {
                    Some(primary) if primary.columns.len() == key.columns.len() => continue,
                    Some(_) => {
                        return refuse("number of referencing and referenced columns for foreign key disagree");
                    }
                    None => return refuse(format!("there is no primary key for referenced table \"{to}\"")),
                }
            }
            if let Some(column) = key.references_columns.iter().find(|name| referenced.column(name).is_none()) {
                return refuse(format!("column \"{column}\" referenced in foreign key constraint does not exist"));
            }
            if !referenced.has_key_of(&key.references_columns) {
                return refuse(format!(
                    "there is no unique constraint matching given keys for referenced table \"{to}\""
                ));
            }
        }
        Ok(())
    }

    pub(super) fn create_view(&mut self, create: &CreateView) -> Result<(), Refusal> {
        let name = name::local(&create.name)?;
        if create.materialized || create.temporary {
            return refuse("only plain views are supported");
        }
        let options = match &create.options {
            CreateTableOptions::None => &[],
            CreateTableOptions::With(options) | CreateTableOptions::Options(options) => options.as_slice(),
            CreateTableOptions::Plain(_) | CreateTableOptions::TableProperties(_) => {
                return refuse("options of views are not supported");
            }
        };
        let view::Options { rights, check } = view::options(options)?;
        let replaces = self.schema.views.contains_key(&name);
        if self.schema.has_relation(&name) && !(replaces && (create.or_replace || create.if_not_exists)) {
            return refuse(format!("relation \"{name}\" already exists"));
        }
        if replaces && create.if_not_exists {
            return Ok(());
        }
        let mut scope = Scope::new(self.schema);
        scope.functions.set(Functions::Served);
        if rights != Some(Rights::Invoker) {
            scope.purpose = Purpose::View;
        }
        let query = scope.query(&create.query)?;
        let mut view = Table::new(name.clone());
        view.columns = scope.output(&create.query)?.unwrap_or_default();
        let columns: Vec<String> = create.columns.iter().map(|column| name::fold(&column.name)).collect();
        let columns = if columns.is_empty() { String::new() } else { format!(" ({})", name::quote_all(&columns)) };
        for (column, renamed) in view.columns.iter_mut().zip(&create.columns) {
            column.name = name::fold(&renamed.name);
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = view.columns.iter().find(|column| !names.insert(&column.name)) {
            return refuse(format!("column \"{}\" specified more than once", twice.name));
        }
        if replaces {
            self.execute(format!("DROP VIEW {}", name::quote(&name)));
        }
        self.execute(format!("CREATE VIEW {}{columns} AS {query}", name::quote(&name)));
        self.schema.foreign_views.remove(&name);
        self.schema.views.insert(name.clone(), view);
        self.set_rights(&name, rights.unwrap_or(Rights::Owner));
        self.set_check_option(&name, check.as_deref())?;
        // A view that takes the place of another keeps what that one was granted.
        if !replaces {
            self.grant_defaults(&name);
        }
        Ok(())
    }
}

fn unsupported_clause(create: &CreateTable) -> Option<&'static str> {
    [
        (create.temporary, "a temporary table"),
        (create.query.is_some(), "CREATE TABLE … AS"),
        (create.like.is_some(), "LIKE"),
        (create.inherits.is_some(), "INHERITS"),
        (create.partition_by.is_some() || create.partition_of.is_some(), "partitioning"),
    ]
    .into_iter()
    .find_map(|(is_there, clause)| is_there.then_some(clause))
}

/// Adds a column with the constraints that stand beside it.
pub(super) fn add_column(table: &mut Table, definition: &ColumnDef, schema: &Schema) -> Result<(), Refusal> {
    let name = name::fold(&definition.name);
    if table.column(&name).is_some() {
        return refuse(format!("column \"{name}\" specified more than once"));
    }
    let mut column = Column::plain(name.clone(), types::declared(&definition.data_type, &schema.types)?);
    if types::is_serial(&definition.data_type) {
        column.nullability = Nullability::NotNull;
        column.identity = Some(identity(table, &name, IdentityKind::ByDefault, None));
    }
    let mut constraints = Vec::new();
    for option in &definition.options {
        match &option.option {
            ColumnOption::Null => {}
            ColumnOption::NotNull => column.nullability = Nullability::NotNull,
            ColumnOption::Default(value) => set_default(&mut column, value),
            ColumnOption::Generated { generated_as, generation_expr: Some(expression), .. }
                if *generated_as != GeneratedAs::ByDefault =>
            {
                column.generated = Some(expression.to_string());
            }
            ColumnOption::Generated { generated_as, .. } => {
                column.nullability = Nullability::NotNull;
                column.identity = Some(identity(table, &name, identity_kind(generated_as), None));
            }
            ColumnOption::PrimaryKey(_)
            | ColumnOption::Unique(_)
            | ColumnOption::ForeignKey(_)
            | ColumnOption::Check(_) => {
                constraints.push(option);
            }
            ColumnOption::Collation(collation) => match name::parts(collation)?.last().map(String::as_str) {
                Some("C" | "POSIX" | "default" | "ucs_basic") => {}
                _ => return refuse(format!("the collation {collation} is not supported")),
            },
            other => return refuse(format!("{other} is not supported")),
        }
    }
    table.columns.push(column);
    for option in constraints {
        constraint::add_beside(table, &name, option)?;
    }
    Ok(())
}

/// Sets a default; one that counts makes the column an identity.
pub(super) fn set_default(column: &mut Column, value: &Expr) {
    match next_of(value) {
        Some(sequence) => column.identity = Some(Identity { kind: IdentityKind::ByDefault, sequence }),
        None => column.default = Some(value.to_string()),
    }
}

/// The sequence of `nextval('…')`.
pub(super) fn next_of(value: &Expr) -> Option<String> {
    let Expr::Function(call) = value else { return None };
    if super::function::name_of(call).ok()? != "nextval" {
        return None;
    }
    cast::sequence_name(super::function::arguments(call).ok()?.first()?)
}

pub(super) fn identity_kind(generated: &GeneratedAs) -> IdentityKind {
    match generated {
        GeneratedAs::Always => IdentityKind::Always,
        GeneratedAs::ByDefault | GeneratedAs::ExpStored => IdentityKind::ByDefault,
    }
}

/// An identity with the name that Postgres gives its sequence, unless it was given one.
pub(super) fn identity(table: &Table, column: &str, kind: IdentityKind, sequence: Option<String>) -> Identity {
    Identity { kind, sequence: sequence.unwrap_or_else(|| format!("{}_{column}_seq", table.name)) }
}
