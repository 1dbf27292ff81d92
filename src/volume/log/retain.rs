//! Bounds what is kept: snapshots when the log has outgrown the last one, removal of what no restore needs.
//!
//! Any moment within the retention can be restored: from the newest snapshot that is older than it (the *keeper*), and
//! all slots after that. Everything below the keeper is removed, upwards, slots first. The keeper's own slot stays, and the
//! keeper is read and checked before anything is removed on its account.
//!
//! Clocks decide here, but only how early rubbish goes: even with a wrong one nothing goes that the newest whole snapshot
//! does not contain.

use std::io::{self, BufWriter};
use std::time::Duration;

use super::change::{Change, Header, Nonce, Position, Shape, Txid};
use super::ltx::{Encoder, StreamError};
use super::{Error, Found, Unkept, fault, list, read_slot, read_snapshot, slot};
use crate::volume::Volume;

#[cfg(test)]
mod tests;

/// A log shorter than this is read faster than a snapshot is worth writing.
const LOG_MIN_BYTES: u64 = 1 << 20;

/// Slots after which a snapshot is due whatever their size: a start reads them one by one.
const LOG_MAX_SLOTS: u64 = 1_000;

/// Files removed at once: it happens while a request waits, and a volume may take tens of milliseconds for each.
const REMOVE_MAX_FILES: usize = 100;

/// Bytes of a snapshot that are written at once.
const BUFFER_BYTES: usize = 256 << 10;

/// How far the log has grown since the newest snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Growth {
    snapshot_bytes: u64,
    log_bytes: u64,
    slots: u64,
}

impl Growth {
    /// None, after a snapshot of that many bytes; zero when there is no snapshot yet.
    #[must_use]
    pub fn since_snapshot(snapshot_bytes: u64) -> Self {
        Self { snapshot_bytes, log_bytes: 0, slots: 0 }
    }

    /// Counts commit groups, published or applied.
    pub fn add(&mut self, slots: u64, bytes: u64) {
        self.slots = self.slots.saturating_add(slots);
        self.log_bytes = self.log_bytes.saturating_add(bytes);
    }

    /// True when the log since the snapshot is longer than the snapshot, or than a start should read.
    ///
    /// So a snapshot costs at most as many bytes again as the commits themselves.
    #[must_use]
    pub fn is_snapshot_due(&self) -> bool {
        self.slots >= LOG_MAX_SLOTS || self.log_bytes > self.snapshot_bytes.max(LOG_MIN_BYTES)
    }
}

/// Takes a page, by its number and content.
pub type Visit<'a> = dyn FnMut(u32, &[u8]) -> Result<(), StreamError> + 'a;

/// A whole database that stays as it is while it is read.
pub trait Whole {
    /// How large it is.
    fn shape(&self) -> Shape;

    /// Gives every page but the lock page to `visit`, in ascending order.
    ///
    /// # Errors
    /// What `visit` says; [`StreamError::Keep`] when a page cannot be read.
    fn each_page(&self, visit: &mut Visit<'_>) -> Result<(), StreamError>;
}

impl Whole for Change {
    fn shape(&self) -> Shape {
        self.shape()
    }

    fn each_page(&self, visit: &mut Visit<'_>) -> Result<(), StreamError> {
        self.pages.iter().try_for_each(|(&number, content)| visit(number, content))
    }
}

/// Writes the whole database at `position` as a snapshot, reads it back, and says how many bytes it has.
///
/// `timestamp_millis`: that of the commit group at `position`, so that all instances write the same bytes, and it does
/// not matter who was first.
///
/// # Errors
/// [`Error::Record`] when `whole` is not what `position` says, [`Error::Pages`] when it cannot be read;
/// [`Error::Volume`] and [`Error::Unreadable`] when it is not known to be there. Nothing depends on it: try again at a
/// later position.
pub fn write_snapshot(
    volume: &dyn Volume,
    position: &Position,
    timestamp_millis: i64,
    whole: &dyn Whole,
) -> Result<u64, Error> {
    let txid = position.txid;
    let header = Header {
        first: Txid::FIRST,
        last: txid,
        timestamp_millis,
        nonce: position.nonce,
        predecessor: Nonce::NONE,
        after: position.checksum,
    };
    let path = slot::snapshot_path(txid);
    let mut failure = None;
    let put = volume.put_stream_if_absent(&path, &mut |file| {
        let encoded = Encoder::begin(BufWriter::with_capacity(BUFFER_BYTES, file), &header, whole.shape()).and_then(
            |mut encoder| {
                whole.each_page(&mut |number, content| encoder.page(number, content))?;
                encoder.finish()
            },
        );
        match encoded {
            Ok(_) => Ok(()),
            Err(StreamError::File(error)) => Err(error),
            Err(StreamError::Format(error)) => Err(io::Error::other(failure.insert(Error::Record(error)).to_string())),
            Err(StreamError::Keep(source)) => {
                Err(io::Error::other(failure.insert(Error::Pages { txid, source }).to_string()))
            }
        }
    });
    if let Some(error) = failure {
        return Err(error);
    }
    match read_snapshot(volume, txid, &mut Unkept)? {
        Found::Whole(snapshot) if snapshot.header.position() == *position => Ok(snapshot.size_bytes),
        Found::Whole(_) => Err(Error::Diverged { txid }),
        Found::Absent | Found::Torn => {
            put.map_err(|error| fault("write", &path)(error.into_inner()))?;
            Err(Error::Unreadable { txid })
        }
    }
}

/// What a removal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// Slots.
    pub slots: usize,
    /// Snapshots.
    pub snapshots: usize,
    /// Whether there is more to remove.
    pub is_more: bool,
}

/// Removes slots and snapshots that no restore within `retention` before `now_millis` needs, a bounded number at once.
///
/// # Errors
/// [`Error::Volume`]; what was removed was removed in order, and the next call goes on.
pub fn remove_old(volume: &dyn Volume, now_millis: i64, retention: Duration) -> Result<Removed, Error> {
    let snapshot_names = list(volume, slot::SNAPSHOTS)?;
    let slot_names = list(volume, slot::SLOTS)?;
    let oldest = slot::slots(&slot_names).next().into_iter().chain(slot::snapshots(&snapshot_names).next()).min();
    let retention_millis = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
    let cutoff_millis = now_millis.saturating_sub(retention_millis);
    let Some(keeper) = find_keeper(volume, &snapshot_names, oldest, cutoff_millis)? else {
        return Ok(Removed::default());
    };
    let old_slots = slot::slots(&slot_names).take_while(|txid| *txid < keeper).map(slot::slot_path);
    let old_snapshots = slot::snapshots(&snapshot_names).take_while(|txid| *txid < keeper).map(slot::snapshot_path);
    let mut removed = Removed { slots: remove(volume, old_slots)?, ..Removed::default() };
    if removed.slots < REMOVE_MAX_FILES {
        removed.snapshots = remove(volume, old_snapshots)?;
    }
    removed.is_more = removed.slots.max(removed.snapshots) == REMOVE_MAX_FILES;
    Ok(removed)
}

/// The newest whole snapshot from before the cutoff, if anything is older than it.
fn find_keeper(
    volume: &dyn Volume,
    snapshot_names: &[String],
    oldest: Option<Txid>,
    cutoff_millis: i64,
) -> Result<Option<Txid>, Error> {
    for txid in slot::snapshots(snapshot_names).rev().take_while(|txid| Some(*txid) > oldest) {
        // The slot tells the time as well as the snapshot, and is small. Without slot, a newer keeper was there once.
        let Found::Whole((record, _)) = read_slot(volume, txid)? else { continue };
        if record.header.timestamp_millis > cutoff_millis {
            continue;
        }
        if matches!(read_snapshot(volume, txid, &mut Unkept)?, Found::Whole(_)) {
            return Ok(Some(txid));
        }
    }
    Ok(None)
}

fn remove(volume: &dyn Volume, paths: impl Iterator<Item = String>) -> Result<usize, Error> {
    let mut removed = 0;
    for path in paths.take(REMOVE_MAX_FILES) {
        volume.remove(&path).map_err(fault("remove", &path))?;
        removed += 1;
    }
    Ok(removed)
}
