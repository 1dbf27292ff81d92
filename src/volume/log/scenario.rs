//! Small logs for tests: a database of one page, on a volume in memory where nothing goes wrong by itself.

use std::collections::BTreeMap;
use std::io;

use super::change::{Change, Checksum, Nonce, Position};
use super::publish::{Attempt, Patience, Verdict};
use super::{Pages, retain, slot};
use crate::volume::Volume;
use crate::volume::memory::{Faults, Memory, Mount};

/// Gives up at once.
pub(super) struct Never;

impl Patience for Never {
    fn wait(&mut self) -> bool {
        false
    }
}

/// The pages of a snapshot, in memory.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Kept(pub(super) BTreeMap<u32, Vec<u8>>);

impl Pages for Kept {
    fn restart(&mut self) -> io::Result<()> {
        self.0.clear();
        Ok(())
    }

    fn page(&mut self, number: u32, content: &[u8]) -> io::Result<()> {
        self.0.insert(number, content.to_vec());
        Ok(())
    }
}

pub(super) fn mount() -> Mount {
    Memory::new(1, 1, Faults::default()).mount(0)
}

/// The database that says `value`.
pub(super) fn database(value: u8) -> (Change, Checksum) {
    let page = vec![value; 512];
    let checksum = Checksum::of_pages([(1, page.as_slice())]);
    (Change { page_size: 512, database_pages: 1, pages: [(1, page)].into() }, checksum)
}

/// The attempt to make the database say `value`; its time is its transaction's number.
pub(super) fn attempt(base: &Position, value: u8, nonce: u64) -> Attempt {
    let (change, after) = database(value);
    let time = i64::try_from(base.txid.next().0).unwrap();
    Attempt::new(base, change, after, Nonce(nonce), time).unwrap()
}

/// Commits groups 1 to `count`, whose databases say their number; the positions begin with the start.
pub(super) fn commit(mount: &Mount, count: u8) -> Vec<Position> {
    let mut positions = vec![Position::START];
    for number in 1..=count {
        let attempt = attempt(positions.last().unwrap(), number, u64::from(number));
        assert_eq!(attempt.publish(mount, &mut Never), Verdict::Committed(attempt.position()));
        positions.push(attempt.position());
    }
    positions
}

/// Writes the snapshot at `position`, where the database says `value`.
pub(super) fn snapshot(mount: &Mount, position: &Position, value: u8) {
    retain::write_snapshot(mount, position, i64::try_from(position.txid.0).unwrap(), &database(value).0).unwrap();
}

/// Removes the slots of these positions.
pub(super) fn remove(mount: &Mount, positions: &[Position]) {
    for position in positions {
        mount.remove(&slot::slot_path(position.txid)).unwrap();
    }
}
