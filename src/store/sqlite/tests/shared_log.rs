//! The same over a shared log.

use super::*;
use crate::store::sqlite::journal::SharedLogSettings;
use crate::volume::disk::{Disk, Strategy};

/// What a transaction may write.
const TRANSACTION_MAX_BYTES: u64 = 1 << 20;

fn instance(directory: TempDir) -> Fixture {
    let volume = Arc::new(Disk::open(directory.path().join("app"), Strategy::HardLink).unwrap());
    let settings = SharedLogSettings {
        local_dir: directory.path().join("local"),
        retention: Duration::from_secs(60),
        transaction_max_bytes: TRANSACTION_MAX_BYTES,
    };
    let telemetry = Telemetry::silent().unwrap();
    let log = SharedLog::open(volume, &settings, telemetry.clone()).unwrap();
    let schema = format!("BEGIN; {SCHEMA} COMMIT");
    log.run(|connection| connection.execute_batch(&schema).map_err(fault::plain)).unwrap();
    let settings = SqliteSettings::new(log.path());
    let store = Sqlite::open_shared(&settings, &log, Duration::ZERO, telemetry).unwrap();
    Fixture { store: Arc::new(store), path: log.path(), directory }
}

impl Fixture {
    fn shared() -> Self {
        instance(tempfile::tempdir().unwrap())
    }

    fn insert_bytes(&self, id: i64, bytes: i64) -> Statement {
        self.write("INSERT INTO \"t\" (\"id\", \"n\") VALUES (?1, randomblob(?2))", &[id, bytes])
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_too_large_for_the_log_is_written_in_parts() {
    let fixture = Fixture::shared();
    let sizes = [400_000, 400_000, 400_000, 2_000_000, 10, 700_000, 700_000];
    let statements = (1..).zip(sizes).map(|(id, bytes)| fixture.insert_bytes(id, bytes)).collect();
    let answers = run_as_group(&fixture, statements).await;
    let codes: Vec<String> = answers.iter().map(code).collect();
    assert_eq!(codes, ["ok", "ok", "ok", "54000", "ok", "ok", "ok"]);
    assert_eq!(fixture.ids(), [1, 2, 3, 5, 6, 7]);
    let positions: Vec<_> = answers.iter().flatten().map(|outcome| outcome.position.unwrap()).collect();
    assert!(positions.is_sorted() && positions.len() == 6, "{positions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_answered_with_the_position_of_its_own_commit() {
    let fixture = Fixture::shared();
    let first = fixture.run(fixture.insert(1)).await.unwrap();
    assert_eq!(first.position, Some(2), "the schema is at 1");
    assert_eq!(fixture.run(fixture.insert(2)).await.unwrap().position, Some(3));
    let nothing = fixture.run(fixture.write("DELETE FROM \"t\" WHERE \"id\" = ?1", &[99])).await.unwrap();
    assert_eq!(nothing.position, Some(3), "nothing was written: what it saw");
}
