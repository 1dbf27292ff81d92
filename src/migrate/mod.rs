//! Migrations in PostgreSQL's syntax, run on Postgres as they are and translated for SQLite.
//!
//! `*.sql` of a directory → [`Script`]s ([`Script::read_directory`]) → one transaction each, with a row in the ledger
//! ([`apply_sqlite`], [`apply_postgres`]). Start reading at [`script`], then `translate` (a pure function from a
//! script and a schema to steps of SQL: it never sees a connection), then `sqlite` and `postgres`.
//!
//! On SQLite a migration also leaves what the engine has no place for, in tables that the API never shows:
//!
//! | table | columns |
//! |---|---|
//! | `_berth_migrations` | `name`, `checksum` (SHA-256, hex), `applied_at`, `definitions` (its statements without those that move rows) |
//! | `_berth_tables` | `name`, `definition`: the table as Postgres knows it, JSON |
//! | `_berth_types` | `name`, `definition`: enumerations and domains, JSON |
//! | `_berth_enums` | `table_name`, `column_name`, `labels` (JSON array) |
//! | `_berth_views` | `name`, `definition`: a view's columns, JSON |
//! | `_berth_functions` | `signature`, `definition` (PostgreSQL's statements), `model` (JSON), `routine` (JSON: translated) |
//! | `_berth_columns` | `table_name`, `column_name`, `type_name`, `identity` (`always`, `by default` or null) |
//! | `_berth_comments` | `object_kind` (`table`, `column`, `schema`), `table_name`, `column_name`, `comment` |
//! | `_berth_roles` | `name`, `member_of` (JSON array) |
//! | `_berth_bypassing_roles` | `name`: those with `BYPASSRLS` |
//! | `_berth_row_security` | `table_name`, `enabled`, `forced` |
//! | `_berth_policies` | `table_name`, `name`, `kind`, `command`, `roles` (JSON array), `using_expression`, `check_expression` in Postgres' SQL, `using_sql`, `check_sql` in SQLite's |
//! | `_berth_invoker_views` | `name`: those with `security_invoker` |
//! | `_berth_checked_views` | `name`, `option_name`: the check option, `local` or `cascaded` |
//! | `_berth_grants` | `grantee`, `schema_name`, `table_name`, `privilege`, `columns` (JSON array or null: all) |
//!
//! On Postgres the ledger is `berth.migrations`: a schema of its own, so that no exposed schema shows it.

mod claims;
mod error;
mod ledger;
mod postgres;
mod record;
mod replay;
pub mod script;
mod split;
mod sqlite;
mod translate;
mod words;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub use error::Error;
pub use postgres::apply_postgres;
pub use replay::{Recorded, applied_to_postgres, lock_postgres, recorded, replay_postgres};
pub use script::{Script, Statement};
pub use sqlite::{apply_sqlite, migrate_file};

/// Whether migrations take effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They do.
    Apply,
    /// They are run and undone, to see whether they would.
    DryRun,
}

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The scripts that were applied, in their order.
    pub applied: Vec<Applied>,
}

/// A script that was applied.
#[derive(Debug, PartialEq, Eq)]
pub struct Applied {
    /// The file's name.
    pub name: String,
    /// How long it took.
    pub latency: Duration,
}
