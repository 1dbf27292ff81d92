//! Reads what others published: from nothing at the start, from a position afterwards.

use super::change::{Position, Record, Txid};
use super::ltx::Summary;
use super::{Error, Found, Pages, list, newest_snapshot_name, read_slot, read_snapshot, slot};
use crate::volume::Volume;

#[cfg(test)]
mod tests;

/// Bytes of files after which a batch ends: it is in memory, unpacked, until it is applied.
const BATCH_MAX_BYTES: u64 = 8 << 20;

/// Commit groups after which a batch ends.
const BATCH_MAX_RECORDS: usize = 1_000;

/// Fewer than two could not be proven by each other.
const BATCH_MIN_RECORDS: usize = 2;

/// How often a start looks for snapshots that vanish while they are read.
const START_TRIES: usize = 4;

/// Names in the slots' directory from which on asking for single names is cheaper than listing them: a page of a bucket's
/// listing.
const LISTING_MAX_NAMES: usize = 1_000;

/// How to find out whether there is something new.
///
/// | | operations when nothing is new | grows with the slots kept | sees what was published before the look |
/// |---|---|---|---|
/// | `Names` | 1 list | yes | always |
/// | `Probe` | 1 revalidate, 1 read, 1 list of the few snapshots | no | unless the mount answers "absent" from a cache that opening the directory leaves alone (Cloud Storage FUSE without `metadata-cache-negative-ttl-secs=0`) |
///
/// Neither can lose a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// List the slots.
    Names,
    /// Ask for the next slot by name.
    Probe,
}

/// What follows a position.
#[derive(Debug, PartialEq, Eq)]
pub enum Tail {
    /// Nothing: the position is the newest.
    End,
    /// These commit groups, in order, at least one.
    Next(Batch),
    /// The slots that followed were removed: throw the working copy away and [`start`] from the volume.
    Gap,
}

/// Commit groups that follow one another.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch {
    /// In order, at least one.
    pub records: Vec<Record>,
    /// Bytes of their files.
    pub size_bytes: u64,
    /// Whether the last one was the newest when it was read; else read on from there.
    pub is_end: bool,
}

/// Where a copy begins.
#[derive(Debug, PartialEq, Eq)]
pub struct Start {
    /// The newest snapshot that can be read; none when the log has no snapshot yet, and begins with slot 1 or is empty.
    pub snapshot: Option<Summary>,
    /// How many slots there are: tells which [`Look`] is cheap.
    pub slots: usize,
}

impl Start {
    /// Where a copy stands that has this.
    #[must_use]
    pub fn position(&self) -> Position {
        self.snapshot.as_ref().map_or(Position::START, |snapshot| snapshot.header.position())
    }

    /// Bytes of the snapshot's file.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.size_bytes)
    }
}

impl Look {
    /// The cheaper way that sees everything, with that many slots; with more than a page of a bucket's listing, the
    /// cheaper way.
    #[must_use]
    pub fn at(volume: &dyn Volume, slots: usize) -> Self {
        if volume.forgets_when_revalidated() || slots > LISTING_MAX_NAMES { Self::Probe } else { Self::Names }
    }
}

/// Finds the newest snapshot that can be read, and gives its pages to `pages`.
///
/// # Errors
/// [`Error::Volume`]; [`Error::Pages`]; [`Error::NoBeginning`] when there are slots that nothing leads to.
pub fn start(volume: &dyn Volume, pages: &mut dyn Pages) -> Result<Start, Error> {
    let mut first = Txid::NONE;
    for _ in 0..START_TRIES {
        let snapshots = list(volume, slot::SNAPSHOTS)?;
        for txid in slot::snapshots(&snapshots).rev() {
            pages.restart().map_err(|source| Error::Pages { txid, source })?;
            if let Found::Whole(snapshot) = read_snapshot(volume, txid, pages)? {
                let slots = slot::slots(&list(volume, slot::SLOTS)?).count();
                return Ok(Start { snapshot: Some(snapshot), slots });
            }
        }
        // No snapshot, or all of them were removed while they were read, since there are newer ones.
        let slots = list(volume, slot::SLOTS)?;
        first = slot::slots(&slots).next().unwrap_or(Txid::NONE);
        if first <= Txid::FIRST {
            pages.restart().map_err(|source| Error::Pages { txid: Txid::NONE, source })?;
            return Ok(Start { snapshot: None, slots: slot::slots(&slots).count() });
        }
    }
    Err(Error::NoBeginning { first })
}

/// Reads what follows `from`, which must be a position on the log: where a copy began, came to by a batch, or committed.
///
/// # Errors
/// [`Error::Volume`] and [`Error::Unreadable`]: try again. [`Error::Diverged`]: start again.
pub fn read_on(volume: &dyn Volume, from: &Position, look: Look) -> Result<Tail, Error> {
    let is_more_listed = match look {
        Look::Names => {
            let names = list(volume, slot::SLOTS)?;
            match slot::slots(&names).next_back() {
                // The newest slot is never removed: whoever stands there is not behind.
                Some(newest) if newest == from.txid => return Ok(Tail::End),
                None if from.txid == Txid::NONE => return Ok(Tail::End),
                newest if newest < Some(from.txid) => return Err(Error::Diverged { txid: from.txid }),
                Some(_) | None => true,
            }
        }
        Look::Probe => {
            volume.revalidate(slot::SLOTS).map_err(super::fault("revalidate", slot::SLOTS))?;
            false
        }
    };
    let run = read_run(volume, from)?;
    // After the slots were read, not before: see the anchor.
    let anchor = newest_snapshot_name(volume)?;
    if run.records.is_empty() && run.broken_at.is_none() && is_more_listed && !run.is_torn && anchor <= from.txid {
        return Err(Error::Unreadable { txid: from.txid.next() });
    }
    prove(run, from, anchor)
}

/// Records that follow one another, of which all but the last are no ghosts: each names the one before.
#[derive(Debug)]
struct Run {
    records: Vec<Record>,
    last_size_bytes: u64,
    size_bytes: u64,
    /// The slot whose record does not follow the last one.
    broken_at: Option<Txid>,
    /// Whether the slot after the last one has a file that is not whole: not committed yet.
    is_torn: bool,
    is_end: bool,
}

fn read_run(volume: &dyn Volume, from: &Position) -> Result<Run, Error> {
    let mut run =
        Run { records: Vec::new(), last_size_bytes: 0, size_bytes: 0, broken_at: None, is_torn: false, is_end: true };
    let mut position = *from;
    loop {
        let is_full = run.size_bytes >= BATCH_MAX_BYTES || run.records.len() >= BATCH_MAX_RECORDS;
        if is_full && run.records.len() >= BATCH_MIN_RECORDS {
            run.is_end = false;
            return Ok(run);
        }
        let txid = position.txid.next();
        match read_slot(volume, txid)? {
            Found::Whole((record, size_bytes)) if record.header.follows(&position) => {
                position = record.header.position();
                run.records.push(record);
                run.last_size_bytes = size_bytes;
                run.size_bytes = run.size_bytes.saturating_add(size_bytes);
            }
            Found::Whole(_) => {
                run.broken_at = Some(txid);
                return Ok(run);
            }
            Found::Absent => return Ok(run),
            Found::Torn => {
                run.is_torn = true;
                return Ok(run);
            }
        }
    }
}

/// Takes away what may be a ghost.
fn prove(mut run: Run, from: &Position, anchor: Txid) -> Result<Tail, Error> {
    let last = run.records.last().map_or(from.txid, |record| record.header.last);
    match run.broken_at {
        Some(txid) if anchor <= last => return Err(Error::Diverged { txid }),
        None if anchor <= last => {}
        // The last one has neither anchor nor heir. What stands before it has an heir.
        Some(_) | None => {
            run.records.pop();
            run.size_bytes = run.size_bytes.saturating_sub(run.last_size_bytes);
            run.is_end = false;
            if run.records.is_empty() {
                return Ok(Tail::Gap);
            }
        }
    }
    if run.records.is_empty() {
        return Ok(Tail::End);
    }
    Ok(Tail::Next(Batch { records: run.records, size_bytes: run.size_bytes, is_end: run.is_end }))
}
