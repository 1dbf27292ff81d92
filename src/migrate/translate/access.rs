//! Roles, what they were granted, and comments.

use sqlparser::ast::{
    self, Action, AlterRoleOperation, CommentObject, CreateRole, GrantObjects, Grantee, GranteeName, GranteesType,
    Ident, ObjectName, Privileges, RoleOption,
};

use super::schema::{Grant, Inheritance, ObjectKind, Role};
use super::{Refusal, Translator, name, parse, refuse};
use crate::catalog::EVERYONE;

/// Words for the role that applies the migrations.
const APPLYING: [&str; 3] = ["CURRENT_USER", "CURRENT_ROLE", "SESSION_USER"];

/// The privileges that requests use.
const SERVED: [&str; 4] = ["select", "insert", "update", "delete"];

/// What a role may do, and on which columns; all when there are none.
pub(super) type Wanted = Vec<(&'static str, Option<Vec<String>>)>;

impl Translator<'_> {
    pub(super) fn create_role(&mut self, create: &CreateRole) -> Result<(), Refusal> {
        for role in &create.names {
            let role = name::parts(role)?.join(".");
            if role == EVERYONE {
                return refuse("role name \"public\" is reserved");
            }
            if self.schema.roles.contains_key(&role) {
                if create.if_not_exists {
                    continue;
                }
                return refuse(format!("role \"{role}\" already exists"));
            }
            let inheritance = create.inherit.map(Inheritance::of).unwrap_or_default();
            let bypasses_policies = create.bypassrls.unwrap_or_default();
            self.schema.roles.insert(role.clone(), Role { inheritance, bypasses_policies, ..Role::default() });
            for of in create.in_role.iter().chain(&create.in_group) {
                self.join(&role, &name::fold(of))?;
            }
            for member in create.role.iter().chain(&create.user).chain(&create.admin) {
                self.join(&name::fold(member), &role)?;
            }
        }
        Ok(())
    }

    /// `ALTER ROLE … WITH`: of the options only `INHERIT` and `BYPASSRLS` mean something here. None of the others takes
    /// anything away from a role that it has on SQLite.
    pub(super) fn alter_role(&mut self, role: &Ident, operation: &AlterRoleOperation) -> Result<(), Refusal> {
        let role = name::fold(role);
        let AlterRoleOperation::WithOptions { options } = operation else {
            return refuse("of ALTER ROLE only options such as NOINHERIT are supported");
        };
        let Some(known) = self.schema.roles.get_mut(&role) else {
            return refuse(format!("role \"{role}\" does not exist"));
        };
        for option in options {
            match option {
                RoleOption::Inherit(inherits) => known.inheritance = Inheritance::of(*inherits),
                RoleOption::BypassRLS(bypasses) => known.bypasses_policies = *bypasses,
                _ => {}
            }
        }
        Ok(())
    }

    /// `CREATE ROLE` under a guard, and who is made a member there: a role that exists already is left as it is.
    pub(super) fn create_guarded_roles(&mut self, statements: &[String]) -> Result<(), Refusal> {
        for statement in statements {
            match parse::statement(statement)? {
                ast::Statement::CreateRole(create) => {
                    self.create_role(&CreateRole { if_not_exists: true, ..create })?;
                }
                ast::Statement::GrantRole(grant) => self.grant_role(&grant.roles, &grant.grantees)?,
                _ => return refuse("of DO only a guard around CREATE ROLE is supported"),
            }
        }
        Ok(())
    }

    pub(super) fn drop_role(&mut self, role: &str, if_exists: bool) -> Result<(), Refusal> {
        let is_granted = self.schema.grants.iter().any(|grant| grant.grantee == role)
            || self.schema.default_grants.iter().any(|default| default.grantee == role)
            || self.schema.users.0.contains(role);
        if is_granted {
            return refuse(format!("role \"{role}\" cannot be dropped because it still has privileges"));
        }
        if let Some((table, policy)) = self.schema.policy_for(role) {
            return refuse(format!(
                "role \"{role}\" cannot be dropped: the policy \"{policy}\" of \"{table}\" is for it"
            ));
        }
        if self.schema.roles.remove(role).is_none() && !if_exists {
            return refuse(format!("role \"{role}\" does not exist"));
        }
        for other in self.schema.roles.values_mut() {
            other.member_of.remove(role);
        }
        Ok(())
    }

    fn join(&mut self, member: &str, of: &str) -> Result<(), Refusal> {
        if !self.schema.roles.contains_key(of) {
            return refuse(format!("role \"{of}\" does not exist"));
        }
        match self.schema.roles.get_mut(member) {
            Some(role) => {
                role.member_of.insert(of.to_owned());
                Ok(())
            }
            None => refuse(format!("role \"{member}\" does not exist")),
        }
    }

    pub(super) fn grant_role(&mut self, roles: &[Ident], grantees: &[Grantee]) -> Result<(), Refusal> {
        for member in self.grantees(grantees)? {
            for role in roles {
                self.join(&member, &name::fold(role))?;
            }
        }
        Ok(())
    }

    pub(super) fn revoke_role(&mut self, roles: &[Ident], grantees: &[Grantee]) -> Result<(), Refusal> {
        for member in self.grantees(grantees)? {
            for role in roles {
                if let Some(member) = self.schema.roles.get_mut(&member) {
                    member.member_of.remove(&name::fold(role));
                }
            }
        }
        Ok(())
    }

    pub(super) fn grant(&mut self, grant: &ast::Grant) -> Result<(), Refusal> {
        if let Some(functions) = self.granted_functions(grant.objects.as_ref())? {
            let grantees = self.grantees(&grant.grantees)?;
            self.change_callers(&functions, &grantees, true);
            return Ok(());
        }
        if let Some(GrantObjects::Schemas(schemas)) = &grant.objects {
            return self.change_usage(schemas, &grant.privileges, &grant.grantees, true);
        }
        let Some(tables) = self.granted_tables(grant.objects.as_ref())? else { return Ok(()) };
        let wanted = wanted(&grant.privileges)?;
        for grantee in self.grantees(&grant.grantees)? {
            for table in &tables {
                for (privilege, columns) in &wanted {
                    self.add_grants(&grantee, table, privilege, columns.as_deref())?;
                }
            }
        }
        Ok(())
    }

    fn add_grants(
        &mut self,
        grantee: &str,
        table: &str,
        privilege: &'static str,
        columns: Option<&[String]>,
    ) -> Result<(), Refusal> {
        if let (Some(columns), Some(model)) = (columns, self.schema.relation(table))
            && let Some(column) = columns.iter().find(|column| model.column(column).is_none())
        {
            return refuse(format!("column \"{column}\" of relation \"{table}\" does not exist"));
        }
        let grant = |column: Option<&String>| Grant {
            grantee: grantee.to_owned(),
            table: table.to_owned(),
            privilege,
            column: column.cloned(),
        };
        match columns {
            None => drop(self.schema.grants.insert(grant(None))),
            Some(columns) => self.schema.grants.extend(columns.iter().map(|column| grant(Some(column)))),
        }
        Ok(())
    }

    pub(super) fn revoke(&mut self, revoke: &ast::Revoke) -> Result<(), Refusal> {
        if let Some(functions) = self.granted_functions(revoke.objects.as_ref())? {
            let grantees = self.grantees(&revoke.grantees)?;
            self.change_callers(&functions, &grantees, false);
            return Ok(());
        }
        if let Some(GrantObjects::Schemas(schemas)) = &revoke.objects {
            return self.change_usage(schemas, &revoke.privileges, &revoke.grantees, false);
        }
        let Some(tables) = self.granted_tables(revoke.objects.as_ref())? else { return Ok(()) };
        let wanted = wanted(&revoke.privileges)?;
        for grantee in self.grantees(&revoke.grantees)? {
            self.schema.grants.retain(|grant| {
                let is_meant = |(privilege, columns): &(&str, Option<Vec<String>>)| {
                    // As on Postgres, revoking a table's privilege takes those on its columns too.
                    let column = columns
                        .as_ref()
                        .is_none_or(|columns| grant.column.as_ref().is_some_and(|column| columns.contains(column)));
                    grant.privilege == *privilege && column
                };
                grant.grantee != grantee || !tables.contains(&grant.table) || !wanted.iter().any(is_meant)
            });
        }
        Ok(())
    }

    /// The signatures of the functions that are meant; `None` for other objects.
    fn granted_functions(&self, objects: Option<&GrantObjects>) -> Result<Option<Vec<String>>, Refusal> {
        match objects {
            Some(GrantObjects::Functions(functions) | GrantObjects::Routines(functions)) => {
                let found = functions.iter().filter_map(|of| self.find_function(of, false).transpose());
                found.collect::<Result<_, _>>().map(Some)
            }
            Some(GrantObjects::AllFunctionsInSchema { schemas } | GrantObjects::AllRoutinesInSchema { schemas }) => {
                schemas.iter().try_for_each(require_public)?;
                Ok(Some(self.schema.functions.keys().cloned().collect()))
            }
            _ => Ok(None),
        }
    }

    /// The tables and views that are meant; `None` for objects that SQLite has no rights on.
    fn granted_tables(&self, objects: Option<&GrantObjects>) -> Result<Option<Vec<String>>, Refusal> {
        match objects {
            Some(GrantObjects::Tables(names) | GrantObjects::Views(names)) => {
                let tables: Vec<String> = names.iter().map(name::local).collect::<Result<_, _>>()?;
                tables.iter().try_for_each(|table| self.schema.require_relation(table))?;
                Ok(Some(tables))
            }
            Some(GrantObjects::AllTablesInSchema { schemas } | GrantObjects::AllViewsInSchema { schemas }) => {
                schemas.iter().try_for_each(require_public)?;
                let names = self.schema.tables.keys().chain(self.schema.views.keys()).chain(self.schema.foreign.keys());
                Ok(Some(names.cloned().collect()))
            }
            Some(
                GrantObjects::Sequences(_) | GrantObjects::AllSequencesInSchema { .. } | GrantObjects::Databases(_),
            ) => Ok(None),
            other => refuse(format!(
                "privileges on {} are not supported",
                other.map(ToString::to_string).unwrap_or_default()
            )),
        }
    }

    /// The roles that are meant. Whoever applies the migrations is berth here: it may do everything, and is none of them.
    pub(super) fn grantees(&self, grantees: &[Grantee]) -> Result<Vec<String>, Refusal> {
        let mut roles = Vec::with_capacity(grantees.len());
        for grantee in grantees {
            if grantee.grantee_type == GranteesType::Public {
                roles.push(EVERYONE.to_owned());
                continue;
            }
            let Some(GranteeName::ObjectName(name)) = &grantee.name else {
                return refuse(format!("{grantee} is not a role"));
            };
            if APPLYING.iter().any(|word| name.to_string().eq_ignore_ascii_case(word)) {
                continue;
            }
            let role = name::parts(name)?.join(".");
            if role != EVERYONE && !self.schema.roles.contains_key(&role) {
                return refuse(format!("role \"{role}\" does not exist"));
            }
            roles.push(role);
        }
        Ok(roles)
    }

    pub(super) fn comment(
        &mut self,
        kind: CommentObject,
        of: &ObjectName,
        comment: Option<&str>,
    ) -> Result<(), Refusal> {
        let key = match kind {
            CommentObject::Schema => (ObjectKind::Schema, name::parts(of)?.join("."), String::new()),
            CommentObject::Table | CommentObject::View => {
                let table = name::local(of)?;
                self.schema.require_relation(&table)?;
                (ObjectKind::Table, table, String::new())
            }
            CommentObject::Column => {
                let mut parts = of.0.clone();
                let column = name::parts(&ObjectName(parts.pop().into_iter().collect()))?.join(".");
                let table = name::local(&ObjectName(parts))?;
                self.schema.require_relation(&table)?;
                if self.schema.relation(&table).is_some_and(|table| table.column(&column).is_none()) {
                    return refuse(format!("column \"{column}\" of relation \"{table}\" does not exist"));
                }
                (ObjectKind::Column, table, column)
            }
            // Nothing shows them.
            CommentObject::Extension
            | CommentObject::Index
            | CommentObject::Sequence
            | CommentObject::Type
            | CommentObject::Domain
            | CommentObject::Role
            | CommentObject::Database => return Ok(()),
            other => return refuse(format!("a comment on {other:?} is not supported")),
        };
        match comment.filter(|comment| !comment.is_empty()) {
            Some(comment) => drop(self.schema.comments.insert(key, comment.to_owned())),
            None => drop(self.schema.comments.remove(&key)),
        }
        Ok(())
    }
}

/// Refuses a schema that SQLite has not.
pub(super) fn require_public(schema: &ObjectName) -> Result<(), Refusal> {
    let schema = name::parts(schema)?.join(".");
    if schema == name::SCHEMA { Ok(()) } else { refuse(format!("schema \"{schema}\" does not exist")) }
}

/// The privileges that requests use, of those that are named; the others mean nothing on SQLite.
pub(super) fn wanted(privileges: &Privileges) -> Result<Wanted, Refusal> {
    let Privileges::Actions(actions) = privileges else {
        return Ok(SERVED.into_iter().map(|privilege| (privilege, None)).collect());
    };
    let folded =
        |columns: &Option<Vec<Ident>>| columns.as_ref().map(|columns| columns.iter().map(name::fold).collect());
    let mut wanted = Wanted::new();
    for action in actions {
        match action {
            Action::Select { columns } => wanted.push(("select", folded(columns))),
            Action::Insert { columns } => wanted.push(("insert", folded(columns))),
            Action::Update { columns } => wanted.push(("update", folded(columns))),
            Action::Delete => wanted.push(("delete", None)),
            Action::References { .. } | Action::Trigger | Action::Truncate | Action::Usage => {}
            other => return refuse(format!("the privilege {other} is not supported")),
        }
    }
    Ok(wanted)
}
