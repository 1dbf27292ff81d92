//! The database that requests are held against: every type, key, view, function and policy that the tests have.

use std::path::PathBuf;

use berth::migrate::{Mode, Script, migrate_file};
use berth::plan::{AccessMode, Engine, Root, Settings, Streaming, TargetNames, TransactionOverride};
use berth::request::prefer::TransactionEnd;
use tempfile::TempDir;

/// The roles of the scripts.
pub const ROLES: [&str; 8] =
    ["anon", "pol_user", "pol_lead", "pol_writer", "pol_service", "pol_narrow", "pol_apart", "everyone"];

const SCRIPTS: [(&str, &str); 5] = [
    ("1.sql", include_str!("../../migrations/0001_films.sql")),
    ("2.sql", include_str!("../../tests/it/differential/types.sql")),
    ("3.sql", include_str!("../../tests/it/differential/functions.sql")),
    ("4.sql", include_str!("../../tests/it/policies/schema.sql")),
    (
        "5.sql",
        "RESET ROLE; CREATE ROLE everyone; GRANT ALL ON ALL TABLES IN SCHEMA public TO everyone; \
         GRANT SELECT (id, small, words), UPDATE (words), INSERT (id, words) ON kinds TO pol_user; \
         GRANT SELECT ON kinds, heavy, offspring, parents TO anon;",
    ),
];

/// A database file with the schema, in a folder of its own.
///
/// # Panics
/// When the scripts do not apply.
#[must_use]
pub fn make() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("app.db");
    let scripts = SCRIPTS.map(|(name, text)| Script::new(name, text).expect("a script"));
    migrate_file(&file, &scripts, Mode::Apply).expect("the scripts apply");
    (folder, file)
}

/// Everything may be asked for, and nothing that is written stays.
#[must_use]
pub fn settings(engine: Engine) -> Settings {
    Settings {
        engine,
        schemas: vec!["public".to_owned()],
        max_rows: Some(100),
        streaming: Streaming::Rows { at_most: Some(100) },
        aggregates: true,
        plans: true,
        target_names: TargetNames::Legacy,
        access: AccessMode::Closed,
        root: Root::Usable,
        transaction_end: TransactionEnd::Rollback,
        transaction_override: TransactionOverride::Ignored,
    }
}
