use super::*;

const BOTH: [Strategy; 2] = [Strategy::HardLink, Strategy::ExclusiveCreate];
const LIMIT: u64 = 1 << 20;

fn disk(strategy: Strategy) -> (tempfile::TempDir, Disk) {
    let folder = tempfile::tempdir().unwrap();
    let disk = Disk::open(folder.path().join("app"), strategy).unwrap();
    (folder, disk)
}

#[test]
fn the_first_put_of_a_name_stays_and_the_second_fails() {
    for strategy in BOTH {
        let (_folder, disk) = disk(strategy);
        disk.put_if_absent("ltx/0/a", b"first").unwrap();
        let second = disk.put_if_absent("ltx/0/a", b"second").unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::AlreadyExists, "{strategy:?}");
        assert_eq!(disk.read("ltx/0/a", LIMIT).unwrap().unwrap(), b"first");
        assert_eq!(disk.list(ASIDE).unwrap(), Vec::<String>::new(), "nothing is left aside");
    }
}

#[test]
fn of_many_puts_at_once_exactly_one_is_there_whole() {
    for strategy in BOTH {
        let (_folder, disk) = disk(strategy);
        let wins: usize = std::thread::scope(|scope| {
            let putters: Vec<_> = (0..8_u8)
                .map(|writer| {
                    let disk = &disk;
                    scope.spawn(move || usize::from(disk.put_if_absent("ltx/0/a", &[writer; 5000]).is_ok()))
                })
                .collect();
            putters.into_iter().map(|putter| putter.join().unwrap()).sum()
        });
        assert_eq!(wins, 1);
        let bytes = disk.read("ltx/0/a", LIMIT).unwrap().unwrap();
        assert_eq!(bytes, vec![bytes[0]; 5000]);
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
    disk.put_if_absent("a", &[7; 11]).unwrap_err();
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
