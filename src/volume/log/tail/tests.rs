use super::*;
use crate::volume::log::change::Nonce;
use crate::volume::log::scenario::{Kept, Never, attempt, commit, mount, remove, snapshot};
use crate::volume::memory::{Faults, Memory};

const BOTH: [Look; 2] = [Look::Names, Look::Probe];

/// The transactions that follow, or why there are none.
fn read(volume: &dyn Volume, from: &Position, look: Look) -> Result<Vec<u64>, &'static str> {
    match read_on(volume, from, look) {
        Ok(Tail::End) => Err("end"),
        Ok(Tail::Gap) => Err("gap"),
        Ok(Tail::Next(batch)) => Ok(batch.records.iter().map(|record| record.header.last.0).collect()),
        Err(Error::Diverged { .. }) => Err("diverged"),
        Err(Error::Torn { .. }) => Err("torn"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn an_empty_log_ends_where_it_starts() {
    let mount = mount();
    let start = start(&mount, &mut Kept::default()).unwrap();
    assert_eq!((start.position(), start.snapshot), (Position::START, None));
    for look in BOTH {
        assert_eq!(read(&mount, &Position::START, look), Err("end"));
    }
}

#[test]
fn what_follows_a_position_is_read_in_order() {
    let mount = mount();
    let positions = commit(&mount, 3);
    for look in BOTH {
        assert_eq!(read(&mount, &positions[0], look), Ok(vec![1, 2, 3]));
        assert_eq!(read(&mount, &positions[2], look), Ok(vec![3]));
        assert_eq!(read(&mount, &positions[3], look), Err("end"));
    }
}

#[test]
fn a_position_whose_successor_was_removed_is_a_gap() {
    let mount = mount();
    let positions = commit(&mount, 5);
    snapshot(&mount, &positions[4], 4);
    remove(&mount, &positions[1..4]);
    for look in BOTH {
        assert_eq!(read(&mount, &positions[0], look), Err("gap"));
        assert_eq!(read(&mount, &positions[2], look), Err("gap"));
        assert_eq!(read(&mount, &positions[3], look), Ok(vec![4, 5]), "nothing it needs is gone");
    }
    let start = start(&mount, &mut Kept::default()).unwrap();
    assert_eq!(start.position(), positions[4]);
    assert_eq!(read(&mount, &start.position(), Look::Names), Ok(vec![5]));
}

#[test]
fn a_ghost_is_not_taken_for_a_commit_group() {
    let mount = mount();
    let positions = commit(&mount, 5);
    snapshot(&mount, &positions[5], 5);
    remove(&mount, &positions[1..5]);
    attempt(&positions[1], 7, 100).publish(&mount, &mut Never);
    for look in BOTH {
        assert_eq!(read(&mount, &positions[1], look), Err("gap"));
    }
}

/// The same pages in the ghost as in the group whose slot it took: only the names of the makers tell.
#[test]
fn a_ghost_that_says_the_same_as_the_removed_one_is_found_by_its_maker() {
    let mount = mount();
    let positions = commit(&mount, 5);
    snapshot(&mount, &positions[5], 5);
    remove(&mount, &positions[1..4]);
    attempt(&positions[2], 3, 100).publish(&mount, &mut Never);
    for look in BOTH {
        assert_eq!(read(&mount, &positions[2], look), Err("gap"));
    }
}

#[test]
fn a_position_that_is_not_the_logs_is_told_so() {
    let mount = mount();
    let positions = commit(&mount, 2);
    let other_maker = Position { nonce: Nonce(99), ..positions[1] };
    let beyond = Position { txid: Txid(9), ..positions[2] };
    for look in BOTH {
        assert_eq!(read(&mount, &other_maker, look), Err("diverged"));
    }
    assert_eq!(read(&mount, &beyond, Look::Names), Err("diverged"));
}

#[test]
fn a_torn_slot_is_no_end_of_the_log() {
    let memory = Memory::new(1, 1, Faults::default());
    let mount = memory.mount(0);
    let positions = commit(&mount, 2);
    memory.overwrite(&slot::slot_path(Txid(2)), b"LTX1");
    for look in BOTH {
        assert_eq!(read(&mount, &positions[0], look), Ok(vec![1]));
        assert_eq!(read(&mount, &positions[1], look), Err("torn"));
    }
}

#[test]
fn a_start_passes_over_snapshots_that_are_torn() {
    let memory = Memory::new(1, 1, Faults::default());
    let mount = memory.mount(0);
    let positions = commit(&mount, 4);
    snapshot(&mount, &positions[2], 2);
    memory.overwrite(&slot::snapshot_path(Txid(4)), b"LTX1");
    assert_eq!(start(&mount, &mut Kept::default()).unwrap().position(), positions[2]);
    memory.overwrite(&slot::snapshot_path(Txid(2)), b"");
    assert_eq!(
        start(&mount, &mut Kept::default()).unwrap().position(),
        Position::START,
        "the first slot is still there"
    );
    remove(&mount, &positions[1..2]);
    assert!(matches!(start(&mount, &mut Kept::default()), Err(Error::NoBeginning { first: Txid(2) })));
}

#[test]
fn batches_are_bounded_and_continue() {
    let mount = mount();
    let mut position = Position::START;
    for number in 0..=u64::try_from(BATCH_MAX_RECORDS).unwrap() {
        let next = attempt(&position, 1, number + 1);
        mount.put_if_absent(&slot::slot_path(next.position().txid), next.bytes()).unwrap();
        position = next.position();
    }
    let Tail::Next(first) = read_on(&mount, &Position::START, Look::Probe).unwrap() else { panic!("nothing follows") };
    assert_eq!((first.records.len(), first.is_end), (BATCH_MAX_RECORDS, false));
    let from = first.records.last().unwrap().header.position();
    let Tail::Next(rest) = read_on(&mount, &from, Look::Probe).unwrap() else { panic!("nothing follows") };
    assert_eq!((rest.records.len(), rest.is_end), (1, true));
    assert_eq!(rest.records[0].header.position(), position);
}

/// A mount that believes for a while that the slot which it lists is not there.
#[test]
fn a_slot_that_is_listed_and_cannot_be_opened_yet_is_waited_for() {
    struct Waits(u64);
    impl Patience for Waits {
        fn wait(&mut self) -> bool {
            self.0 += 1;
            self.0 < 200
        }
    }
    let memory = Memory::new(1, 1, Faults { stale_positive: 1, ..Faults::default() });
    let mount = memory.mount(0);
    commit(&mount, 1);
    let read = || read_on(&mount, &Position::START, Look::Names);
    assert!((0..20).any(|_| matches!(read(), Err(Error::Unreadable { txid: Txid(1) }))));
    let mut waits = Waits(0);
    for _ in 0..20 {
        let read = patiently(&mut waits, read).unwrap();
        assert!(matches!(read, Tail::Next(_)));
    }
    assert!(waits.0 > 0);
}
