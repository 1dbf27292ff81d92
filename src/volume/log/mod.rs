//! The shared log: one immutable file per commit group, in a directory that several instances mount.
//!
//! Pure protocol over [`Volume`](super::Volume): it knows pages, and no `SQLite`. Nobody leads, nobody holds a lease, no
//! clock is asked what is true. Start at [`publish`]; [`tail`] reads what others published, [`retain`] bounds what is
//! kept, [`ltx`] is the files' format, [`slot`] their names.
//!
//! # What the protocol rests on
//!
//! Commit group *n* + 1 is the file that first takes slot *n* + 1. It names its maker by a nonce and its predecessor by
//! that one's nonce, and was built on what stands at *n*.
//!
//! Slots are removed in the end, and the slot of a removed file is free again: an instance that was stalled at *n* while
//! slot *n* + 1 was filled and removed can fill it a second time. Such a *ghost* is in nobody's database, and
//! no one may take it for a commit group: neither its maker nor another instance that was stalled at *n* too. It is no
//! help to look whether slot *n* is still there, for that may be a ghost itself. Two rules tell:
//!
//! - **The anchor.** Slots below a snapshot are removed only while that snapshot, or a newer one, is there. So when a
//!   listing of the snapshots, begun *after* a slot was read, shows none newer than the slot, the slot was never
//!   removed, and what was read in it is no ghost.
//! - **The heir.** An instance builds only on what it knows to be no ghost. So whatever a record names as its
//!   predecessor is none, even if the record itself is one.
//!
//! By these two, every position an instance ever stands at is on the one chain: it begins at nothing or at a snapshot
//! (made by an instance from where it stood), and goes on only by records that an anchor or an heir vouches for.
//!
//! # After a crash
//!
//! | killed | left behind | then |
//! |---|---|---|
//! | before the put takes effect | perhaps a file aside | nothing was committed; what lies aside is swept |
//! | after it | the slot | it is committed, though nobody was told: its clients ask again |
//! | while a snapshot is written | nothing, or the snapshot | any instance writes it again, with the same bytes |
//! | while old slots are removed | the newer ones of them | the next removal goes on: it goes upwards |

pub mod change;
pub mod copy;
#[cfg(test)]
mod damage;
mod fault_point;
pub mod growth;
pub mod import;
#[cfg(test)]
mod litestream;
pub mod ltx;
#[cfg(test)]
mod model;
pub mod publish;
pub mod restore;
pub mod retain;
pub(super) mod rule;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod simulation;
pub mod slot;
pub mod sums;
pub mod tail;
pub mod vfs;

use std::io;

use change::{Header, Record, Txid};
use ltx::{StreamError, Summary};
use thiserror::Error as ThisError;

use super::Volume;

/// Why the log cannot be read, written or tidied. Nothing is known to be lost; the working copy stays as it is.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The volume did not answer: try again.
    #[error("the volume cannot {action} \"{path}\"")]
    Volume {
        /// What was asked of it.
        action: &'static str,
        /// The file or directory.
        path: String,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The file is listed, but is not there: the mount still believes it absent. Try again.
    #[error("slot {txid} is listed but cannot be opened yet")]
    Unreadable {
        /// Which slot.
        txid: Txid,
    },
    /// The slot's file is not whole: it is being written, where a mount shows that, or it was damaged. Try again; a
    /// commit group that was acknowledged may be in it, so the log does not end before it.
    #[error("the file of slot {txid} is not whole: it is being written, or it was damaged")]
    Torn {
        /// Which slot.
        txid: Txid,
    },
    /// The slot does not continue what stands before it, and nothing explains why: throw the working copy away and
    /// start from the volume. If that fails in the same way, the log is damaged.
    #[error("slot {txid} does not follow from the one before it")]
    Diverged {
        /// Which slot.
        txid: Txid,
    },
    /// There are slots, but neither the first one nor a snapshot that can be read: the log is damaged.
    #[error("the log begins at slot {first} and has no snapshot that can be read")]
    NoBeginning {
        /// The first slot there is.
        first: Txid,
    },
    /// The record is none that may be written.
    #[error("the record cannot be written")]
    Record(#[from] ltx::Error),
    /// The pages of a snapshot cannot be kept where they should go, or taken from where they are.
    #[error("the pages of the snapshot at {txid} cannot be moved")]
    Pages {
        /// Which snapshot.
        txid: Txid,
        /// The reason of whoever keeps them.
        #[source]
        source: io::Error,
    },
}

fn fault(action: &'static str, path: &str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Volume { action, path: path.to_owned(), source }
}

/// Takes the pages of a snapshot, in ascending order.
pub trait Pages {
    /// Forgets what was taken: the file turned out to be torn, and another one follows.
    ///
    /// # Errors
    /// When that is not possible.
    fn restart(&mut self) -> io::Result<()>;

    /// Takes the next page.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn page(&mut self, number: u32, content: &[u8]) -> io::Result<()>;
}

/// Pages that nobody needs: the file is only checked.
struct Unkept;

impl Pages for Unkept {
    fn restart(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn page(&mut self, _number: u32, _content: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

/// What a read of a file of the log found.
#[derive(Debug)]
enum Found<Whole> {
    /// A whole file that is what its name says.
    Whole(Whole),
    /// No file.
    Absent,
    /// A file that is not whole, or not the log's.
    Torn,
}

/// The commit group in a slot, and the bytes of its file.
fn read_slot(volume: &dyn Volume, txid: Txid) -> Result<Found<(Record, u64)>, Error> {
    let path = slot::slot_path(txid);
    let Some(bytes) = volume.read(&path, ltx::SLOT_MAX_BYTES).map_err(fault("read", &path))? else {
        return Ok(Found::Absent);
    };
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Ok(decode_slot(txid, &bytes).map_or(Found::Torn, |record| Found::Whole((record, length))))
}

/// The record, if the bytes are the slot of this transaction, whole and unaltered.
fn decode_slot(txid: Txid, bytes: &[u8]) -> Option<Record> {
    ltx::decode(bytes).ok().filter(|record| (record.header.first, record.header.last) == (txid, txid))
}

/// Reads a snapshot from its first page to its last. Unless it is whole, `pages` has anything.
fn read_snapshot(volume: &dyn Volume, txid: Txid, pages: &mut dyn Pages) -> Result<Found<Summary>, Error> {
    let path = slot::snapshot_path(txid);
    let Some(file) = volume.open(&path, ltx::SNAPSHOT_MAX_BYTES).map_err(fault("read", &path))? else {
        return Ok(Found::Absent);
    };
    match ltx::decode_pages(file, &mut |number, content| pages.page(number, content)) {
        Ok(summary) if (summary.header.first, summary.header.last) == (Txid::FIRST, txid) => Ok(Found::Whole(summary)),
        Ok(_) | Err(StreamError::Format(_)) => Ok(Found::Torn),
        Err(StreamError::File(source)) => Err(fault("read", &path)(source)),
        Err(StreamError::Keep(source)) => Err(Error::Pages { txid, source }),
    }
}

/// What the file says about itself, before anything is known of whether it is whole; `None` without such a file.
fn read_header(volume: &dyn Volume, path: &str) -> Result<Option<Header>, Error> {
    let Some(mut file) = volume.open(path, ltx::SNAPSHOT_MAX_BYTES).map_err(fault("read", path))? else {
        return Ok(None);
    };
    match ltx::decode_head(&mut file) {
        Ok(header) => Ok(Some(header)),
        Err(StreamError::Format(_)) => Ok(None),
        Err(StreamError::File(source) | StreamError::Keep(source)) => Err(fault("read", path)(source)),
    }
}

/// The newest snapshot by name, [`Txid::NONE`] when there is none: the anchor.
fn newest_snapshot_name(volume: &dyn Volume) -> Result<Txid, Error> {
    let mut newest = Txid::NONE;
    visit(volume, slot::SNAPSHOTS, &mut |name| newest = newest.max(slot::snapshot(name).unwrap_or_default()))?;
    Ok(newest)
}

/// The newest slot by name, [`Txid::NONE`] when there is none.
fn newest_slot_name(volume: &dyn Volume) -> Result<Txid, Error> {
    let mut newest = Txid::NONE;
    visit(volume, slot::SLOTS, &mut |name| newest = newest.max(slot::slot(name).unwrap_or_default()))?;
    Ok(newest)
}

/// The oldest slot by name, [`Txid::NONE`] when there is none.
fn first_slot_name(volume: &dyn Volume) -> Result<Txid, Error> {
    let mut first: Option<Txid> = None;
    visit(volume, slot::SLOTS, &mut |name| {
        first = slot::slot(name).map(|txid| first.map_or(txid, |first| first.min(txid))).or(first);
    })?;
    Ok(first.unwrap_or_default())
}

/// Gives every name to `take`, in any order: there may be millions.
fn visit(volume: &dyn Volume, directory: &str, take: &mut dyn FnMut(&str)) -> Result<(), Error> {
    volume.visit(directory, take).map_err(fault("list", directory))
}

fn list(volume: &dyn Volume, directory: &str) -> Result<Vec<String>, Error> {
    volume.list(directory).map_err(fault("list", directory))
}
