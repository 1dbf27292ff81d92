//! `berth migrate`: applies what is pending, or says what would be.

use std::io::Write as _;

use super::compose::{self, Error};
use crate::config::{Config, Storage};
use crate::migrate::{self, Mode, Report, Script};
use crate::store::postgres::Postgres;
use crate::store::sqlite::journal::SharedLog;
use crate::telemetry::Telemetry;

/// Applies the pending migrations, or with [`Mode::DryRun`] checks that they would apply, and prints their names.
pub(super) async fn run(config: &Config, mode: Mode) -> Result<(), Error> {
    let report = match &config.storage.database_url {
        Some(dsn) => {
            let settings = compose::settings::postgres(config, dsn.expose());
            let store = Postgres::open(&settings, Telemetry::silent()?)?;
            postgres(&store, &config.storage, mode).await?
        }
        None => match compose::volume_mode(&config.storage)? {
            compose::Mode::InPlace => in_place(&config.storage, mode)?,
            compose::Mode::SharedLog => {
                let log = compose::shared_log(&config.storage, &Telemetry::silent()?)?;
                shared(&log, &config.storage, mode)?
            }
        },
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

/// What is in the directory of migrations, if there is one.
pub(super) fn scripts(storage: &Storage) -> Result<Vec<Script>, migrate::Error> {
    storage.migrations.as_deref().map_or(Ok(Vec::new()), Script::read_directory)
}

/// Migrates the SQLite file of the volume.
pub(super) fn in_place(storage: &Storage, mode: Mode) -> Result<Report, migrate::Error> {
    let scripts = scripts(storage)?;
    if scripts.is_empty() {
        return Ok(Report::default());
    }
    migrate::migrate_file(&compose::database_path(storage), &scripts, mode)
}

/// Migrates the database of a shared log. Many instances may do so at once: each script is one commit of one of them.
pub(super) fn shared(log: &SharedLog, storage: &Storage, mode: Mode) -> Result<Report, Error> {
    let scripts = scripts(storage)?;
    if scripts.is_empty() {
        return Ok(Report::default());
    }
    let mut report = Report::default();
    // Run again when another instance was faster with a later script: those before it are applied.
    log.run(|connection| migrate::apply_sqlite(connection, &scripts, mode, &mut report).map_err(Error::from))?;
    Ok(report)
}

/// Migrates a Postgres database.
pub(super) async fn postgres(store: &Postgres, storage: &Storage, mode: Mode) -> Result<Report, Error> {
    let scripts = scripts(storage)?;
    if scripts.is_empty() {
        return Ok(Report::default());
    }
    let mut client = store.client().await?;
    Ok(migrate::apply_postgres(&mut client, &scripts, mode).await?)
}
