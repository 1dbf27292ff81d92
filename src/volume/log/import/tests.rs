use super::*;
use crate::volume::disk::{Disk, Strategy};
use crate::volume::log::restore::{Target, restore};
use crate::volume::log::scenario::{attempt, commit, mount, snapshot};
use crate::volume::memory::Mount;

/// A database of `pages` pages, whose content tells `seed`.
fn database(pages: u32, seed: u8) -> Change {
    let page = |number: u32| {
        let mut page = vec![seed ^ number.to_le_bytes()[0]; 512];
        page[..4].copy_from_slice(&number.to_be_bytes());
        page
    };
    Change { page_size: 512, database_pages: pages, pages: (1..=pages).map(|number| (number, page(number))).collect() }
}

fn run(mount: &dyn Volume, database: &Change, intent: Intent) -> Result<Imported, Error> {
    import_in_slots_of(4 * 512, mount, database, intent, &mut |_| {})
}

fn assert_has(mount: &dyn Volume, database: &Change) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    restore(mount, Target::Newest, &path, &mut |_| {}).unwrap();
    let expected: Vec<u8> = database.pages.values().flatten().copied().collect();
    assert!(std::fs::read(&path).unwrap() == expected);
}

fn slots(mount: &Mount) -> usize {
    slot::slots(&mount.list(slot::SLOTS).unwrap()).count()
}

#[test]
fn a_small_database_is_one_slot_and_a_large_one_is_marked_until_it_is_whole() {
    let small = mount();
    let imported = run(&small, &database(4, 1), Intent::Begin).unwrap();
    assert_eq!((imported.is_new, imported.position.txid, slots(&small)), (true, Txid(1), 1));
    assert_has(&small, &database(4, 1));

    let large = mount();
    let mut told = Vec::new();
    import_in_slots_of(4 * 512, &large, &database(11, 2), Intent::Begin, &mut |pages| told.push(pages)).unwrap();
    assert_eq!((told, slots(&large)), (vec![1, 4, 7, 10, 11], 5));
    for txid in 1..=5 {
        let Found::Whole((record, _)) = read_slot(&large, Txid(txid)).unwrap() else { panic!("slot {txid}") };
        assert_eq!(is_marked(&record.change.pages[&1]), txid < 5, "slot {txid}");
    }
    assert_has(&large, &database(11, 2));
    assert_eq!(newest_snapshot_name(&large).unwrap(), Txid(5), "starts need not read the slots");
}

#[test]
fn an_import_is_repeated_without_effect_and_refused_by_a_log_that_has_anything_else() {
    let mount = mount();
    for pages in [4, 11] {
        let empty = crate::volume::log::scenario::mount();
        let first = run(&empty, &database(pages, 1), Intent::Begin).unwrap();
        let again = run(&empty, &database(pages, 1), Intent::Begin).unwrap();
        assert_eq!((again.is_new, again.position), (false, first.position));
        assert!(matches!(run(&empty, &database(pages, 2), Intent::GoOn), Err(Error::NotEmpty(_))));
    }
    let positions = commit(&mount, 3);
    assert!(matches!(run(&mount, &database(4, 1), Intent::Begin), Err(Error::NotEmpty(Txid(3)))));
    snapshot(&mount, &positions[3], 3);
    assert!(matches!(run(&mount, &database(4, 1), Intent::GoOn), Err(Error::NotEmpty(Txid(3)))));
}

#[test]
fn of_several_at_once_one_is_in_the_log_and_the_others_stop() {
    for pages in [4, 11] {
        let folder = tempfile::tempdir().unwrap();
        let mount = Disk::open(folder.path().join("app"), Strategy::HardLink).unwrap();
        let wins = std::thread::scope(|threads| {
            let runs: Vec<_> = (1..=4)
                .map(|seed| {
                    let mount = &mount;
                    threads.spawn(move || run(mount, &database(pages, seed), Intent::Begin).map(|_| seed))
                })
                .collect();
            runs.into_iter().filter_map(|run| run.join().unwrap().ok()).collect::<Vec<_>>()
        });
        let [winner] = wins.as_slice() else { panic!("{wins:?} of {pages} pages") };
        assert_has(&mount, &database(pages, *winner));
    }
}

/// A database whose reader breaks after so many pages.
struct Broken(Change, u32);

impl Whole for Broken {
    fn shape(&self) -> Shape {
        self.0.shape()
    }

    fn each_page(&self, visit: &mut crate::volume::log::retain::Visit<'_>) -> Result<(), StreamError> {
        self.0.each_page(&mut |number, content| {
            if number > self.1 {
                return Err(StreamError::Keep(std::io::Error::other("unplugged")));
            }
            visit(number, content)
        })
    }
}

/// A log whose import of 11 pages with seed 1 broke off after some slots.
fn broken_off(slots_there: usize) -> Mount {
    let (whole, part) = (mount(), mount());
    run(&whole, &database(11, 1), Intent::Begin).unwrap();
    for txid in 1..=u64::try_from(slots_there).unwrap() {
        let path = slot::slot_path(Txid(txid));
        part.put_if_absent(&path, &whole.read(&path, u64::MAX).unwrap().unwrap()).unwrap();
    }
    part
}

#[test]
fn what_was_broken_off_is_gone_on_with_only_when_told_whatever_the_file() {
    for there in 1..=4 {
        for (pages, seed) in [(11, 1), (11, 2), (5, 3), (20, 4), (3, 5)] {
            let mount = broken_off(there);
            assert!(matches!(run(&mount, &database(pages, seed), Intent::Begin), Err(Error::UnderWay(_))));
            run(&mount, &database(pages, seed), Intent::GoOn).unwrap();
            assert_has(&mount, &database(pages, seed));
        }
    }
    let mount = broken_off(4);
    run(&mount, &database(11, 1), Intent::GoOn).unwrap();
    let Found::Whole((record, _)) = read_slot(&mount, Txid(5)).unwrap() else { panic!("no slot 5") };
    assert_eq!(record.change.pages.keys().copied().collect::<Vec<_>>(), [1, 11], "what is there is not sent again");
}

#[test]
fn a_file_that_changes_meanwhile_is_said_to_and_is_served_by_nobody() {
    for (pages, slots_left) in [(4, 0), (11, 4)] {
        let mount = mount();
        let changing = Changing(database(pages, 1), database(pages, 2), std::cell::Cell::new(false));
        let imported = import_in_slots_of(4 * 512, &mount, &changing, Intent::Begin, &mut |_| {});
        assert!(matches!(imported, Err(Error::Changed)), "{imported:?}");
        assert_eq!(slots(&mount), slots_left);
        for txid in 1..=u64::try_from(slots_left).unwrap() {
            let Found::Whole((record, _)) = read_slot(&mount, Txid(txid)).unwrap() else { panic!("slot {txid}") };
            assert!(is_marked(&record.change.pages[&1]), "slot {txid}");
        }
        if slots_left > 0 {
            run(&mount, &database(pages, 2), Intent::GoOn).unwrap();
            assert_has(&mount, &database(pages, 2));
        }
    }
}

/// A database that says otherwise when it is read again.
struct Changing(Change, Change, std::cell::Cell<bool>);

impl Whole for Changing {
    fn shape(&self) -> Shape {
        self.0.shape()
    }

    fn each_page(&self, visit: &mut crate::volume::log::retain::Visit<'_>) -> Result<(), StreamError> {
        if self.2.replace(true) { self.1.each_page(visit) } else { self.0.each_page(visit) }
    }
}

#[test]
fn a_file_that_cannot_be_read_leaves_nothing() {
    let mount = mount();
    assert!(matches!(
        import_in_slots_of(4 * 512, &mount, &Broken(database(11, 1), 6), Intent::Begin, &mut |_| {}),
        Err(Error::Pages(_))
    ));
    assert_eq!(slots(&mount), 0, "it is read once before anything is written");
}

#[test]
fn who_loses_a_slot_in_the_middle_stops() {
    let mount = mount();
    let taken = std::cell::Cell::new(false);
    let other = &mount;
    let imported = import_in_slots_of(4 * 512, &mount, &database(11, 1), Intent::Begin, &mut |pages| {
        if pages == 4 && !taken.replace(true) {
            let Found::Whole((record, _)) = read_slot(other, Txid(2)).unwrap() else { panic!("no slot 2") };
            let attempt = attempt(&record.header.position(), 9, 9);
            other.put_if_absent(&slot::slot_path(Txid(3)), attempt.bytes()).unwrap();
        }
    });
    assert!(matches!(imported, Err(Error::Raced(Txid(3)))));
}

#[test]
fn the_marked_page_is_an_empty_database_for_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("marked.db");
    for page_size in [512, 1_024, 4_096, 65_536] {
        std::fs::write(&path, marked_page(page_size, 1)).unwrap();
        let connection = rusqlite::Connection::open(&path).unwrap();
        let ask = |pragma: &str| connection.query_row(pragma, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(ask("PRAGMA application_id"), i64::from(MARK));
        assert_eq!(ask("PRAGMA page_size"), i64::from(page_size));
        assert_eq!(ask("SELECT count(*) FROM sqlite_schema"), 0);
        let sound: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(sound, "ok");
    }
}
