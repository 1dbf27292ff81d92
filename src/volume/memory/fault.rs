//! What goes wrong on the volume in memory, how often, and the numbers by which it is drawn.

/// Random numbers by `SplitMix64`: <https://prng.di.unimi.it/splitmix64.c>.
#[derive(Debug, Clone)]
pub(in crate::volume) struct Random(pub(in crate::volume) u64);

impl Random {
    pub(in crate::volume) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(in crate::volume) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True once in `times`; never for zero.
    pub(in crate::volume) fn once_in(&mut self, times: u64) -> bool {
        times > 0 && self.below(times) == 0
    }
}

/// How often each fault comes: once in that many operations of its kind, zero for never.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::volume) struct Faults {
    /// A put takes effect or finds the name taken, and gets no answer.
    pub(in crate::volume) lost_reply: u64,
    /// A put gets no answer, and takes effect later.
    pub(in crate::volume) late_arrival: u64,
    /// A put gets no answer, and does not take effect.
    pub(in crate::volume) lost_request: u64,
    /// A put is refused, and does not take effect.
    pub(in crate::volume) refused: u64,
    /// A name found absent stays absent to that writer for a while.
    pub(in crate::volume) stale_negative: u64,
    /// A name that was listed is absent to that writer for a while.
    pub(in crate::volume) stale_positive: u64,
    /// A new file is short for a while.
    pub(in crate::volume) torn: u64,
    /// A read, list or removal fails.
    pub(in crate::volume) error: u64,
    /// The writer is killed, before or after the operation took effect.
    pub(in crate::volume) crash: u64,
    /// The writer stands still while the others go on.
    pub(in crate::volume) stall: u64,
    /// The same after it has removed a file: the next one stays for a while.
    pub(in crate::volume) stall_removing: u64,
}

impl Faults {
    /// All of them.
    pub(in crate::volume) const ALL: Self = Self {
        lost_reply: 12,
        late_arrival: 12,
        lost_request: 30,
        refused: 40,
        stale_negative: 4,
        stale_positive: 40,
        torn: 10,
        error: 40,
        crash: 150,
        stall: 60,
        stall_removing: 0,
    };

    /// Mostly instances that stand still for long, which is what makes ghosts.
    pub(in crate::volume) const STALLS: Self = Self { late_arrival: 5, error: 0, crash: 900, stall: 12, ..Self::ALL };

    /// The same, and what is removed goes slowly: ghosts stand beside what followed the removed.
    pub(in crate::volume) const REMOVALS: Self = Self { stall_removing: 2, crash: 0, ..Self::STALLS };
}
