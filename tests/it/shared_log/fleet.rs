//! Instances over one directory that has no locks, behind a round robin, and what torments them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Answer, Berth, Client, Start, write_migrations};

/// How long a client waits for an answer; then it does not know what became of its request.
const PATIENCE: Duration = Duration::from_secs(4);

/// Environment of the instances.
pub type Settings = Vec<(&'static str, String)>;

/// The instances.
pub struct Fleet {
    pub folder: PathBuf,
    /// Where each instance finds the directory: one path, or a mount for each.
    volumes: Vec<PathBuf>,
    settings: Settings,
    instances: Vec<RwLock<Option<Berth>>>,
    is_over: AtomicBool,
    next: AtomicU64,
    started: Instant,
}

impl Fleet {
    /// Instances that all start at once, and migrate one empty log.
    pub fn start(folder: &Path, volumes: Vec<PathBuf>, schema: &str, settings: Settings) -> Arc<Self> {
        write_migrations(folder, &[schema]);
        let fleet = Self {
            folder: folder.to_owned(),
            instances: volumes.iter().map(|_| RwLock::new(None)).collect(),
            volumes,
            settings,
            is_over: AtomicBool::new(false),
            next: AtomicU64::new(0),
            started: Instant::now(),
        };
        let mut started: Vec<Berth> = (0..fleet.count()).map(|place| fleet.instance(place).spawn()).collect();
        started.iter_mut().for_each(Berth::wait_until_ready);
        for (place, berth) in fleet.instances.iter().zip(started) {
            *place.write().unwrap() = Some(berth);
        }
        Arc::new(fleet)
    }

    pub fn count(&self) -> usize {
        self.volumes.len()
    }

    /// How the instance at `place` is started, with a local directory of its own.
    pub fn instance(&self, place: usize) -> Start<'_> {
        let start = Start::sqlite(&self.folder, &self.volumes[place])
            .with("VOLUME_MODE", "shared-log")
            .with("LOCAL_DIR", self.local_dir(place).display())
            .with("MIGRATIONS", self.folder.join("migrations").display());
        self.settings.iter().fold(start, |start, (name, value)| start.with(name, value))
    }

    /// Where the instance at `place` keeps its working copy.
    pub fn local_dir(&self, place: usize) -> PathBuf {
        self.folder.join(format!("local-{place}"))
    }

    /// Where the instance at `place` finds the log.
    pub fn volume(&self, place: usize) -> &Path {
        &self.volumes[place]
    }

    /// A client of the instance at `place`, which must run.
    pub fn client_of(&self, place: usize) -> Client {
        self.instances[place].read().unwrap().as_ref().unwrap().client()
    }

    /// A client of the next instance that runs, as a load balancer picks it.
    pub fn client(&self) -> Client {
        loop {
            let turn = usize::try_from(self.next.fetch_add(1, Ordering::Relaxed)).unwrap();
            if let Some(berth) = self.instances[turn % self.instances.len()].read().unwrap().as_ref() {
                return berth.client().with_timeout(PATIENCE);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends a request to the next instance; `None` without an answer.
    pub fn send(&self, method: &str, path: &str, body: &str) -> Option<Answer> {
        let headers = [("Content-Type", "application/json"), ("Prefer", "return=representation")];
        self.client().try_send(method, path, &headers, body)
    }

    /// Microseconds since the start, by a clock that all clients share.
    pub fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap()
    }

    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Runs all `clients`, and the torment with them, for a while.
    pub fn run(self: &Arc<Self>, time: Duration, seed: u64, clients: Vec<Box<dyn FnOnce() + Send>>) {
        let tormentor = {
            let fleet = Arc::clone(self);
            thread::spawn(move || fleet.torment(seed))
        };
        let clients: Vec<_> = clients.into_iter().map(thread::spawn).collect();
        thread::sleep(time);
        self.is_over.store(true, Ordering::Relaxed);
        tormentor.join().unwrap();
        for client in clients {
            client.join().expect("a client saw what must not be");
        }
    }

    /// Kills, freezes and starts instances until told to stop.
    fn torment(&self, mut seed: u64) {
        let mut draw = |bound: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % bound
        };
        while !self.is_over() {
            let number = usize::try_from(draw(self.instances.len() as u64)).unwrap();
            let place = &self.instances[number];
            if draw(2) == 0 {
                if let Some(mut berth) = place.write().unwrap().take() {
                    berth.kill();
                }
                thread::sleep(Duration::from_millis(50));
                *place.write().unwrap() = Some(self.instance(number).run());
            } else {
                let id = place.read().unwrap().as_ref().map(Berth::id);
                if let Some(pid) = id.and_then(|id| Pid::from_raw(i32::try_from(id).unwrap())) {
                    let _ = kill_process(pid, Signal::STOP);
                    let millis = if crate::support::torture() { 200 + draw(10_000) } else { 100 + draw(500) };
                    self.sleep(Duration::from_millis(millis));
                    let _ = kill_process(pid, Signal::CONT);
                }
            }
            thread::sleep(Duration::from_millis(50 + draw(200)));
        }
    }

    fn sleep(&self, time: Duration) {
        let started = Instant::now();
        while started.elapsed() < time && !self.is_over() {
            thread::sleep(Duration::from_millis(10));
        }
    }
}
