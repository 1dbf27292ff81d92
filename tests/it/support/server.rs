//! Postgres servers that a test stops, kills and replaces, unlike the one that all tests share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::postgres::{find_binaries, is_root};

/// One server with a folder of its own. Killed when dropped.
pub struct Server {
    binaries: PathBuf,
    folder: tempfile::TempDir,
    pub port: u16,
    /// `None` while it does not run.
    process: Option<Child>,
}

impl Server {
    /// A primary that acknowledges what is in its write-ahead log; `None`, with a line that says so, where no server is
    /// installed.
    pub fn primary() -> Option<Self> {
        let mut server = Self::new()?;
        let initialised = server
            .program("initdb")
            .args(["--no-locale", "--encoding=UTF8", "--auth=trust", "--username=postgres", "--no-sync", "-D"])
            .arg(server.data())
            .stdout(Stdio::null())
            .status();
        assert!(initialised.unwrap().success(), "initdb failed");
        server.start();
        Some(server)
    }

    /// A hot standby, whose receipt the primary waits for with each commit.
    pub fn standby_of(primary: &Self) -> Self {
        let mut server = Self::new().unwrap();
        let source = format!("host=127.0.0.1 port={} user=postgres application_name=standby", primary.port);
        let mut copy = server.program("pg_basebackup");
        copy.args(["-X", "stream", "-R", "-d", &source, "-D"]).arg(server.data());
        assert!(copy.status().unwrap().success(), "pg_basebackup failed");
        server.start();
        primary.run("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
        primary.run("SELECT pg_reload_conf()");
        let started = Instant::now();
        while primary.run("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") != "1" {
            assert!(started.elapsed() < Duration::from_secs(30), "the standby does not follow");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn new() -> Option<Self> {
        let Some(binaries) = find_binaries() else {
            eprintln!("skipped: no Postgres server is installed (make test installs it)");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("berth-server-").tempdir().unwrap();
        if is_root() {
            assert!(Command::new("chown").arg("postgres").arg(folder.path()).status().unwrap().success());
        }
        Some(Self { binaries, folder, port: super::free_port(), process: None })
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Starts it, and waits until it answers.
    pub fn start(&mut self) {
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.data());
        for setting in [
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", self.folder.path().display()),
            // What was written survives the death of the process; nothing here ends the machine.
            "fsync=off".to_owned(),
            "synchronous_commit=on".to_owned(),
            "hot_standby=on".to_owned(),
        ] {
            command.args(["-c", &setting]);
        }
        self.process = Some(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
        let started = Instant::now();
        while !self.is_answering() {
            assert!(started.elapsed() < Duration::from_secs(60), "Postgres does not answer: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as a restart does: open transactions are undone, connections told.
    pub fn stop(&mut self) {
        self.signal(rustix::process::Signal::INT);
    }

    /// Ends it at once; its children end when they notice.
    pub fn kill(&mut self) {
        self.signal(rustix::process::Signal::KILL);
    }

    fn signal(&mut self, signal: rustix::process::Signal) {
        let Some(mut process) = self.process.take() else { return };
        let pid = rustix::process::Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
        process.wait().unwrap();
    }

    /// Makes a standby the primary, and waits until it takes writes.
    pub fn promote(&self) {
        let promoted = self.program("pg_ctl").args(["promote", "-w", "-s", "-D"]).arg(self.data()).status();
        assert!(promoted.unwrap().success(), "it is not promoted");
    }

    pub fn dsn(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    /// Runs SQL as the superuser; gives what it prints.
    pub fn run(&self, sql: &str) -> String {
        let output = self
            .program("psql")
            .args(["-X", "-q", "-tA", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "postgres"])
            .args(["-p", &self.port.to_string(), "-d", "postgres", "-c", sql])
            .output()
            .unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn is_answering(&self) -> bool {
        let port = self.port.to_string();
        let ready = self.program("pg_isready").args(["-q", "-h", "127.0.0.1", "-p", &port]).status();
        ready.is_ok_and(|status| status.success())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// A program of the server's, as a user that may run it, ended with this thread.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "QUIT"]);
        if is_root() {
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
        }
        command.arg(self.binaries.join(name)).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.signal(rustix::process::Signal::QUIT);
    }
}

/// The installed program of that name, or a line that says that it is not there.
pub fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path)
        .chain([Path::new("/usr/sbin").to_owned()])
        .map(|folder| folder.join(name))
        .find(|program| program.exists());
    if found.is_none() {
        eprintln!("skipped: {name} is not installed (make test installs it)");
    }
    found
}
