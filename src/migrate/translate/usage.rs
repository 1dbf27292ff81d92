//! `USAGE` of the schema: who may name what is in it. As on Postgres everybody may, until that is revoked from `PUBLIC`.
//!
//! Source: <https://www.postgresql.org/docs/current/ddl-priv.html>,
//! <https://www.postgresql.org/docs/current/ddl-schemas.html#DDL-SCHEMAS-PRIV>.

use std::collections::BTreeSet;

use sqlparser::ast::{Action, Grantee, ObjectName, Privileges};

use super::access::require_public;
use super::{Refusal, Translator, refuse};
use crate::catalog::EVERYONE;

/// The roles that may use the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaUsers(pub(crate) BTreeSet<String>);

impl Default for SchemaUsers {
    fn default() -> Self {
        Self(BTreeSet::from([EVERYONE.to_owned()]))
    }
}

impl Translator<'_> {
    /// `GRANT` and `REVOKE … ON SCHEMA`. Who may make tables in it is of no matter: migrations make them.
    pub(super) fn change_usage(
        &mut self,
        schemas: &[ObjectName],
        privileges: &Privileges,
        grantees: &[Grantee],
        is_granted: bool,
    ) -> Result<(), Refusal> {
        schemas.iter().try_for_each(require_public)?;
        let grantees = self.grantees(grantees)?;
        if !is_usage(privileges)? {
            return Ok(());
        }
        let users = &mut self.schema.users.0;
        if is_granted {
            users.extend(grantees);
        } else {
            users.retain(|user| !grantees.contains(user));
        }
        Ok(())
    }
}

/// True when `USAGE` is among the privileges.
fn is_usage(privileges: &Privileges) -> Result<bool, Refusal> {
    let Privileges::Actions(actions) = privileges else { return Ok(true) };
    if let Some(other) = actions.iter().find(|action| !matches!(action, Action::Usage | Action::Create { .. })) {
        return refuse(format!("invalid privilege type {other} for schema"));
    }
    Ok(actions.contains(&Action::Usage))
}
