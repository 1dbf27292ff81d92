//! A volume in memory on which everything that [`Volume`] allows to go wrong does, the same way for the same seed.
//!
//! Several writers, each in a thread of its own, take turns: one operation of one writer at a time, in an order that the
//! seed draws. Between two operations a writer computes alone, so the whole run depends on nothing but the seed.

use std::collections::BTreeMap;
use std::io;
use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::log::rule::{Rule, is_kept};
use super::log::slot;
use super::{Operation, PutError, Usage, Volume};

mod fault;

pub(super) use fault::{Faults, Random};

/// Longest late arrival, stall and stale negative, in operations of all writers.
const LONGEST_DELAY: u64 = 900;

/// The panic of a writer that is killed; its thread catches it and begins anew.
#[derive(Debug)]
pub(super) struct Killed;

#[derive(Debug)]
struct File {
    bytes: Vec<u8>,
    torn_until: u64,
}

#[derive(Debug, Default)]
struct Writer {
    is_done: bool,
    asleep_until: u64,
    /// Names believed absent, and until when.
    absent: BTreeMap<String, u64>,
    /// The snapshots as they were before it put its record, for want of [`Rule::AnchorAfterwards`].
    snapshots_before: Option<Vec<String>>,
}

#[derive(Debug)]
struct State {
    random: Random,
    faults: Faults,
    step: u64,
    turn: usize,
    writers: Vec<Writer>,
    files: BTreeMap<String, File>,
    late: Vec<(u64, String, Vec<u8>)>,
    /// What first took each name, for ever: the truth that no writer sees.
    first: BTreeMap<String, Vec<u8>>,
    /// Files made under a name that was taken and free again.
    ghosts: u64,
}

/// The volume itself.
#[derive(Debug)]
pub(super) struct Memory {
    state: Mutex<State>,
    turns: Vec<Condvar>,
}

/// The volume as one writer sees it.
#[derive(Debug)]
pub(super) struct Mount {
    memory: Arc<Memory>,
    writer: usize,
    usage: Usage,
    /// The number of this writer's last operation among all.
    step: AtomicU64,
}

impl Memory {
    pub(super) fn new(seed: u64, writers: usize, faults: Faults) -> Arc<Self> {
        let state = State {
            random: Random(seed),
            faults,
            step: 0,
            turn: 0,
            writers: (0..writers).map(|_| Writer::default()).collect(),
            files: BTreeMap::new(),
            late: Vec::new(),
            first: BTreeMap::new(),
            ghosts: 0,
        };
        Arc::new(Self { state: Mutex::new(state), turns: (0..writers).map(|_| Condvar::new()).collect() })
    }

    /// The mount of a writer, which must be told when it is [`done`](Mount::done).
    pub(super) fn mount(self: &Arc<Self>, writer: usize) -> Mount {
        Mount { memory: Arc::clone(self), writer, usage: Usage::default(), step: AtomicU64::new(0) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every name that was ever taken, with what took it first.
    pub(super) fn first(&self) -> BTreeMap<String, Vec<u8>> {
        self.state().first.clone()
    }

    /// How often a removed name was taken again.
    pub(super) fn ghosts(&self) -> u64 {
        self.state().ghosts
    }

    /// Ends all faults: what is on its way arrives, and the first writer takes its turn again.
    pub(super) fn calm(&self) {
        let mut state = self.state();
        state.faults = Faults::default();
        state.step += 2 * LONGEST_DELAY;
        state.deliver();
        state.turn = 0;
        state.writers.iter_mut().for_each(|writer| writer.is_done = true);
        state.writers[0].is_done = false;
    }

    /// Replaces a file's bytes, as nobody should.
    pub(super) fn overwrite(&self, path: &str, bytes: &[u8]) {
        let file = File { bytes: bytes.to_vec(), torn_until: 0 };
        self.state().files.insert(path.to_owned(), file);
    }
}

impl State {
    /// Lets late puts take effect whose time has come.
    fn deliver(&mut self) {
        let step = self.step;
        let (due, late) = std::mem::take(&mut self.late).into_iter().partition(|(at, ..)| *at <= step);
        self.late = late;
        let due: Vec<(u64, String, Vec<u8>)> = due;
        for (_, path, bytes) in due {
            self.make(&path, &bytes);
        }
    }

    /// Makes the file if the name is free.
    fn make(&mut self, path: &str, bytes: &[u8]) {
        if self.files.contains_key(path) {
            return;
        }
        let torn_until = if self.random.once_in(self.faults.torn) { self.step + self.random.below(30) } else { 0 };
        self.files.insert(path.to_owned(), File { bytes: bytes.to_vec(), torn_until });
        if self.first.contains_key(path) {
            self.ghosts += 1;
        } else {
            self.first.insert(path.to_owned(), bytes.to_vec());
        }
    }

    fn put(&mut self, writer: usize, path: &str, bytes: &[u8]) -> Result<(), PutError> {
        if !is_kept(Rule::AnchorAfterwards) && path.starts_with(slot::SLOTS) {
            self.writers[writer].snapshots_before = Some(self.names(slot::SNAPSHOTS));
        }
        let faults = self.faults;
        let no_answer = || Err(PutError::Doubtful(io::ErrorKind::TimedOut.into()));
        if self.random.once_in(faults.refused) {
            return Err(PutError::Refused(io::ErrorKind::StorageFull.into()));
        }
        if self.random.once_in(faults.lost_request) {
            return no_answer();
        }
        if self.random.once_in(faults.late_arrival) {
            // Most soon, some so late that the slot may have been removed meanwhile.
            let longest = if self.random.once_in(4) { LONGEST_DELAY } else { 20 };
            let at = self.step + 1 + self.random.below(longest);
            self.late.push((at, path.to_owned(), bytes.to_vec()));
            return no_answer();
        }
        // A loser's put succeeds as a winner's does: mounts tell the one for the other in both directions.
        self.make(path, bytes);
        if self.random.once_in(faults.lost_reply) { no_answer() } else { Ok(()) }
    }

    fn names(&self, directory: &str) -> Vec<String> {
        let prefix = format!("{directory}/");
        self.files.keys().filter_map(|path| path.strip_prefix(&prefix)).map(str::to_owned).collect()
    }

    fn read(&mut self, writer: usize, path: &str) -> io::Result<Option<Vec<u8>>> {
        if self.random.once_in(self.faults.error) {
            return Err(io::Error::other("stale file handle"));
        }
        if self.writers[writer].absent.get(path).is_some_and(|until| *until > self.step) {
            return Ok(None);
        }
        let Some(file) = self.files.get(path) else {
            if self.random.once_in(self.faults.stale_negative) {
                let until = self.step + self.random.below(60);
                self.writers[writer].absent.insert(path.to_owned(), until);
            }
            return Ok(None);
        };
        if file.torn_until > self.step {
            let length = usize::try_from(self.random.below(file.bytes.len() as u64)).unwrap();
            return Ok(Some(file.bytes[..length].to_vec()));
        }
        Ok(Some(file.bytes.clone()))
    }

    fn list(&mut self, writer: usize, directory: &str) -> io::Result<Vec<String>> {
        if self.random.once_in(self.faults.error) {
            return Err(io::Error::other("input/output error"));
        }
        let prefix = format!("{directory}/");
        self.writers[writer].absent.retain(|path, _| !path.starts_with(&prefix));
        let mut names = self.names(directory);
        if directory == slot::SNAPSHOTS
            && let Some(before) = self.writers[writer].snapshots_before.take()
        {
            names = before;
        }
        if !names.is_empty() && self.random.once_in(self.faults.stale_positive) {
            // One of the newest: the others have been read.
            let back = self.random.below(names.len().min(3) as u64) + 1;
            let name = &names[names.len() - usize::try_from(back).unwrap()];
            let until = self.step + self.random.below(20);
            self.writers[writer].absent.insert(format!("{prefix}{name}"), until);
        }
        Ok(names)
    }

    fn revalidate(&mut self, writer: usize, directory: &str) {
        if !is_kept(Rule::Revalidation) {
            return;
        }
        let prefix = format!("{directory}/");
        self.writers[writer].absent.retain(|path, _| !path.starts_with(&prefix));
    }

    fn remove(&mut self, writer: usize, path: &str) -> io::Result<()> {
        if self.random.once_in(self.faults.stall_removing) {
            self.writers[writer].asleep_until = self.step + self.random.below(LONGEST_DELAY);
        }
        self.remove_too_much(path);
        let answer = || Err(io::Error::other("input/output error"));
        match self.random.below(self.faults.error.saturating_mul(2).max(2)) {
            0 if self.faults.error > 0 => answer(),
            1 if self.faults.error > 0 => {
                self.files.remove(path);
                answer()
            }
            _ => {
                self.files.remove(path);
                Ok(())
            }
        }
    }

    /// Removes what must stay, for want of a rule: the slot after the one that is removed, or all snapshots.
    fn remove_too_much(&mut self, path: &str) {
        let Some((directory, name)) = path.rsplit_once('/') else { return };
        if directory == slot::SNAPSHOTS && !is_kept(Rule::Keeper) {
            self.files.retain(|path, _| !path.starts_with(slot::SNAPSHOTS));
        }
        if let Some(txid) = slot::slot(name).filter(|_| directory == slot::SLOTS && !is_kept(Rule::KeepersSlot)) {
            self.files.remove(&slot::slot_path(txid.next()));
        }
    }

    /// Draws who is next: anyone who is neither done nor asleep, or else who wakes first.
    fn choose(&mut self) {
        let step = self.step;
        let is_awake = |writer: &Writer| !writer.is_done && writer.asleep_until <= step;
        let awake: Vec<usize> = (0..self.writers.len()).filter(|&writer| is_awake(&self.writers[writer])).collect();
        if !awake.is_empty() {
            let at = self.random.below(awake.len() as u64);
            self.turn = awake[usize::try_from(at).unwrap()];
            return;
        }
        let alive = self.writers.iter().enumerate().filter(|(_, writer)| !writer.is_done);
        if let Some((next, writer)) = alive.min_by_key(|(_, writer)| writer.asleep_until) {
            self.step = writer.asleep_until;
            self.turn = next;
        }
    }
}

impl Mount {
    /// The number of this writer's last operation among those of all writers.
    pub(super) fn step(&self) -> u64 {
        self.step.load(Ordering::Relaxed)
    }

    /// Whether opening a directory makes this mount forget the names it believes absent, as NFS does and FUSE does not.
    pub(super) fn forgets(&self) -> bool {
        self.writer.is_multiple_of(2)
    }

    fn await_turn(&self) -> MutexGuard<'_, State> {
        let mut state = self.memory.state();
        while state.turn != self.writer {
            state = self.memory.turns[self.writer].wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    /// Does one operation when it is this writer's turn, and hands the turn on.
    fn turn<R>(&self, operate: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.await_turn();
        state.step += 1;
        self.step.store(state.step, Ordering::Relaxed);
        state.deliver();
        let faults = state.faults;
        let is_killed = state.random.once_in(faults.crash);
        let answer = if is_killed && state.random.once_in(2) { None } else { Some(operate(&mut state)) };
        if state.random.once_in(faults.stall) {
            let longest = if state.random.once_in(3) { LONGEST_DELAY } else { 60 };
            state.writers[self.writer].asleep_until = state.step + state.random.below(longest);
        }
        if is_killed {
            state.writers[self.writer].absent.clear();
            state.writers[self.writer].snapshots_before = None;
        }
        self.hand_on(state);
        match answer {
            Some(answer) if !is_killed => answer,
            // Not `panic!`: nothing is to be printed.
            Some(_) | None => panic::resume_unwind(Box::new(Killed)),
        }
    }

    fn hand_on(&self, mut state: MutexGuard<'_, State>) {
        state.choose();
        let next = state.turn;
        drop(state);
        self.memory.turns[next].notify_one();
    }

    /// Takes no turn any more.
    pub(super) fn done(&self) {
        let mut state = self.await_turn();
        state.writers[self.writer].is_done = true;
        self.hand_on(state);
    }
}

impl Volume for Mount {
    fn visit(&self, directory: &str, take: &mut dyn FnMut(&str)) -> io::Result<()> {
        self.usage.count(Operation::List, 0);
        let names = self.turn(|state| state.list(self.writer, directory))?;
        names.iter().for_each(|name| take(name));
        Ok(())
    }

    fn revalidate(&self, directory: &str) -> io::Result<()> {
        self.usage.count(Operation::Revalidate, 0);
        self.turn(|state| {
            if self.forgets() {
                state.revalidate(self.writer, directory);
            }
        });
        Ok(())
    }

    fn forgets_when_revalidated(&self) -> bool {
        false
    }

    fn read(&self, path: &str, _limit_bytes: u64) -> io::Result<Option<Vec<u8>>> {
        self.usage.count(Operation::Read, 0);
        self.turn(|state| state.read(self.writer, path))
    }

    fn put_if_absent(&self, path: &str, bytes: &[u8]) -> Result<(), PutError> {
        self.usage.count(Operation::Put, bytes.len());
        self.turn(|state| state.put(self.writer, path, bytes))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.usage.count(Operation::Remove, 0);
        self.turn(|state| state.remove(self.writer, path))
    }

    fn usage(&self) -> &Usage {
        &self.usage
    }
}
