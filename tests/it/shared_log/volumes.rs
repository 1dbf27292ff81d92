//! The same on file systems that hosts really mount. `make volumes` mounts them and names them to these tests.

use std::path::PathBuf;
use std::time::Duration;

use super::run;
use crate::support::command::berth;
use crate::support::torture;

/// What `variable` names: words like `glusterfs=/mnt/one:/mnt/other`, the mounts of one volume.
fn mounts(variable: &str) -> Vec<(String, Vec<PathBuf>)> {
    let Ok(text) = std::env::var(variable) else {
        eprintln!("skipped: {variable} names no mounts; make volumes does where it can mount them");
        return Vec::new();
    };
    let volumes = text.split_whitespace().map(|word| {
        let (name, places) = word.split_once('=').unwrap();
        (name.to_owned(), places.split(':').map(PathBuf::from).collect())
    });
    volumes.collect()
}

#[test]
fn three_instances_on_two_mounts_of_a_real_volume_lose_nothing() {
    for (name, places) in mounts("BERTH_TEST_VOLUMES") {
        eprintln!("{name}:");
        let folder = tempfile::tempdir().unwrap();
        let of_this_run = folder.path().file_name().unwrap();
        let volumes = places.iter().cycle().take(3).map(|place| place.join(of_this_run)).collect();
        run("real", folder.path(), volumes, Vec::new(), Duration::from_secs(if torture() { 120 } else { 15 }));
    }
}

/// On these the last of two writers wins. A test that finds that they no longer do so is a reason to use them.
#[test]
fn a_real_mount_on_which_the_last_writer_wins_is_refused() {
    for (name, places) in mounts("BERTH_TEST_OVERWRITING") {
        let folder = tempfile::tempdir().unwrap();
        let volume = places[0].join(folder.path().file_name().unwrap());
        let output = berth(folder.path(), &[("VOLUME", volume.to_str().unwrap())], &["check"]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{name}: {text}");
        assert!(text.contains("the last one wins"), "{name}: {text}");
    }
}
