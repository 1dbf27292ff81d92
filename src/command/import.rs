//! `berth import`: an existing SQLite file becomes the database of an empty volume.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use thiserror::Error;

use super::compose::{self, Mode};
use super::output::{self, Output};
use super::progress::Progress;
use crate::config::Storage;
use crate::store::sqlite::plain::{self, Held};
use crate::volume::log::import::{self, Imported, Intent};
use crate::volume::log::retain::Whole as _;
use crate::volume::probe::report::size;

/// What is imported.
#[derive(Debug, Clone, Args)]
pub(super) struct Wish {
    /// The file; without it, the one that would be served in place: `<VOLUME>/<DATABASE_NAME>.db`.
    file: Option<PathBuf>,
    /// Go on with an import that was broken off.
    #[arg(long)]
    resume: bool,
}

/// Why nothing was imported.
#[derive(Debug, Error)]
pub(super) enum Error {
    /// Postgres keeps the data.
    #[error("DATABASE_URL is set: an import is for the volume; `berth copy` brings it to Postgres from there")]
    Postgres,
    /// It is where it would go.
    #[error("\"{path}\" is served in place as it is: there is nothing to import", path = .0.display())]
    Served(PathBuf),
    /// The volume.
    #[error(transparent)]
    Compose(#[from] compose::Error),
    /// The file.
    #[error("\"{path}\" cannot be imported", path = path.display())]
    File {
        /// Which one.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: plain::Error,
    },
    /// In place.
    #[error(transparent)]
    Output(#[from] output::Error),
    /// Into the log.
    #[error("cannot import into the shared log")]
    Log(#[from] import::Error),
}

/// Imports, and says on stdout what is where.
pub(super) fn run(storage: &Storage, wish: &Wish) -> Result<(), Error> {
    if storage.database_url.is_some() {
        return Err(Error::Postgres);
    }
    let in_place = compose::database_path(storage);
    let file = wish.file.clone().unwrap_or_else(|| in_place.clone());
    match compose::volume_mode(storage)? {
        Mode::SharedLog => {
            let intent = if wish.resume { Intent::GoOn } else { Intent::Begin };
            into_log(storage, &file, intent)
        }
        Mode::InPlace if is_same(&file, &in_place) => Err(Error::Served(file)),
        Mode::InPlace => into_place(&file, &in_place),
    }
}

fn into_log(storage: &Storage, file: &Path, intent: Intent) -> Result<(), Error> {
    let mut progress = Progress::start();
    let unfit = |source| Error::File { path: file.to_owned(), source };
    let held = Held::open(file).map_err(unfit)?;
    progress.show(0, None, || format!("checking {}", file.display()));
    held.check().map_err(unfit)?;
    let shape = held.shape();
    let disk = compose::log_to_write(storage)?;
    let Imported { position, is_new } = import::import(&disk, &held, intent, &mut |pages| {
        progress.show(pages.into(), Some(shape.database_pages.into()), || {
            format!("{pages} of {} pages", shape.database_pages)
        });
    })?;
    progress.clear();
    let _ = writeln!(
        io::stdout().lock(),
        "{}: {} at position {} in {:.1} s{}",
        compose::log_path(storage).display(),
        size(u64::from(shape.database_pages) * u64::from(shape.page_size)),
        position.txid.0,
        progress.elapsed().as_secs_f64(),
        if is_new { "" } else { "; it was there already" },
    );
    Ok(())
}

fn into_place(file: &Path, database: &Path) -> Result<(), Error> {
    let unfit = |source| Error::File { path: file.to_owned(), source };
    // That it is a database, before anything is made of it.
    drop(Held::open(file).map_err(unfit)?);
    let made = Output::begin(database)?;
    let mut progress = Progress::start();
    let tell = &mut |done, all| progress.show(done, Some(all), || format!("{done} of {all} pages"));
    plain::copy(file, made.part(), tell).map_err(unfit)?;
    plain::check_unchanging(made.part()).map_err(unfit)?;
    made.appear()?;
    progress.clear();
    let _ = writeln!(io::stdout().lock(), "{}: in {:.1} s", database.display(), progress.elapsed().as_secs_f64());
    Ok(())
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
