//! Bounds what is kept: snapshots, and removal of what no restore needs. When one is due: see [`growth`](super::growth).
//!
//! Any moment within the retention can be restored: from the newest snapshot that is older than it (the *keeper*), and
//! all slots after that. Everything below the keeper is removed, upwards, slots first. The keeper's own slot stays, and the
//! keeper is read and checked before anything is removed on its account.
//!
//! Clocks decide here, but only how early rubbish goes: even with a wrong one nothing goes that the newest whole snapshot
//! does not contain.

use std::collections::BinaryHeap;
use std::io::{self, BufWriter};
use std::time::Duration;

use super::change::{Change, Header, Nonce, Position, Shape, Txid};
use super::fault_point::{FaultPoint, reach};
use super::ltx::{Encoder, StreamError};
use super::{
    Error, Found, Unkept, fault, list, newest_snapshot_name, read_header, read_slot, read_snapshot, slot, visit,
};
use crate::volume::Volume;

#[cfg(test)]
mod tests;

/// Files removed at once: more than come between two snapshots, so that the log does not grow faster than it is removed.
const REMOVE_MAX_FILES: usize = 10_000;

/// Snapshots looked at in search of one that is old enough; the next removal goes on from there.
const KEEPERS_MAX: usize = 64;

/// Bytes of a snapshot that are written at once.
const BUFFER_BYTES: usize = 256 << 10;

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
    reach(FaultPoint::BeforeSnapshot);
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
    reach(FaultPoint::AfterSnapshot);
    match read_snapshot(volume, txid, &mut Unkept)? {
        Found::Whole(snapshot) if snapshot.header.position() == *position => Ok(snapshot.size_bytes),
        Found::Whole(_) => Err(Error::Diverged { txid }),
        Found::Absent | Found::Torn => {
            put.map_err(|error| fault("write", &path)(error.into_inner()))?;
            Err(Error::Unreadable { txid })
        }
    }
}

/// The newest snapshot by name; [`Txid::NONE`] when there is none.
///
/// # Errors
/// [`Error::Volume`].
pub fn newest_snapshot(volume: &dyn Volume) -> Result<Txid, Error> {
    newest_snapshot_name(volume)
}

/// When the commit group of a snapshot was made, in milliseconds since 1970 by its maker's clock; 0 when it cannot be
/// read.
///
/// # Errors
/// [`Error::Volume`].
pub fn snapshot_millis(volume: &dyn Volume, snapshot: Txid) -> Result<i64, Error> {
    Ok(read_header(volume, &slot::snapshot_path(snapshot))?.map_or(0, |header| header.timestamp_millis))
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
    let names = list(volume, slot::SNAPSHOTS)?;
    let snapshots: Vec<Txid> = slot::snapshots(&names).collect();
    let retention_millis = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
    let old = find_old(volume, &snapshots, now_millis, retention_millis)?;
    let Some(&newest_old) = old.last() else { return Ok(Removed::default()) };
    let slots = oldest_slots(volume, newest_old)?;
    if slots.is_empty() && snapshots.first() == Some(&newest_old) {
        return Ok(Removed::default());
    }
    let Some(keeper) = find_keeper(volume, &old)? else { return Ok(Removed::default()) };
    let old_slots = slots.into_iter().filter(|txid| *txid < keeper).map(slot::slot_path);
    let old_snapshots = snapshots.into_iter().take_while(|txid| *txid < keeper).map(slot::snapshot_path);
    let mut removed = Removed { slots: remove(volume, old_slots)?, ..Removed::default() };
    if removed.slots < REMOVE_MAX_FILES {
        removed.snapshots = remove(volume, old_snapshots)?;
    }
    removed.is_more = removed.slots.max(removed.snapshots) == REMOVE_MAX_FILES;
    Ok(removed)
}

/// Snapshots that are older than the retention, the oldest first.
fn find_old(
    volume: &dyn Volume,
    snapshots: &[Txid],
    now_millis: i64,
    retention_millis: i64,
) -> Result<Vec<Txid>, Error> {
    let cutoff_millis = now_millis.saturating_sub(retention_millis);
    let mut old = Vec::new();
    for &txid in snapshots.iter().take(KEEPERS_MAX) {
        // The slot tells the time as well as the snapshot, and is small. Without slot, a newer keeper was there once.
        let Found::Whole((record, _)) = read_slot(volume, txid)? else { continue };
        let made_millis = record.header.timestamp_millis;
        if made_millis > now_millis {
            // By a clock that was wrong: it says nothing of those that follow, and must not keep them for years.
            continue;
        }
        if made_millis > cutoff_millis {
            break;
        }
        old.push(txid);
    }
    Ok(old)
}

/// The newest of them that is whole.
fn find_keeper(volume: &dyn Volume, old: &[Txid]) -> Result<Option<Txid>, Error> {
    for &txid in old.iter().rev() {
        if matches!(read_snapshot(volume, txid, &mut Unkept)?, Found::Whole(_)) {
            return Ok(Some(txid));
        }
    }
    Ok(None)
}

/// The oldest slots below `end`, in order: as many as are removed at once.
fn oldest_slots(volume: &dyn Volume, end: Txid) -> Result<Vec<Txid>, Error> {
    let mut oldest = BinaryHeap::new();
    visit(volume, slot::SLOTS, &mut |name| {
        if let Some(txid) = slot::slot(name).filter(|txid| *txid < end) {
            oldest.push(txid);
            if oldest.len() > REMOVE_MAX_FILES {
                oldest.pop();
            }
        }
    })?;
    Ok(oldest.into_sorted_vec())
}

fn remove(volume: &dyn Volume, paths: impl Iterator<Item = String>) -> Result<usize, Error> {
    let mut removed = 0;
    for path in paths.take(REMOVE_MAX_FILES) {
        volume.remove(&path).map_err(fault("remove", &path))?;
        removed += 1;
        reach(FaultPoint::Removed);
    }
    Ok(removed)
}
