//! The server over real sockets, with something simple in place of the pipeline.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, oneshot};

use super::*;
use crate::config::{Config, Machine};
use crate::telemetry::Telemetry;

/// Answers by the path it is asked for.
#[derive(Default)]
struct Fake {
    /// Lets `/slow` answer.
    go: Notify,
    waiting: AtomicUsize,
}

/// Counted while it is there.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Answer for Fake {
    fn admit(&self, _: IpAddr, _: &Context) -> Result<(), Reply> {
        Ok(())
    }

    async fn answer(&self, raw: Raw, context: &Context) -> Reply {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        match raw.path.as_str() {
            "/panic" => panic!("the moon is made of cheese"),
            "/slow" => {
                let _waiting = Waiting::begin(&self.waiting);
                self.go.notified().await;
            }
            "/large" => {
                let body = (0..10 << 20).map(|at: usize| b'a' + (at % 23) as u8).collect::<Vec<u8>>();
                return Reply { status: 200, headers: Vec::new(), body: body.into(), rest: None };
            }
            "/gone" => return Reply { status: 204, ..Reply::default() },
            _ => {}
        }
        let seen = serde_json::json!({
            "method": raw.method,
            "path": raw.path,
            "query": raw.query,
            "colour": raw.header("x-colour"),
            "body": String::from_utf8_lossy(&raw.body),
            "trace": context.trace,
        });
        let body = if raw.method == "HEAD" { Bytes::new() } else { Bytes::from(seen.to_string()) };
        Reply {
            status: 200,
            headers: vec![header("Content-Type", "application/json"), header("Content-Range", "0-1/*")],
            body,
            rest: None,
        }
    }

    async fn is_ready(&self) -> Result<(), String> {
        Err("the secret place is on fire".to_owned())
    }

    fn log_state(&self) -> Option<LogState> {
        None
    }
}

/// A server on a port of its own; stops when dropped.
struct Running {
    port: u16,
    fake: Arc<Fake>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    fn start(typed: &[(&str, &str)]) -> Self {
        let typed = typed.iter().chain(&[("PORT", "0"), ("HOST", "127.0.0.1")]);
        let typed: Vec<_> = typed.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let config = Config::read(typed, &Machine { memory_bytes: 64 << 20, cores: 1, files: 1_024 }).unwrap();
        let fake = Arc::new(Fake::default());
        let app = Arc::clone(&fake);
        let (told_port, port) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let server = Server::bind(&config, app, Telemetry::silent().unwrap()).unwrap();
                told_port.send(server.port()).unwrap();
                server.run(async { drop(stopped.await) }).await.unwrap();
            });
        });
        Self { port: port.recv().unwrap(), fake, stop: Some(stop), thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream
    }

    /// Sends `head` (request line and headers) and `body`, and reads the whole answer.
    fn ask(&self, head: &str, body: &[u8]) -> String {
        let mut stream = self.connect();
        let _ = stream.write_all(format!("{head}\r\nHost: test\r\nConnection: close\r\n\r\n").as_bytes());
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8(answer).unwrap()
    }

    fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1"), b"")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split("\r\n\r\n").next()?;
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(": ")?;
        key.eq_ignore_ascii_case(name).then_some(value)
    })
}

fn json(answer: &str) -> serde_json::Value {
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[test]
fn a_request_reaches_the_pipeline_as_it_came() {
    let server = Running::start(&[]);
    let head = "POST /a%20b?x=eq.%22&y=1 HTTP/1.1\r\nX-Colour: red\r\nContent-Length: 4\r\n\
                traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let answer = server.ask(head, b"body");
    let seen = json(&answer);
    assert_eq!(seen["method"], "POST");
    assert_eq!(seen["path"], "/a%20b");
    assert_eq!(seen["query"], "x=eq.%22&y=1");
    assert_eq!(seen["colour"], "red");
    assert_eq!(seen["body"], "body");
    assert_eq!(seen["trace"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(header(&answer, "server"), Some(concat!("berth/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(header(&answer, "x-request-id").unwrap().len(), 16);
}

#[test]
fn what_a_uri_may_not_hold_arrives_all_the_same() {
    let server = Running::start(&[]);
    let first = "POST /a?select=a->b,c->>d&or=(x.eq.\"é\",y.cs.{1}) HTTP/1.1\r\nHost: t\r\nContent-Length: 11\r\n\r\nGET /> HTTP";
    let head = format!("{first}GET /b?select=e->f HTTP/1.1");
    let answer = server.ask(&head, b"");
    let (one, other) = answer.split_at(answer.rfind("HTTP/1.1 200").unwrap());
    let (one, other) = (json(one), json(other));
    assert_eq!(one["query"], "select=a-%3Eb,c-%3E%3Ed&or=(x.eq.%22%C3%A9%22,y.cs.%7B1%7D)");
    assert_eq!(one["body"], "GET /> HTTP");
    assert_eq!(other["query"], "select=e-%3Ef");
}

#[test]
fn a_request_keeps_the_name_its_sender_gave() {
    let answer = Running::start(&[]).ask("GET / HTTP/1.1\r\nX-Request-Id: mine-1", b"");
    assert_eq!(header(&answer, "x-request-id"), Some("mine-1"));
}

#[test]
fn a_head_has_headers_and_neither_body_nor_length() {
    let answer = Running::start(&[]).ask("HEAD /films HTTP/1.1", b"");
    assert_eq!(status(&answer), 200);
    assert_eq!(header(&answer, "content-range"), Some("0-1/*"));
    assert_eq!(header(&answer, "content-length"), None);
    assert_eq!(header(&answer, "transfer-encoding"), None);
    assert!(answer.ends_with("\r\n\r\n"));
}

#[test]
fn a_204_has_no_length() {
    let answer = Running::start(&[]).get("/gone");
    assert_eq!((status(&answer), header(&answer, "content-length")), (204, None));
}

#[test]
fn a_body_that_is_too_large_is_refused_in_postgrests_shape() {
    let server = Running::start(&[("MAX_BODY", "10")]);
    let announced = server.ask("POST /films HTTP/1.1\r\nContent-Length: 11", b"01234567890");
    let chunked = server.ask("POST /films HTTP/1.1\r\nTransfer-Encoding: chunked", b"b\r\n01234567890\r\n0\r\n\r\n");
    for answer in [announced, chunked] {
        assert_eq!(status(&answer), 413, "{answer}");
        let error = json(&answer);
        assert_eq!(error["code"], "BERTH413");
        assert_eq!(error["message"], "the request's body is larger than 10 bytes");
        assert!(error["details"].is_null());
    }
    assert_eq!(status(&server.ask("POST /films HTTP/1.1\r\nContent-Length: 10", b"0123456789")), 200);
}

#[test]
fn a_body_in_pieces_is_put_together() {
    let pieces = b"3\r\nabc\r\n4\r\ndefg\r\n1\r\nh\r\n0\r\n\r\n";
    let answer = Running::start(&[]).ask("POST /films HTTP/1.1\r\nTransfer-Encoding: chunked", pieces);
    assert_eq!(json(&answer)["body"], "abcdefgh");
}

#[test]
fn past_the_queue_limit_a_request_is_told_to_come_back_at_once() {
    let server = Running::start(&[("QUEUE_LIMIT", "1")]);
    let mut slow = server.connect();
    slow.write_all(b"GET /slow HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
    while server.fake.waiting.load(Ordering::SeqCst) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }

    let refused = server.get("/films");
    assert_eq!(status(&refused), 503);
    assert_eq!(header(&refused, "retry-after"), Some("1"));
    assert_eq!(json(&refused)["code"], "BERTH503");
    assert_eq!(status(&server.get("/-/live")), 200, "own routes need no place");
    let metrics = server.get("/-/metrics");
    assert!(metrics.contains("berth_http_refused_total{reason=\"queue_full\"} 1"), "{metrics}");
    assert!(metrics.contains("berth_http_requests_in_flight 1"), "{metrics}");

    server.fake.go.notify_one();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), 200);
    assert_eq!(status(&server.get("/films")), 200);
}

#[test]
fn a_panic_is_a_500_that_tells_nothing() {
    let server = Running::start(&[]);
    let answer = server.get("/panic");
    assert_eq!(status(&answer), 500);
    assert!(!answer.contains("cheese"), "{answer}");
    assert_eq!(status(&server.get("/films")), 200);
}

#[test]
fn a_store_that_is_not_ready_is_not_explained_to_the_world() {
    let answer = Running::start(&[]).get("/-/ready");
    assert_eq!(status(&answer), 503);
    assert!(!answer.contains("fire"), "{answer}");
}

#[test]
fn own_routes_are_only_read() {
    let server = Running::start(&[]);
    let posted = server.ask("POST /-/live HTTP/1.1\r\nContent-Length: 0", b"");
    assert_eq!((status(&posted), header(&posted, "allow")), (405, Some("GET, HEAD")));
    assert_eq!(status(&server.get("/-/nothing")), 404);
    assert_eq!(json(&server.get("/-/status"))["ready"], false);
}

#[test]
fn browsers_get_their_headers_on_errors_too() {
    let server = Running::start(&[("MAX_BODY", "1")]);
    let head = "POST /films HTTP/1.1\r\nOrigin: http://a.example\r\nContent-Length: 2";
    assert_eq!(header(&server.ask(head, b"ab"), "access-control-allow-origin"), Some("*"));
    let preflight = "OPTIONS /films HTTP/1.1\r\nOrigin: http://a.example\r\nAccess-Control-Request-Method: POST";
    let answer = server.ask(preflight, b"");
    assert_eq!((status(&answer), header(&answer, "access-control-max-age")), (200, Some("86400")));
    let plain = server.ask("OPTIONS /films HTTP/1.1\r\nOrigin: http://a.example", b"");
    assert_eq!(json(&plain)["method"], "OPTIONS", "not a preflight: the pipeline answers");
}

#[test]
fn an_unlisted_origin_gets_no_headers() {
    let server = Running::start(&[("CORS_ORIGINS", "http://a.example")]);
    let answer = server.ask("GET /films HTTP/1.1\r\nOrigin: http://b.example", b"");
    assert_eq!((status(&answer), header(&answer, "access-control-allow-origin")), (200, None));
}

#[test]
fn the_trace_header_comes_back() {
    let server = Running::start(&[("SERVER_TRACE_HEADER", "X-Trace")]);
    let answer = server.ask("GET /films HTTP/1.1\r\nX-Trace: 42", b"");
    assert_eq!(header(&answer, "x-trace"), Some("42"));
}

#[test]
fn heads_that_are_malformed_or_too_large_are_client_errors() {
    let server = Running::start(&[]);
    for (what, head, expected) in [
        ("bad syntax", "GET /films HTTP/9.9".to_owned(), 400),
        ("an address beyond 65,534 bytes", format!("GET /films?id=in.({}) HTTP/1.1", "1,".repeat(40_000)), 400),
        ("a head beyond 128 KiB", format!("GET /films?id=in.({}) HTTP/1.1", "1,".repeat(70_000)), 431),
        ("a million values", format!("GET /films?id=in.({}) HTTP/1.1", "1234567,".repeat(1_000_000)), 431),
        ("a hundred headers", format!("GET / HTTP/1.1{}", "\r\nA: b".repeat(100)), 431),
    ] {
        let answer = server.ask(&head, b"");
        assert_eq!(status(&answer), expected, "{what}: {}", answer.get(..200.min(answer.len())).unwrap());
        let error = json(&answer);
        assert_eq!(error["code"], format!("BERTH{expected}"), "{what}");
        assert!(error["message"].as_str().unwrap().starts_with("the request's head"), "{what}");
        assert_eq!(header(&answer, "content-type"), Some("application/json; charset=utf-8"), "{what}");
    }
    assert_eq!(status(&server.get("/films")), 200);
}

#[test]
fn a_read_is_given_up_when_its_client_leaves_and_a_write_is_not() {
    let server = Running::start(&[]);
    let wait_for = |count: usize| {
        let waited = (0..5_000).find(|_| {
            std::thread::sleep(Duration::from_millis(1));
            server.fake.waiting.load(Ordering::SeqCst) == count
        });
        waited.is_some()
    };
    for (head, left) in [("GET /slow", 0), ("POST /slow", 1)] {
        let mut stream = server.connect();
        stream.write_all(format!("{head} HTTP/1.1\r\nHost: test\r\n\r\n").as_bytes()).unwrap();
        assert!(wait_for(1), "{head} arrived");
        drop(stream);
        std::thread::sleep(Duration::from_millis(1_500));
        assert!(wait_for(left), "{head}");
    }
    server.fake.go.notify_one();
}

#[test]
fn who_closes_its_side_and_waits_is_answered() {
    let server = Running::start(&[]);
    let mut stream = server.connect();
    stream.write_all(b"GET /films HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), 200);
}

#[test]
fn answers_that_nobody_takes_have_a_bound() {
    // A quarter of 64 MiB: one answer of 10 MiB.
    let server = Running::start(&[]);
    let mut slow = server.connect();
    slow.write_all(b"GET /large HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
    let mut first = [0];
    slow.read_exact(&mut first).unwrap();
    let refused = server.get("/large");
    assert_eq!((status(&refused), header(&refused, "retry-after")), (503, Some("1")));
    let metrics = server.get("/-/metrics");
    assert!(metrics.contains("berth_http_refused_total{reason=\"answers_full\"} 1"), "{metrics}");
    assert!(metrics.contains("berth_http_answer_bytes 10485760"), "{metrics}");
    let written = server.ask("POST /large HTTP/1.1\r\nContent-Length: 0", b"");
    assert_eq!(status(&written), 200, "what was done is told");

    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).unwrap();
    let body = rest.windows(4).position(|bytes| bytes == b"\r\n\r\n").and_then(|head| rest.get(head + 4..)).unwrap();
    assert_eq!(body.len(), 10 << 20);
    assert!(body.iter().enumerate().all(|(at, byte)| usize::from(byte - b'a') == at % 23), "whole and in order");
    assert_eq!(status(&server.get("/large")), 200, "there is room again");
}

#[test]
fn clients_that_keep_their_connections_shut_out_nobody() {
    // As many as there may be with 64 MiB are 256.
    let server = Running::start(&[]);
    let kept: Vec<_> = (0..300)
        .map(|number| {
            let mut stream = server.connect();
            stream.write_all(b"GET /films HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
            let mut answer = [0; 12];
            stream.read_exact(&mut answer).unwrap_or_else(|error| panic!("connection {number}: {error}"));
            assert_eq!(&answer, b"HTTP/1.1 200");
            stream
        })
        .collect();
    let metrics = server.get("/-/metrics");
    let open = metrics.lines().find_map(|line| line.strip_prefix("berth_http_connections ")).unwrap();
    assert!(open.parse::<usize>().unwrap() < 256, "{open}");
    drop(kept);
}

#[test]
fn the_console_is_served_also_below_what_a_proxy_hands_on() {
    let server = Running::start(&[]);
    for path in ["/-/", "/rest/v1/-/"] {
        let answer = server.get(path);
        assert_eq!(
            (status(&answer), header(&answer, "content-type")),
            (200, Some("text/html; charset=utf-8")),
            "{path}"
        );
        assert!(header(&answer, "content-security-policy").unwrap().contains("frame-ancestors 'none'"));
        assert!(answer.contains("<title>berth</title>"));
    }
    for path in ["/-", "/rest/v1/-"] {
        let answer = server.get(path);
        assert_eq!((status(&answer), header(&answer, "location")), (308, Some("-/")), "{path}");
    }
    assert_eq!(status(&server.ask("HEAD /-/ HTTP/1.1", b"")), 200);
    assert_eq!(status(&server.ask("POST /-/ HTTP/1.1\r\nContent-Length: 0", b"")), 405);
    assert_eq!(status(&server.get("/rest/v1/-/status")), 200);
    assert_eq!(json(&server.get("/rest/v1/-/metrics"))["path"], "/rest/v1/-/metrics", "not for everyone");
}

#[test]
fn who_asks_for_a_socket_or_a_tunnel_is_answered_at_once() {
    let server = Running::start(&[]);
    for head in [
        "GET /films HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket",
        "GET /films HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nContent-Length: 2",
        "CONNECT films:80 HTTP/1.1",
    ] {
        let mut stream = server.connect();
        stream.write_all(format!("{head}\r\nHost: test\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!((status(&answer), header(&answer, "connection")), (200, Some("close")), "{head}");
    }
}

#[test]
fn stopping_lets_requests_in_flight_finish() {
    let mut server = Running::start(&[]);
    let mut slow = server.connect();
    slow.write_all(b"GET /slow HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    while server.fake.waiting.load(Ordering::SeqCst) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(server.stop.take());
    std::thread::sleep(Duration::from_millis(50));
    server.fake.go.notify_one();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), 200);
}
