//! `ALTER TABLE` → changes of the model.

use sqlparser::ast::{
    AlterColumnOperation, AlterTable, AlterTableOperation, ColumnDef, DataType, DropBehavior, Expr, RenameTableNameKind,
};

use super::constraint::{self, Place};
use super::decimal::held;
use super::model::{Index, Key, Nullability, Table};
use super::pending::Unwritten;
use super::policy::Switch;
use super::schema::rename_in;
use super::scope::Scope;
use super::{Action, Refusal, Translator, cast, name, parse, refuse, table, types};

impl Translator<'_> {
    /// `sequence`: the name that `SEQUENCE NAME` gave, which the parser does not know.
    pub(super) fn alter_table(&mut self, alter: &AlterTable, sequence: Option<&str>) -> Result<(), Refusal> {
        let name = name::local(&alter.name)?;
        if !self.schema.has_relation(&name) {
            return if alter.if_exists { Ok(()) } else { self.schema.require_relation(&name) };
        }
        for operation in &alter.operations {
            self.alter_one(&name, operation, sequence)?;
        }
        Ok(())
    }

    fn alter_one(
        &mut self,
        name: &str,
        operation: &AlterTableOperation,
        sequence: Option<&str>,
    ) -> Result<(), Refusal> {
        use AlterTableOperation as Operation;
        match operation {
            // SQLite's objects have no owner, and a row of another replica is none of its business.
            Operation::OwnerTo { .. } | Operation::ReplicaIdentity { .. } | Operation::SetOptionsParens { .. } => {
                self.schema.require_relation(name)
            }
            Operation::SetLogged | Operation::SetUnlogged => self.schema.require_table(name).map(drop),
            Operation::RenameTable { table_name } => {
                let (RenameTableNameKind::To(to) | RenameTableNameKind::As(to)) = table_name;
                self.rename_table(name, &name::local(to)?)
            }
            Operation::RenameColumn { old_column_name, new_column_name } => {
                self.rename_column(name, &name::fold(old_column_name), &name::fold(new_column_name))
            }
            Operation::AddConstraint { constraint, .. } => {
                self.change(name, |table| constraint::add(table, constraint, Place::Table))
            }
            Operation::DropConstraint { if_exists, name: of, .. } => {
                let of = name::fold(of);
                self.change(name, |table| {
                    if constraint::remove(table, &of) || *if_exists {
                        return Ok(());
                    }
                    refuse(format!("constraint \"{of}\" of relation \"{}\" does not exist", table.name))
                })
            }
            Operation::RenameConstraint { old_name, new_name } => {
                let (from, to) = (name::fold(old_name), name::fold(new_name));
                self.change(name, |table| rename_constraint(table, &from, &to))
            }
            Operation::AddColumn { if_not_exists, column_def, .. } => {
                let there = self.schema.require_table(name)?.column(&name::fold(&column_def.name)).is_some();
                if there && *if_not_exists { Ok(()) } else { self.add_column(name, column_def) }
            }
            Operation::DropColumn { column_names, if_exists, drop_behavior, .. } => {
                let columns: Vec<String> = column_names.iter().map(name::fold).collect();
                for column in &columns {
                    if *drop_behavior == Some(DropBehavior::Cascade) {
                        self.schema.drop_policies_naming(name, column);
                    }
                    self.schema.refuse_in_policy(name, column, "drop")?;
                }
                columns.iter().try_for_each(|column| self.drop_column(name, column, *if_exists))
            }
            Operation::AlterColumn { column_name, op } => {
                self.alter_column(name, &name::fold(column_name), op, sequence)
            }
            Operation::EnableRowLevelSecurity => self.switch_row_security(name, Switch::Enable),
            Operation::DisableRowLevelSecurity => self.switch_row_security(name, Switch::Disable),
            Operation::ForceRowLevelSecurity => self.switch_row_security(name, Switch::Force),
            Operation::NoForceRowLevelSecurity => self.switch_row_security(name, Switch::NoForce),
            other => refuse(format!("{other} is not supported")),
        }
    }

    /// Changes the model of a table and has it written out later.
    fn change(&mut self, name: &str, change: impl FnOnce(&mut Table) -> Result<(), Refusal>) -> Result<(), Refusal> {
        let mut table = self.schema.require_table(name)?.clone();
        // Before the change: what is carried over are the columns that the file has.
        self.will_alter(name);
        change(&mut table)?;
        self.put_table(table)
    }

    fn add_column(&mut self, name: &str, definition: &ColumnDef) -> Result<(), Refusal> {
        let mut altered = self.schema.require_table(name)?.clone();
        // Before the change, as in `change`: rows get the new column's default by not naming it.
        self.will_alter(name);
        table::add_column(&mut altered, definition, self.schema)?;
        self.put_table(altered)?;
        self.begin_counting(name, std::slice::from_ref(definition))
    }

    fn drop_column(&mut self, name: &str, column: &str, if_exists: bool) -> Result<(), Refusal> {
        if self.schema.require_table(name)?.column(column).is_none() {
            let missing = refuse(format!("column \"{column}\" of relation \"{name}\" does not exist"));
            return if if_exists { Ok(()) } else { missing };
        }
        self.change(name, |table| {
            table.columns.retain(|of| of.name != column);
            let names_it = |key: &Key| key.columns.iter().any(|of| of == column);
            table.primary_key = table.primary_key.take().filter(|key| !names_it(key));
            table.unique.retain(|key| !names_it(key));
            table.foreign_keys.retain(|key| !key.columns.iter().any(|of| of == column));
            let mentions = |text: &str| parse::mentions(text, column);
            table.checks.retain(|check| !mentions(&check.expression));
            table.indexes.retain(|index| !index.parts.iter().any(|part| mentions(&part.expression)));
            Ok(())
        })?;
        self.schema.forget_column(name, column);
        if let Unwritten::Altered(carried) = self.will_alter(name) {
            carried.retain(|(of, _)| of != column);
        }
        Ok(())
    }

    fn alter_column(
        &mut self,
        name: &str,
        column: &str,
        operation: &AlterColumnOperation,
        sequence: Option<&str>,
    ) -> Result<(), Refusal> {
        use AlterColumnOperation as Operation;
        if self.schema.require_table(name)?.column(column).is_none() {
            return refuse(format!("column \"{column}\" of relation \"{name}\" does not exist"));
        }
        if let Operation::SetDataType { data_type, using, .. } = operation {
            return self.set_data_type(name, column, data_type, using.as_ref());
        }
        self.change(name, |altered| {
            let own = table::identity(altered, column, super::IdentityKind::ByDefault, sequence.map(str::to_owned));
            let Some(column) = altered.column_mut(column) else { return Ok(()) };
            match operation {
                Operation::SetNotNull => column.nullability = Nullability::NotNull,
                Operation::DropNotNull => column.nullability = Nullability::Nullable,
                Operation::SetDefault { value } => table::set_default(column, value),
                Operation::DropDefault => (column.default, column.identity) = (None, None),
                Operation::AddGenerated { generated_as, .. } => {
                    column.nullability = Nullability::NotNull;
                    let kind = generated_as.as_ref().map_or(own.kind, table::identity_kind);
                    column.identity = Some(super::model::Identity { kind, ..own });
                }
                Operation::SetDataType { .. } | Operation::GenericOptions { .. } => {
                    return refuse(format!("{operation} is not supported"));
                }
            }
            Ok(())
        })?;
        self.begin_counting_altered(name, column, operation)
    }

    fn set_data_type(
        &mut self,
        name: &str,
        column: &str,
        data_type: &DataType,
        using: Option<&Expr>,
    ) -> Result<(), Refusal> {
        self.schema.refuse_in_policy(name, column, "alter the type of")?;
        // The expression is over the rows as they are: what changed before must be there.
        if self.is_pending(name) {
            self.flush()?;
        }
        let declared = types::declared(data_type, &self.schema.types)?;
        let table = self.schema.require_table(name)?.clone();
        let converted = {
            let scope = Scope::definition(self.schema, &table);
            let to = held(types::type_name(types::base(&declared, &self.schema.types)));
            match (using, table.column(column)) {
                (Some(using), _) => scope.assigned(using, &to)?,
                (None, Some(of)) => {
                    let from = types::column_kind(of, &self.schema.types);
                    let quoted = name::quote(column);
                    if to.kind.is_decimal_text() {
                        format!("berth_cast({quoted}, {})", name::text(&to.held_name()))
                    } else if from == to.kind {
                        quoted
                    } else {
                        cast::convert(&quoted, &from, &to.kind)?
                    }
                }
                (None, None) => return Ok(()),
            }
        };
        self.change(name, |table| {
            if let Some(column) = table.column_mut(column) {
                column.declared = declared;
            }
            Ok(())
        })?;
        if let Unwritten::Altered(carried) = self.will_alter(name) {
            for (_, expression) in carried.iter_mut().filter(|(of, _)| of == column) {
                expression.clone_from(&converted);
            }
        }
        Ok(())
    }

    pub(super) fn rename_table(&mut self, from: &str, to: &str) -> Result<(), Refusal> {
        self.schema.require_relation(from)?;
        if self.schema.views.contains_key(from) {
            return refuse("a view cannot be renamed: drop it and create it again");
        }
        self.schema.require_table(from)?;
        if self.schema.has_relation(to) {
            return refuse(format!("relation \"{to}\" already exists"));
        }
        self.schema.rename_policies_of(from, to)?;
        self.flush()?;
        self.push(Action::Rename(format!("ALTER TABLE {} RENAME TO {}", name::quote(from), name::quote(to))));
        self.schema.rename_relation(from, to);
        Ok(())
    }

    fn rename_column(&mut self, of: &str, from: &str, to: &str) -> Result<(), Refusal> {
        self.flush()?;
        let table = self.schema.require_table(of)?;
        if table.column(from).is_none() {
            return refuse(format!("column \"{from}\" does not exist"));
        }
        if table.column(to).is_some() {
            return refuse(format!("column \"{to}\" of relation \"{of}\" already exists"));
        }
        rename_column_in(table, from, to);
        self.schema.rename_in_policies(of, from, to)?;
        self.push(Action::Rename(format!(
            "ALTER TABLE {} RENAME COLUMN {} TO {}",
            name::quote(of),
            name::quote(from),
            name::quote(to)
        )));
        self.schema.rename_column(of, from, to);
        Ok(())
    }
}

fn rename_constraint(table: &mut Table, from: &str, to: &str) -> Result<(), Refusal> {
    if !table.has_constraint(from) {
        return refuse(format!("constraint \"{from}\" for table \"{}\" does not exist", table.name));
    }
    if table.has_constraint(to) {
        return refuse(format!("constraint \"{to}\" for relation \"{}\" already exists", table.name));
    }
    let keys = table.primary_key.iter_mut().chain(&mut table.unique).map(|key| &mut key.name);
    let checks = table.checks.iter_mut().map(|check| &mut check.name);
    let foreign_keys = table.foreign_keys.iter_mut().map(|key| &mut key.name);
    for name in keys.chain(checks).chain(foreign_keys).filter(|name| *name == from) {
        to.clone_into(name);
    }
    Ok(())
}

fn rename_column_in(table: &mut Table, from: &str, to: &str) {
    if let Some(column) = table.column_mut(from) {
        to.clone_into(&mut column.name);
    }
    for key in table.primary_key.iter_mut().chain(&mut table.unique) {
        rename_in(&mut key.columns, from, to);
    }
    for key in &mut table.foreign_keys {
        rename_in(&mut key.columns, from, to);
    }
    let expressions = (table.checks.iter_mut().map(|check| &mut check.expression))
        .chain(table.columns.iter_mut().filter_map(|column| column.generated.as_mut()))
        .chain(table.indexes.iter_mut().flat_map(expressions_of));
    for expression in expressions {
        *expression = parse::rename_column(expression, from, to);
    }
}

fn expressions_of(index: &mut Index) -> impl Iterator<Item = &mut String> {
    index.parts.iter_mut().map(|part| &mut part.expression).chain(&mut index.predicate)
}
