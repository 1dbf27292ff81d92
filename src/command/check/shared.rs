//! What a shared log has, and where the working copies of it lie.

use super::Error;
use crate::command::compose;
use crate::config::Storage;
use crate::volume::log::restore::{self, Survey};
use crate::volume::mount::Family;
use crate::volume::probe::report::{Finding, Level, size};
use crate::volume::probe::{Depth, Facts, Tried};

/// File systems that are memory.
const MEMORY: [&str; 2] = ["tmpfs", "ramfs"];

/// The log, and `LOCAL_DIR`.
pub(super) fn findings(storage: &Storage) -> Result<Vec<Finding>, Error> {
    let survey = match compose::log_to_read(storage) {
        Ok(volume) => restore::survey(&volume),
        // None was begun yet.
        Err(_) => Ok(None),
    };
    let database_bytes = survey.as_ref().ok().and_then(Option::as_ref).map_or(0, |survey| survey.database_bytes);
    let copies = compose::look(&storage.local_dir, Depth::Start)?;
    Ok(vec![log(&survey), working_copies(&copies, database_bytes)])
}

fn log(survey: &Result<Option<Survey>, restore::Error>) -> Finding {
    let name = "log";
    match survey {
        Ok(None) => Finding::ok(name, "empty", "nothing was written to it yet"),
        Ok(Some(survey)) if survey.is_marked => {
            Finding::ok(name, survey.newest.to_string(), "it has a part of a database: no instance serves it")
                .advise(Level::Unsafe, "Wait for the import, or go on with it: berth import --resume.")
        }
        Ok(Some(survey)) => {
            let after = survey.newest.txid.0.saturating_sub(survey.snapshot.0);
            let start = match survey.snapshot.0 {
                0 => format!("a start reads {after} commit groups"),
                snapshot => format!("a start reads the snapshot at {snapshot} and {after} commit groups"),
            };
            let meaning = format!("all since {} can be restored; {start}", survey.oldest);
            Finding::ok(name, survey.newest.to_string(), meaning)
        }
        Err(error @ restore::Error::Torn { .. }) => Finding::ok(name, "torn", error.to_string()).advise(
            Level::Unsafe,
            "Only where a mount shows files before their close does a killed writer leave one, of what was never \
             acknowledged: move it away when no instance writes it any more. Elsewhere it was damaged, and bringing it back \
             from a copy of the volume keeps what was acknowledged.",
        ),
        Err(error) => Finding::ok(name, "cannot be read", error.to_string())
            .advise(Level::Unsafe, "Look at the volume; your platform's snapshots of it may have what is missing."),
    }
}

/// Where working copies are made.
fn working_copies(facts: &Facts, database_bytes: u64) -> Finding {
    let name = "working copies";
    let free = facts.space.map_or(0, |(free, _)| free);
    let value = format!("{} on {}, {} free", facts.directory.display(), facts.file_system(), size(free));
    if let Tried::Fails(reason) = &facts.writable {
        return Finding::ok(name, value, format!("no file can be made there: {reason}"))
            .advise(Level::Unsafe, "Set LOCAL_DIR to a directory that the user of berth may write.");
    }
    // What only says that it is some FUSE file system is what platforms show of their buckets.
    let is_fuse = facts.mount.as_ref().is_some_and(|mount| mount.kind.starts_with("fuse"));
    if matches!(facts.family(), Family::Network(_) | Family::ObjectStore(_) | Family::Overwriting(_)) || is_fuse {
        return Finding::ok(name, value, "other hosts may mount it, and SQLite does not work there")
            .advise(Level::Unsafe, "Set LOCAL_DIR to a local directory.");
    }
    if facts.space.is_some() && free < database_bytes {
        return Finding::ok(name, value, format!("the database has {}, and does not fit", size(database_bytes)))
            .advise(Level::Unsafe, "Give LOCAL_DIR more room.");
    }
    let is_memory = facts.mount.as_ref().is_some_and(|mount| MEMORY.contains(&mount.kind.as_str()));
    let meaning =
        if is_memory { "it is memory: each copy counts against the limit" } else { "local, and theirs alone" };
    Finding::ok(name, value, meaning)
}
