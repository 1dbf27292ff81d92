//! Files of a log that were damaged: whoever reads it gets what was written, or an error, never an older state.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::change::{Position, Txid};
use super::restore::{Target, restore};
use super::scenario::{Kept, commit, snapshot};
use super::slot;
use super::tail::{self, Look, Tail};
use crate::volume::Volume as _;
use crate::volume::memory::{Faults, Memory, Mount};

/// Commit groups of the log, one that is restored, and those that have a snapshot.
const NEWEST: u8 = 5;
const MIDDLE: u8 = 3;
const SNAPSHOTS: [u8; 2] = [2, 4];

struct Log {
    memory: Arc<Memory>,
    mount: Mount,
    paths: Vec<String>,
    output: PathBuf,
    _folder: TempDir,
}

/// A log whose database says the number of its commit group.
fn log() -> Log {
    let memory = Memory::new(1, 1, Faults::default());
    let mount = memory.mount(0);
    let positions = commit(&mount, NEWEST);
    for number in SNAPSHOTS {
        snapshot(&mount, &positions[usize::from(number)], number);
    }
    let slots = (1..=NEWEST).map(|number| slot::slot_path(Txid(number.into())));
    let snapshots = SNAPSHOTS.map(|number| slot::snapshot_path(Txid(number.into())));
    let paths = slots.chain(snapshots).collect();
    // A restore syncs its file, and there are thousands.
    let memory_disk = Path::new("/dev/shm");
    let folder = if memory_disk.is_dir() { TempDir::new_in(memory_disk) } else { TempDir::new() }.unwrap();
    Log { memory, mount, paths, output: folder.path().join("app.db"), _folder: folder }
}

impl Log {
    fn bytes(&self, path: &str) -> Vec<u8> {
        self.mount.read(path, u64::MAX).unwrap().unwrap()
    }

    /// What a start finds: the state at the end of the log, and what its one page says.
    fn start(&self, look: Look) -> Result<(u8, u64), super::Error> {
        let mut pages = Kept::default();
        let mut position: Position = tail::start(&self.mount, &mut pages)?.position();
        while let Tail::Next(batch) = tail::read_on(&self.mount, &position, look)? {
            for record in batch.records {
                position = record.header.position();
                pages.0.extend(record.change.pages);
            }
        }
        Ok((pages.0.get(&1).map_or(0, |page| page[0]), position.txid.0))
    }

    /// Reads the log in every way while `path` has other bytes.
    fn check(&self, path: &str, bytes: &[u8], what: &str) {
        let sound = self.bytes(path);
        self.memory.overwrite(path, bytes);
        for look in [Look::Names, Look::Probe] {
            if let Ok(found) = self.start(look) {
                assert_eq!(found, (NEWEST, NEWEST.into()), "a start by {look:?} with {path}, {what}");
            }
        }
        for (target, expected) in [(Target::Newest, NEWEST), (Target::Position(Txid(MIDDLE.into())), MIDDLE)] {
            if restore(&self.mount, target, &self.output, &mut |_| {}).is_ok() {
                assert!(fs::read(&self.output).unwrap() == [expected; 512], "{target:?} with {path}, {what}");
            }
        }
        self.memory.overwrite(path, &sound);
    }
}

#[test]
fn every_altered_byte_of_every_file_is_found_by_a_start_and_by_a_restore() {
    let log = log();
    for path in &log.paths {
        let sound = log.bytes(path);
        for at in 0..sound.len() {
            let mut altered = sound.clone();
            altered[at] ^= 1 << (at % 8);
            log.check(path, &altered, &format!("byte {at} altered"));
        }
    }
}

#[test]
fn every_cut_of_every_file_is_found_by_a_start_and_by_a_restore() {
    let log = log();
    for path in &log.paths {
        let sound = log.bytes(path);
        for length in 0..sound.len() {
            log.check(path, &sound[..length], &format!("cut to {length} bytes"));
        }
        log.check(path, &vec![0; sound.len()], "zeros");
        log.check(path, &[sound.as_slice(), &[0]].concat(), "one byte more");
    }
}

#[test]
fn a_file_in_the_place_of_another_is_found_by_a_start_and_by_a_restore() {
    let log = log();
    for path in &log.paths {
        for other in log.paths.iter().filter(|other| *other != path) {
            log.check(path, &log.bytes(other), &format!("with what is in {other}"));
        }
    }
}
