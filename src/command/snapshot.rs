//! `berth snapshot`: the database as it is now, beside the shared log or in a file.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use thiserror::Error;

use super::compose::{self, Mode};
use super::output::{self, Output};
use super::progress::Progress;
use super::restore;
use super::scratch::{self, Scratch};
use crate::config::Storage;
use crate::store::sqlite::plain;
use crate::volume::log;
use crate::volume::log::copy::WholeFile;
use crate::volume::log::restore::{Restored, Target};
use crate::volume::log::{retain, slot};
use crate::volume::probe::report::size;

/// Where the snapshot goes.
#[derive(Debug, Clone, Args)]
pub(super) struct Wish {
    /// Make a SQLite file; one that is there is not overwritten. Without it, write a snapshot beside the shared log.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Why there is no snapshot.
#[derive(Debug, Error)]
pub(super) enum Error {
    /// Postgres keeps the data.
    #[error("DATABASE_URL is set: a Postgres database is copied with `pg_dump`, or by its platform's backups")]
    Postgres,
    /// Beside what?
    #[error("the database lies in place, and has no log that a snapshot could lie beside: say --output FILE")]
    NoOutput,
    /// There is no database.
    #[error("there is no database \"{path}\"", path = .0.display())]
    NoDatabase(PathBuf),
    /// The volume.
    #[error(transparent)]
    Compose(#[from] compose::Error),
    /// Reading the log.
    #[error(transparent)]
    Restore(#[from] restore::Error),
    /// Writing beside the log.
    #[error("the snapshot cannot be written")]
    Log(#[from] log::Error),
    /// The file.
    #[error(transparent)]
    Output(#[from] output::Error),
    /// `LOCAL_DIR`.
    #[error(transparent)]
    Scratch(#[from] scratch::Error),
    /// The database in place is not sound, or cannot be read.
    #[error("\"{path}\" cannot be copied", path = path.display())]
    Copy {
        /// The database.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: plain::Error,
    },
}

/// Writes the snapshot, and says on stdout where it is, how large, and how long it took.
pub(super) fn run(storage: &Storage, wish: &Wish) -> Result<(), Error> {
    if storage.database_url.is_some() {
        return Err(Error::Postgres);
    }
    match (compose::volume_mode(storage)?, &wish.output) {
        (Mode::SharedLog, Some(output)) => Ok(restore::restore_to_file(storage, Target::Newest, output)?),
        (Mode::SharedLog, None) => beside_the_log(storage),
        (Mode::InPlace, Some(output)) => in_place(&compose::database_path(storage), output),
        (Mode::InPlace, None) => Err(Error::NoOutput),
    }
}

fn beside_the_log(storage: &Storage) -> Result<(), Error> {
    // That there is one, before anything is made.
    compose::log_to_read(storage)?;
    let disk = compose::log_to_write(storage)?;
    let scratch = Scratch::in_directory(&storage.local_dir)?;
    let mut progress = Progress::start();
    let file = scratch.path().join("snapshot.db");
    let restored = restore::restore_from(&disk, Target::Newest, &file, &mut progress)?;
    progress.show(0, None, || "writing the snapshot".to_owned());
    let Restored { stamp, position, shape, snapshot } = restored;
    let is_new = snapshot != stamp.txid;
    let bytes = retain::write_snapshot(&disk, &position, stamp.moment.0, &WholeFile::at(&file, shape))?;
    progress.clear();
    let _ = writeln!(
        io::stdout().lock(),
        "{}: {stamp}, {} in {:.1} s{}",
        compose::log_path(storage).join(slot::snapshot_path(stamp.txid)).display(),
        size(bytes),
        progress.elapsed().as_secs_f64(),
        if is_new { "" } else { "; it was there already" },
    );
    Ok(())
}

fn in_place(database: &Path, output: &Path) -> Result<(), Error> {
    if !database.exists() {
        return Err(Error::NoDatabase(database.to_owned()));
    }
    let made = Output::begin(output)?;
    let mut progress = Progress::start();
    let copied = plain::copy(database, made.part(), &mut |done, all| {
        progress.show(done, Some(all), || format!("{done} of {all} pages"));
    });
    let unfit = |source| Error::Copy { path: database.to_owned(), source };
    copied.map_err(unfit)?;
    progress.show(0, None, || "checking the file".to_owned());
    plain::check_unchanging(made.part()).map_err(unfit)?;
    let bytes = fs::metadata(made.part()).map_or(0, |file| file.len());
    made.appear()?;
    progress.clear();
    let _ = writeln!(
        io::stdout().lock(),
        "{}: {} in {:.1} s; its integrity check is ok",
        output.display(),
        size(bytes),
        progress.elapsed().as_secs_f64(),
    );
    Ok(())
}
