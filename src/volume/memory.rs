//! A volume in memory on which everything that [`Volume`] allows to go wrong does, the same way for the same seed.
//!
//! Several writers, each in a thread of its own, take turns: one operation of one writer at a time, in an order that the
//! seed draws. Between two operations a writer computes alone, so the whole run depends on nothing but the seed.

use std::collections::BTreeMap;
use std::io;
use std::panic;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::{Operation, PutError, Usage, Volume};

/// Random numbers by `SplitMix64`: <https://prng.di.unimi.it/splitmix64.c>.
#[derive(Debug, Clone)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True once in `times`; never for zero.
    pub(super) fn once_in(&mut self, times: u64) -> bool {
        times > 0 && self.below(times) == 0
    }
}

/// How often each fault comes: once in that many operations of its kind, zero for never.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Faults {
    /// A put takes effect or finds the name taken, and gets no answer.
    pub(super) lost_reply: u64,
    /// A put gets no answer, and takes effect later.
    pub(super) late_arrival: u64,
    /// A put gets no answer, and does not take effect.
    pub(super) lost_request: u64,
    /// A put is refused, and does not take effect.
    pub(super) refused: u64,
    /// A name found absent stays absent to that writer for a while.
    pub(super) stale_negative: u64,
    /// A name that was listed is absent to that writer for a while.
    pub(super) stale_positive: u64,
    /// A new file is short for a while.
    pub(super) torn: u64,
    /// A read, list or removal fails.
    pub(super) error: u64,
    /// The writer is killed, before or after the operation took effect.
    pub(super) crash: u64,
    /// The writer stands still while the others go on.
    pub(super) stall: u64,
}

impl Faults {
    /// All of them.
    pub(super) const ALL: Self = Self {
        lost_reply: 12,
        late_arrival: 12,
        lost_request: 30,
        refused: 40,
        stale_negative: 4,
        stale_positive: 40,
        torn: 10,
        error: 40,
        crash: 150,
        stall: 60,
    };

    /// Mostly instances that stand still for long, which is what makes ghosts.
    pub(super) const STALLS: Self = Self { late_arrival: 5, error: 0, crash: 900, stall: 12, ..Self::ALL };
}

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

    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), PutError> {
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
        let names: Vec<String> =
            self.files.keys().filter_map(|path| path.strip_prefix(&prefix)).map(str::to_owned).collect();
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
        let prefix = format!("{directory}/");
        self.writers[writer].absent.retain(|path, _| !path.starts_with(&prefix));
    }

    fn remove(&mut self, path: &str) -> io::Result<()> {
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
        self.turn(|state| state.put(path, bytes))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.usage.count(Operation::Remove, 0);
        self.turn(|state| state.remove(path))
    }

    fn usage(&self) -> &Usage {
        &self.usage
    }
}
