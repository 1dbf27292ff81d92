//! A throwaway Postgres cluster: one for each test binary, in a temporary folder, ended with the process.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// Runs the command that follows the folder until its own standard input ends, then removes the folder.
const KEEPER: &str = r#"
    folder=$1; shift
    "$@" &
    read -r _
    kill -QUIT $!
    wait $!
    cd / && rm -rf "$folder"
"#;

/// A running server. Its superuser is `postgres`; whoever connects locally is trusted.
pub struct Cluster {
    binaries: PathBuf,
    folder: PathBuf,
    port: u16,
}

/// The cluster of this test binary; `None`, with a line that says so, where no server is installed.
pub fn cluster() -> Option<&'static Cluster> {
    static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start).as_ref()
}

impl Cluster {
    fn start() -> Option<Self> {
        let Some(binaries) = find_binaries() else {
            eprintln!("skipped: no Postgres server is installed (make test installs it)");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("berth-postgres-").tempdir().unwrap().keep();
        let cluster = Self { binaries, folder, port: super::free_port() };
        let data = cluster.folder.join("data");
        let copied = Command::new("cp").arg("-a").arg(cluster.template()).arg(&data).status();
        assert!(copied.unwrap().success(), "cannot copy the initialised cluster");
        // The server refuses to run as root, and its owner must be able to reach the folder.
        if is_root() {
            assert!(Command::new("chown").args(["-R", "postgres"]).arg(&cluster.folder).status().unwrap().success());
        }
        cluster.serve(&data);
        Some(cluster)
    }

    /// An initialised cluster that was never started, made by the first test that wants one: copying it takes a tenth
    /// of the time.
    fn template(&self) -> PathBuf {
        let version = self.binaries.to_string_lossy().replace('/', "-");
        let template = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("postgres{version}"));
        if !template.exists() {
            let made = self.folder.join("template");
            fs::create_dir(&made).unwrap();
            if is_root() {
                assert!(Command::new("chown").args(["-R", "postgres"]).arg(&self.folder).status().unwrap().success());
            }
            let initialised = self
                .command("initdb")
                .args(["--no-locale", "--encoding=UTF8", "--auth=trust", "--username=postgres", "--no-sync", "-D"])
                .arg(&made)
                .stdout(Stdio::null())
                .status();
            assert!(initialised.unwrap().success(), "initdb failed");
            // Under a name of its own first: another test may copy as soon as it is there, and one of two stays.
            let aside = tempfile::Builder::new().tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap().keep().join("data");
            assert!(Command::new("mv").arg(&made).arg(&aside).status().unwrap().success());
            drop(fs::rename(&aside, &template));
            drop(fs::remove_dir_all(aside.parent().unwrap()));
        }
        template
    }

    /// Starts the server beside a keeper, which ends it and removes the folder when this process is gone, however it
    /// went: the pipe that the keeper reads from is closed then.
    fn serve(&self, data: &Path) {
        let settings = [
            format!("port={}", self.port),
            "listen_addresses=127.0.0.1".to_owned(),
            format!("unix_socket_directories={}", self.folder.display()),
            "fsync=off".to_owned(),
            "synchronous_commit=off".to_owned(),
            "max_connections=200".to_owned(),
            "timezone=UTC".to_owned(),
        ];
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let mut keeper = Command::new("sh");
        keeper.arg("-c").arg(KEEPER).arg("keeper").arg(&self.folder);
        if is_root() {
            keeper.args(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]);
        }
        keeper.arg(self.binaries.join("postgres")).arg("-D").arg(data);
        for setting in &settings {
            keeper.args(["-c", setting]);
        }
        keeper.current_dir(&self.folder).stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::piped());
        // Never waited for: it outlives this process by the moment that its work takes.
        std::mem::forget(keeper.spawn().expect("the Postgres server starts"));
        let started = Instant::now();
        while !self.is_answering() {
            assert!(started.elapsed() < Duration::from_secs(60), "Postgres does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn is_answering(&self) -> bool {
        let ready = self.command("pg_isready").args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()]).status();
        ready.is_ok_and(|status| status.success())
    }

    /// A program of the server's, as the user that may run it.
    fn command(&self, program: &str) -> Command {
        let path = self.binaries.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(&self.folder);
        command
    }

    /// Makes an empty database and gives its DSN.
    pub fn create_database(&self, name: &str) -> String {
        self.run("postgres", &format!("CREATE DATABASE {name}"));
        self.dsn(name)
    }

    pub fn dsn(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// Runs SQL as the superuser; gives what it prints.
    pub fn run(&self, database: &str, sql: &str) -> String {
        let output = self
            .command("psql")
            .args(["-X", "-q", "-tA", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-U", "postgres"])
            .args(["-p", &self.port.to_string(), "-d", database, "-c", sql])
            .output()
            .unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs SQL as the superuser without waiting for its end.
    pub fn spawn(&self, database: &str, sql: &str) -> std::process::Child {
        let arguments = ["-X", "-q", "-h", "127.0.0.1", "-U", "postgres"];
        let mut command = self.command("psql");
        command.args(arguments).args(["-p", &self.port.to_string(), "-d", database, "-c", sql]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// What `pg_dump` prints of the schema `public`.
    pub fn dump(&self, database: &str, arguments: &[&str]) -> String {
        let output = self
            .command("pg_dump")
            .args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string(), "-n", "public"])
            .args(arguments)
            .arg(database)
            .output()
            .unwrap();
        assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

pub(super) fn is_root() -> bool {
    rustix::process::getuid().is_root()
}

/// The folder of the newest server that Debian's packages installed, or of the one in the path.
pub(super) fn find_binaries() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let folder = entry.path().join("bin");
            folder.join("initdb").exists().then_some((version, folder))
        })
        .max();
    newest.map(|(_, folder)| folder).or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
    })
}
