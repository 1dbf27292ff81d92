//! What those may do who come without a token, and whether row policies stand between: the first things that the OWASP
//! API list would ask about.
//!
//! Source: <https://owasp.org/API-Security/editions/2023/en/0x11-t10/>, API1 and API5.

use std::path::Path;

use crate::catalog::{Catalog, Kind, Privilege, QualifiedName};
use crate::command::compose::{self, Mode};
use crate::command::copy::Source;
use crate::command::progress::Progress;
use crate::command::scratch::Scratch;
use crate::command::{chain, migrate};
use crate::config::{AccessMode, Config, Storage};
use crate::migrate::{Mode as Migration, migrate_file};
use crate::plan::authorize::Roles;
use crate::store::sqlite::plain::Held;
use crate::volume::log::restore;
use crate::volume::probe::report::{Finding, Level, size};

/// Largest shared log that is restored only to be looked at.
const LOOKED_AT_MAX_BYTES: u64 = 256 << 20;

/// Most names of a list; the rest is counted.
const NAMED_MAX: usize = 6;

/// A table, and what may be done with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Exposed {
    pub(super) name: String,
    /// Whoever comes without a token may read it, or some columns.
    pub(super) is_read: bool,
    /// They may change it.
    pub(super) is_written: bool,
    /// Row security holds for them.
    pub(super) is_secured: bool,
    /// It has policies, and row security is not enabled.
    pub(super) is_idle: bool,
}

/// What was found of all tables. `anonymous`: the role without a token.
pub(super) fn judge(access: AccessMode, anonymous: &str, tables: &[Exposed]) -> Vec<Finding> {
    // Where grants do not decide, `access` has its own finding.
    let granted = (access == AccessMode::Closed && !anonymous.is_empty()).then(|| granted(anonymous, tables));
    granted.into_iter().chain(idle(tables)).collect()
}

fn granted(anonymous: &str, tables: &[Exposed]) -> Finding {
    let name = "without a token";
    let list = |wanted: &dyn Fn(&Exposed) -> bool| {
        let found: Vec<&str> = tables.iter().filter(|of| wanted(of)).map(|of| of.name.as_str()).collect();
        (!found.is_empty()).then(|| named(&found))
    };
    let granted = list(&|of| of.is_read || of.is_written);
    let read = list(&|of| of.is_read && !of.is_secured).map(|tables| format!("every row of {tables} can be read"));
    let written =
        list(&|of| of.is_written && !of.is_secured).map(|tables| format!("any row of {tables} can be written"));
    let value = match granted {
        None => return Finding::ok(name, "nothing", format!("\"{anonymous}\" is granted no table")),
        Some(granted) => granted,
    };
    let open: Vec<String> = read.into_iter().chain(written).collect();
    if open.is_empty() {
        return Finding::ok(name, value, format!("\"{anonymous}\" may do what row policies let it"));
    }
    Finding::ok(name, value, format!("no row policy holds for \"{anonymous}\": {}", open.join("; "))).advise(
        Level::Warning,
        "If that is not meant: ALTER TABLE … ENABLE ROW LEVEL SECURITY and CREATE POLICY, or REVOKE (docs/access.md).",
    )
}

fn idle(tables: &[Exposed]) -> Option<Finding> {
    let idle: Vec<&str> = tables.iter().filter(|of| of.is_idle).map(|of| of.name.as_str()).collect();
    let finding = Finding::ok("policies", named(&idle), "these have policies that do not hold");
    (!idle.is_empty()).then(|| finding.advise(Level::Warning, "ALTER TABLE … ENABLE ROW LEVEL SECURITY."))
}

fn named(names: &[&str]) -> String {
    let shown = names.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// What a database of the volume has, or would have once it is migrated.
pub(super) fn of_volume(config: &Config, mode: Mode) -> Vec<Finding> {
    let name = "tables";
    match look(&config.storage, mode) {
        Ok(Some(held)) => match held.of_role(&config.access.anon_role) {
            Ok(tables) => judge(config.access.mode, &config.access.anon_role, &tables),
            Err(error) => vec![
                Finding::ok(name, "cannot be read", chain(&error))
                    .advise(Level::Unsafe, "Nothing can be served from it."),
            ],
        },
        Ok(None) => Vec::new(),
        Err(unfit) => vec![unfit],
    }
}

/// A database that is looked at.
enum Looked {
    There(Source),
    /// Made for this.
    Migrated(Held, #[expect(dead_code, reason = "the file is there as long as this is")] Scratch),
}

impl Looked {
    fn of_role(&self, role: &str) -> rusqlite::Result<Vec<Exposed>> {
        let held = match self {
            Self::There(source) => &source.held,
            Self::Migrated(held, _) => held,
        };
        Ok(of_catalog(&held.catalog()?, &held.policed()?, role))
    }
}

/// Opens what there is, or makes what migrations would; `None` without either. The finding says why it cannot.
fn look(storage: &Storage, mode: Mode) -> Result<Option<Looked>, Finding> {
    let name = "tables";
    let is_there = match mode {
        Mode::InPlace => compose::database_path(storage).exists(),
        Mode::SharedLog => compose::has_log(&compose::log_path(storage)),
    };
    let unread = |error: &dyn std::error::Error| {
        let finding = Finding::ok(name, "not looked at", chain(error));
        finding.advise(Level::Warning, "What is granted to whom is not known.")
    };
    if is_there {
        if let (Mode::SharedLog, Ok(disk)) = (mode, compose::log_to_read(storage))
            && let Ok(Some(survey)) = restore::survey(&disk)
            && survey.database_bytes > LOOKED_AT_MAX_BYTES
        {
            let meaning =
                format!("the log has a database of {}: too much to restore for this", size(survey.database_bytes));
            return Err(Finding::ok(name, "not looked at", meaning));
        }
        let source = Source::hold(storage, &mut Progress::start()).map_err(|error| unread(&error))?;
        return Ok(Some(Looked::There(source)));
    }
    let scripts = migrate::scripts(storage).map_err(|error| unread(&error))?;
    if scripts.is_empty() {
        return Ok(None);
    }
    let scratch = Scratch::in_directory(&storage.local_dir).map_err(|error| unread(&error))?;
    let path = scratch.path().join("check.db");
    migrated(&path, &scripts).map(|held| Some(Looked::Migrated(held, scratch)))
}

fn migrated(path: &Path, scripts: &[crate::migrate::Script]) -> Result<Held, Finding> {
    let failed = |error: &dyn std::error::Error| {
        let finding = Finding::ok("migrations", "fail", chain(error));
        finding.advise(Level::Unsafe, "Nothing is served before they can be applied.")
    };
    migrate_file(path, scripts, Migration::Apply).map_err(|error| failed(&error))?;
    Held::open(path).map_err(|error| failed(&error))
}

/// What a catalog of SQLite says. `policed`: the tables that have policies.
fn of_catalog(catalog: &Catalog, policed: &[String], role: &str) -> Vec<Exposed> {
    let roles = Roles::of_existing(role, catalog).ok();
    let may = |table: &QualifiedName, privileges: &[Privilege]| {
        roles.as_ref().is_some_and(|roles| {
            roles.may_use(&table.schema) && privileges.iter().any(|privilege| roles.may(*privilege, table, []))
        })
    };
    let tables = catalog.tables.values().filter(|table| table.kind == Kind::Table).map(|table| &table.name);
    let exposed = |table: &QualifiedName| {
        let is_enabled = catalog.row_security.contains_key(table);
        Exposed {
            name: table.name.clone(),
            is_read: may(table, &[Privilege::Select]),
            is_written: may(table, &[Privilege::Insert, Privilege::Update, Privilege::Delete]),
            is_secured: is_enabled && !catalog.bypassing_roles.contains(role),
            is_idle: !is_enabled && policed.contains(&table.name),
        }
    };
    tables.map(exposed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposed(name: &str, is_written: bool, is_secured: bool) -> Exposed {
        Exposed { name: name.to_owned(), is_read: true, is_written, is_secured, is_idle: false }
    }

    #[test]
    fn what_everybody_may_do_with_every_row_is_warned_of() {
        let secured = exposed("notes", true, true);
        let judged = |tables: &[Exposed]| judge(AccessMode::Closed, "anon", tables);
        assert_eq!(judged(&[]).first().map(|finding| finding.value.as_str()), Some("nothing"));
        assert_eq!(judged(std::slice::from_ref(&secured)).first().map(|finding| finding.level), Some(Level::Ok));
        let [finding] = &judged(&[secured, exposed("films", false, false), exposed("votes", true, false)])[..] else {
            panic!("one finding")
        };
        assert_eq!((finding.level, finding.value.as_str()), (Level::Warning, "notes, films, votes"));
        let meaning =
            "no row policy holds for \"anon\": every row of films, votes can be read; any row of votes can be written";
        assert_eq!(finding.meaning, meaning);
    }

    #[test]
    fn where_nobody_comes_without_a_token_only_idle_policies_are_told() {
        let tables = [Exposed { is_idle: true, ..exposed("votes", true, false) }];
        let found = judge(AccessMode::Closed, "", &tables);
        assert_eq!(found.iter().map(|finding| finding.name).collect::<Vec<_>>(), ["policies"]);
        assert_eq!(judge(AccessMode::Open, "anon", &tables).len(), 1);
    }

    #[test]
    fn long_lists_are_counted() {
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        assert_eq!(named(&names), "a, b, c, d, e, f and 2 more");
    }
}
