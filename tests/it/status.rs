//! What an instance tells of the shared log: where it stands, how old that is, what it costs.

use serde_json::Value;

use crate::support::command::done;
use crate::support::{Berth, Start, write_migrations};

fn log(berth: &Berth) -> Value {
    berth.client().get("/-/status").json()["log"].clone()
}

/// The value of a metric, with its labels as they are written.
fn metric(berth: &Berth, name: &str) -> f64 {
    let metrics = berth.client().get("/-/metrics").body;
    let line = metrics.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
    line.and_then(|line| line.rsplit(' ').next()).unwrap_or_else(|| panic!("no {name}: {metrics}")).parse().unwrap()
}

#[test]
fn positions_ages_races_and_costs_are_told_by_status_and_metrics_alike() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let migrations = write_migrations(folder, &["CREATE TABLE notes (id int PRIMARY KEY)"]);
    let start = || {
        let start = Start::sqlite(folder, &folder.join("data")).with("VOLUME_MODE", "shared-log");
        start.with("MIGRATIONS", migrations.display()).run()
    };
    let (writer, reader) = (start(), start());
    assert_eq!((&log(&writer)["snapshotAgeSeconds"], &log(&writer)["lookAgeSeconds"]), (&Value::Null, &Value::Null));
    for id in 0..3 {
        let body = format!("{{\"id\":{id}}}");
        assert_eq!(writer.client().send("POST", "/notes", &[("Content-Type", "application/json")], &body).status, 201);
    }
    assert_eq!(reader.client().get("/notes?select=id").json().as_array().unwrap().len(), 3);

    let (wrote, read) = (log(&writer), log(&reader));
    assert_eq!(wrote["commits"], serde_json::json!({ "won": 4, "lost": 0, "refused": 0, "unknown": 0 }));
    assert_eq!((&read["position"], &read["applied"]), (&wrote["position"], &3.into()));
    assert_eq!(read["lookAgeSeconds"], 0);
    assert!(read["tailBytes"].as_u64().unwrap() > 0 && read["copyBytes"].as_u64().unwrap() > 0, "{read}");
    for (name, expected) in [
        ("berth_log_position", 4.0),
        ("berth_log_applied_total", 3.0),
        ("berth_log_snapshot_position", 0.0),
        ("berth_log_look_age_seconds", 0.0),
        ("berth_log_commits_total{outcome=\"won\"}", 0.0),
    ] {
        assert_eq!(metric(&reader, name), expected, "{name}");
    }
    assert!(metric(&reader, "berth_log_catch_up_duration_seconds_count") >= 1.0);
    assert!(metric(&writer, "berth_log_publish_duration_seconds_count") >= 4.0);
    assert!(metric(&writer, "berth_commit_group_requests_count") >= 3.0);
    assert!(metric(&writer, "berth_volume_operations_total{operation=\"put\"}") >= 4.0);
    assert!(metric(&reader, "berth_volume_bytes_total{direction=\"read\"}") > 0.0);

    done(folder, &[], &["snapshot"]);
    let late = start();
    let state = log(&late);
    assert_eq!((&state["snapshotPosition"], &state["tailBytes"]), (&4.into(), &0.into()));
    assert!(state["snapshotAgeSeconds"].as_u64().unwrap() < 60, "{state}");
    assert_eq!(metric(&late, "berth_log_snapshot_position"), 4.0);
}
