//! Migrations in PostgreSQL's syntax, run on Postgres as they are and translated for SQLite.
//!
//! `*.sql` of a directory → [`Script`]s ([`read_directory`]) → one transaction each, with a row in the ledger
//! ([`apply_sqlite`], [`apply_postgres`]). Start reading at [`script`], then `translate` (a pure function from a
//! script and a schema to steps of SQL: it never sees a connection), then `run`.
//!
//! On SQLite a migration also leaves what the engine has no place for, in tables that the API never shows:
//!
//! | table | columns |
//! |---|---|
//! | `_berth_migrations` | `name`, `checksum` (SHA-256, hex), `applied_at` |
//! | `_berth_tables` | `name`, `definition`: the table as Postgres knows it, JSON |
//! | `_berth_types` | `name`, `definition`: enumerations and domains, JSON |
//! | `_berth_enums` | `table_name`, `column_name`, `type_name`, `labels` (JSON array) |
//! | `_berth_comments` | `object_kind` (`table`, `column`, `schema`), `table_name`, `column_name`, `comment` |
//! | `_berth_roles` | `name`, `member_of` (JSON array), `inherits`, `bypass_row_security` |
//! | `_berth_grants` | `grantee`, `schema_name`, `table_name`, `privilege`, `columns` (JSON array or null: all) |
//!
//! On Postgres the ledger is `berth.migrations`: a schema of its own, so that no exposed schema shows it.

mod error;
mod run;
pub mod script;
mod split;
mod translate;

pub use error::Error;
pub use run::{Applied, Mode, Report, Skipped, apply_postgres, apply_sqlite};
pub use script::{Script, Statement, read_directory};
