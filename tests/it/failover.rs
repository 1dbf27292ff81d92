//! A Postgres that is restarted, killed, or replaced by its standby, under load: no acknowledged write is lost, requests
//! recover within five seconds, and what fails meanwhile is told to come back.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::support::server::{Server, installed};
use crate::support::{Answer, Berth, Client, Start};

/// How soon after the server is back every request must be answered well.
const RECOVERED_WITHIN: Duration = Duration::from_secs(5);

/// Senders at one time.
const SENDERS: u64 = 6;

/// What senders saw.
#[derive(Default)]
struct Seen {
    /// Writes that were acknowledged.
    acknowledged: BTreeSet<u64>,
    /// Answers that were none.
    failed: Vec<(Instant, Answer)>,
    succeeded_last: Option<Instant>,
}

/// Sends writes and reads while `trouble` happens and for a while after it; gives what was seen, and when it was over.
fn under_load(client: &Client, trouble: impl FnOnce()) -> (Seen, Instant) {
    let (seen, is_over, next) = (Mutex::new(Seen::default()), AtomicBool::new(false), AtomicU64::new(1));
    let over = std::thread::scope(|scope| {
        for _ in 0..SENDERS {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let id = next.fetch_add(1, Ordering::Relaxed);
                    let written = client.post("/orders", &format!(r#"{{"id":{id}}}"#));
                    let read = client.get("/orders?id=eq.1");
                    let mut seen = seen.lock().unwrap();
                    if written.status == 201 {
                        seen.acknowledged.insert(id);
                        seen.succeeded_last = Some(Instant::now());
                    }
                    for answer in [written, read] {
                        if answer.status >= 300 {
                            seen.failed.push((Instant::now(), answer));
                        }
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_millis(500));
        trouble();
        let over = Instant::now();
        std::thread::sleep(RECOVERED_WITHIN + Duration::from_secs(1));
        is_over.store(true, Ordering::Relaxed);
        over
    });
    (seen.into_inner().unwrap(), over)
}

/// Holds what was seen against what is there.
fn check(what: &str, seen: &Seen, over: Instant, server: &Server, berth: &Berth) {
    let there = server.run("SELECT id FROM orders");
    let there: BTreeSet<u64> = there.lines().map(|id| id.parse().unwrap()).collect();
    let lost: Vec<_> = seen.acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "{what}: acknowledged and lost: {lost:?}");
    for (_, answer) in &seen.failed {
        assert_eq!(answer.status, 503, "{what}: {answer:?}\n{}", berth.log_text());
        assert!(answer.header("Retry-After").is_some(), "{what}: {answer:?}");
        assert!(!answer.body.contains("127.0.0.1"), "{what}: it tells where the server is: {answer:?}");
    }
    let late = seen.failed.iter().filter(|(at, _)| *at > over + RECOVERED_WITHIN).count();
    assert_eq!(late, 0, "{what}: requests fail {RECOVERED_WITHIN:?} after it is back\n{}", berth.log_text());
    assert!(seen.succeeded_last.is_some_and(|last| last > over), "{what}: nothing was written after it");
    let last = seen.failed.iter().map(|(at, _)| at.saturating_duration_since(over)).max().unwrap_or_default();
    eprintln!(
        "{what}: {} acknowledged, {} answered 503, the last one {last:?} after it was back",
        seen.acknowledged.len(),
        seen.failed.len()
    );
}

fn dsn(servers: &[&Server]) -> String {
    let hosts: Vec<_> = servers.iter().map(|server| format!("127.0.0.1:{}", server.port)).collect();
    format!("postgres://postgres@{}/postgres?sslmode=disable&target_session_attrs=read-write", hosts.join(","))
}

#[test]
fn a_server_that_is_restarted_or_killed_loses_nothing_and_is_used_again_at_once() {
    let Some(mut server) = Server::primary() else { return };
    server.run("CREATE TABLE orders (id bigint PRIMARY KEY)");
    let folder = tempfile::tempdir().unwrap();
    let berth = Start::postgres(folder.path(), &dsn(&[&server])).run();
    let client = berth.client();

    let (seen, over) = under_load(&client, || {
        server.stop();
        server.start();
    });
    check("restarted", &seen, over, &server, &berth);

    server.run("TRUNCATE orders");
    let (seen, over) = under_load(&client, || {
        server.kill();
        // Its children must have noticed before the data can be opened again.
        std::thread::sleep(Duration::from_secs(1));
        server.start();
    });
    check("killed", &seen, over, &server, &berth);
    assert_eq!(client.get("/-/ready").status, 200);
}

#[test]
fn a_standby_that_takes_over_is_found_by_a_dsn_of_both() {
    let Some(mut primary) = Server::primary() else { return };
    primary.run("CREATE TABLE orders (id bigint PRIMARY KEY)");
    let standby = Server::standby_of(&primary);
    let folder = tempfile::tempdir().unwrap();
    let berth = Start::postgres(folder.path(), &dsn(&[&standby, &primary])).run();
    let client = berth.client();
    assert_eq!(client.post("/orders", r#"{"id":0}"#).status, 201, "the first host takes no writes, the second does");

    let (seen, over) = under_load(&client, || {
        primary.kill();
        standby.promote();
    });
    check("replaced", &seen, over, &standby, &berth);
}

#[test]
fn a_server_that_comes_later_than_berth_is_waited_for() {
    let Some(mut server) = Server::primary() else { return };
    server.run("CREATE TABLE orders (id bigint PRIMARY KEY)");
    server.stop();
    let folder = tempfile::tempdir().unwrap();
    let mut berth = Start::postgres(folder.path(), &dsn(&[&server])).spawn();
    std::thread::sleep(Duration::from_millis(1_500));
    server.start();
    berth.wait_until_ready();
    assert_eq!(berth.client().get("/orders").status, 200);
}

#[test]
fn an_idle_instance_keeps_no_connection_and_sees_what_changed_meanwhile() {
    let Some(server) = Server::primary() else { return };
    server.run("CREATE TABLE orders (id bigint PRIMARY KEY)");
    let folder = tempfile::tempdir().unwrap();
    let berth = Start::postgres(folder.path(), &dsn(&[&server])).with("POOL_IDLE_TIMEOUT", "1s").run();
    let client = berth.client();
    assert_eq!(client.get("/orders").status, 200);
    let connections = || {
        server.run(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
        )
    };
    assert_ne!(connections(), "0");
    let started = Instant::now();
    while connections() != "0" {
        assert!(started.elapsed() < Duration::from_secs(10), "{} connections are kept", connections());
        std::thread::sleep(Duration::from_millis(100));
    }
    // Nobody listened to this.
    server.run("CREATE TABLE later (id bigint PRIMARY KEY); NOTIFY pgrst, 'reload schema'");
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(client.get("/later").status, 200, "{}", berth.log_text());
    server.run("CREATE TABLE told (id bigint PRIMARY KEY); NOTIFY pgrst, 'reload schema'");
    let started = Instant::now();
    while client.get("/told").status != 200 {
        assert!(started.elapsed() < Duration::from_secs(10), "nobody listens any more");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A pooler that gives a server connection to each transaction. Killed when dropped.
pub(crate) struct Pooler {
    process: Child,
    pub(crate) port: u16,
    _folder: tempfile::TempDir,
}

impl Pooler {
    pub(crate) fn before(server: &Server) -> Option<Self> {
        let program = installed("pgbouncer")?;
        let folder = tempfile::tempdir().unwrap();
        let port = crate::support::free_port();
        let config = format!(
            "[databases]\npostgres = host=127.0.0.1 port={} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             auth_type = any\nunix_socket_dir =\npool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 100\n\
             server_round_robin = 1\nserver_login_retry = 1\n",
            server.port
        );
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, config).unwrap();
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        // It refuses to run as root.
        let process = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--reuid=nobody", "--regid=nogroup", "--clear-groups"])
            .args([program.as_os_str(), file.as_os_str()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "pgbouncer does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(Self { process, port, _folder: folder })
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

#[test]
fn behind_a_transaction_pooler_many_senders_share_few_connections() {
    let Some(mut server) = Server::primary() else { return };
    let Some(pooler) = Pooler::before(&server) else { return };
    server.run("CREATE TABLE orders (id bigint PRIMARY KEY, note text)");
    let folder = tempfile::tempdir().unwrap();
    let dsn = format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable&pgbouncer=true", pooler.port);
    let berth = Start::postgres(folder.path(), &dsn).run();
    let client = berth.client();
    let (seen, over) = under_load(&client, || ());
    assert!(seen.failed.is_empty(), "{:?}\n{}", seen.failed.first(), berth.log_text());
    check("pooled", &seen, over, &server, &berth);
    // Conditions and keys need more than one round trip of a transaction.
    let row = client.get("/orders?id=eq.1");
    let tag = row.header("ETag").unwrap().to_owned();
    let headers = [("Content-Type", "application/json"), ("If-Match", tag.as_str()), ("Idempotency-Key", "k")];
    let patch = || client.send("PATCH", "/orders?id=eq.1", &headers, r#"{"note":"x"}"#).status;
    assert_eq!((patch(), patch()), (204, 204), "the second is the first, answered again");

    server.run("TRUNCATE orders");
    let (seen, over) = under_load(&client, || {
        server.stop();
        server.start();
    });
    check("restarted behind the pooler", &seen, over, &server, &berth);
}
