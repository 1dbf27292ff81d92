use super::*;
use crate::volume::log::publish::Attempt;
use crate::volume::log::scenario::{Kept, Never, commit, database, mount, snapshot};
use crate::volume::memory::{Faults, Memory, Mount};

const MILLISECOND: Duration = Duration::from_millis(1);

/// The slots and the snapshots that are there.
fn left(mount: &Mount) -> (Vec<u64>, Vec<u64>) {
    let slots = mount.list(slot::SLOTS).unwrap();
    let snapshots = mount.list(slot::SNAPSHOTS).unwrap();
    (slot::slots(&slots).map(|txid| txid.0).collect(), slot::snapshots(&snapshots).map(|txid| txid.0).collect())
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

/// An instance whose clock was a century ahead wrote the snapshot at 5.
#[test]
fn a_snapshot_from_the_future_does_not_keep_what_follows_it() {
    let mount = mount();
    let mut positions = commit(&mount, 4);
    for (value, time) in [(5, 1_000_000), (6, 6), (7, 7), (8, 8)] {
        let (change, after) = database(value);
        let base = positions.last().unwrap();
        let attempt = Attempt::new(base, change, after, Nonce(value.into()), time).unwrap();
        attempt.publish(&mount, &mut Never);
        positions.push(attempt.position());
    }
    write_snapshot(&mount, &positions[5], 1_000_000, &database(5).0).unwrap();
    snapshot(&mount, &positions[7], 7);
    remove_old(&mount, 20, 5 * MILLISECOND).unwrap();
    assert_eq!(left(&mount), (vec![7, 8], vec![7]));
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
fn a_removal_goes_upwards_and_takes_all_that_came_since_the_last_one() {
    let mount = mount();
    let positions = commit(&mount, 250);
    for number in [3, 140, 240] {
        snapshot(&mount, &positions[usize::from(number)], number);
    }
    let removed = remove_old(&mount, i64::MAX, Duration::ZERO).unwrap();
    assert_eq!(removed, Removed { slots: 239, snapshots: 2, is_more: false });
    assert_eq!((left(&mount).0.first(), left(&mount).1), (Some(&240), vec![240]));
}

#[test]
fn the_oldest_slots_are_found_whatever_the_order_of_names() {
    let mount = mount();
    for txid in [70, 5, 90, 1, 300, 20] {
        mount.put_if_absent(&slot::slot_path(Txid(txid)), b"").unwrap();
    }
    assert_eq!(oldest_slots(&mount, Txid(90)).unwrap(), [1, 5, 20, 70].map(Txid));
}

#[test]
fn what_is_kept_is_not_read_again_and_again() {
    let mount = mount();
    let positions = commit(&mount, 250);
    for number in (10..250).step_by(10) {
        snapshot(&mount, &positions[usize::from(number)], number);
    }
    remove_old(&mount, 240, 200 * MILLISECOND).unwrap();
    assert_eq!(left(&mount).1.first(), Some(&40));
    let before = mount.usage().operations(crate::volume::Operation::Read);
    assert_eq!(remove_old(&mount, 240, 200 * MILLISECOND).unwrap(), Removed::default());
    let reads = mount.usage().operations(crate::volume::Operation::Read) - before;
    assert_eq!(reads, 2, "the slots of the oldest snapshot and of the next one, and no snapshot");
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
