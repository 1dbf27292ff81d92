//! Publishes a commit group, and finds out by reading whether it is in the log.
//!
//! Steps, for an instance that stands at position *n*:
//!
//! 1. put the record at slot *n* + 1 if that name is free. Refused, and nothing was sent before: it is not in the log. Of
//!    any other answer only this is kept, whether a file of that name is durable
//! 2. open the slot afresh. Absent, torn or no answer: not known yet, wait and go to 1 with the same bytes
//! 3. list the snapshots. None newer than the slot: whoever's record was read has won (the anchor)
//! 4. otherwise the log has moved on meanwhile, and the slot may hold a ghost: read slot *n* + 2. Whoever it names as its
//!    predecessor has won (the heir); if it cannot be read, the instance is behind and cannot tell
//! 5. a winner whose put did not succeed goes to 1: what it read may not have reached the server's disk
//!
//! Step 3 holds at the edges as well: at *n* = 0 there is no slot before to look at, and at *n* = the newest snapshot
//! the slot *n* + 1 was never removed, since removal stops below that snapshot.
//!
//! Step 3 is needed after a loss, too: the record of a winner that was stalled before step 2 may have been removed with
//! all its successors knowing of it, and the slot filled again by a ghost.
//!
//! Source: Cloud Storage FUSE before 2.8 answers success to a loser (`wrappers/error_mapping.go`); its retries answer
//! "exists" to a winner (docs/semantics.md).

use std::thread;
use std::time::Duration;

use super::change::{Change, Checksum, Header, Nonce, Position, Record};
use super::fault_point::{FaultPoint, reach};
use super::rule::{Rule, is_kept};
use super::{Error, Found, decode_slot, ltx, newest_snapshot_name, read_slot, slot};
use crate::clock::Deadline;
use crate::volume::{PutError, Refusal, Volume};

#[cfg(test)]
mod tests;

/// The first pause before a slot is looked at again.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// The longest pause: a mount that believes a file absent for seconds is asked twice a second.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is in the log, for ever: tell the clients. The copy that has the change stands here.
    Committed(Position),
    /// It is not in the log and never will be: catch up and run the group again, as a new attempt.
    Lost,
    /// The log moved on so far that it cannot be told: throw the working copy away, start from the volume, and tell the
    /// clients that the outcome is unknown.
    Behind,
    /// Not known yet: tell the clients that the outcome is unknown, and [`settle`](Attempt::settle) before any other
    /// write, since it may still come into the log.
    Unknown(Doubt),
    /// It is not in the log and never will be, since the volume takes no file: tell the clients why.
    Refused(Refusal),
}

/// Why it is not known who has a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// The slot is empty: a put may still be on its way.
    Absent,
    /// The slot's file is not whole: it is being written, or its writer was killed in the middle, which only a volume
    /// without hard links and without publication at the close lets happen. Then a person must remove it.
    Torn,
    /// The volume does not answer.
    Unreadable,
    /// The slot has it, but no put of it succeeded: a crash of the server may take it away.
    Volatile,
}

/// Says how long to go on with a slot whose owner is not known.
pub trait Patience {
    /// Waits a little; false when it is time to give up.
    fn wait(&mut self) -> bool;
}

/// Patience until a moment, with pauses that double.
#[derive(Debug)]
pub struct Until {
    deadline: Deadline,
    pause: Duration,
}

impl Until {
    /// Patience until `deadline`; a slot is looked at once even when it is past.
    #[must_use]
    pub fn new(deadline: Deadline) -> Self {
        Self { deadline, pause: FIRST_PAUSE }
    }
}

impl Patience for Until {
    fn wait(&mut self) -> bool {
        if self.deadline.is_past() {
            return false;
        }
        thread::sleep(self.pause.min(self.deadline.remaining()));
        self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
        true
    }
}

/// One attempt to add a commit group to the log.
///
/// Run again after a loss, the group is another attempt: another predecessor, other pages, another nonce.
#[derive(Debug, Clone)]
pub struct Attempt {
    position: Position,
    bytes: Vec<u8>,
}

impl Attempt {
    /// The attempt to continue the log after `base` with `change`, which makes a database of checksum `after`.
    ///
    /// `nonce`: drawn for this attempt alone ([`Nonce::draw`]). `timestamp_millis`: since 1970; it decides nothing but how
    /// long the slot is kept.
    ///
    /// # Errors
    /// [`Error::Record`] when `change` breaks a rule of the format; nothing was written.
    pub fn new(
        base: &Position,
        change: Change,
        after: Checksum,
        nonce: Nonce,
        timestamp_millis: i64,
    ) -> Result<Self, Error> {
        let txid = base.txid.next();
        let header = Header { first: txid, last: txid, timestamp_millis, nonce, predecessor: base.nonce, after };
        let bytes = ltx::encode(&Record { header, change })?;
        Ok(Self { position: header.position(), bytes })
    }

    /// Where a copy stands that has the change, if it is committed.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Bytes of the record's file.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Puts the record at its slot and reads who owns it, again and again while that is not known and `patience` lasts.
    pub fn publish(&self, volume: &dyn Volume, patience: &mut dyn Patience) -> Verdict {
        self.pursue(volume, patience, Sent::Nothing)
    }

    /// Finds out what became of an attempt that ended as [`Verdict::Unknown`]: the same steps with the same bytes.
    pub fn settle(&self, volume: &dyn Volume, patience: &mut dyn Patience) -> Verdict {
        self.pursue(volume, patience, Sent::Perhaps)
    }

    fn pursue(&self, volume: &dyn Volume, patience: &mut dyn Patience, mut sent: Sent) -> Verdict {
        loop {
            // Step 1. Whether it made the file is not what the answer says.
            reach(FaultPoint::BeforePut);
            let put = volume.put_if_absent(&slot::slot_path(self.position.txid), &self.bytes);
            reach(FaultPoint::AfterPut);
            let doubt = match &put {
                // Nothing of this attempt is anywhere, nor will be.
                Err(PutError::Refused(error)) if sent == Sent::Nothing || !is_kept(Rule::SentBefore) => {
                    let refusal = Refusal::of(error);
                    if refusal != Refusal::Failing || !patience.wait() {
                        return Verdict::Refused(refusal);
                    }
                    continue;
                }
                Ok(()) if !is_kept(Rule::ReadBack) => return Verdict::Committed(self.position),
                Ok(()) | Err(_) => {
                    sent = Sent::Perhaps;
                    match self.judge(volume) {
                        Ok(Verdict::Committed(_)) if put.is_err() => Doubt::Volatile,
                        Ok(verdict) => return verdict,
                        Err(Doubt::Absent) if !is_kept(Rule::Doubt) => return Verdict::Lost,
                        Err(doubt) => doubt,
                    }
                }
            };
            if !patience.wait() {
                return Verdict::Unknown(doubt);
            }
            // Makes the mount forget that it once saw no such file; if that fails, the next look is in doubt again.
            let _ = volume.revalidate(slot::SLOTS);
        }
    }

    /// Steps 2 to 4.
    fn judge(&self, volume: &dyn Volume) -> Result<Verdict, Doubt> {
        let txid = self.position.txid;
        let owner = self.read_owner(volume)?;
        // The order matters: a snapshot that is listed before the slot is read proves nothing.
        let newest = newest_snapshot_name(volume).map_err(|_| Doubt::Unreadable)?;
        if newest <= txid || !is_kept(Rule::Anchor) {
            return Ok(self.verdict_if(owner));
        }
        let _ = volume.revalidate(slot::SLOTS);
        match read_slot(volume, txid.next()) {
            Ok(Found::Whole((heir, _))) => Ok(self.verdict_if(heir.header.predecessor)),
            Ok(Found::Absent | Found::Torn) if is_kept(Rule::Behind) => Ok(Verdict::Behind),
            Ok(Found::Absent | Found::Torn) => Ok(Verdict::Lost),
            Err(_) => Err(Doubt::Unreadable),
        }
    }

    /// Step 2: who made what is in the slot.
    fn read_owner(&self, volume: &dyn Volume) -> Result<Nonce, Doubt> {
        let path = slot::slot_path(self.position.txid);
        match volume.read(&path, ltx::SLOT_MAX_BYTES) {
            // One's own bytes need no checking, and they are what is mostly there.
            Ok(Some(bytes)) if bytes == self.bytes => Ok(self.position.nonce),
            Ok(Some(bytes)) => match decode_slot(self.position.txid, &bytes) {
                Some(record) if record.header.after == self.position.checksum && !is_kept(Rule::Nonce) => {
                    Ok(self.position.nonce)
                }
                Some(record) => Ok(record.header.nonce),
                None => Err(Doubt::Torn),
            },
            Ok(None) => Err(Doubt::Absent),
            Err(_) => Err(Doubt::Unreadable),
        }
    }

    fn verdict_if(&self, owner: Nonce) -> Verdict {
        if owner == self.position.nonce { Verdict::Committed(self.position) } else { Verdict::Lost }
    }
}

/// Whether anything of an attempt may be on the volume, or on its way there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Nothing,
    Perhaps,
}
