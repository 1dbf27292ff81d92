//! Litestream restores what berth wrote, byte for byte.
//!
//! Its program comes from `PyPI` (`tests/setup.sh`), or is named by `LITESTREAM`; without one this is skipped.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::change::{Change, Checksum, Nonce, Position};
use super::publish::{Attempt, Verdict};
use super::retain;
use super::scenario::Never;
use crate::clock;
use crate::volume::disk::{Disk, Strategy};

const PAGE_SIZE: u32 = 4096;

fn pages(database: &Path) -> BTreeMap<u32, Vec<u8>> {
    let bytes = std::fs::read(database).unwrap();
    (1..).zip(bytes.chunks(PAGE_SIZE as usize).map(<[u8]>::to_vec)).collect()
}

fn change(before: &BTreeMap<u32, Vec<u8>>, after: &BTreeMap<u32, Vec<u8>>) -> Change {
    let mut pages = after.clone();
    pages.retain(|number, content| before.get(number) != Some(content));
    Change { page_size: PAGE_SIZE, database_pages: u32::try_from(after.len()).unwrap(), pages }
}

fn restore(program: &std::ffi::OsStr, replica: &Path, output: &Path) -> Vec<u8> {
    let replica = format!("file://{}", replica.display());
    let run = Command::new(program).arg("restore").arg("-o").arg(output).arg(replica).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    std::fs::read(output).unwrap()
}

#[test]
fn litestream_restores_the_database_from_slots_and_from_a_snapshot() {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/litestream");
    let program = std::env::var_os("LITESTREAM").unwrap_or_else(|| installed.into());
    if !Path::new(&program).exists() {
        eprintln!("skipped: {} is not there (tests/setup.sh installs it)", Path::new(&program).display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.db");
    let database = rusqlite::Connection::open(&file).unwrap();
    let disk = Disk::open(folder.path().join("volume/app"), Strategy::HardLink).unwrap();
    let mut position = Position::START;
    let mut before = BTreeMap::new();
    for (number, sql) in [
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t (v) VALUES (randomblob(9000));",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50) INSERT INTO t (v) SELECT hex(randomblob(900)) FROM n;",
        "DELETE FROM t WHERE id > 9; VACUUM;",
        "UPDATE t SET v = id;",
    ]
    .into_iter()
    .enumerate()
    {
        database.execute_batch(sql).unwrap();
        let after = pages(&file);
        let checksum = Checksum::of_pages(after.iter().map(|(&number, content)| (number, content.as_slice())));
        let millis = clock::unix_micros() / 1000;
        let nonce = Nonce::draw().unwrap();
        let attempt = Attempt::new(&position, change(&before, &after), checksum, nonce, millis).unwrap();
        assert_eq!(attempt.publish(&disk, &mut Never), Verdict::Committed(attempt.position()));
        (position, before) = (attempt.position(), after);
        let restored = restore(&program, &folder.path().join("volume/app"), &folder.path().join(format!("{number}.db")));
        assert!(restored == std::fs::read(&file).unwrap(), "after step {number}");
        if number == 2 {
            retain::write_snapshot(&disk, &position, millis, &change(&BTreeMap::new(), &before)).unwrap();
            retain::remove_old(&disk, i64::MAX, std::time::Duration::ZERO).unwrap();
        }
    }
}
