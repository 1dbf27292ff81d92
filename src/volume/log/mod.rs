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
mod litestream;
pub mod ltx;
pub mod publish;
pub mod retain;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod simulation;
pub mod slot;
pub mod sums;
pub mod tail;
pub mod vfs;

use std::io;

use change::{Record, Txid};
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
}

fn fault(action: &'static str, path: &str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::Volume { action, path: path.to_owned(), source }
}

/// What a read of a file of the log found.
#[derive(Debug)]
enum Found {
    /// A whole file that is what its name says; the second part is its length in bytes.
    Record(Record, u64),
    /// No file.
    Absent,
    /// A file that is not whole, or not the log's.
    Torn,
}

fn read_slot(volume: &dyn Volume, txid: Txid) -> Result<Found, Error> {
    read_file(volume, &slot::slot_path(txid), (txid, txid), ltx::SLOT_MAX_BYTES)
}

fn read_snapshot(volume: &dyn Volume, txid: Txid) -> Result<Found, Error> {
    read_file(volume, &slot::snapshot_path(txid), (Txid::FIRST, txid), ltx::SNAPSHOT_MAX_BYTES)
}

fn read_file(volume: &dyn Volume, path: &str, range: (Txid, Txid), limit_bytes: u64) -> Result<Found, Error> {
    let Some(bytes) = volume.read(path, limit_bytes).map_err(fault("read", path))? else { return Ok(Found::Absent) };
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    Ok(decode_if(range, &bytes).map_or(Found::Torn, |record| Found::Record(record, length)))
}

/// The record, if the bytes are one of these transactions, whole and unaltered.
fn decode_if(range: (Txid, Txid), bytes: &[u8]) -> Option<Record> {
    ltx::decode(bytes).ok().filter(|record| (record.header.first, record.header.last) == range)
}

/// The newest snapshot by name, [`Txid::NONE`] when there is none: the anchor.
fn newest_snapshot_name(volume: &dyn Volume) -> Result<Txid, Error> {
    let names = list(volume, slot::SNAPSHOTS)?;
    Ok(slot::snapshots(&names).next_back().unwrap_or(Txid::NONE))
}

fn list(volume: &dyn Volume, directory: &str) -> Result<Vec<String>, Error> {
    volume.list(directory).map_err(fault("list", directory))
}
