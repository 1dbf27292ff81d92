//! Enumerations and domains.

use sqlparser::ast::{
    AlterType, AlterTypeAddValuePosition, AlterTypeOperation, CreateDomain, ObjectName, TableConstraint,
    UserDefinedTypeCompositeAttributeDef, UserDefinedTypeRepresentation,
};

use super::model::{Check, Column, Nullability, UserType};
use super::{Refusal, Translator, name, refuse, types};

impl Translator<'_> {
    pub(super) fn create_type(
        &mut self,
        name: &ObjectName,
        representation: Option<&UserDefinedTypeRepresentation>,
    ) -> Result<(), Refusal> {
        match representation {
            Some(UserDefinedTypeRepresentation::Enum { labels }) => {
                let labels = labels.iter().map(|label| label.value.clone()).collect();
                self.add_type(name, UserType::Enumeration(labels))
            }
            Some(UserDefinedTypeRepresentation::Composite { attributes }) => {
                let column = |attribute: &UserDefinedTypeCompositeAttributeDef| {
                    let declared = types::declared(&attribute.data_type, &self.schema.types)?;
                    Ok(Column::plain(name::fold(&attribute.name), declared))
                };
                let columns = attributes.iter().map(column).collect::<Result<_, Refusal>>()?;
                self.add_type(name, UserType::Composite(columns))
            }
            _ => refuse("of the user's own types only enumerations, domains and composite types are supported"),
        }
    }

    pub(super) fn create_domain(&mut self, create: &CreateDomain) -> Result<(), Refusal> {
        let name = name::local(&create.name)?;
        let mut checks = Vec::new();
        for constraint in &create.constraints {
            let TableConstraint::Check(check) = constraint else {
                return refuse(format!("the constraint {constraint} is not supported"));
            };
            let named = check.name.as_ref().map(name::fold);
            let named = named.unwrap_or_else(|| match checks.len() {
                0 => format!("{name}_check"),
                more => format!("{name}_check{more}"),
            });
            checks.push(Check { name: named, expression: check.expr.to_string() });
        }
        let domain = UserType::Domain {
            declared: types::domain_type(&create.data_type, self.schema)?,
            nullability: Nullability::Nullable,
            default: create.default.as_ref().map(ToString::to_string),
            checks,
        };
        self.add_type(&create.name, domain)
    }

    fn add_type(&mut self, name: &ObjectName, made: UserType) -> Result<(), Refusal> {
        let name = name::local(name)?;
        if self.schema.types.contains_key(&name) {
            return refuse(format!("type \"{name}\" already exists"));
        }
        self.schema.types.insert(name, made);
        Ok(())
    }

    pub(super) fn drop_type(&mut self, name: &str, if_exists: bool) -> Result<(), Refusal> {
        let columns = self.schema.tables.values().flat_map(|table| &table.columns);
        if let Some(column) = columns.into_iter().find(|column| is_of(&column.declared, name)) {
            return refuse(format!("cannot drop type {name}: the column \"{}\" depends on it", column.name));
        }
        if self.schema.types.remove(name).is_none() && !if_exists {
            return refuse(format!("type \"{name}\" does not exist"));
        }
        Ok(())
    }

    pub(super) fn alter_type(&mut self, alter: &AlterType) -> Result<(), Refusal> {
        let name = name::local(&alter.name)?;
        let Some(UserType::Enumeration(labels)) = self.schema.types.get(&name) else {
            return refuse(format!("type \"{name}\" is not an enumeration that a migration made"));
        };
        let mut labels = labels.clone();
        let at = |labels: &[String], label: &str| {
            let place = labels.iter().position(|of| of == label);
            place.ok_or_else(|| Refusal(format!("\"{label}\" is not an existing enum label")))
        };
        match &alter.operation {
            AlterTypeOperation::AddValue(add) => {
                if labels.contains(&add.value.value) {
                    let exists = refuse(format!("enum label \"{}\" already exists", add.value.value));
                    return if add.if_not_exists { Ok(()) } else { exists };
                }
                let place = match &add.position {
                    Some(AlterTypeAddValuePosition::Before(label)) => at(&labels, &label.value)?,
                    Some(AlterTypeAddValuePosition::After(label)) => at(&labels, &label.value)? + 1,
                    None => labels.len(),
                };
                labels.insert(place, add.value.value.clone());
            }
            AlterTypeOperation::RenameValue(_) | AlterTypeOperation::Rename(_) => {
                return refuse("of an enumeration's changes only ADD VALUE is supported");
            }
        }
        self.schema.types.insert(name.clone(), UserType::Enumeration(labels));
        let tables = self.schema.tables.values();
        let users: Vec<String> = tables
            .filter(|table| table.columns.iter().any(|column| is_of(&column.declared, &name)))
            .map(|table| table.name.clone())
            .collect();
        for table in users {
            self.will_alter(&table);
        }
        Ok(())
    }
}

/// True for a column of the type itself or of an array of it.
fn is_of(declared: &str, name: &str) -> bool {
    declared == name || declared.strip_suffix("[]") == Some(name)
}
