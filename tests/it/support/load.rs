//! Many senders at one time, each with a connection of its own, as cheap as can be: what they take of the machine is
//! not the server's.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// What a sender needs: a buffer or two.
const STACK_BYTES: usize = 128 << 10;

/// Longer than any answer may take: what comes later is none.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// One answer, as far as it is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    pub status: u16,
    /// It says when to come back.
    pub has_retry_after: bool,
    pub latency: Duration,
}

/// How many requests, and when.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Senders, each with one request at a time.
    pub senders: u64,
    /// For so long.
    pub duration: Duration,
    /// At most so many requests.
    pub requests: u64,
    /// Requests per second of all senders together; `None`: each sends as soon as it is answered.
    pub rate: Option<f64>,
}

/// A connection.
struct Sender {
    stream: BufReader<TcpStream>,
}

impl Sender {
    fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWERED_WITHIN))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    fn ask(&mut self, request: &str) -> io::Result<Seen> {
        let sent = Instant::now();
        self.stream.get_mut().write_all(request.as_bytes())?;
        let (mut line, mut status, mut length, mut has_retry_after) = (String::new(), 0, 0_u64, false);
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let text = line.trim_end().to_ascii_lowercase();
            match text.split_once(": ") {
                _ if text.is_empty() => break,
                Some(("content-length", value)) => length = value.parse().unwrap_or(0),
                Some(("retry-after", _)) => has_retry_after = true,
                _ if text.starts_with("http/1.1 ") => status = text[9..12].parse().unwrap_or(0),
                _ => {}
            }
        }
        io::copy(&mut self.stream.by_ref().take(length), &mut io::sink())?;
        Ok(Seen { status, has_retry_after, latency: sent.elapsed() })
    }
}

/// A request of HTTP/1.1, `body` as JSON.
pub fn request(method: &str, path: &str, body: &str) -> String {
    let content = if body.is_empty() {
        String::new()
    } else {
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())
    };
    format!("{method} {path} HTTP/1.1\r\nHost: berth\r\n{content}\r\n{body}")
}

/// Sends `write(n)` for the numbers from zero on; gives every answer. A connection that breaks fails the test.
pub fn send(port: u16, load: Load, write: impl Fn(u64) -> String + Sync) -> Vec<Seen> {
    let (next, seen) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let (begun, write) = (Instant::now(), &write);
    std::thread::scope(|scope| {
        for _ in 0..load.senders {
            let work = || {
                let mut sender = Sender::connect(port).expect("a connection is taken");
                let mut mine = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let due = load.rate.map_or(Duration::ZERO, |rate| Duration::from_secs_f64(number as f64 / rate));
                    if number >= load.requests || begun.elapsed().max(due) >= load.duration {
                        break;
                    }
                    std::thread::sleep(due.saturating_sub(begun.elapsed()));
                    mine.push(sender.ask(&write(number)).expect("every request is answered"));
                }
                seen.lock().unwrap().append(&mut mine);
            };
            std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).unwrap();
        }
    });
    seen.into_inner().unwrap()
}

/// Latencies, ascending.
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Those of the answers that `which` picks.
    pub fn of(seen: &[Seen], which: impl Fn(&Seen) -> bool) -> Self {
        let mut latencies: Vec<_> = seen.iter().filter(|seen| which(seen)).map(|seen| seen.latency).collect();
        latencies.sort_unstable();
        Self(latencies)
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// What so many of a hundred stay within.
    pub fn percentile(&self, percent: usize) -> Duration {
        let last = self.0.len().saturating_sub(1);
        self.0.get(last * percent / 100).copied().unwrap_or_default()
    }
}

impl fmt::Display for Latencies {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |percent| self.percentile(percent).as_secs_f64() * 1e3;
        write!(formatter, "p50 {:.1} ms, p99 {:.1} ms", milliseconds(50), milliseconds(99))
    }
}

/// A line of `/proc/<pid>/status`, in MiB: `VmRSS`, `RssAnon`, `VmHWM`.
pub fn memory(pid: u32, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches(|character: char| !character.is_ascii_digit()).parse::<f64>().unwrap() / 1024.0
}
