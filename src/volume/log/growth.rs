//! How far the log has outgrown its newest snapshot, and whose turn it is to write the next one.
//!
//! All instances count the same commit groups, so they agree, without a word, on the one with which a snapshot is due:
//! whoever made it writes the snapshot. Should that instance be killed or fail, the next turn comes when the log has grown
//! by a quarter more, and so on. So it costs nobody a snapshot that another one writes, and a volume that takes none is
//! not tried with every commit.

use super::change::Txid;

/// A log shorter than this is read faster than a snapshot is worth writing.
const LOG_MIN_BYTES: u64 = 1 << 20;

/// Slots that a start may read whatever their size.
const LOG_MIN_SLOTS: u64 = 1_000;

/// Bytes of a snapshot that take as long to read as one slot more: a start may take twice the time of its snapshot.
const SLOT_COSTS_BYTES: u64 = 256 << 10;

/// Turns while the log grows to the size at which a snapshot is due; the first of them is at its end.
const TURNS: u64 = 4;

/// The log since the newest snapshot that this instance knows of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Growth {
    snapshot: Txid,
    snapshot_bytes: u64,
    log_bytes: u64,
    slots: u64,
}

impl Growth {
    /// None, after a snapshot of that many bytes; nothing and zero when there is no snapshot yet.
    #[must_use]
    pub fn since_snapshot(snapshot: Txid, snapshot_bytes: u64) -> Self {
        Self { snapshot, snapshot_bytes, log_bytes: 0, slots: 0 }
    }

    /// The snapshot that it is counted from.
    #[must_use]
    pub fn snapshot(&self) -> Txid {
        self.snapshot
    }

    /// Bytes of the commit groups since then.
    #[must_use]
    pub fn log_bytes(&self) -> u64 {
        self.log_bytes
    }

    /// Counts commit groups, published or applied; true when it is the turn of whoever made the last of them.
    pub fn add(&mut self, slots: u64, bytes: u64) -> bool {
        let before = self.turns();
        self.slots = self.slots.saturating_add(slots);
        self.log_bytes = self.log_bytes.saturating_add(bytes);
        self.turns() > before && self.is_snapshot_due()
    }

    /// Counts from a snapshot of that many bytes that this instance wrote while the log went on to `newest`.
    pub fn snapshot_written(&mut self, snapshot: Txid, snapshot_bytes: u64, newest: Txid) {
        self.snapshot_found(snapshot, newest);
        self.snapshot_bytes = snapshot_bytes;
    }

    /// Counts from a snapshot that another instance wrote: its size is taken to be that of the last one.
    pub fn snapshot_found(&mut self, snapshot: Txid, newest: Txid) {
        if snapshot <= self.snapshot {
            return;
        }
        let slots = newest.0.saturating_sub(snapshot.0);
        // Only its share of the bytes is known, not which ones.
        self.log_bytes = self.log_bytes.checked_div(self.slots).unwrap_or_default().saturating_mul(slots);
        self.slots = slots;
        self.snapshot = snapshot;
    }

    /// True when the log since the snapshot is longer than the snapshot, or than a start should read.
    ///
    /// So a snapshot costs at most as many bytes again as the commits themselves, where these are not tiny.
    #[must_use]
    pub fn is_snapshot_due(&self) -> bool {
        self.turns() >= TURNS
    }

    fn turns(&self) -> u64 {
        let by_bytes = share(self.log_bytes, self.snapshot_bytes.max(LOG_MIN_BYTES));
        by_bytes.max(share(self.slots, (self.snapshot_bytes / SLOT_COSTS_BYTES).max(LOG_MIN_SLOTS)))
    }
}

fn share(of: u64, limit: u64) -> u64 {
    of.saturating_mul(TURNS).checked_div(limit).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNAPSHOT: Txid = Txid(100);

    #[test]
    fn a_snapshot_is_due_when_the_log_has_outgrown_the_last_one() {
        let mut growth = Growth::since_snapshot(SNAPSHOT, 10 << 20);
        assert!(!growth.add(1, (10 << 20) - 1));
        assert!(!growth.is_snapshot_due());
        assert!(growth.add(1, 1));
        assert!(growth.is_snapshot_due());
        let mut small = Growth::since_snapshot(SNAPSHOT, 100);
        assert!(!small.add(LOG_MIN_SLOTS - 1, LOG_MIN_BYTES - 1));
        assert!(small.add(1, 0), "a start should not read more slots");
    }

    #[test]
    fn small_commits_to_a_large_database_do_not_bring_a_snapshot_every_thousand() {
        let mut growth = Growth::since_snapshot(SNAPSHOT, 1 << 30);
        let turn = (1..).find(|_| growth.add(1, 5_000)).unwrap();
        assert_eq!(turn, 4_096);
    }

    /// Three instances count one log; each of its groups is made by one of them.
    #[test]
    fn one_instance_has_the_turn_and_others_have_the_next_if_it_fails() {
        let mut counts = [Growth::since_snapshot(SNAPSHOT, 1 << 20); 3];
        let mut turns = Vec::new();
        for group in 0..1_600_u64 {
            let maker = usize::try_from(group * 7 % 3).unwrap();
            for (instance, growth) in counts.iter_mut().enumerate() {
                let is_turn = growth.add(1, 1_000 + group % 50);
                if is_turn && instance == maker {
                    turns.push((group, maker));
                }
            }
        }
        let groups: Vec<u64> = turns.iter().map(|(group, _)| *group).collect();
        assert_eq!(groups, [999, 1249, 1499]);
        assert!(turns.iter().any(|(_, maker)| *maker != turns[0].1));
    }

    #[test]
    fn a_snapshot_of_another_instance_is_counted_from() {
        let mut growth = Growth::since_snapshot(SNAPSHOT, 1 << 20);
        assert!(growth.add(1_200, 2_400_000));
        growth.snapshot_found(SNAPSHOT, Txid(1_300));
        assert!(growth.is_snapshot_due(), "the same one as before");
        growth.snapshot_found(Txid(1_100), Txid(1_300));
        assert_eq!((growth.slots, growth.log_bytes, growth.snapshot()), (200, 400_000, Txid(1_100)));
        assert!(!growth.is_snapshot_due());
    }
}
