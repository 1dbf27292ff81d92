//! The rules that the protocol stands on, by name, where the code keeps them.
//!
//! Tests break them one at a time: the simulation and the model must then tell, else they show nothing. The last four are
//! broken by the tests' [volume](crate::volume::memory), which does what the code would do without them. Outside of tests
//! all are kept, and asking costs nothing.

/// A rule.
#[cfg_attr(not(test), expect(dead_code, reason = "some are broken by the tests' volume alone"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::volume) enum Rule {
    /// Who has a slot is read, whatever the put answered.
    ReadBack,
    /// A record is told by its maker's nonce, not by what it says.
    Nonce,
    /// An empty slot says nothing about a put that was sent: it may still arrive.
    Doubt,
    /// A put that is refused says nothing about one that was sent before.
    SentBefore,
    /// What is read in a slot counts if no snapshot is newer; else the next slot says who had this one.
    Anchor,
    /// Without anchor and heir nothing is known.
    Behind,
    /// A look takes no record that has neither anchor nor heir.
    Proof,
    /// A record is taken only after the one that it names.
    Predecessor,
    /// The snapshots are listed after the slot was read.
    AnchorAfterwards,
    /// The directory is opened before a slot is asked for by name.
    Revalidation,
    /// The slot of the newest snapshot's own commit group stays.
    KeepersSlot,
    /// The newest snapshot stays.
    Keeper,
}

#[cfg(test)]
impl Rule {
    pub(in crate::volume) const ALL: [Self; 12] = [
        Self::ReadBack,
        Self::Nonce,
        Self::Doubt,
        Self::SentBefore,
        Self::Anchor,
        Self::Behind,
        Self::Proof,
        Self::Predecessor,
        Self::AnchorAfterwards,
        Self::Revalidation,
        Self::KeepersSlot,
        Self::Keeper,
    ];
}

/// Whether a rule is kept.
#[cfg(not(test))]
#[inline]
pub(in crate::volume) const fn is_kept(_rule: Rule) -> bool {
    true
}

#[cfg(test)]
pub(in crate::volume) use broken::{break_rule, is_kept};

#[cfg(test)]
mod broken {
    use std::cell::Cell;

    use super::Rule;

    thread_local! {
        static BROKEN: Cell<Option<Rule>> = const { Cell::new(None) };
    }

    /// Whether this thread keeps a rule.
    pub(in crate::volume) fn is_kept(rule: Rule) -> bool {
        BROKEN.get() != Some(rule)
    }

    /// Has this thread keep all rules but one.
    pub(in crate::volume) fn break_rule(rule: Option<Rule>) {
        BROKEN.set(rule);
    }
}
