use std::process::Command;

use super::report::{Level, findings, size};
use super::*;

fn nobody(_: &Path) -> io::Result<Command> {
    Err(io::Error::other("no second process"))
}

fn mount(kind: &str, options: &[&str]) -> Mount {
    Mount {
        point: "/data".into(),
        kind: kind.to_owned(),
        source: "somewhere".to_owned(),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
    }
}

/// A volume on which everything works, on another file system than it is.
fn facts(kind: &str, options: &[&str]) -> Facts {
    Facts {
        directory: "/data".into(),
        mount: Some(mount(kind, options)),
        writable: Tried::Works,
        exclusive_create: Tried::Works,
        hard_link: Tried::Works,
        rename: Tried::Works,
        locks: Tried::Works,
        shared_memory: Tried::Works,
        sync: None,
        space: None,
    }
}

fn fails() -> Tried {
    Tried::Fails("not supported".to_owned())
}

#[test]
fn a_local_directory_can_do_everything_and_keeps_no_litter() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("app");
    let facts = look(&directory, Depth::Whole, &nobody).unwrap();
    assert_eq!(facts.strategy().unwrap(), Strategy::HardLink);
    assert!(facts.writable.works() && facts.exclusive_create.works() && facts.rename.works());
    assert!(matches!(facts.locks, Tried::Fails(_)), "no second process tells of them");
    assert!(look(&directory, Depth::Start, &nobody).unwrap().locks.works(), "a start asks none");
    assert_eq!(fs::read_dir(directory).unwrap().count(), 0);
}

#[test]
fn in_place_is_only_for_local_file_systems_with_locks_and_shared_memory() {
    assert_eq!(facts("ext4", &[]).choose().0, Store::InPlace);
    for kind in ["nfs4", "fuse.gcsfuse", "cifs", "9p", "newfs"] {
        let facts = facts(kind, &[]);
        assert_eq!(facts.choose().0, Store::SharedLog, "{kind}");
        assert!(facts.refuse_in_place().unwrap_err().to_string().contains("VOLUME_MODE=shared-log"), "{kind}");
    }
    let lockless = Facts { locks: fails(), ..facts("ext4", &[]) };
    assert_eq!(lockless.choose().0, Store::SharedLog);
    let memoryless = Facts { shared_memory: fails(), ..facts("ext4", &[]) };
    assert!(memoryless.refuse_in_place().is_err());
}

#[test]
fn an_exclusive_create_is_only_used_where_files_appear_whole() {
    let linkless = |kind| Facts { hard_link: fails(), ..facts(kind, &[]) };
    assert_eq!(linkless("fuse.gcsfuse").strategy().unwrap(), Strategy::ExclusiveCreate);
    assert_eq!(linkless("fuse").strategy().unwrap(), Strategy::ExclusiveCreate);
    assert_eq!(facts("fuse.gcsfuse", &[]).strategy().unwrap(), Strategy::HardLink, "links are there: they are used");
    for kind in ["cifs", "vfat", "newfs", "fuse.sshfs"] {
        assert!(matches!(linkless(kind).strategy(), Err(Refusal::SharedLog { .. })), "{kind}");
    }
    for kind in ["fuse.s3fs", "fuse.rclone", "fuse.mountpoint-s3", "fuse.blobfuse2", "fuse.geesefs"] {
        let refusal = linkless(kind).strategy().unwrap_err();
        assert!(matches!(refusal, Refusal::Overwriting { .. }), "{kind}: {refusal}");
    }
    let nothing = Facts { exclusive_create: fails(), ..linkless("fuse.gcsfuse") };
    assert!(nothing.strategy().is_err());
}

#[test]
fn options_that_matter_are_found_and_explained() {
    let find = |facts: &Facts, name: &str| {
        findings(facts, Path::new("/data/app")).into_iter().find(|finding| finding.name == name)
    };
    let nfs = facts("nfs", &["rw", "nolock", "soft"]);
    assert_eq!(find(&nfs, "nolock").unwrap().level, Level::Ok, "the shared log takes no locks");
    assert_eq!(find(&nfs, "soft").unwrap().level, Level::Warning);
    let name = "metadata-cache-negative-ttl-secs";
    let bucket = facts("fuse.gcsfuse", &["rw"]);
    assert_eq!(find(&bucket, name).unwrap().level, Level::Warning);
    let tuned = facts("fuse.gcsfuse", &["rw", "metadata_cache_negative_ttl_secs=0"]);
    assert_eq!(find(&tuned, name).unwrap().level, Level::Ok);
    assert_eq!(find(&facts("overlay", &["rw"]), "file system").unwrap().level, Level::Warning);
    assert_eq!(find(&facts("ext4", &["rw"]), "file system").unwrap().level, Level::Ok);
    assert_eq!(find(&facts("ext4", &["ro"]), "read-only").unwrap().level, Level::Unsafe);
}

#[test]
fn the_root_of_a_mount_is_no_place_for_a_log() {
    let root = Facts { mount: Some(Mount { point: "/".into(), ..mount("ext4", &[]) }), ..facts("ext4", &[]) };
    let level = |log: &str| {
        let found = findings(&root, Path::new(log)).into_iter().find(|finding| finding.name == "log directory");
        found.unwrap().level
    };
    assert_eq!(level("/"), Level::Unsafe);
    assert_eq!(level("/data/app"), Level::Ok);
}

#[test]
fn bytes_are_written_for_people() {
    assert_eq!(size(512), "512 bytes");
    assert_eq!(size(1536), "1.5 KiB");
    assert_eq!(size(300 << 30), "300 GiB");
}
