use super::*;

const BOTH: [Strategy; 2] = [Strategy::HardLink, Strategy::ExclusiveCreate];
const LIMIT: u64 = 1 << 20;

fn disk(strategy: Strategy) -> (tempfile::TempDir, Disk) {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::open(folder.path().join("app"), strategy).unwrap();
    (folder, disk)
}

#[test]
fn the_first_put_of_a_name_stays() {
    for strategy in BOTH {
        let (_folder, disk) = disk(strategy);
        disk.put_if_absent("ltx/0/a", b"first").unwrap();
        disk.put_if_absent("ltx/0/a", b"second").expect("there is a file of that name");
        assert_eq!(disk.read("ltx/0/a", LIMIT).unwrap().unwrap(), b"first");
        assert_eq!(disk.list(ASIDE).unwrap(), Vec::<String>::new(), "nothing is left aside");
    }
}

#[test]
fn of_many_puts_at_once_exactly_one_is_there_whole() {
    for strategy in BOTH {
        let (_folder, disk) = disk(strategy);
        std::thread::scope(|scope| {
            for writer in 0..8_u8 {
                let disk = &disk;
                scope.spawn(move || disk.put_if_absent("ltx/0/a", &[writer; 5000]).unwrap());
            }
        });
        let bytes = disk.read("ltx/0/a", LIMIT).unwrap().unwrap();
        assert_eq!(bytes, vec![bytes[0]; 5000]);
        disk.put_if_absent("ltx/0/a", b"later").unwrap();
        assert_eq!(disk.read("ltx/0/a", LIMIT).unwrap().unwrap(), bytes);
    }
}

#[test]
fn what_is_not_there_is_no_error() {
    let (_folder, disk) = disk(Strategy::HardLink);
    assert_eq!(disk.read("ltx/0/a", LIMIT).unwrap(), None);
    assert_eq!(disk.list("ltx/0").unwrap(), Vec::<String>::new());
    disk.revalidate("ltx/0").unwrap();
    disk.remove("ltx/0/a").unwrap();
}

#[test]
fn names_are_listed_in_order_and_gone_when_removed() {
    let (_folder, disk) = disk(Strategy::HardLink);
    for name in ["c", "a", "b"] {
        disk.put_if_absent(&format!("ltx/0/{name}"), b"").unwrap();
    }
    disk.remove("ltx/0/b").unwrap();
    assert_eq!(disk.list("ltx/0").unwrap(), ["a", "c"]);
}

#[test]
fn a_file_longer_than_the_limit_is_refused_not_cut() {
    let (_folder, disk) = disk(Strategy::HardLink);
    disk.put_if_absent("a", &[7; 11]).unwrap();
    assert_eq!(disk.read("a", 11).unwrap().unwrap().len(), 11);
    assert_eq!(disk.read("a", 10).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
}

#[test]
fn operations_and_bytes_are_counted() {
    let (_folder, disk) = disk(Strategy::HardLink);
    disk.put_if_absent("a", &[7; 11]).unwrap();
    disk.put_if_absent("a", &[7; 11]).unwrap();
    disk.read("a", LIMIT).unwrap();
    disk.list("").unwrap();
    let counts = Operation::ALL.map(|operation| disk.usage().operations(operation));
    assert_eq!(counts, [1, 0, 1, 2, 0]);
    assert_eq!((disk.usage().bytes_read(), disk.usage().bytes_put()), (11, 22));
}

#[test]
fn sweeping_removes_only_what_is_old_enough() {
    let (_folder, disk) = disk(Strategy::HardLink);
    std::fs::write(disk.root.join("tmp/0000000000000001"), b"left by a killed writer").unwrap();
    assert_eq!(disk.sweep(3600).unwrap(), 0);
    assert_eq!(disk.sweep(0).unwrap(), 1);
    assert_eq!(disk.list(ASIDE).unwrap(), Vec::<String>::new());
}

#[test]
fn a_put_that_cannot_begin_is_refused_for_good() {
    for strategy in BOTH {
        let (_folder, disk) = disk(strategy);
        let beyond = "x".repeat(300);
        let answer = disk.put_if_absent("tmp", b"a directory has the name");
        assert!(matches!(answer, Ok(())), "{strategy:?}: {answer:?}");
        let answer = disk.put_if_absent(&beyond, b"no file has such a name");
        assert!(matches!(answer, Err(PutError::Doubtful(_))), "{strategy:?}: {answer:?}");
        let answer = disk.put_stream_if_absent("a", &mut |_| Err(io::ErrorKind::StorageFull.into()));
        match strategy {
            Strategy::HardLink => assert!(matches!(answer, Err(PutError::Refused(_))), "{answer:?}"),
            // The name is taken by a file that is not whole.
            Strategy::ExclusiveCreate => assert!(matches!(answer, Err(PutError::Doubtful(_))), "{answer:?}"),
        }
    }
}

/// What is left where a volume was mounted is an empty directory: no end of a log, and no place for a slot.
#[test]
fn a_directory_that_is_gone_is_no_empty_log() {
    for strategy in BOTH {
        let (_folder, disk) = disk(strategy);
        disk.put_if_absent("ltx/0/a", b"first").unwrap();
        std::fs::remove_dir_all(&disk.root).unwrap();
        assert!(disk.list("ltx/0").is_err());
        assert!(disk.revalidate("ltx/0").is_err());
        assert!(matches!(disk.put_if_absent("ltx/0/b", b"second"), Err(PutError::Refused(_))));
        assert!(!disk.root.exists());
    }
}

#[test]
fn another_file_system_in_the_volumes_place_is_no_log() {
    let Ok(elsewhere) = tempfile::tempdir_in("/dev/shm") else {
        eprintln!("skipped: there is no second file system at /dev/shm");
        return;
    };
    let (folder, disk) = disk(Strategy::HardLink);
    if std::fs::metadata(elsewhere.path()).unwrap().dev() == disk.device {
        eprintln!("skipped: /dev/shm is on the file system of the temporary files");
        return;
    }
    disk.put_if_absent("ltx/0/a", b"first").unwrap();
    rustix::fs::rename(&disk.root, folder.path().join("moved")).unwrap();
    std::fs::create_dir_all(elsewhere.path().join("ltx/0")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), &disk.root).unwrap();
    assert!(disk.list("ltx/0").is_err());
    assert!(disk.revalidate("ltx/0").is_err());
    assert!(disk.list("ltx/9").is_err());
    assert!(disk.put_if_absent("ltx/9/a", b"second").is_err());
}
