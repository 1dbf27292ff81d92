use std::sync::Arc;

use super::*;
use crate::volume::disk::{Disk, Strategy};
use crate::volume::log::change::Txid;
use crate::volume::log::scenario::{Never, attempt, commit, database, mount, remove, snapshot};
use crate::volume::log::tail::{self, Look, Tail};
use crate::volume::memory::{Faults, Memory};

/// Puts the record and is killed, or stalled, before it looks who won.
fn put_only(volume: &dyn Volume, attempt: &Attempt) {
    volume.put_if_absent(&slot::slot_path(attempt.position.txid), &attempt.bytes).unwrap();
}

#[test]
fn the_second_of_two_who_make_the_same_change_has_lost() {
    let mount = mount();
    let base = commit(&mount, 3)[3];
    let winner = attempt(&base, 9, 100);
    let loser = attempt(&base, 9, 101);
    assert_eq!(winner.position().checksum, loser.position().checksum);
    assert_eq!(winner.publish(&mount, &mut Never), Verdict::Committed(winner.position()));
    assert_eq!(loser.publish(&mount, &mut Never), Verdict::Lost);
    assert_eq!(winner.publish(&mount, &mut Never), Verdict::Committed(winner.position()), "however often one asks");
}

#[test]
fn the_owner_of_the_newest_snapshots_own_slot_has_won() {
    let mount = mount();
    let positions = commit(&mount, 3);
    let mine = attempt(&positions[3], 4, 100);
    put_only(&mount, &mine);
    snapshot(&mount, &mine.position(), 4);
    remove(&mount, &positions[1..]);
    assert_eq!(mine.settle(&mount, &mut Never), Verdict::Committed(mine.position()));
}

#[test]
fn who_fills_a_removed_slot_again_is_behind() {
    let mount = mount();
    let positions = commit(&mount, 5);
    snapshot(&mount, &positions[5], 5);
    remove(&mount, &positions[1..5]);
    assert_eq!(attempt(&Position::START, 7, 100).publish(&mount, &mut Never), Verdict::Behind);
    assert_eq!(attempt(&positions[2], 7, 101).publish(&mount, &mut Never), Verdict::Behind);
}

/// Whether slot *n* is there says nothing: it may be a ghost's.
#[test]
fn a_ghost_before_ones_slot_does_not_make_one_win() {
    let mount = mount();
    let positions = commit(&mount, 5);
    snapshot(&mount, &positions[5], 5);
    remove(&mount, &positions[1..5]);
    assert_eq!(attempt(&positions[1], 7, 100).publish(&mount, &mut Never), Verdict::Behind);
    assert_eq!(attempt(&positions[2], 7, 101).publish(&mount, &mut Never), Verdict::Behind);
}

#[test]
fn who_is_behind_has_lost_when_the_heir_names_another() {
    let mount = mount();
    let positions = commit(&mount, 5);
    snapshot(&mount, &positions[5], 5);
    remove(&mount, &positions[1..4]);
    // The very same change as the one that is in the log.
    let mine = attempt(&positions[2], 3, 100);
    assert_eq!(mine.position().checksum, positions[3].checksum);
    assert_eq!(mine.publish(&mount, &mut Never), Verdict::Lost);
}

/// Stalled between the put and the look, while the others built on it, removed it, and one of them left a ghost there.
#[test]
fn a_winner_whose_slot_a_ghost_has_taken_is_told_by_the_heir() {
    for (removed, verdict) in [(4, None), (5, Some(Verdict::Behind))] {
        let mount = mount();
        let mut positions = commit(&mount, 2);
        let mine = attempt(&positions[2], 3, 100);
        put_only(&mount, &mine);
        positions.push(mine.position());
        for number in 4..=6 {
            let next = attempt(positions.last().unwrap(), number, u64::from(number));
            assert_eq!(next.publish(&mount, &mut Never), Verdict::Committed(next.position()));
            positions.push(next.position());
        }
        snapshot(&mount, &positions[6], 6);
        remove(&mount, &positions[1..removed]);
        put_only(&mount, &attempt(&positions[2], 3, 200));
        let expected = verdict.unwrap_or(Verdict::Committed(mine.position()));
        assert_eq!(mine.settle(&mount, &mut Never), expected);
    }
}

#[test]
fn what_cannot_be_read_is_unknown_and_settled_later() {
    let unknown = |faults| {
        let memory = Memory::new(1, 1, faults);
        let mount = memory.mount(0);
        let mine = attempt(&Position::START, 1, 100);
        let verdict = mine.publish(&mount, &mut Never);
        memory.calm();
        assert_eq!(mine.settle(&mount, &mut Never), Verdict::Committed(mine.position()));
        verdict
    };
    assert_eq!(unknown(Faults { lost_request: 1, ..Faults::default() }), Verdict::Unknown(Doubt::Absent));
    assert_eq!(unknown(Faults { late_arrival: 1, ..Faults::default() }), Verdict::Unknown(Doubt::Absent));
    assert_eq!(unknown(Faults { error: 1, ..Faults::default() }), Verdict::Unknown(Doubt::Unreadable));
}

#[test]
fn a_torn_slot_is_unknown_until_it_is_whole() {
    let memory: Arc<Memory> = Memory::new(1, 1, Faults::default());
    let mount = memory.mount(0);
    let path = slot::slot_path(Txid::FIRST);
    let other = attempt(&Position::START, 1, 100);
    memory.overwrite(&path, &other.bytes[..50]);
    let mine = attempt(&Position::START, 2, 101);
    assert_eq!(mine.publish(&mount, &mut Never), Verdict::Unknown(Doubt::Torn));
    memory.overwrite(&path, &other.bytes);
    assert_eq!(mine.settle(&mount, &mut Never), Verdict::Lost);
}

#[test]
fn a_loser_whose_put_succeeds_has_lost() {
    let mount = mount();
    let winner = attempt(&Position::START, 1, 100);
    assert_eq!(winner.publish(&mount, &mut Never), Verdict::Committed(winner.position()));
    let loser = attempt(&Position::START, 2, 101);
    assert!(mount.put_if_absent(&slot::slot_path(Txid::FIRST), &loser.bytes).is_ok());
    assert_eq!(loser.publish(&mount, &mut Never), Verdict::Lost);
}

/// It is there for all to read, but its writer's sync may have failed.
#[test]
fn what_is_read_counts_only_after_a_put_that_succeeded() {
    let memory = Memory::new(1, 1, Faults { lost_reply: 1, ..Faults::default() });
    let mount = memory.mount(0);
    let mine = attempt(&Position::START, 1, 100);
    assert_eq!(mine.publish(&mount, &mut Never), Verdict::Unknown(Doubt::Volatile));
    assert_eq!(attempt(&Position::START, 2, 101).publish(&mount, &mut Never), Verdict::Lost);
    memory.calm();
    assert_eq!(mine.settle(&mount, &mut Never), Verdict::Committed(mine.position()));
}

#[test]
fn what_was_never_sent_is_refused_and_what_may_be_on_its_way_is_not() {
    let memory = Memory::new(1, 1, Faults { refused: 1, ..Faults::default() });
    let mount = memory.mount(0);
    let mine = attempt(&Position::START, 1, 100);
    assert_eq!(mine.publish(&mount, &mut Never), Verdict::Refused(Refusal::Full));
    assert_eq!(mine.settle(&mount, &mut Never), Verdict::Unknown(Doubt::Absent), "an earlier put may be on its way");
}

#[test]
fn patience_ends_at_its_deadline() {
    assert!(!Until::new(Deadline::after(Duration::ZERO)).wait());
    let mut patience = Until::new(Deadline::after(Duration::from_millis(12)));
    let waits = std::iter::from_fn(|| patience.wait().then_some(())).count();
    assert!((1..=3).contains(&waits), "5 ms, then what is left: {waits}");
}

/// Adds `count` groups to the log, each of which makes the database say one more.
fn count_up(volume: &dyn Volume, count: u32) {
    let mut position = Position::START;
    let mut committed = 0;
    while committed < count {
        // Another writer's file may be there before all of it is.
        let read = |from: &Position| {
            let mut patience = Until::new(Deadline::after(Duration::from_secs(30)));
            tail::patiently(&mut patience, || tail::read_on(volume, from, Look::Probe)).unwrap()
        };
        while let Tail::Next(batch) = read(&position) {
            position = batch.records.last().unwrap().header.position();
        }
        let value = u8::try_from(position.txid.next().0).unwrap();
        let (change, after) = database(value);
        let attempt = Attempt::new(&position, change, after, Nonce::draw().unwrap(), 0).unwrap();
        match attempt.publish(volume, &mut Until::new(Deadline::after(Duration::from_secs(30)))) {
            Verdict::Committed(_) => committed += 1,
            Verdict::Lost => {}
            Verdict::Behind | Verdict::Unknown(_) | Verdict::Refused(_) => {
                panic!("nothing is removed, and the disk answers")
            }
        }
    }
}

#[test]
fn writers_on_a_real_directory_lose_nothing_and_double_nothing() {
    for strategy in [Strategy::HardLink, Strategy::ExclusiveCreate] {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("app");
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| count_up(&Disk::open(&root, strategy).unwrap(), 25));
            }
        });
        let disk = Disk::open(&root, strategy).unwrap();
        let Tail::Next(all) = tail::read_on(&disk, &Position::START, Look::Names).unwrap() else { panic!("empty") };
        assert_eq!(all.records.len(), 75, "{strategy:?}");
        assert_eq!(all.records.last().unwrap().change, database(75).0);
    }
}
