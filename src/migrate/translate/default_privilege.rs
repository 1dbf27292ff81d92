//! `ALTER DEFAULT PRIVILEGES`: what later tables and views are granted when they are made.
//!
//! The parser has no such statement. The words after its head are a `GRANT` or `REVOKE` without a name behind `ON`, so
//! they are read as one on all tables of the schema.
//!
//! Source: <https://www.postgresql.org/docs/current/sql-alterdefaultprivileges.html>.

use std::sync::LazyLock;

use regex::Regex;
use sqlparser::ast::{Grantee, Privileges, Statement};

use super::access::wanted;
use super::schema::{DefaultGrant, Grant, Reach};
use super::{Refusal, Translator, name, parse, refuse};
use crate::catalog::EVERYONE;

/// The privilege to call functions.
pub(crate) const EXECUTE: &str = "execute";

/// What takes from everyone the privilege that everyone has by default.
pub(crate) const NO_EXECUTE: &str = "no execute";

/// A statement, taken apart.
struct Parts<'a> {
    /// The schemas after `IN SCHEMA`, as written.
    schemas: Option<&'a str>,
    /// `GRANT …` up to `ON`.
    before: &'a str,
    /// `TABLES`, `SEQUENCES`, ….
    objects: &'a str,
    /// `TO …` or `FROM …`.
    after: &'a str,
}

impl Translator<'_> {
    /// Takes `ALTER DEFAULT PRIVILEGES`.
    pub(super) fn alter_default_privileges(&mut self, text: &str) -> Result<(), Refusal> {
        let Some(parts) = take_apart(text) else {
            return refuse("of ALTER DEFAULT PRIVILEGES only [IN SCHEMA …] GRANT or REVOKE … ON … is supported");
        };
        let reach = match parts.schemas {
            None => Reach::Everywhere,
            Some(schema) if schema.trim_matches('"') == name::SCHEMA => Reach::Schema,
            Some(schema) => return refuse(format!("schema \"{schema}\" does not exist")),
        };
        let is_revoked = parts.before.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("revoke"));
        match parts.objects.to_ascii_lowercase().as_str() {
            "tables" => {}
            // There are no rights on them here that a grant could add to.
            "sequences" | "types" | "schemas" => return Ok(()),
            "functions" | "routines" => return self.change_default_callers(reach, &parts, is_revoked),
            other => return refuse(format!("default privileges on {other} are not known")),
        }
        let plain = format!("{} ON ALL TABLES IN SCHEMA {} {}", parts.before, name::SCHEMA, parts.after);
        match parse::statement(&plain)? {
            Statement::Grant(grant) => self.change_defaults(reach, &grant.privileges, &grant.grantees, true),
            Statement::Revoke(revoke) => self.change_defaults(reach, &revoke.privileges, &revoke.grantees, false),
            _ => refuse("expected GRANT or REVOKE"),
        }
    }

    fn change_defaults(
        &mut self,
        reach: Reach,
        privileges: &Privileges,
        grantees: &[Grantee],
        is_granted: bool,
    ) -> Result<(), Refusal> {
        let wanted = wanted(privileges)?;
        if wanted.iter().any(|(_, columns)| columns.is_some()) {
            return refuse("default privileges cannot be set for columns");
        }
        for grantee in self.grantees(grantees)? {
            for (privilege, _) in &wanted {
                let default = DefaultGrant { reach, grantee: grantee.clone(), privilege };
                if is_granted {
                    self.schema.default_grants.insert(default);
                } else {
                    self.schema.default_grants.remove(&default);
                }
            }
        }
        Ok(())
    }

    /// Changes who may call later functions. Everyone may, until that is revoked; a revocation for a schema takes away
    /// nothing but what was granted for it.
    fn change_default_callers(&mut self, reach: Reach, parts: &Parts<'_>, is_revoked: bool) -> Result<(), Refusal> {
        let plain = format!("{} ON ALL FUNCTIONS IN SCHEMA {} {}", parts.before, name::SCHEMA, parts.after);
        let grantees = match parse::statement(&plain)? {
            Statement::Grant(grant) => self.grantees(&grant.grantees)?,
            Statement::Revoke(revoke) => self.grantees(&revoke.grantees)?,
            _ => return refuse("expected GRANT or REVOKE"),
        };
        for grantee in grantees {
            let is_everyone = reach == Reach::Everywhere && grantee == EVERYONE;
            let privilege = if is_everyone { NO_EXECUTE } else { EXECUTE };
            let default = DefaultGrant { reach, grantee, privilege };
            if is_revoked == is_everyone {
                self.schema.default_grants.insert(default);
            } else {
                self.schema.default_grants.remove(&default);
            }
        }
        Ok(())
    }

    /// Gives a table or view that was just made what is granted by default.
    pub(super) fn grant_defaults(&mut self, table: &str) {
        let of_tables = self.schema.default_grants.iter().filter(|of| ![EXECUTE, NO_EXECUTE].contains(&of.privilege));
        let granted = of_tables.map(|default| Grant {
            grantee: default.grantee.clone(),
            table: table.to_owned(),
            privilege: default.privilege,
            column: None,
        });
        self.schema.grants.extend(granted);
    }
}

/// `FOR ROLE` is not understood: it means what another role makes, and here migrations make everything.
fn take_apart(text: &str) -> Option<Parts<'_>> {
    static STATEMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r#"(?is)^alter\s+default\s+privileges\s+(?:in\s+schema\s+("[^"]+"|\w+)\s+)?((?:grant|revoke)\s+.+?)\s+on\s+(\w+)\s+((?:to|from)\s+.+)$"#,
        )
        .ok()
    });
    let found = STATEMENT.as_ref()?.captures(text)?;
    let part = |at: usize| found.get(at).map(|part| part.as_str());
    Some(Parts { schemas: part(1), before: part(2)?, objects: part(3)?, after: part(4)? })
}
