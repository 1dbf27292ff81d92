//! What integration tests share: a berth process of their own, and a client.

pub mod bucket;
pub mod client;
pub mod command;
pub mod deployment;
pub mod load;
pub mod postgres;
pub mod server;

use std::fs::File;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub use client::{Answer, Client};
use rustix::process::{Pid, Signal, kill_process};

/// How long a process may take until it is ready. Generous: tests share two cores with a compiler.
const READY_WITHIN: Duration = Duration::from_secs(60);

const BERTH: &str = env!("CARGO_BIN_EXE_berth");

/// A running berth. Killed when dropped.
pub struct Berth {
    child: Child,
    /// Where it listens.
    pub port: u16,
    /// What it wrote to its log.
    pub log: PathBuf,
}

/// How to start a berth.
pub struct Start<'a> {
    /// A folder of this process's own, for its log and its local files.
    pub folder: &'a Path,
    /// The environment, nothing else is inherited but `PATH`.
    pub env: Vec<(String, String)>,
}

impl<'a> Start<'a> {
    /// SQLite in `volume`, everything allowed.
    pub fn sqlite(folder: &'a Path, volume: &Path) -> Self {
        Self { folder, env: Vec::new() }
            .with("VOLUME", volume.display())
            .with("ACCESS", "open")
            .with("VOLUME_MODE", "in-place")
            .with("DB_TX_END", "commit-allow-override")
    }

    /// Postgres behind `dsn`, everything allowed.
    pub fn postgres(folder: &'a Path, dsn: &str) -> Self {
        Self { folder, env: Vec::new() }
            .with("DATABASE_URL", dsn)
            .with("ACCESS", "open")
            .with("DB_TX_END", "commit-allow-override")
    }

    /// One more variable; the last of a name counts.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.env.retain(|(known, _)| known != name);
        self.env.push((name.to_owned(), value.to_string()));
        self
    }

    /// Starts it and waits until it is ready.
    pub fn run(self) -> Berth {
        let mut berth = self.spawn();
        berth.wait_until_ready();
        berth
    }

    /// Starts it without waiting.
    pub fn spawn(self) -> Berth {
        self.spawn_as(Command::new(BERTH))
    }

    /// Starts it under `strace` with these arguments (which calls fail, what is written where), without waiting.
    pub fn spawn_traced(self, strace: &Path, arguments: &[&str]) -> Berth {
        let mut command = Command::new(strace);
        // The tracer is a grandchild: signals and waits go to berth itself.
        command.args(["-D", "-f", "-qq"]).args(arguments).arg(BERTH);
        self.spawn_as(command)
    }

    fn spawn_as(self, mut command: Command) -> Berth {
        let port = free_port();
        let log = self.folder.join(format!("berth-{port}.log"));
        let output = File::options().create(true).append(true).open(&log).unwrap();
        let child = command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LLVM_PROFILE_FILE", std::env::var_os("LLVM_PROFILE_FILE").unwrap_or_default())
            .env("PORT", port.to_string())
            .env("HOST", "127.0.0.1")
            .env("LOG_FORMAT", "json")
            .env("MIGRATIONS", self.folder.join("no-migrations"))
            .env("LOCAL_DIR", self.folder.join("local"))
            .envs(self.env)
            .current_dir(self.folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .expect("the berth binary starts");
        Berth { child, port, log }
    }
}

impl Berth {
    /// Waits until it says that it is ready.
    pub fn wait_until_ready(&mut self) {
        let started = Instant::now();
        let client = self.client();
        while client.try_get("/-/ready").is_none_or(|answer| answer.status != 200) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "it ended before it was ready; its log:\n{}", self.log_text());
            assert!(started.elapsed() < READY_WITHIN, "not ready in time; its log:\n{}", self.log_text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        Client::new(format!("http://127.0.0.1:{}", self.port))
    }

    /// What it has logged.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The line of its log that has `part`, which is waited for: lines are written by a thread of their own.
    pub fn logged(&self, part: &str) -> String {
        let started = Instant::now();
        loop {
            if let Some(line) = self.log_text().lines().find(|line| line.contains(part)) {
                return line.to_owned();
            }
            assert!(started.elapsed() < READY_WITHIN, "nothing logged of {part}:\n{}", self.log_text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(i32::try_from(self.id()).unwrap()).unwrap(), signal).unwrap();
    }

    /// Waits until it ends by itself; the exit code.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// SIGKILL, as a platform does it.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM; the exit code, and how long it took.
    pub fn terminate(mut self) -> (Option<i32>, Duration) {
        let started = Instant::now();
        self.signal(Signal::TERM);
        let status = self.child.wait().unwrap();
        (status.code(), started.elapsed())
    }
}

impl Drop for Berth {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether the long campaigns run.
pub fn torture() -> bool {
    std::env::var_os("BERTH_TORTURE").is_some()
}

/// A port that nobody uses, and that no other test is given while this process lives.
pub fn free_port() -> u16 {
    // Below the ports that the system gives to clients, above the last one that browsers and node refuse to call
    // (https://fetch.spec.whatwg.org/#port-blocking).
    const PORTS: std::ops::Range<u64> = 10_081..32_000;
    let folder = std::env::temp_dir().join("berth-test-ports");
    std::fs::create_dir_all(&folder).unwrap();
    loop {
        let chance = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0);
        let port = PORTS.start + chance % (PORTS.end - PORTS.start);
        let lock = File::create(folder.join(port.to_string())).unwrap();
        let is_mine = rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok();
        let port = u16::try_from(port).unwrap();
        if is_mine && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            std::mem::forget(lock);
            return port;
        }
    }
}

/// The sample database that lies beside the project; `None`, with a line that says so, where it does not.
pub fn chinook(file: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/chinook").join(file);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {file} of the Chinook sample is not here ({})", path.display());
    None
}

/// The project's own migrations.
pub fn migrations() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations")
}

/// The scripts of the project's own migrations, and one of a table with a column of every type.
pub fn scripts_with_types() -> Vec<String> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(migrations()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut scripts: Vec<String> = paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    scripts.push(include_str!("../differential/types.sql").to_owned());
    scripts
}

/// Writes scripts as `1.sql` and so on into a directory of `folder`, which it gives.
pub fn write_migrations(folder: &Path, scripts: &[impl AsRef<str>]) -> PathBuf {
    let directory = folder.join("migrations");
    std::fs::create_dir_all(&directory).unwrap();
    for (number, script) in (1..).zip(scripts) {
        std::fs::write(directory.join(format!("{number}.sql")), script.as_ref()).unwrap();
    }
    directory
}
