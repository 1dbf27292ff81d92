//! What a log can be restored to, by the names and the heads of its files.

use super::{Error, Stamp};
use crate::volume::Volume;
use crate::volume::log::change::{Shape, Txid};
use crate::volume::log::{
    Error as LogError, Found, import, list, newest_slot_name, newest_snapshot_name, read_header, read_slot, slot,
};

/// The first state from which the log leads to its end: slot 1, or the oldest snapshot after which no slot is missing.
/// `None` when it has neither snapshot nor slot.
///
/// # Errors
/// When the volume does not answer, or there is only what nothing leads to.
pub fn oldest(volume: &dyn Volume) -> Result<Option<Stamp>, Error> {
    let slots = list(volume, slot::SLOTS)?;
    let mut first = Txid::NONE;
    for txid in slot::slots(&slots).rev() {
        if first != Txid::NONE && txid.next() != first {
            break;
        }
        first = txid;
    }
    if first == Txid::FIRST
        && let Found::Whole((record, _)) = read_slot(volume, Txid::FIRST)?
    {
        return Ok(Some(Stamp::of(&record.header)));
    }
    let snapshots = list(volume, slot::SNAPSHOTS)?;
    for txid in slot::snapshots(&snapshots).filter(|txid| txid.next() >= first) {
        if let Some(header) = read_header(volume, &slot::snapshot_path(txid))? {
            return Ok(Some(Stamp::of(&header)));
        }
    }
    match first {
        Txid::NONE => Ok(None),
        Txid::FIRST => Err(Error::Torn { txid: Txid::FIRST }),
        first => Err(LogError::NoBeginning { first }.into()),
    }
}

/// What a log has, by the names and the heads of its files: nothing is read whole but the newest slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Survey {
    /// The newest state.
    pub newest: Stamp,
    /// The oldest state that can be restored.
    pub oldest: Stamp,
    /// The newest snapshot; [`Txid::NONE`] when there is none.
    pub snapshot: Txid,
    /// Bytes of the database.
    pub database_bytes: u64,
    /// Whether it has only a part of a database that is being imported.
    pub is_marked: bool,
}

/// Looks at a log; `None` when it is empty.
///
/// # Errors
/// [`Error::Torn`] when its newest slot is, and whatever keeps it from being read.
pub fn survey(volume: &dyn Volume) -> Result<Option<Survey>, Error> {
    let Some(oldest) = oldest(volume)? else { return Ok(None) };
    let snapshot = newest_snapshot_name(volume)?;
    let newest = newest_slot_name(volume)?.max(snapshot);
    let Found::Whole((record, _)) = read_slot(volume, newest)? else { return Err(Error::Torn { txid: newest }) };
    let Shape { page_size, database_pages } = record.change.shape();
    Ok(Some(Survey {
        newest: Stamp::of(&record.header),
        oldest,
        snapshot,
        database_bytes: u64::from(page_size) * u64::from(database_pages),
        is_marked: record.change.pages.get(&1).is_some_and(|page| import::is_marked(page)),
    }))
}
