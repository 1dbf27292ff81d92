//! Ten times the load that the store can take, and a million requests: what is accepted is answered in time, the rest is
//! refused fast, and memory stays flat. With `BERTH_TORTURE=1` for a minute, by the clock, and all of the million.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::support::load::{Latencies, Load, Seen, memory, request, send};
use crate::support::server::Server;
use crate::support::{Berth, Start, torture};

/// `QUEUE_LIMIT` of these instances.
const QUEUE: u64 = 16;

/// More than `QUEUE`, as those whose requests are accepted wait.
const SENDERS: u64 = 12 * QUEUE;

/// How much the load is beyond what the store can take.
const TIMES: f64 = 10.0;

/// What the allocator and the log may take more from the first quarter of the time on, in MiB.
const FLAT_WITHIN: f64 = 8.0;

const EVER: u64 = u64::MAX;

/// Memory that no file stands behind, over time.
struct Watch {
    begun: Instant,
    points: Vec<(Duration, f64)>,
}

impl Watch {
    /// Looks at the memory of a process while `work` runs.
    fn during<T>(pid: u32, work: impl FnOnce() -> T) -> (T, Self) {
        let mut watch = Self { begun: Instant::now(), points: Vec::new() };
        let is_over = AtomicBool::new(false);
        let done = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    watch.points.push((watch.begun.elapsed(), memory(pid, "RssAnon:")));
                    std::thread::sleep(Duration::from_millis(100));
                }
            });
            let done = work();
            is_over.store(true, Ordering::Relaxed);
            done
        });
        (done, watch)
    }

    /// The most within the first quarter, and after it.
    fn peaks(&self) -> (f64, f64) {
        let last = self.points.last().map(|(at, _)| *at).unwrap_or_default();
        let most = |is_early: bool| {
            self.points.iter().filter(|(at, _)| (*at < last / 4) == is_early).map(|(_, size)| *size).fold(0.0, f64::max)
        };
        (most(true), most(false))
    }

    fn check(&self, what: &str) {
        let (early, late) = self.peaks();
        assert!(late <= early + FLAT_WITHIN, "{what}: memory grows from {early:.1} MiB to {late:.1} MiB");
    }
}

/// Asks for `work` alone, then as much as is taken, then ten times that.
fn overload(what: &str, berth: &Berth, work: &str) {
    let each = Duration::from_secs(if torture() { 5 } else { 1 });
    let minute = Duration::from_secs(if torture() { 60 } else { 5 });
    let ask = |senders, duration, rate| {
        send(berth.port, Load { senders, duration, requests: EVER, rate }, |_| work.to_owned())
    };
    let is_accepted = |seen: &Seen| seen.status < 300;

    ask(1, each / 2, None);
    let alone = Latencies::of(&ask(1, each, None), is_accepted);
    let taken = Latencies::of(&ask(QUEUE / 2, each, None), is_accepted);
    let capacity = taken.count() as f64 / each.as_secs_f64();

    let begun = Instant::now();
    let (seen, watch) = Watch::during(berth.id(), || ask(SENDERS, minute, Some(TIMES * capacity)));
    let took = begun.elapsed();
    let accepted = Latencies::of(&seen, is_accepted);
    let refused = Latencies::of(&seen, |seen| !is_accepted(seen));
    let (early, late) = watch.peaks();
    eprintln!(
        "{what}: alone {alone}; {capacity:.0} a second are taken, {:.0} were sent for {:.0} s: {:.0} a second accepted \
         ({accepted}), {:.0} refused ({refused}); memory {early:.1} MiB, then at most {late:.1} MiB",
        seen.len() as f64 / took.as_secs_f64(),
        took.as_secs_f64(),
        accepted.count() as f64 / took.as_secs_f64(),
        refused.count() as f64 / took.as_secs_f64(),
    );

    for answer in seen.iter().filter(|seen| !is_accepted(seen)) {
        assert!(answer.status == 503 && answer.has_retry_after, "{what}: {answer:?}");
    }
    assert!(refused.count() > accepted.count(), "{what}: it was no overload");
    watch.check(what);
    assert_eq!(berth.client().get("/-/ready").status, 200);
    // How long things take is a claim only on a machine that does nothing else.
    if !torture() {
        return;
    }
    let bound = alone.percentile(99) * 2 * u32::try_from(QUEUE).unwrap();
    assert!(accepted.percentile(99) <= bound, "{what}: {accepted}, beyond {bound:?}");
    assert!(refused.percentile(50) < alone.percentile(50), "{what}: to refuse takes as long as the work: {refused}");
    assert!(accepted.count() as f64 > capacity * took.as_secs_f64() / 3.0, "{what}: to refuse keeps it from its work");
}

/// A volume with what SQLite's own SQL makes.
fn volume(sql: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    rusqlite::Connection::open(folder.path().join("app.db")).unwrap().execute_batch(sql).unwrap();
    folder
}

#[test]
fn reads_beyond_what_sqlite_can_take_are_refused_fast_and_the_others_are_in_time() {
    let folder = volume(
        "CREATE VIEW work AS WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 40000) \
         SELECT max(x) AS most FROM n",
    );
    let berth = Start::sqlite(folder.path(), folder.path()).with("QUEUE_LIMIT", QUEUE).with("POOL_SIZE", 1).run();
    overload("reads in place", &berth, &request("GET", "/work", ""));
}

#[test]
fn writes_beyond_what_sqlite_can_take_are_refused_fast_and_the_others_are_in_time() {
    let folder = volume(
        "CREATE TABLE work (id INTEGER PRIMARY KEY, done INTEGER NOT NULL); \
         WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 40000) \
         INSERT INTO work SELECT x, 0 FROM n",
    );
    let berth = Start::sqlite(folder.path(), folder.path()).with("QUEUE_LIMIT", QUEUE).run();
    overload("writes in place", &berth, &request("PATCH", "/work?id=gt.0", r#"{"done":1}"#));
}

#[test]
fn what_is_beyond_a_postgres_is_refused_fast_and_the_others_are_in_time() {
    let Some(server) = Server::primary() else { return };
    server.run("CREATE VIEW work AS SELECT 1 AS most FROM pg_sleep(0.02)");
    let folder = tempfile::tempdir().unwrap();
    let berth = Start::postgres(folder.path(), &server.dsn()).with("QUEUE_LIMIT", QUEUE).with("POOL_SIZE", 2).run();
    overload("reads from Postgres", &berth, &request("GET", "/work", ""));
}

/// The requests of an application, and those of someone who tries what is kept: every text is a new one.
fn of_all_kinds(number: u64) -> String {
    let id = number % 5_000;
    match number % 8 {
        0 => request("GET", &format!("/items?id=eq.{id}"), ""),
        1 => request("GET", &format!("/items?id=gt.{id}&order=id&limit=20"), ""),
        2 => request("PATCH", &format!("/items?id=eq.{id}"), &format!(r#"{{"name":"item {number}"}}"#)),
        3 => request("POST", "/events", &format!(r#"{{"id":{number},"kind":"view"}}"#)),
        4 => request("DELETE", &format!("/events?id=lt.{}", number.saturating_sub(1_000)), ""),
        5 => request("GET", &format!("/items?select=a{number}:name&id=eq.{id}"), ""),
        6 => request("GET", &format!("/items?id=eq.not-{number}"), ""),
        _ => request("GET", &format!("/no-{number}?or=(a.eq.1,b{number}.gt.2)"), ""),
    }
}

#[test]
fn memory_does_not_grow_with_the_number_of_requests() {
    let folder = volume(
        "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL); \
         CREATE TABLE events (id INTEGER PRIMARY KEY, kind TEXT NOT NULL); \
         WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5000) \
         INSERT INTO items SELECT x, 'item ' || x FROM n",
    );
    let berth = Start::sqlite(folder.path(), folder.path()).with("LOG_LEVEL", "error").run();
    let requests = if torture() { 1_000_000 } else { 16_000 };
    let load = Load { senders: 16, duration: Duration::from_secs(3_600), requests, rate: None };
    let begun = Instant::now();
    let (seen, watch) = Watch::during(berth.id(), || send(berth.port, load, of_all_kinds));
    let (early, late) = watch.peaks();
    eprintln!(
        "{} requests in {:.0} s ({}): at most {early:.1} MiB in the first quarter, {late:.1} MiB after it",
        seen.len(),
        begun.elapsed().as_secs_f64(),
        Latencies::of(&seen, |_| true),
    );
    assert_eq!(seen.len() as u64, requests);
    let failed = seen.iter().filter(|seen| seen.status >= 500).count();
    assert_eq!(failed, 0, "{}", berth.log_text());
    assert!(seen.iter().filter(|seen| seen.status < 300).count() > seen.len() / 2, "most of them find something");
    watch.check("requests of all kinds");
}
