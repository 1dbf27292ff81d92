//! Several instances on one volume on which everything goes wrong: what was acknowledged is in the log, once.
//!
//! The normal run takes a second or two; `BERTH_TORTURE=1` (`make torture`) runs millions of operations. A failure names
//! its seed; `BERTH_SEED` runs that one alone.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::change::{Change, Checksum, Nonce, Position, Record, Txid};
use super::publish::{Attempt, Patience, Verdict};
use super::rule::{Rule, break_rule};
use super::scenario::Kept;
use super::tail::{self, Look, Tail};
use super::{Error, ltx, retain, slot};
use crate::volume::memory::{Faults, Killed, Memory, Mount, Random};

mod broken;

const WRITERS: usize = 4;
const PAGE_SIZE: u32 = 512;
const MOST_PAGES: u32 = 7;

/// What the instances told the world, and what they saw.
#[derive(Debug, Default)]
struct Ledger {
    committed: BTreeSet<Nonce>,
    lost: BTreeSet<Nonce>,
    newest_acknowledged: Txid,
    /// Every position at which a copy stood, with the checksum computed afresh from all of its pages.
    stood: BTreeSet<(Txid, Checksum, Nonce, Checksum)>,
    unknown: u64,
    refused: u64,
    behind: u64,
    gaps: u64,
    killed: u64,
    snapshots: u64,
    removed: usize,
}

/// A database, and where it stands.
#[derive(Debug, Clone)]
struct Copy {
    position: Position,
    timestamp_millis: i64,
    pages: BTreeMap<u32, Vec<u8>>,
}

impl Copy {
    fn empty() -> Self {
        Self { position: Position::START, timestamp_millis: 0, pages: BTreeMap::new() }
    }

    fn apply_record(&mut self, record: &Record) {
        self.apply(&record.change, record.header.position(), record.header.timestamp_millis);
    }

    fn apply(&mut self, change: &Change, position: Position, timestamp_millis: i64) {
        self.pages.extend(change.pages.iter().map(|(&number, content)| (number, content.clone())));
        self.pages.retain(|&number, _| number <= change.database_pages);
        self.position = position;
        self.timestamp_millis = timestamp_millis;
    }

    fn checksum(&self) -> Checksum {
        Checksum::of_pages(self.pages.iter().map(|(&number, content)| (number, content.as_slice())))
    }

    /// How many commit groups say that they changed it.
    fn counter(&self) -> u64 {
        self.pages.get(&1).map_or(0, |page| u64::from_be_bytes(page[..8].try_into().unwrap()))
    }

    fn whole(&self) -> Change {
        let database_pages = u32::try_from(self.pages.len()).unwrap();
        Change { page_size: PAGE_SIZE, database_pages, pages: self.pages.clone() }
    }

    /// Counts one up; half the time that is all, so that two instances often make the very same change. Else it also
    /// fills a page with what nobody else writes, or makes the database longer or shorter.
    fn change(&self, random: &mut Random) -> (Change, Checksum) {
        let mut next = self.pages.clone();
        let mut first = vec![0; PAGE_SIZE as usize];
        first[..8].copy_from_slice(&(self.counter() + 1).to_be_bytes());
        next.insert(1, first);
        let length = u32::try_from(next.len()).unwrap();
        match random.below(6) {
            0 | 1 if length < MOST_PAGES => {
                next.insert(length + 1, random.next().to_be_bytes().repeat(64));
            }
            0..=3 if length > 1 => {
                let number = 2 + u32::try_from(random.below(u64::from(length) - 1)).unwrap();
                if random.once_in(4) {
                    next.retain(|&kept, _| kept < number);
                } else {
                    next.insert(number, random.next().to_be_bytes().repeat(64));
                }
            }
            _ => {}
        }
        let mut after = self.position.checksum;
        for number in 1..=MOST_PAGES {
            let page = |pages: &BTreeMap<u32, Vec<u8>>| pages.get(&number).cloned();
            after = after.with_page(number, page(&self.pages).as_deref(), page(&next).as_deref());
        }
        let database_pages = u32::try_from(next.len()).unwrap();
        next.retain(|number, content| self.pages.get(number) != Some(content));
        (Change { page_size: PAGE_SIZE, database_pages, pages: next }, after)
    }
}

/// Patience for a number of tries.
struct Tries(u64);

impl Patience for Tries {
    fn wait(&mut self) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 > 0
    }
}

/// One instance, from its start until it is killed.
struct Instance<'a> {
    mount: &'a Mount,
    ledger: &'a Mutex<Ledger>,
    random: &'a mut Random,
    copy: Option<Copy>,
    unsettled: Option<Attempt>,
}

impl Instance<'_> {
    fn ledger(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Stands at the newest commit group afterwards, if the volume lets it.
    fn catch_up(&mut self) -> Result<Copy, Error> {
        let look = if self.random.once_in(2) { Look::Names } else { Look::Probe };
        let acknowledged = self.ledger().newest_acknowledged;
        let copy = self.read_log(look)?;
        if look == Look::Names || self.mount.forgets() {
            assert!(copy.position.txid >= acknowledged, "a look did not see what was acknowledged before it");
        }
        Ok(copy)
    }

    fn read_log(&mut self, look: Look) -> Result<Copy, Error> {
        let mut copy = match self.copy.take() {
            Some(copy) => copy,
            None => {
                let mut copy = Copy::empty();
                let mut pages = Kept::default();
                if let Some(snapshot) = tail::start(self.mount, &mut pages)?.snapshot {
                    copy = Copy {
                        position: snapshot.header.position(),
                        timestamp_millis: snapshot.header.timestamp_millis,
                        pages: pages.0,
                    };
                }
                copy
            }
        };
        loop {
            let is_end = match tail::read_on(self.mount, &copy.position, look) {
                Ok(Tail::End) => true,
                Ok(Tail::Next(batch)) => {
                    batch.records.iter().for_each(|record| copy.apply_record(record));
                    batch.is_end
                }
                Ok(Tail::Gap) => {
                    self.ledger().gaps += 1;
                    return self.read_log(look);
                }
                Err(error) => {
                    self.copy = Some(copy);
                    return Err(error);
                }
            };
            self.ledger().stood.insert((
                copy.position.txid,
                copy.position.checksum,
                copy.position.nonce,
                copy.checksum(),
            ));
            if is_end {
                return Ok(copy);
            }
        }
    }

    fn record_verdict(&mut self, attempt: Attempt, verdict: Verdict) {
        let nonce = attempt.position().nonce;
        match verdict {
            Verdict::Committed(position) => {
                let mut ledger = self.ledger();
                ledger.committed.insert(nonce);
                ledger.newest_acknowledged = ledger.newest_acknowledged.max(position.txid);
            }
            Verdict::Lost => {
                self.ledger().lost.insert(nonce);
            }
            Verdict::Refused(_) => {
                let mut ledger = self.ledger();
                ledger.lost.insert(nonce);
                ledger.refused += 1;
            }
            Verdict::Behind => {
                self.ledger().behind += 1;
                self.copy = None;
            }
            Verdict::Unknown(_) => {
                self.ledger().unknown += 1;
                self.unsettled = Some(attempt);
            }
        }
    }

    fn work(&mut self) -> Result<(), Error> {
        if let Some(attempt) = self.unsettled.take() {
            let verdict = attempt.settle(self.mount, &mut Tries(3));
            self.record_verdict(attempt, verdict);
            return Ok(());
        }
        let copy = self.catch_up()?;
        let (change, after) = copy.change(self.random);
        let nonce = Nonce(self.random.next().max(1));
        // The simulation's clock is the number of the commit group: any other would not replay.
        let timestamp_millis = i64::try_from(copy.position.txid.next().0).unwrap();
        let mut next = copy.clone();
        let attempt = Attempt::new(&copy.position, change.clone(), after, nonce, timestamp_millis)?;
        self.copy = Some(copy);
        let verdict = attempt.publish(self.mount, &mut Tries(5));
        self.record_verdict(attempt, verdict);
        if let Verdict::Committed(position) = verdict {
            next.apply(&change, position, timestamp_millis);
            self.copy = Some(next);
        }
        self.tidy()
    }

    /// Sometimes writes a snapshot, sometimes removes what is old, by a clock that is wrong.
    fn tidy(&mut self) -> Result<(), Error> {
        let Some(copy) = self.copy.as_ref().filter(|copy| copy.position.txid != Txid::NONE) else { return Ok(()) };
        if self.random.once_in(6) {
            retain::write_snapshot(self.mount, &copy.position, copy.timestamp_millis, &copy.whole())?;
            self.ledger().snapshots += 1;
        }
        if self.random.once_in(6) {
            let now_millis = copy.timestamp_millis + i64::try_from(self.random.below(40)).unwrap() - 20;
            let retention = Duration::from_millis(self.random.below(20));
            let removed = retain::remove_old(self.mount, now_millis, retention)?;
            self.ledger().removed += removed.slots + removed.snapshots;
        }
        Ok(())
    }
}

fn run_writer(memory: &Arc<Memory>, writer: usize, seed: u64, steps: u64, ledger: &Mutex<Ledger>) {
    let mount = memory.mount(writer);
    let mut random = Random(seed ^ (writer as u64 + 1).wrapping_mul(0x5851_f42d_4c95_7f2d));
    while mount.step() < steps {
        let life = panic::catch_unwind(AssertUnwindSafe(|| {
            let mut instance = Instance { mount: &mount, ledger, random: &mut random, copy: None, unsettled: None };
            while mount.step() < steps {
                match instance.work() {
                    Ok(()) | Err(Error::Volume { .. } | Error::Unreadable { .. } | Error::Torn { .. }) => {}
                    Err(error) => panic!("an instance met what cannot be: {error}"),
                }
            }
        }));
        if let Err(payload) = life {
            if !payload.is::<Killed>() {
                mount.done();
                panic::resume_unwind(payload);
            }
            ledger.lock().unwrap().killed += 1;
        }
    }
    mount.done();
}

/// The chain as it was: what first took each slot, each following from the one before.
fn truth(memory: &Memory) -> Vec<Copy> {
    let first = memory.first();
    let mut copies = vec![Copy::empty()];
    loop {
        let last = copies.last().unwrap();
        let Some(bytes) = first.get(&slot::slot_path(last.position.txid.next())) else { return copies };
        let record = ltx::decode(bytes).unwrap();
        assert!(record.header.follows(&last.position), "{:?} does not follow", record.header);
        let mut next = last.clone();
        next.apply_record(&record);
        assert_eq!(next.checksum(), next.position.checksum);
        copies.push(next);
    }
}

fn check(memory: &Arc<Memory>, ledger: &Ledger) {
    let truth = truth(memory);
    let newest = truth.last().unwrap();
    assert_eq!(newest.counter(), newest.position.txid.0, "each commit group counted one up");
    let nonces: BTreeSet<Nonce> = truth.iter().map(|copy| copy.position.nonce).collect();
    assert_eq!(nonces.len(), truth.len(), "each is in the log once");
    for nonce in &ledger.committed {
        assert!(nonces.contains(nonce), "{nonce:?} was acknowledged and is not in the log");
    }
    for nonce in &ledger.lost {
        assert!(!nonces.contains(nonce), "{nonce:?} was called lost and is in the log");
    }
    for (txid, checksum, nonce, computed) in &ledger.stood {
        let position = Position { txid: *txid, checksum: *checksum, nonce: *nonce };
        let there = &truth[usize::try_from(txid.0).unwrap()];
        assert_eq!((position, *computed), (there.position, there.position.checksum), "a copy stood beside the log");
    }
    memory.calm();
    let fresh = Mutex::default();
    let mount = memory.mount(0);
    let mut random = Random(1);
    let mut instance = Instance { mount: &mount, ledger: &fresh, random: &mut random, copy: None, unsettled: None };
    let restored = instance.catch_up().unwrap();
    assert_eq!((restored.position, restored.pages), (newest.position, newest.pages.clone()), "a new instance");
}

/// Runs the writers of a seed, which keep all rules but one, and checks what they were told.
fn simulate(seed: u64, steps: u64, broken: Option<Rule>) -> (Ledger, u64, u64) {
    let faults = [Faults::ALL, Faults::STALLS, Faults::REMOVALS][usize::try_from(seed % 3).unwrap()];
    let memory = Memory::new(seed, WRITERS, faults);
    let ledger = Mutex::new(Ledger::default());
    let failures: Vec<Box<dyn Any + Send>> = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (memory, ledger) = (&memory, &ledger);
                scope.spawn(move || {
                    break_rule(broken);
                    run_writer(memory, writer, seed, steps, ledger);
                })
            })
            .collect();
        writers.into_iter().filter_map(|writer| writer.join().err()).collect()
    });
    if let Some(failure) = failures.into_iter().next() {
        panic::resume_unwind(failure);
    }
    let ledger = ledger.into_inner().unwrap();
    check(&memory, &ledger);
    let commits = u64::try_from(truth(&memory).len()).unwrap() - 1;
    (ledger, commits, memory.ghosts())
}

#[test]
fn what_is_acknowledged_is_in_the_log_once_whatever_goes_wrong() {
    let is_torture = std::env::var_os("BERTH_TORTURE").is_some();
    let (seeds, steps) = if is_torture { (400, 20_000) } else { (40, 4_000) };
    let chosen = std::env::var_os("BERTH_SEED").and_then(|seed| seed.to_str()?.parse::<u64>().ok());
    let mut total = Ledger::default();
    let (mut commits, mut ghosts) = (0, 0);
    for seed in chosen.map_or(0..seeds, |seed| seed..seed + 1) {
        let run = panic::catch_unwind(|| simulate(seed, steps, None));
        let Ok((ledger, new_commits, new_ghosts)) = run else { panic!("BERTH_SEED={seed} fails, see above") };
        commits += new_commits;
        ghosts += new_ghosts;
        total.committed.extend(ledger.committed);
        total.lost.extend(ledger.lost);
        total.unknown += ledger.unknown;
        total.refused += ledger.refused;
        total.behind += ledger.behind;
        total.gaps += ledger.gaps;
        total.killed += ledger.killed;
        total.snapshots += ledger.snapshots;
        total.removed += ledger.removed;
    }
    eprintln!(
        "{commits} commits, {} acknowledged, {} lost, {} refused, {} unknown, {} behind, {} gaps, {} kills, {} snapshots, \
         {} files removed, {ghosts} ghosts",
        total.committed.len(),
        total.lost.len(),
        total.refused,
        total.unknown,
        total.behind,
        total.gaps,
        total.killed,
        total.snapshots,
        total.removed
    );
    let happened = [
        total.unknown,
        total.refused,
        total.behind,
        total.gaps,
        total.killed,
        total.snapshots,
        ghosts,
        total.removed as u64,
    ];
    assert!(chosen.is_some() || happened.iter().all(|&times| times > 0), "some fault never came: {happened:?}");
    let is_little = total.committed.len() <= total.lost.len() / 10 || commits <= 100;
    // Of one seed alone, which may commit hardly anything, only the log is asked.
    assert!(chosen.is_some() || !is_little, "hardly anything was committed");
}
