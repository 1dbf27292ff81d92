//! Row security: `ALTER TABLE … ENABLE ROW LEVEL SECURITY`, `CREATE`, `ALTER` and `DROP POLICY`.
//!
//! Expressions are kept in PostgreSQL's syntax, as they are for tables, and written for SQLite whenever the schema is
//! noted, so that a renamed column reaches them. Who may name them in what is `store`'s and `plan`'s affair.
//!
//! Source: <https://www.postgresql.org/docs/15/sql-createpolicy.html>,
//! <https://www.postgresql.org/docs/15/sql-altertable.html>.

use std::collections::{BTreeMap, BTreeSet};

use sqlparser::ast::{
    AlterPolicy, AlterPolicyOperation, CreatePolicy, CreatePolicyCommand, CreatePolicyType, DropPolicy, Owner,
};

use super::expression::Functions;
use super::schema::{Policy, PolicyCommand, PolicyKind, Schema};
use super::scope::{Scope, Source};
use super::{Action, Refusal, Translator, name, parse, refuse};
use crate::catalog::EVERYONE;

/// A policy's expressions for SQLite.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct WrittenPolicy {
    /// `USING`.
    pub(crate) using: Option<Written>,
    /// `WITH CHECK`.
    pub(crate) check: Option<Written>,
}

/// An expression for SQLite.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) sql: String,
    /// The functions that it calls for whoever asks, by signature, with who may call them.
    pub(crate) calls: BTreeMap<String, BTreeSet<String>>,
}

/// What `ALTER TABLE` does to row security.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switch {
    Enable,
    Disable,
    Force,
    NoForce,
}

impl Translator<'_> {
    pub(super) fn switch_row_security(&mut self, table: &str, switch: Switch) -> Result<(), Refusal> {
        self.schema.require_rows(table)?;
        let security = self.schema.row_security.entry(table.to_owned()).or_default();
        match switch {
            Switch::Enable => security.enabled = true,
            Switch::Disable => security.enabled = false,
            Switch::Force => security.forced = true,
            Switch::NoForce => security.forced = false,
        }
        Ok(())
    }

    pub(super) fn create_policy(&mut self, create: &CreatePolicy) -> Result<(), Refusal> {
        let (table, name) = (name::local(&create.table_name)?, name::fold(&create.name));
        self.schema.require_rows(&table)?;
        let key = (table, name);
        if self.schema.policies.contains_key(&key) {
            return refuse(format!("policy \"{}\" for table \"{}\" already exists", key.1, key.0));
        }
        let policy = Policy {
            kind: match create.policy_type {
                Some(CreatePolicyType::Restrictive) => PolicyKind::Restrictive,
                Some(CreatePolicyType::Permissive) | None => PolicyKind::Permissive,
            },
            command: match create.command {
                Some(CreatePolicyCommand::All) | None => PolicyCommand::All,
                Some(CreatePolicyCommand::Select) => PolicyCommand::Select,
                Some(CreatePolicyCommand::Insert) => PolicyCommand::Insert,
                Some(CreatePolicyCommand::Update) => PolicyCommand::Update,
                Some(CreatePolicyCommand::Delete) => PolicyCommand::Delete,
            },
            roles: match &create.to {
                Some(owners) => self.policy_roles(owners)?,
                None => vec![EVERYONE.to_owned()],
            },
            using: create.using.as_ref().map(ToString::to_string),
            check: create.with_check.as_ref().map(ToString::to_string),
        };
        self.put_policy(key, policy)
    }

    pub(super) fn alter_policy(&mut self, alter: &AlterPolicy) -> Result<(), Refusal> {
        let (table, name) = (name::local(&alter.table_name)?, name::fold(&alter.name));
        let Some(mut policy) = self.schema.policies.get(&(table.clone(), name.clone())).cloned() else {
            return refuse(format!("policy \"{name}\" for table \"{table}\" does not exist"));
        };
        match &alter.operation {
            AlterPolicyOperation::Rename { new_name } => {
                let renamed = (table, name::fold(new_name));
                if self.schema.policies.contains_key(&renamed) {
                    return refuse(format!("policy \"{}\" for table \"{}\" already exists", renamed.1, renamed.0));
                }
                self.schema.policies.remove(&(renamed.0.clone(), name));
                self.schema.policies.insert(renamed, policy);
                Ok(())
            }
            AlterPolicyOperation::Apply { to, using, with_check } => {
                if let Some(owners) = to {
                    policy.roles = self.policy_roles(owners)?;
                }
                policy.using = using.as_ref().map(ToString::to_string).or(policy.using);
                policy.check = with_check.as_ref().map(ToString::to_string).or(policy.check);
                self.put_policy((table, name), policy)
            }
        }
    }

    pub(super) fn drop_policy(&mut self, drop: &DropPolicy) -> Result<(), Refusal> {
        let key = (name::local(&drop.table_name)?, name::fold(&drop.name));
        if self.schema.policies.remove(&key).is_none() && !drop.if_exists {
            return refuse(format!("policy \"{}\" for table \"{}\" does not exist", key.1, key.0));
        }
        Ok(())
    }

    fn policy_roles(&self, owners: &[Owner]) -> Result<Vec<String>, Refusal> {
        let role = |owner: &Owner| {
            let Owner::Ident(ident) = owner else {
                return refuse(format!("a policy for {owner} is not supported: it is no role on SQLite"));
            };
            let role = name::fold(ident);
            if role == EVERYONE || self.schema.roles.contains_key(&role) {
                return Ok(role);
            }
            refuse(format!("role \"{role}\" does not exist"))
        };
        owners.iter().map(role).collect()
    }

    /// Notes a policy once SQLite has understood it: the tables that it names must be in the file by now.
    fn put_policy(&mut self, key: (String, String), policy: Policy) -> Result<(), Refusal> {
        check_clauses(&policy)?;
        let written = write(self.schema, &key.0, &policy)?;
        self.flush()?;
        for Written { sql, .. } in written.using.iter().chain(&written.check) {
            self.push(Action::Check(format!("SELECT 1 FROM main.{} WHERE ({sql})", name::quote(&key.0))));
        }
        self.schema.policies.insert(key, policy);
        Ok(())
    }
}

fn check_clauses(policy: &Policy) -> Result<(), Refusal> {
    match policy.command {
        PolicyCommand::Select | PolicyCommand::Delete if policy.check.is_some() => {
            refuse("WITH CHECK cannot be applied to SELECT or DELETE")
        }
        PolicyCommand::Insert if policy.using.is_some() => refuse("only WITH CHECK expression allowed for INSERT"),
        PolicyCommand::All
        | PolicyCommand::Select
        | PolicyCommand::Insert
        | PolicyCommand::Update
        | PolicyCommand::Delete => Ok(()),
    }
}

/// Writes a policy's expressions for SQLite.
pub(crate) fn write(schema: &Schema, table: &str, policy: &Policy) -> Result<WrittenPolicy, Refusal> {
    let write = |text: &String| {
        let mut scope = Scope::new(schema);
        scope.functions.set(Functions::Served);
        if let Some(model) = schema.table(table) {
            scope.enter(vec![Source::of_table(table, model)]);
        }
        let sql = scope.write(&parse::expression(text)?)?;
        Ok(Written { sql, calls: scope.take_uses().calls })
    };
    Ok(WrittenPolicy {
        using: policy.using.as_ref().map(write).transpose()?,
        check: policy.check.as_ref().map(write).transpose()?,
    })
}

impl Policy {
    fn expressions(&self) -> impl Iterator<Item = &String> {
        self.using.iter().chain(&self.check)
    }

    fn mentions(&self, name: &str) -> bool {
        self.expressions().any(|expression| parse::mentions(expression, name))
    }

    fn rename(&mut self, from: &str, to: &str) {
        for expression in self.using.iter_mut().chain(&mut self.check) {
            *expression = parse::rename_column(expression, from, to);
        }
    }
}

impl Schema {
    /// Refuses what has no rows of its own.
    fn require_rows(&self, table: &str) -> Result<(), Refusal> {
        self.require_relation(table)?;
        if self.views.contains_key(table) {
            return refuse(format!("\"{table}\" is not a table"));
        }
        Ok(())
    }

    /// The policies that look at a column of a table: its own, and those of others that read it.
    fn policies_naming(&self, table: &str, column: &str) -> Vec<(String, String)> {
        let names = |((of, _), policy): &(&(String, String), &Policy)| {
            policy.mentions(column) && (of == table || policy.mentions(table))
        };
        self.policies.iter().filter(names).map(|(key, _)| key.clone()).collect()
    }

    /// Refuses to change a column that a policy looks at.
    pub(super) fn refuse_in_policy(&self, table: &str, column: &str, act: &str) -> Result<(), Refusal> {
        match self.policies_naming(table, column).first() {
            None => Ok(()),
            Some((of, policy)) => refuse(format!(
                "cannot {act} column \"{column}\" of \"{table}\": the policy \"{policy}\" of \"{of}\" depends on it, \
                 drop that first"
            )),
        }
    }

    /// Drops the policies that look at a column.
    pub(super) fn drop_policies_naming(&mut self, table: &str, column: &str) {
        for key in self.policies_naming(table, column) {
            self.policies.remove(&key);
        }
    }

    /// The first policy of another table that reads this one.
    pub(super) fn policy_reading(&self, table: &str) -> Option<&(String, String)> {
        self.policies.iter().find(|((of, _), policy)| of != table && policy.mentions(table)).map(|(key, _)| key)
    }

    /// Drops the policies of other tables that read this one.
    pub(super) fn drop_policies_reading(&mut self, table: &str) {
        self.policies.retain(|(of, _), policy| of == table || !policy.mentions(table));
    }

    /// Lets policies follow a column to its new name. Where the name may mean another column too, nobody can tell which.
    pub(super) fn rename_in_policies(&mut self, table: &str, from: &str, to: &str) -> Result<(), Refusal> {
        for key in self.policies_naming(table, from) {
            let Some(policy) = self.policies.get(&key) else { continue };
            let has_it = |other: &&super::model::Table| other.column(from).is_some() && other.name != table;
            let mut read = self.tables.values().chain(self.views.values()).filter(|other| policy.mentions(&other.name));
            let is_ambiguous = read.any(|other| has_it(&other))
                || (key.0 != table && self.tables.get(&key.0).is_some_and(|own| has_it(&own)));
            if is_ambiguous {
                return refuse(format!(
                    "the policy \"{}\" of \"{}\" names several columns \"{from}\": drop it, and create it again",
                    key.1, key.0
                ));
            }
            if let Some(policy) = self.policies.get_mut(&key) {
                policy.rename(from, to);
            }
        }
        Ok(())
    }

    /// Lets policies and row security follow a table to its new name.
    pub(super) fn rename_policies_of(&mut self, from: &str, to: &str) -> Result<(), Refusal> {
        let has_such_column = self.tables.values().chain(self.views.values()).any(|of| of.column(from).is_some());
        if let Some(((of, policy), _)) =
            self.policies.iter().find(|(_, policy)| policy.mentions(from) && has_such_column)
        {
            return refuse(format!(
                "the policy \"{policy}\" of \"{of}\" names \"{from}\", which a column is called too: drop it, and create \
                 it again"
            ));
        }
        let renamed = |table: String| if table == from { to.to_owned() } else { table };
        for ((table, name), mut policy) in std::mem::take(&mut self.policies) {
            policy.rename(from, to);
            self.policies.insert((renamed(table), name), policy);
        }
        let security = std::mem::take(&mut self.row_security).into_iter();
        self.row_security = security.map(|(table, security)| (renamed(table), security)).collect();
        Ok(())
    }

    /// The first policy for a role.
    pub(super) fn policy_for(&self, role: &str) -> Option<&(String, String)> {
        self.policies.iter().find(|(_, policy)| policy.roles.iter().any(|of| of == role)).map(|(key, _)| key)
    }
}
