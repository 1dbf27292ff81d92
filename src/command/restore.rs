//! `berth restore`: the database as it was at a moment that the shared log still has, as a plain SQLite file.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use thiserror::Error;

use super::compose;
use super::output::{self, Output};
use super::progress::Progress;
use crate::clock;
use crate::config::Storage;
use crate::store::sqlite::plain;
use crate::volume::Volume;
use crate::volume::log::change::Txid;
use crate::volume::log::restore::{self, Moment, Restored, Target};
use crate::volume::probe::report::size;

/// What is to be restored, and whereto.
#[derive(Debug, Clone, Args)]
pub(super) struct Wish {
    /// A moment (RFC 3339, e.g. 2026-01-31T10:00:00Z) or a position (42, or the 16 digits of a file's name); the newest
    /// state without it.
    #[arg(long, value_name = "TIME|TXID", value_parser = parse_target)]
    at: Option<Target>,
    /// The file that is made; one that is there is not overwritten.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
}

/// Why nothing was restored.
#[derive(Debug, Error)]
pub(super) enum Error {
    /// There is no log.
    #[error(transparent)]
    Compose(#[from] compose::Error),
    /// The moment has not come.
    #[error("{moment} is in the future: it is {now}")]
    Future {
        /// What was asked for.
        moment: Moment,
        /// By this machine's clock.
        now: Moment,
    },
    /// The log does not lead there.
    #[error("cannot restore")]
    Restore(#[from] restore::Error),
    /// The file.
    #[error(transparent)]
    Output(#[from] output::Error),
    /// The file has what the log has, byte for byte, and that is not sound.
    #[error("\"{path}\" has what the log has, but it is not sound", path = path.display())]
    Unsound {
        /// The file, which is there.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: plain::Error,
    },
}

/// Restores, and says on stdout what is in the file.
pub(super) fn run(storage: &Storage, wish: &Wish) -> Result<(), Error> {
    let now = Moment(clock::unix_micros() / 1_000);
    if let Some(Target::Moment(moment)) = wish.at
        && moment > now
    {
        return Err(Error::Future { moment, now });
    }
    restore_to_file(storage, wish.at.unwrap_or(Target::Newest), &wish.output)
}

/// Restores from the volume's log.
pub(super) fn restore_to_file(storage: &Storage, target: Target, path: &Path) -> Result<(), Error> {
    let log = compose::log_to_read(storage)?;
    let output = Output::begin(path)?;
    let mut progress = Progress::start();
    let restored = restore_from(&log, target, output.part(), &mut progress)?;
    progress.show(0, None, || "checking the file".to_owned());
    let sound = plain::check_unchanging(output.part());
    output.appear()?;
    progress.clear();
    let verdict = if sound.is_ok() { "; its integrity check is ok" } else { "" };
    let mut out = std::io::stdout().lock();
    let _ = writeln!(
        out,
        "{}: {} in {:.1} s: {}{verdict}",
        path.display(),
        size(bytes(&restored)),
        progress.elapsed().as_secs_f64(),
        origin(&restored),
    );
    sound.map_err(|source| Error::Unsound { path: path.to_owned(), source })
}

/// Restores a log into the file at `path`.
pub(super) fn restore_from(
    log: &dyn Volume,
    target: Target,
    path: &Path,
    progress: &mut Progress,
) -> Result<Restored, Error> {
    Ok(restore::restore(log, target, path, &mut |step| tell(progress, step))?)
}

fn bytes(restored: &Restored) -> u64 {
    u64::from(restored.shape.page_size) * u64::from(restored.shape.database_pages)
}

fn origin(restored: &Restored) -> String {
    let slots = restored.stamp.txid.0.saturating_sub(restored.snapshot.0);
    let snapshot = match restored.snapshot {
        Txid::NONE => String::new(),
        snapshot => format!("the snapshot at {} and ", snapshot.0),
    };
    format!("{} from {snapshot}{slots} commit groups", restored.stamp)
}

fn tell(progress: &mut Progress, step: restore::Progress) {
    match step {
        restore::Progress::Snapshot { bytes } => progress.show(0, None, || format!("snapshot, {}", size(bytes))),
        restore::Progress::Slot { txid, newest } => {
            progress.show(txid.0, Some(newest.0), || format!("position {} of {}", txid.0, newest.0));
        }
    }
}

/// Digits are a position, as `Berth-Position` has it or as a file is named; all else is a moment.
fn parse_target(text: &str) -> Result<Target, String> {
    const EXPECTED: &str = "expected a moment (2026-01-31T10:00:00Z) or a position from 1 on (42, or 000000000000002a)";
    let position = Txid::parse(text).or_else(|| text.parse().ok().map(Txid));
    match position {
        Some(Txid::NONE) => Err(EXPECTED.to_owned()),
        Some(txid) => Ok(Target::Position(txid)),
        None => Moment::parse(text).map(Target::Moment).ok_or_else(|| EXPECTED.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_numbers_or_names_and_all_else_is_a_moment() {
        for (text, target) in [
            ("42", Target::Position(Txid(42))),
            ("000000000000002a", Target::Position(Txid(42))),
            ("0000000000000042", Target::Position(Txid(0x42))),
            ("1970-01-01T00:00:01Z", Target::Moment(Moment(1_000))),
        ] {
            assert_eq!(parse_target(text), Ok(target), "{text}");
        }
        for text in ["", "0", "-1", "0000000000000000", "now", "2a", "1970-01-01"] {
            assert!(parse_target(text).is_err(), "{text}");
        }
    }
}
