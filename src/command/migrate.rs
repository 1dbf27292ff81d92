//! `berth migrate`: applies what is pending, or says what would be.

use std::io::Write as _;

use super::compose::{self, Error};
use crate::config::{Config, Storage};
use crate::migrate::{self, Mode, Report, Script};
use crate::store::postgres::Postgres;
use crate::telemetry::Telemetry;
use crate::volume::mount;

/// Applies the pending migrations, or with [`Mode::DryRun`] checks that they would apply, and prints their names.
pub(super) async fn run(config: &Config, mode: Mode) -> Result<(), Error> {
    let report = match &config.storage.database_url {
        Some(dsn) => {
            let settings = compose::postgres_settings(config, dsn.expose());
            let store = Postgres::open(&settings, Telemetry::silent()?)?;
            postgres(&store, &config.storage, mode).await?
        }
        None => {
            mount::check(&config.storage.volume, compose::trust(config.storage.volume_unsafe))?;
            sqlite(&config.storage, mode)?
        }
    };
    let verb = match mode {
        Mode::Apply => "applied",
        Mode::DryRun => "would apply",
    };
    let mut out = std::io::stdout().lock();
    for applied in &report.applied {
        let _ = writeln!(out, "{verb} {}", applied.name);
    }
    if report.applied.is_empty() {
        let _ = writeln!(out, "nothing to apply");
    }
    Ok(())
}

/// Migrates the SQLite file of the volume.
pub(super) fn sqlite(storage: &Storage, mode: Mode) -> Result<Report, migrate::Error> {
    let scripts = Script::read_directory(&storage.migrations)?;
    if scripts.is_empty() {
        return Ok(Report::default());
    }
    migrate::migrate_file(&compose::database_path(storage), &scripts, mode)
}

/// Migrates a Postgres database.
pub(super) async fn postgres(store: &Postgres, storage: &Storage, mode: Mode) -> Result<Report, Error> {
    let scripts = Script::read_directory(&storage.migrations)?;
    if scripts.is_empty() {
        return Ok(Report::default());
    }
    let mut client = store.client().await?;
    Ok(migrate::apply_postgres(&mut client, &scripts, mode).await?)
}
