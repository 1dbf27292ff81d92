//! `berth copy --to DSN`: the whole database from the volume into Postgres, verified.

use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;
use thiserror::Error;

use super::compose;
use super::progress::Progress;
use super::restore;
use super::scratch::{self, Scratch};
use crate::config::{Config, Storage};
use crate::migrate;
use crate::store;
use crate::store::postgres::{Postgres, PostgresSettings};
use crate::store::sqlite::plain::{self, Held};
use crate::telemetry::Telemetry;
use crate::transfer::{self, Existing, Report, Rest, Step};
use crate::volume::log::restore::{Stamp, Target};

/// Whereto.
#[derive(Debug, Clone, Args)]
pub(super) struct Wish {
    /// The DSN of an empty Postgres database; without it, `DATABASE_URL` (which may come from a file).
    #[arg(long, value_name = "DSN")]
    to: Option<String>,
    /// The server has the same migrations: remove the rows that it has of these tables, and copy them anew.
    #[arg(long)]
    replace_rows: bool,
    /// Copy a file that no migration made without what Postgres cannot have, which is listed.
    #[arg(long)]
    leave_out: bool,
}

/// Why nothing was copied.
#[derive(Debug, Error)]
pub(super) enum Error {
    /// Whereto?
    #[error("say --to DSN, or set DATABASE_URL")]
    NoTarget,
    /// There is no database.
    #[error("there is no database \"{path}\", and no shared log beside it", path = .0.display())]
    NoDatabase(PathBuf),
    /// The runtime.
    #[error("cannot start")]
    System(#[from] io::Error),
    /// The volume.
    #[error(transparent)]
    Compose(#[from] compose::Error),
    /// `LOCAL_DIR`.
    #[error(transparent)]
    Scratch(#[from] scratch::Error),
    /// The shared log.
    #[error(transparent)]
    Restore(#[from] restore::Error),
    /// The file.
    #[error("\"{path}\" cannot be copied", path = path.display())]
    File {
        /// The database.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: plain::Error,
    },
    /// What made it.
    #[error(transparent)]
    Migrate(#[from] migrate::Error),
    /// The server.
    #[error("the server cannot be reached: {}", .0.in_full())]
    Server(store::Error),
    /// On the way.
    #[error("nothing was copied, and the server is as it was")]
    Transfer(#[from] transfer::Error),
}

/// Copies, and says on stdout what is there and equal.
pub(super) async fn run(config: &Config, wish: &Wish) -> Result<(), Error> {
    let storage = &config.storage;
    let dsn = wish.to.as_deref().or_else(|| storage.database_url.as_ref().map(|dsn| dsn.expose().as_str()));
    let dsn = dsn.ok_or(Error::NoTarget)?;
    let existing = if wish.replace_rows { Existing::Replaced } else { Existing::Refused };
    let rest = if wish.leave_out { Rest::LeftOut } else { Rest::Refused };

    let mut progress = Progress::start();
    let source = Source::hold(storage, &mut progress)?;
    let recorded = migrate::recorded(source.held.connection(), &super::migrate::scripts(storage)?)?;
    let settings = PostgresSettings { channel: None, pool_size: 1, ..compose::settings::postgres(config, dsn) };
    let telemetry = Telemetry::silent().map_err(compose::Error::from)?;
    let server = Postgres::open(&settings, telemetry).map_err(Error::Server)?;
    let mut client = server.client().await.map_err(Error::Server)?;
    let mut told = Told { progress, rows: 0, done: 0 };
    let done =
        transfer::transfer(&source.held, &recorded, &mut client, existing, rest, &mut |step| told.tell(step)).await;
    told.progress.clear();
    let report = done?;
    say(&report, &source, told.progress.elapsed().as_secs_f64());
    Ok(())
}

/// The database as it is at one moment.
pub(super) struct Source {
    pub(super) held: Held,
    /// Where it is, and of when.
    name: String,
    /// The file that a log was restored into.
    _scratch: Option<Scratch>,
}

impl Source {
    /// Holds it. A shared log is restored into `LOCAL_DIR` for that.
    pub(super) fn hold(storage: &Storage, progress: &mut Progress) -> Result<Self, Error> {
        let log = compose::log_path(storage);
        if compose::has_log(&log) {
            let scratch = Scratch::in_directory(&storage.local_dir)?;
            let path = scratch.path().join("copy.db");
            let restored = restore::restore_from(&compose::log_to_read(storage)?, Target::Newest, &path, progress)?;
            let Stamp { txid, moment } = restored.stamp;
            let held = Held::open_unchanging(&path).map_err(|source| Error::File { path, source })?;
            let name = format!("{} at position {} ({moment})", log.display(), txid.0);
            return Ok(Self { held, name, _scratch: Some(scratch) });
        }
        let path = compose::database_path(storage);
        if !path.exists() {
            return Err(Error::NoDatabase(path));
        }
        let name = path.display().to_string();
        let held = Held::open(&path).map_err(|source| Error::File { path, source })?;
        Ok(Self { held, name, _scratch: None })
    }
}

/// Tells people how far it is.
struct Told {
    progress: Progress,
    /// Rows of all tables.
    rows: u64,
    /// Rows of the tables that are copied.
    done: u64,
}

impl Told {
    fn tell(&mut self, step: Step<'_>) {
        match step {
            Step::Found { rows } => self.rows = rows,
            Step::Defining => self.progress.show(0, None, || "defining".to_owned()),
            Step::Copying { table, rows } => {
                self.progress.show(self.done + rows, Some(self.rows), || format!("copying {table}, {rows} rows"));
            }
            Step::Copied { rows } => self.done += rows,
            Step::Checking { table, rows } => {
                self.progress.show(rows, None, || format!("checking {table}, {rows} rows"));
            }
            Step::Finishing => self.progress.show(0, None, || "checking keys".to_owned()),
            Step::Equal { table, sum } => {
                self.progress.clear();
                let _ = writeln!(io::stdout().lock(), "{table}: {sum} on both sides");
            }
        }
    }
}

fn say(report: &Report, source: &Source, seconds: f64) {
    let Report { tables, rows, migrations, left, notes } = report;
    let mut out = io::stdout().lock();
    for note in notes {
        let _ = writeln!(out, "note: {note}");
    }
    for left in left {
        let _ = writeln!(out, "left out: {left}");
    }
    let _ = writeln!(out, "copied {tables} tables with {rows} rows from {} in {seconds:.1} s", source.name);
    if *migrations > 0 {
        let _ = writeln!(out, "{migrations} migrations are noted as applied");
    }
}
