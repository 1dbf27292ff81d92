use std::collections::BTreeMap;

use super::*;
use crate::volume::log::change::Nonce;
use crate::volume::log::publish::Attempt;
use crate::volume::log::retain;
use crate::volume::log::scenario::{Never, attempt, commit, database, mount, remove, snapshot};
use crate::volume::memory::Mount;

/// What the one page of the restored database says, and where it stands; or the error's text.
fn restored(mount: &Mount, target: Target) -> Result<(u8, u64), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    let restored = restore(mount, target, &path, &mut |_| {}).map_err(|error| error.to_string())?;
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(bytes.len(), 512);
    Ok((bytes[0], restored.stamp.txid.0))
}

fn at(txid: u64) -> Target {
    Target::Position(Txid(txid))
}

fn then(millis: i64) -> Target {
    Target::Moment(Moment(millis))
}

#[test]
fn every_position_and_moment_of_a_log_can_be_restored() {
    let mount = mount();
    let positions = commit(&mount, 9);
    snapshot(&mount, &positions[4], 4);
    snapshot(&mount, &positions[7], 7);
    assert_eq!(restored(&mount, Target::Newest), Ok((9, 9)));
    for number in 1..=9_u8 {
        let expected = Ok((number, u64::from(number)));
        assert_eq!(restored(&mount, at(u64::from(number))), expected, "position {number}");
        // The scenario's clock ticks once for each commit group.
        assert_eq!(restored(&mount, then(i64::from(number))), expected, "moment {number}");
    }
    assert_eq!(restored(&mount, then(1_000)), Ok((9, 9)));
}

#[test]
fn what_is_not_kept_any_more_and_what_is_not_there_yet_is_said_with_what_is() {
    let mount = mount();
    assert_eq!(restored(&mount, Target::Newest), Err("the log is empty: there is nothing to restore".to_owned()));
    let positions = commit(&mount, 9);
    assert!(restored(&mount, then(0)).unwrap_err().contains("the oldest that can be restored is position 1 "));
    snapshot(&mount, &positions[4], 4);
    snapshot(&mount, &positions[7], 7);
    remove(&mount, &positions[1..4]);
    for target in [at(3), then(3)] {
        let error = restored(&mount, target).unwrap_err();
        assert!(error.ends_with("the oldest that can be restored is position 4 (1970-01-01T00:00:00.004Z)"), "{error}");
    }
    assert_eq!(restored(&mount, at(4)), Ok((4, 4)));
    let error = restored(&mount, at(10)).unwrap_err();
    assert!(error.ends_with("it ends at position 9 (1970-01-01T00:00:00.009Z)"), "{error}");
}

#[test]
fn a_removal_that_is_half_done_hides_what_its_remains_lead_to() {
    let mount = mount();
    let positions = commit(&mount, 9);
    for place in [2, 7] {
        snapshot(&mount, &positions[place], u8::try_from(place).unwrap());
    }
    // Slots go before the snapshots that they follow.
    remove(&mount, &positions[1..5]);
    assert!(restored(&mount, at(5)).unwrap_err().contains("the oldest that can be restored is position 7 "));
    assert_eq!(restored(&mount, at(2)), Ok((2, 2)), "this one is there as it stands");
    assert_eq!(restored(&mount, at(8)), Ok((8, 8)));
}

#[test]
fn a_torn_slot_at_the_end_is_named_with_what_can_be_had() {
    let mount = mount();
    let positions = commit(&mount, 3);
    let torn = attempt(&positions[3], 4, 4);
    let half = torn.bytes().len() / 2;
    mount.put_if_absent(&slot::slot_path(Txid(4)), &torn.bytes()[..half]).unwrap();
    for target in [Target::Newest, at(4), then(99)] {
        let error = restored(&mount, target).unwrap_err();
        assert_eq!(error, "the file of position 4 is torn; what is before it can be restored with --at 3");
    }
    assert_eq!(restored(&mount, at(3)), Ok((3, 3)));
}

#[test]
fn a_snapshot_that_is_torn_is_passed_over_and_missed_only_where_nothing_else_leads_there() {
    let mount = mount();
    let positions = commit(&mount, 6);
    mount.put_if_absent(&slot::snapshot_path(Txid(4)), b"LTX1").unwrap();
    assert_eq!(restored(&mount, at(5)), Ok((5, 5)), "from slot 1 on");
    remove(&mount, &positions[1..3]);
    for target in [Target::Newest, at(5)] {
        let error = restored(&mount, target).unwrap_err();
        assert_eq!(error, "the log begins at slot 0000000000000003 and has no snapshot that can be read");
    }
}

#[test]
fn a_record_that_is_of_another_database_is_refused() {
    let mount = mount();
    let positions = commit(&mount, 2);
    let (change, _) = database(3);
    let (_, other) = database(4);
    let attempt = Attempt::new(&positions[2], change, other, Nonce(3), 3).unwrap();
    attempt.publish(&mount, &mut Never);
    let error = restored(&mount, Target::Newest).unwrap_err();
    assert!(error.contains("does not follow from the one before it"), "{error}");
}

#[test]
fn pages_that_are_cut_off_and_come_back_are_those_of_the_moment() {
    let mount = mount();
    let mut position = Position::START;
    let mut sums = Sums::default();
    let mut states: Vec<BTreeMap<u32, Vec<u8>>> = Vec::new();
    let mut pages: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for (number, size) in [(1_u8, 5_u32), (2, 2), (3, 7), (4, 3)] {
        let written: BTreeMap<u32, Vec<u8>> =
            (1..=size).filter(|page| number < 3 || *page != 2).map(|page| (page, vec![number; 512])).collect();
        pages.extend(written.clone());
        pages.retain(|page, _| *page <= size);
        let change = crate::volume::log::change::Change { page_size: 512, database_pages: size, pages: written };
        let delta = sums.delta(&change);
        sums.apply(&delta);
        let attempt = Attempt::new(&position, change, delta.checksum(), Nonce(u64::from(number)), 0).unwrap();
        attempt.publish(&mount, &mut Never);
        position = attempt.position();
        states.push(pages.clone());
        if number == 2 {
            let whole =
                crate::volume::log::change::Change { page_size: 512, database_pages: size, pages: pages.clone() };
            retain::write_snapshot(&mount, &position, 0, &whole).unwrap();
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    for (txid, state) in (1..).zip(states) {
        restore(&mount, at(txid), &path, &mut |_| {}).unwrap();
        let expected: Vec<u8> = state.into_values().flatten().collect();
        assert!(std::fs::read(&path).unwrap() == expected, "position {txid}");
    }
}

#[test]
fn moments_are_read_and_shown_as_rfc_3339() {
    for (text, millis) in
        [("1970-01-01T00:00:01Z", 1_000), ("1970-01-01 02:00:00.5+02:00", 500), ("1969-12-31T23:59:59Z", -1_000)]
    {
        assert_eq!(Moment::parse(text), Some(Moment(millis)), "{text}");
    }
    for text in ["", "yesterday", "2026-01-31", "2026-01-31T10:00:00", "12"] {
        assert_eq!(Moment::parse(text), None, "{text}");
    }
    assert_eq!(Moment(1_500).to_string(), "1970-01-01T00:00:01.5Z");
}
