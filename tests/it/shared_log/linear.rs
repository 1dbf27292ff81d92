//! Whether a recorded history of one register is linearizable: whether every operation can be given one moment between
//! its call and its return, so that in the order of these moments each sees what the ones before it left.
//!
//! Registers are independent of each other, so a history of many keys is checked key by key. An operation whose outcome
//! its client never learned may have happened at any moment after its call, or never.
//!
//! The search is that of Wing and Gong with Lowe's memory of states already tried: "Testing for linearizability"
//! (G. Lowe, 2017), section 5.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

/// What a register holds; `None` when its row is not there.
pub type Value = Option<i64>;

/// What a client asked for and was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It was told this value.
    Read(Value),
    /// It set this value, whatever was there.
    Write(Value),
    /// It replaced `old` by `new` if that was there, and was told whether it was.
    Swap { old: i64, new: i64, is_swapped: bool },
    /// It asked for the same and was told nothing.
    SwapPerhaps { old: i64, new: i64 },
}

/// One operation, by a clock that all clients share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    pub act: Act,
    pub called: u64,
    /// `None` when the client never learned what became of it.
    pub returned: Option<u64>,
    pub client: usize,
}

impl fmt::Display for Operation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let returned = self.returned.map_or_else(|| "never".to_owned(), |at| format!("{at:>9}"));
        write!(formatter, "{:>9} to {returned}  client {}  {:?}", self.called, self.client, self.act)
    }
}

impl Act {
    /// What the register holds after it; `None` when it cannot come at this moment.
    fn after(self, value: Value) -> Option<Value> {
        match self {
            Self::Read(seen) => (seen == value).then_some(value),
            Self::Write(new) => Some(new),
            Self::Swap { old, new, is_swapped } => {
                ((value == Some(old)) == is_swapped).then_some(if is_swapped { Some(new) } else { value })
            }
            Self::SwapPerhaps { old, new } => Some(if value == Some(old) { Some(new) } else { value }),
        }
    }
}

/// The operations that were given a moment, and what the register holds after them.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Tried {
    done: Vec<u64>,
    value: Value,
}

impl Tried {
    fn has(&self, operation: usize) -> bool {
        self.done[operation / 64] & 1 << (operation % 64) != 0
    }

    fn with(&self, operation: usize, value: Value) -> Self {
        let mut done = self.done.clone();
        done[operation / 64] |= 1 << (operation % 64);
        Self { done, value }
    }
}

/// The history, one operation a line, when there is no such order. A register begins without a value.
pub fn fault(history: &[Operation]) -> Option<String> {
    let mut history = history.to_vec();
    history.sort_by_key(|operation| operation.called);
    let start = Tried { done: vec![0; history.len().div_ceil(64)], value: None };
    let mut seen = HashSet::from([start.clone()]);
    let mut open = vec![start];
    let mut furthest = BTreeSet::new();
    while let Some(tried) = open.pop() {
        // What has returned must have its moment before anything that was called later.
        let end = (0..history.len())
            .filter(|&operation| !tried.has(operation))
            .filter_map(|operation| history[operation].returned)
            .min();
        let end = end?;
        let done: BTreeSet<usize> = (0..history.len()).filter(|&operation| tried.has(operation)).collect();
        if done.len() > furthest.len() {
            furthest = done;
        }
        for (place, operation) in history.iter().enumerate().take_while(|(_, operation)| operation.called <= end) {
            if tried.has(place) {
                continue;
            }
            if let Some(value) = operation.act.after(tried.value) {
                let next = tried.with(place, value);
                if seen.insert(next.clone()) {
                    open.push(next);
                }
            }
        }
    }
    let lines = history.iter().enumerate().map(|(place, operation)| {
        let mark = if furthest.contains(&place) { ' ' } else { '!' };
        format!("{mark} {operation}\n")
    });
    Some(lines.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(operations: &[(Act, u64, Option<u64>)]) -> Vec<Operation> {
        let operation = |(client, &(act, called, returned))| Operation { act, called, returned, client };
        operations.iter().enumerate().map(operation).collect()
    }

    const W1: Act = Act::Write(Some(1));
    const R1: Act = Act::Read(Some(1));
    const R0: Act = Act::Read(None);

    #[test]
    fn what_overlaps_may_have_happened_in_either_order() {
        assert_eq!(fault(&history(&[(W1, 0, Some(10)), (R0, 2, Some(3)), (R1, 4, Some(5))])), None);
        assert_eq!(fault(&history(&[(W1, 0, Some(10)), (R0, 5, Some(20)), (R1, 6, Some(15))])), None);
    }

    #[test]
    fn a_stale_read_is_found() {
        assert!(fault(&history(&[(W1, 0, Some(1)), (R0, 2, Some(3))])).is_some());
    }

    #[test]
    fn a_read_that_goes_back_behind_another_read_is_found() {
        assert!(fault(&history(&[(W1, 0, Some(10)), (R1, 2, Some(3)), (R0, 4, Some(5))])).is_some());
    }

    #[test]
    fn a_lost_update_is_found() {
        let swap = |old, new, is_swapped| Act::Swap { old, new, is_swapped };
        let both = [(W1, 0, Some(1)), (swap(1, 2, true), 2, Some(9)), (swap(1, 3, true), 3, Some(8))];
        assert!(fault(&history(&both)).is_some());
        let one = [(W1, 0, Some(1)), (swap(1, 2, true), 2, Some(9)), (swap(1, 3, false), 3, Some(8))];
        assert_eq!(fault(&history(&one)), None);
        let none = [(W1, 0, Some(1)), (swap(1, 2, false), 2, Some(9))];
        assert!(fault(&history(&none)).is_some(), "nothing else was there");
    }

    #[test]
    fn an_unknown_outcome_may_show_at_any_time_or_never_but_not_go_away() {
        let unknown = (Act::Write(Some(7)), 2, None);
        let first = (W1, 0, Some(1));
        assert_eq!(fault(&history(&[first, unknown, (R1, 3, Some(4))])), None);
        assert_eq!(fault(&history(&[first, unknown, (R1, 3, Some(4)), (Act::Read(Some(7)), 90, Some(91))])), None);
        let back = [first, unknown, (Act::Read(Some(7)), 3, Some(4)), (R1, 5, Some(6))];
        assert!(fault(&history(&back)).is_some());
        let early = [first, (Act::Read(Some(7)), 2, Some(3)), (Act::Write(Some(7)), 4, None)];
        assert!(fault(&history(&early)).is_some(), "not before it was called");
    }

    #[test]
    fn a_write_that_happens_twice_is_found() {
        let history = history(&[
            (Act::Write(Some(7)), 0, None),
            (Act::Read(Some(7)), 1, Some(2)),
            (W1, 3, Some(4)),
            (Act::Read(Some(7)), 5, Some(6)),
        ]);
        assert!(fault(&history).is_some());
    }
}
