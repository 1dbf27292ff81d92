//! Reads what others published: from nothing at the start, from a position afterwards.

use super::change::{Position, Record, Txid};
use super::ltx::Summary;
use super::publish::Patience;
use super::rule::{Rule, is_kept};
use super::{
    Error, Found, Pages, first_slot_name, list, newest_slot_name, newest_snapshot_name, read_slot, read_snapshot, slot,
};
use crate::volume::Volume;

#[cfg(test)]
mod tests;

/// Bytes of pages after which a batch ends: it is in memory until it is applied.
const BATCH_MAX_BYTES: u64 = 8 << 20;

/// Commit groups after which a batch ends.
const BATCH_MAX_RECORDS: usize = 1_000;

/// Fewer than two could not be proven by each other.
const BATCH_MIN_RECORDS: usize = 2;

/// How often a start looks for snapshots that vanish while they are read.
const START_TRIES: usize = 4;

/// How to find out whether there is something new.
///
/// | | operations when nothing is new | grows with the slots kept | sees what was published before the look |
/// |---|---|---|---|
/// | `Names` | 1 list | yes | always |
/// | `Probe` | 1 revalidate, 1 read, 1 list of the few snapshots | no | unless the mount answers "absent" from a cache that opening the directory leaves alone (Cloud Storage FUSE) |
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
    /// The cheaper way that sees everything.
    #[must_use]
    pub fn at(volume: &dyn Volume) -> Self {
        if volume.forgets_when_revalidated() { Self::Probe } else { Self::Names }
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
                return Ok(Start { snapshot: Some(snapshot) });
            }
        }
        // No snapshot, or all of them were removed while they were read, since there are newer ones.
        first = first_slot_name(volume)?;
        if first <= Txid::FIRST {
            pages.restart().map_err(|source| Error::Pages { txid: Txid::NONE, source })?;
            return Ok(Start { snapshot: None });
        }
    }
    Err(Error::NoBeginning { first })
}

/// Reads what follows `from`, which must be a position on the log: where a copy began, came to by a batch, or committed.
///
/// # Errors
/// [`Error::Volume`], [`Error::Unreadable`] and [`Error::Torn`]: try again. [`Error::Diverged`]: start again.
pub fn read_on(volume: &dyn Volume, from: &Position, look: Look) -> Result<Tail, Error> {
    let listed = match look {
        Look::Names => {
            let newest = newest_slot_name(volume)?;
            // The newest slot is never removed: whoever stands there is not behind.
            if newest == from.txid {
                return Ok(Tail::End);
            }
            if newest < from.txid {
                return Err(Error::Diverged { txid: from.txid });
            }
            newest
        }
        Look::Probe => {
            volume.revalidate(slot::SLOTS).map_err(super::fault("revalidate", slot::SLOTS))?;
            Txid::NONE
        }
    };
    let mut run = read_run(volume, from)?;
    // After the slots were read, not before: see the anchor.
    let anchor = newest_snapshot_name(volume)?;
    let last = run.last().map_or(from.txid, |record| record.header.last);
    // The mount still believes a slot absent that it lists, or does not show it as a whole yet.
    let unread = match run.ending {
        Ending::Absent if last < listed => Some(Error::Unreadable { txid: last.next() }),
        Ending::Torn => Some(Error::Torn { txid: last.next() }),
        Ending::Absent | Ending::Broken | Ending::Full => None,
    };
    if let Some(unread) = unread {
        run.is_end = false;
        if last == from.txid && anchor <= last {
            return Err(unread);
        }
    }
    prove(run, last, anchor)
}

/// Reads again what a mount does not show as a whole yet, while `patience` lasts: it may list a file for a while before
/// it opens it, or not list it yet.
///
/// # Errors
/// What `read`, which is [`start`] or [`read_on`], said last.
pub fn patiently<Answer>(
    patience: &mut dyn Patience,
    mut read: impl FnMut() -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    loop {
        match read() {
            Err(Error::Unreadable { .. } | Error::Torn { .. } | Error::NoBeginning { .. }) if patience.wait() => {}
            answer => return answer,
        }
    }
}

/// Records that follow one another, of which all but the last are no ghosts: each names the one before.
#[derive(Debug, Default)]
struct Run {
    /// With the bytes of their files.
    records: Vec<(Record, u64)>,
    /// Bytes of their pages.
    pages_bytes: u64,
    /// Why there are no more.
    ending: Ending,
    is_end: bool,
}

/// What stands after the last record of a run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// No file.
    #[default]
    Absent,
    /// A file that is not whole: not committed yet, or acknowledged and damaged since.
    Torn,
    /// A record that does not follow.
    Broken,
    /// It was not read: there are enough.
    Full,
}

impl Run {
    fn last(&self) -> Option<&Record> {
        self.records.last().map(|(record, _)| record)
    }

    fn is_full(&self) -> bool {
        (self.pages_bytes >= BATCH_MAX_BYTES || self.records.len() >= BATCH_MAX_RECORDS)
            && self.records.len() >= BATCH_MIN_RECORDS
    }
}

fn read_run(volume: &dyn Volume, from: &Position) -> Result<Run, Error> {
    let mut run = Run::default();
    let mut position = *from;
    run.ending = loop {
        if run.is_full() {
            break Ending::Full;
        }
        match read_slot(volume, position.txid.next())? {
            Found::Whole((record, size_bytes)) if record.header.follows(&position) || !is_kept(Rule::Predecessor) => {
                position = record.header.position();
                run.pages_bytes = run.pages_bytes.saturating_add(record.change.size_bytes());
                run.records.push((record, size_bytes));
            }
            Found::Whole(_) => break Ending::Broken,
            Found::Absent => break Ending::Absent,
            Found::Torn => break Ending::Torn,
        }
    };
    run.is_end = run.ending != Ending::Full;
    Ok(run)
}

/// Takes away what may be a ghost. `last`: where the run ends.
fn prove(mut run: Run, last: Txid, anchor: Txid) -> Result<Tail, Error> {
    if anchor <= last && run.ending == Ending::Broken {
        return Err(Error::Diverged { txid: last.next() });
    }
    if anchor > last && is_kept(Rule::Proof) {
        // The last one has neither anchor nor heir. What stands before it has an heir.
        run.is_end = false;
        run.records.pop();
        if run.records.is_empty() {
            return Ok(Tail::Gap);
        }
    }
    if run.records.is_empty() {
        return Ok(Tail::End);
    }
    let size_bytes = run.records.iter().fold(0_u64, |sum, (_, size_bytes)| sum.saturating_add(*size_bytes));
    let records = run.records.into_iter().map(|(record, _)| record).collect();
    Ok(Tail::Next(Batch { records, size_bytes, is_end: run.is_end }))
}
