use super::*;
use crate::volume::log::scenario::{Kept, commit, database, mount, snapshot};
use crate::volume::memory::{Faults, Memory, Mount};

const MILLISECOND: Duration = Duration::from_millis(1);

/// The slots and the snapshots that are there.
fn left(mount: &Mount) -> (Vec<u64>, Vec<u64>) {
    let slots = mount.list(slot::SLOTS).unwrap();
    let snapshots = mount.list(slot::SNAPSHOTS).unwrap();
    (slot::slots(&slots).map(|txid| txid.0).collect(), slot::snapshots(&snapshots).map(|txid| txid.0).collect())
}

#[test]
fn a_snapshot_is_due_when_the_log_has_outgrown_the_last_one() {
    let mut growth = Growth::since_snapshot(10 << 20);
    growth.add(1, 10 << 20);
    assert!(!growth.is_snapshot_due());
    growth.add(1, 1);
    assert!(growth.is_snapshot_due());
    let mut small = Growth::since_snapshot(100);
    small.add(LOG_MAX_SLOTS - 1, LOG_MIN_BYTES);
    assert!(!small.is_snapshot_due());
    small.add(1, 0);
    assert!(small.is_snapshot_due(), "a start should not read more slots");
}

#[test]
fn a_snapshot_is_read_back_and_may_be_written_twice() {
    let mount = mount();
    let position = commit(&mount, 3)[3];
    let size_bytes = write_snapshot(&mount, &position, 3, &database(3).0).unwrap();
    assert_eq!(write_snapshot(&mount, &position, 3, &database(3).0).unwrap(), size_bytes);
    assert!(matches!(write_snapshot(&mount, &position, 3, &database(4).0), Err(Error::Record(_))), "other pages");
    let mut pages = Kept::default();
    let Found::Whole(snapshot) = read_snapshot(&mount, position.txid, &mut pages).unwrap() else {
        panic!("no snapshot")
    };
    assert_eq!((snapshot.header.position(), snapshot.shape), (position, database(3).0.shape()));
    assert_eq!((pages.0, snapshot.size_bytes), (database(3).0.pages, size_bytes));
}

#[test]
fn what_the_retention_needs_stays_and_the_rest_goes() {
    let mount = mount();
    let positions = commit(&mount, 9);
    for number in [2, 4, 6, 8] {
        snapshot(&mount, &positions[usize::from(number)], number);
    }
    // Everything from time 5 on must be restorable: the snapshot at 4 and what follows.
    let removed = remove_old(&mount, 9, 4 * MILLISECOND).unwrap();
    assert_eq!(removed, Removed { slots: 3, snapshots: 1, is_more: false });
    assert_eq!(left(&mount), (vec![4, 5, 6, 7, 8, 9], vec![4, 6, 8]));
    assert_eq!(remove_old(&mount, 9, 4 * MILLISECOND).unwrap(), Removed::default());
    // A clock far ahead removes no more than the newest snapshot holds.
    remove_old(&mount, i64::MAX, Duration::ZERO).unwrap();
    assert_eq!(left(&mount), (vec![8, 9], vec![8]));
}

#[test]
fn nothing_goes_while_all_is_young_or_without_snapshot() {
    let mount = mount();
    let positions = commit(&mount, 4);
    assert_eq!(remove_old(&mount, i64::MAX, Duration::ZERO).unwrap(), Removed::default());
    snapshot(&mount, &positions[3], 3);
    assert_eq!(remove_old(&mount, 4, 2 * MILLISECOND).unwrap(), Removed::default());
    assert_eq!(left(&mount).0, [1, 2, 3, 4]);
}

#[test]
fn nothing_goes_on_account_of_a_torn_snapshot() {
    let memory = Memory::new(1, 1, Faults::default());
    let mount = memory.mount(0);
    let positions = commit(&mount, 5);
    snapshot(&mount, &positions[2], 2);
    memory.overwrite(&slot::snapshot_path(Txid(4)), b"LTX1");
    remove_old(&mount, i64::MAX, Duration::ZERO).unwrap();
    assert_eq!(left(&mount), (vec![2, 3, 4, 5], vec![2, 4]));
}

#[test]
fn a_removal_is_bounded_goes_upwards_and_continues() {
    let mount = mount();
    let positions = commit(&mount, 150);
    snapshot(&mount, &positions[140], 140);
    let first = remove_old(&mount, i64::MAX, Duration::ZERO).unwrap();
    assert_eq!(first, Removed { slots: REMOVE_MAX_FILES, snapshots: 0, is_more: true });
    assert_eq!(left(&mount).0.first(), Some(&101));
    let second = remove_old(&mount, i64::MAX, Duration::ZERO).unwrap();
    assert_eq!((second.slots, left(&mount).0.first()), (39, Some(&140)));
}

#[test]
fn ghosts_below_the_keeper_go_with_the_next_removal() {
    let mount = mount();
    let positions = commit(&mount, 5);
    snapshot(&mount, &positions[4], 4);
    remove_old(&mount, i64::MAX, Duration::ZERO).unwrap();
    mount.put_if_absent(&slot::slot_path(Txid(2)), b"a ghost").unwrap();
    assert_eq!(remove_old(&mount, i64::MAX, Duration::ZERO).unwrap().slots, 1);
    assert_eq!(left(&mount).0, [4, 5]);
}
