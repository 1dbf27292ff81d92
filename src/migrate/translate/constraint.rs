//! Constraints → the model, named as PostgreSQL names them.

use sqlparser::ast::{
    CheckConstraint, ColumnOption, ColumnOptionDef, ConstraintCharacteristics, ConstraintReferenceMatchKind,
    DeferrableInitial, Expr, ForeignKeyConstraint, Ident, IndexColumn, NullsDistinctOption, TableConstraint,
};

use super::model::{Check, ForeignKey, Key, Nullability, Table};
use super::{Refusal, name, refuse};

/// Where a constraint is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// Among the columns of the table, or in `ALTER TABLE`.
    Table,
    /// Beside a column.
    Column(&'a str),
}

/// Adds a constraint.
pub(super) fn add(table: &mut Table, constraint: &TableConstraint, place: Place<'_>) -> Result<(), Refusal> {
    match constraint {
        TableConstraint::PrimaryKey(key) => {
            refuse_deferred(key.characteristics.as_ref())?;
            add_primary_key(table, key.name.as_ref(), columns(&key.columns, place)?)
        }
        TableConstraint::Unique(key) => {
            refuse_deferred(key.characteristics.as_ref())?;
            if key.nulls_distinct == NullsDistinctOption::NotDistinct {
                return refuse("NULLS NOT DISTINCT is not supported");
            }
            let columns = columns(&key.columns, place)?;
            let name = named(table, key.name.as_ref(), &columns, "key")?;
            table.unique.push(Key { name, columns });
            Ok(())
        }
        TableConstraint::ForeignKey(key) => add_foreign_key(table, key, place),
        TableConstraint::Check(check) => add_check(table, check, place),
        other => refuse(format!("the constraint {other} is not supported")),
    }
}

/// Adds a constraint that stands beside the column `column`.
pub(super) fn add_beside(table: &mut Table, column: &str, option: &ColumnOptionDef) -> Result<(), Refusal> {
    let mut constraint: TableConstraint = match &option.option {
        ColumnOption::PrimaryKey(key) => key.clone().into(),
        ColumnOption::Unique(key) => key.clone().into(),
        ColumnOption::ForeignKey(key) => key.clone().into(),
        ColumnOption::Check(check) => check.clone().into(),
        other => return refuse(format!("{other} is not supported")),
    };
    match &mut constraint {
        TableConstraint::PrimaryKey(key) => key.name.clone_from(&option.name),
        TableConstraint::Unique(key) => key.name.clone_from(&option.name),
        TableConstraint::ForeignKey(key) => key.name.clone_from(&option.name),
        TableConstraint::Check(check) => check.name.clone_from(&option.name),
        _ => {}
    }
    add(table, &constraint, Place::Column(column))
}

/// Removes the constraint of that name; false when there is none.
pub(super) fn remove(table: &mut Table, name: &str) -> bool {
    let count = |table: &Table| table.unique.len() + table.checks.len() + table.foreign_keys.len();
    let before = count(table);
    table.unique.retain(|key| key.name != name);
    table.checks.retain(|check| check.name != name);
    table.foreign_keys.retain(|key| key.name != name);
    if table.primary_key.as_ref().is_some_and(|key| key.name == name) {
        table.primary_key = None;
        return true;
    }
    count(table) < before
}

fn add_primary_key(table: &mut Table, name: Option<&Ident>, columns: Vec<String>) -> Result<(), Refusal> {
    if table.primary_key.is_some() {
        return refuse(format!("multiple primary keys for table \"{}\" are not allowed", table.name));
    }
    for column in &columns {
        if let Some(column) = table.column_mut(column) {
            column.nullability = Nullability::NotNull;
        }
    }
    let name = named(table, name, &[], "pkey")?;
    table.primary_key = Some(Key { name, columns });
    Ok(())
}

fn add_foreign_key(table: &mut Table, key: &ForeignKeyConstraint, place: Place<'_>) -> Result<(), Refusal> {
    let columns: Vec<String> = match place {
        Place::Column(column) => vec![column.to_owned()],
        Place::Table => key.columns.iter().map(name::fold).collect(),
    };
    if columns.len() > 1 && matches!(key.match_kind, Some(ConstraintReferenceMatchKind::Full)) {
        return refuse("MATCH FULL is not supported");
    }
    let mut rules = Vec::new();
    rules.extend(key.on_update.as_ref().map(|action| format!("ON UPDATE {action}")));
    rules.extend(key.on_delete.as_ref().map(|action| format!("ON DELETE {action}")));
    if let Some(characteristics) = &key.characteristics {
        if characteristics.deferrable == Some(true) {
            rules.push("DEFERRABLE".to_owned());
        }
        if matches!(characteristics.initially, Some(DeferrableInitial::Deferred)) {
            rules.push("INITIALLY DEFERRED".to_owned());
        }
    }
    let name = named(table, key.name.as_ref(), &columns, "fkey")?;
    table.foreign_keys.push(ForeignKey {
        name,
        columns,
        references: name::local(&key.foreign_table)?,
        references_columns: key.referred_columns.iter().map(name::fold).collect(),
        rules: rules.join(" "),
    });
    Ok(())
}

fn add_check(table: &mut Table, check: &CheckConstraint, place: Place<'_>) -> Result<(), Refusal> {
    let columns: Vec<String> = match place {
        Place::Column(column) => vec![column.to_owned()],
        Place::Table => Vec::new(),
    };
    let name = named(table, check.name.as_ref(), &columns, "check")?;
    table.checks.push(Check { name, expression: check.expr.to_string() });
    Ok(())
}

fn named(table: &Table, name: Option<&Ident>, columns: &[String], suffix: &str) -> Result<String, Refusal> {
    let Some(name) = name.map(name::fold) else { return Ok(table.free_name(columns, suffix)) };
    if table.has_constraint(&name) {
        return refuse(format!("constraint \"{name}\" for relation \"{}\" already exists", table.name));
    }
    Ok(name)
}

fn columns(listed: &[IndexColumn], place: Place<'_>) -> Result<Vec<String>, Refusal> {
    if let Place::Column(column) = place {
        return Ok(vec![column.to_owned()]);
    }
    let column = |listed: &IndexColumn| match &listed.column.expr {
        Expr::Identifier(ident) => Ok(name::fold(ident)),
        other => refuse(format!("{other} is not a column")),
    };
    listed.iter().map(column).collect()
}

/// SQLite puts only foreign keys off until the commit.
fn refuse_deferred(characteristics: Option<&ConstraintCharacteristics>) -> Result<(), Refusal> {
    match characteristics.and_then(|of| of.deferrable) {
        Some(true) => refuse("only foreign keys can be deferred"),
        Some(false) | None => Ok(()),
    }
}
