//! What the volume can do, tried on it; and how it can be used without losing data.
//!
//! [`look`] tries, [`Facts::choose`] and the two `refuse_…` judge, [`report`] tells people. A probe on one host cannot
//! prove what holds between hosts: so the file system's name counts too, and what is not known is taken for a
//! network's.

pub mod lock;
pub mod report;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use thiserror::Error as ThisError;

use super::disk::{Strategy, make_directory};
use super::mount::{Family, Mount};
use crate::clock::{self, Stopwatch};
use lock::{Peer, Sharing};

/// How often the latency of a durable write is measured; the middle one counts.
const SYNCS: usize = 5;

/// Bytes of each such write: a page.
const SYNC_BYTES: usize = 4096;

/// What came of a trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// It works.
    Works,
    /// It does not, for this reason.
    Fails(String),
    /// It was not tried, or there is no way to.
    Untried,
}

impl Tried {
    /// True when it was tried and works.
    #[must_use]
    pub fn works(&self) -> bool {
        matches!(self, Self::Works)
    }

    fn of(done: io::Result<()>) -> Self {
        match done {
            Ok(()) => Self::Works,
            Err(error) => Self::Fails(error.to_string()),
        }
    }
}

/// How much is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What a start needs, within a millisecond on a local disk.
    Start,
    /// Everything.
    Whole,
}

/// What was found of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The directory.
    pub directory: PathBuf,
    /// Its mount, where the kernel tells.
    pub mount: Option<Mount>,
    /// Whether a file can be made in it.
    pub writable: Tried,
    /// Whether a name that is taken is refused to an exclusive create.
    pub exclusive_create: Tried,
    /// Whether a file can get a second name, and a taken name is refused.
    pub hard_link: Tried,
    /// Whether a file can be renamed.
    pub rename: Tried,
    /// Whether locks keep others out.
    pub locks: Tried,
    /// Whether mapped memory is shared.
    pub shared_memory: Tried,
    /// How long a durable write of a page takes.
    pub sync: Option<Duration>,
    /// Bytes that this process may still write, and of all.
    pub space: Option<(u64, u64)>,
}

/// How a volume is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// One SQLite file.
    InPlace,
    /// The shared log.
    SharedLog,
}

impl Store {
    /// As `VOLUME_MODE` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InPlace => "in-place",
            Self::SharedLog => "shared-log",
        }
    }
}

/// Why a volume is not used so.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
pub enum Refusal {
    /// SQLite in place would lose data.
    #[error(
        "SQLite in place on the volume \"{volume}\" is not safe: {reason}; use VOLUME_MODE=shared-log (or auto), a block or \
         local volume, a Postgres DSN (DATABASE_URL), or VOLUME_UNSAFE=true if you are sure that only one process ever \
         opens it"
    )]
    InPlace {
        /// The volume.
        volume: String,
        /// What is wrong.
        reason: String,
    },
    /// Of two instances that write one slot, the last one would win: what the other acknowledged would be gone.
    #[error(
        "the shared log on the volume \"{volume}\" is not safe: {file_system} asks nobody whether a name is free when a \
         file is closed, so of two instances the last one wins, and what the other acknowledged is lost; use Cloud \
         Storage FUSE, a network file system with hard links (NFS, CephFS, GlusterFS), a Postgres DSN (DATABASE_URL), or \
         VOLUME_UNSAFE=true if you are sure that only one instance ever runs, also during a rollout"
    )]
    Overwriting {
        /// The volume.
        volume: String,
        /// What it is on.
        file_system: String,
    },
    /// A writer that is killed would leave half a slot, and the log would stop.
    #[error(
        "the shared log on the volume \"{volume}\" is not safe: {reason}; use a file system with hard links or a mount of \
         an object store, a Postgres DSN (DATABASE_URL), or VOLUME_UNSAFE=true if a log that stops until a person \
         removes a torn file is acceptable"
    )]
    SharedLog {
        /// The volume.
        volume: String,
        /// What is wrong.
        reason: String,
    },
}

/// Tries what `directory` can do. It is made if it is missing.
///
/// With [`Depth::Start`], `peer` is only started where locks cannot be told without a second process.
///
/// # Errors
/// When the directory cannot be made or looked at. One that cannot be written is none: see [`Facts::writable`].
pub fn look(directory: &Path, depth: Depth, peer: Peer<'_>) -> io::Result<Facts> {
    make_directory(directory)?;
    let mount = Mount::of(directory)?;
    let space = rustix::fs::statvfs(directory).ok().map(|space| {
        let bytes = |blocks: u64| blocks.saturating_mul(space.f_frsize);
        (bytes(space.f_bavail), bytes(space.f_blocks))
    });
    let mut facts = Facts {
        directory: directory.to_owned(),
        mount,
        writable: Tried::Untried,
        exclusive_create: Tried::Untried,
        hard_link: Tried::Untried,
        rename: Tried::Untried,
        locks: Tried::Untried,
        shared_memory: Tried::Untried,
        sync: None,
        space,
    };
    let nonce = clock::nonce().map_err(|error| io::Error::other(error.to_string()))?;
    let scratch = Scratch { directory: directory.to_owned(), nonce };
    let created = File::create_new(scratch.file("file"));
    facts.writable = Tried::of(created.map(drop));
    if facts.writable.works() {
        try_names(&mut facts, &scratch, depth);
        if depth == Depth::Whole {
            facts.sync = measure_sync(&scratch.file("sync")).ok();
        }
        try_sharing(&mut facts, &scratch, depth, peer);
    }
    Ok(facts)
}

/// Files of a name that nobody else has. Those that are there in the end are removed.
struct Scratch {
    directory: PathBuf,
    nonce: u64,
}

impl Scratch {
    /// What files are made for.
    const PURPOSES: [&str; 8] = ["file", "link", "renamed", "sync", "within", "between", "between-wal", "between-shm"];

    fn file(&self, purpose: &str) -> PathBuf {
        self.directory.join(format!("probe-{:016x}-{purpose}", self.nonce))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for purpose in Self::PURPOSES {
            // One that cannot be removed is a page of litter; most were not made.
            let _ = fs::remove_file(self.file(purpose));
        }
    }
}

fn try_names(facts: &mut Facts, scratch: &Scratch, depth: Depth) {
    let (file, link) = (scratch.file("file"), scratch.file("link"));
    facts.hard_link = match fs::hard_link(&file, &link) {
        Err(error) => Tried::Fails(error.to_string()),
        // A second link must be refused, or links say nothing about who was first.
        Ok(()) => refused(fs::hard_link(&file, &link), "a link replaced a file"),
    };
    if depth == Depth::Whole {
        facts.exclusive_create = refused(File::create_new(&file).map(drop), "an exclusive create replaced a file");
        let renamed = rustix::fs::rename(&file, scratch.file("renamed"));
        facts.rename = Tried::of(renamed.map_err(io::Error::from));
    }
}

/// What a second making of the same name came to, which must be refused.
fn refused(again: io::Result<()>, otherwise: &str) -> Tried {
    match again {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Tried::Works,
        Err(error) => Tried::Fails(error.to_string()),
        Ok(()) => Tried::Fails(otherwise.to_owned()),
    }
}

fn try_sharing(facts: &mut Facts, scratch: &Scratch, depth: Depth, peer: Peer<'_>) {
    // Elsewhere in place is out of the question whatever they say, and each trial may cost a round trip.
    if depth == Depth::Start && facts.family() != Family::Local {
        return;
    }
    if depth == Depth::Start {
        // SQLite itself tells when it opens the database and finds no shared memory.
        facts.locks = lock::within(&scratch.file("within")).unwrap_or(Tried::Untried);
    }
    if facts.locks == Tried::Untried {
        let tried = lock::between(&scratch.file("between"), peer).unwrap_or_else(|error| {
            let fails = Tried::Fails(format!("it cannot be tried: {error}"));
            Sharing { locks: fails.clone(), memory: fails }
        });
        facts.locks = tried.locks;
        facts.shared_memory = tried.memory;
    }
}

fn measure_sync(path: &Path) -> io::Result<Duration> {
    let mut file = File::create_new(path)?;
    let mut latencies = Vec::with_capacity(SYNCS);
    for _ in 0..SYNCS {
        let stopwatch = Stopwatch::start();
        file.write_all(&[1; SYNC_BYTES])?;
        file.sync_all()?;
        latencies.push(stopwatch.elapsed());
    }
    latencies.sort_unstable();
    Ok(latencies.get(SYNCS / 2).copied().unwrap_or_default())
}

impl Facts {
    /// Who else may have the file system.
    #[must_use]
    pub fn family(&self) -> Family {
        self.mount.as_ref().map_or(Family::Unknown, Mount::family)
    }

    /// The file system for people, e.g. `NFS (nfs4)`.
    #[must_use]
    pub fn file_system(&self) -> String {
        let Some(mount) = &self.mount else { return "a file system that the kernel does not name".to_owned() };
        match mount.family() {
            Family::Network(name) | Family::ObjectStore(name) | Family::Overwriting(name) => {
                format!("{name} ({})", mount.kind)
            }
            Family::Local | Family::Unknown => mount.kind.clone(),
        }
    }

    /// The store that `VOLUME_MODE=auto` picks, and why.
    #[must_use]
    pub fn choose(&self) -> (Store, String) {
        match self.unfit_in_place() {
            None => {
                (Store::InPlace, format!("{} is local, and locks and shared memory work on it", self.file_system()))
            }
            Some(reason) => (Store::SharedLog, reason),
        }
    }

    /// Refuses SQLite in place where it may lose data.
    ///
    /// # Errors
    /// [`Refusal::InPlace`].
    pub fn refuse_in_place(&self) -> Result<(), Refusal> {
        let volume = self.directory.display().to_string();
        self.unfit_in_place().map_or(Ok(()), |reason| Err(Refusal::InPlace { volume, reason }))
    }

    fn unfit_in_place(&self) -> Option<String> {
        let file_system = self.file_system();
        match self.family() {
            Family::Network(_) | Family::ObjectStore(_) | Family::Overwriting(_) => Some(format!(
                "it is on {file_system}, which other hosts may mount, and SQLite in place loses data when more than one \
                 instance runs there"
            )),
            Family::Unknown => Some(format!("it is on {file_system}, which is not known to be local")),
            Family::Local => match (&self.locks, &self.shared_memory) {
                (Tried::Fails(reason), _) => Some(format!("locks do not work on it: {reason}")),
                (_, Tried::Fails(reason)) => Some(format!("shared memory does not work on it: {reason}")),
                // A read-only volume fails for another reason, which whoever opens it tells.
                (Tried::Works | Tried::Untried, Tried::Works | Tried::Untried) => None,
            },
        }
    }

    /// How the shared log makes its files here.
    ///
    /// # Errors
    /// [`Refusal::SharedLog`] where a file can neither be linked to a free name nor appears whole at its close;
    /// [`Refusal::Overwriting`] where it would replace another one then.
    pub fn strategy(&self) -> Result<Strategy, Refusal> {
        if self.hard_link.works() {
            return Ok(Strategy::HardLink);
        }
        let volume = self.directory.display().to_string();
        if matches!(self.family(), Family::Overwriting(_)) {
            return Err(Refusal::Overwriting { volume, file_system: self.file_system() });
        }
        let refuse = |reason: String| Err(Refusal::SharedLog { volume, reason });
        if let Tried::Fails(reason) = &self.exclusive_create {
            return refuse(format!("no name can be taken exclusively on it: {reason}"));
        }
        // A mount that only says that it is some FUSE file system is what Cloud Run shows of its buckets.
        let is_object_store = matches!(self.family(), Family::ObjectStore(_));
        if is_object_store || self.mount.as_ref().is_some_and(|mount| mount.kind == "fuse") {
            return Ok(Strategy::ExclusiveCreate);
        }
        refuse(format!(
            "{} has no hard links, and a file that is being written can be seen, so that a writer that is killed leaves \
             a torn one",
            self.file_system()
        ))
    }
}
