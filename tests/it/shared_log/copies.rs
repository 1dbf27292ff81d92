//! Whether the working copies are what the log says, to the byte.

use std::path::{Path, PathBuf};
use std::time::Duration;

use berth::volume::log::change::{Checksum, Header};
use berth::volume::log::ltx;
use rusqlite::Connection;

use super::fleet::Fleet;

/// Compares the pages of all instances with each other and with the checksum in the log.
pub fn check(fleet: &Fleet) {
    let mut copies = Vec::new();
    for place in 0..fleet.count() {
        // A fresh read brings the copy to the log's end.
        assert_eq!(fleet.client_of(place).get("/accounts").status, 200);
        copies.push(pages(&copy_in(&fleet.local_dir(place))));
    }
    for (place, copy) in copies.iter().enumerate() {
        assert!(*copy == copies[0], "the copy of instance {place} differs from that of instance 0");
    }
    let newest = newest_slot(&fleet.volume(0).join("app/ltx/0"));
    let checksum = Checksum::of_pages((1..).zip(copies[0].iter().map(Vec::as_slice)));
    assert_eq!(checksum, newest.after, "the copies are not what the log says at {}", newest.last);
    eprintln!("{} copies of {} pages at {}, equal to the byte", copies.len(), copies[0].len(), newest.last);
}

/// The copy of the living instance: what killed ones left is removed by the next start.
fn copy_in(local_dir: &Path) -> PathBuf {
    let entries = std::fs::read_dir(local_dir).unwrap().map(|entry| entry.unwrap().path());
    let copies: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    assert_eq!(copies.len(), 1, "working copies of the dead are left: {copies:?}");
    copies[0].join("copy.db")
}

/// The pages that a reader sees, with the counters that SQLite sets by itself as the log has them.
fn pages(copy: &Path) -> Vec<Vec<u8>> {
    let connection = Connection::open(copy).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok", "{}", copy.display());
    let mut statement = connection.prepare("SELECT data FROM sqlite_dbpage").unwrap();
    let mut pages: Vec<Vec<u8>> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    pages[0][24..28].copy_from_slice(&[0, 0, 0, 1]);
    pages[0][92..100].copy_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0]);
    pages
}

fn newest_slot(slots: &Path) -> Header {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(slots).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    ltx::decode(&std::fs::read(paths.last().unwrap()).unwrap()).unwrap().header
}
