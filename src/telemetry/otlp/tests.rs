use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use prometheus::{IntCounter, Registry};

use super::*;
use crate::telemetry::event::SpanPlace;

/// A collector: sends on each request's path, its header `x-key` and its body, and answers with `status`.
fn collector(status: &'static str) -> (String, mpsc::Receiver<(String, String, Json)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (told, heard) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut path, mut key, mut length) = (String::new(), String::new(), 0);
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                let line = line.trim_end().to_ascii_lowercase();
                if let Some(rest) = line.strip_prefix("post ") {
                    path = rest.split(' ').next().unwrap().to_owned();
                } else if let Some(value) = line.strip_prefix("x-key: ") {
                    key = value.to_owned();
                } else if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.parse().unwrap();
                } else if line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
            stream.write_all(answer.as_bytes()).unwrap();
            if told.send((path, key, serde_json::from_slice(&body).unwrap())).is_err() {
                return;
            }
        }
    });
    (address, heard)
}

fn settings(address: &str, interval: Duration) -> Settings {
    Settings {
        metrics: Some(format!("{address}/v1/metrics")),
        traces: Some(format!("{address}/v1/traces")),
        headers: vec![("x-key".to_owned(), "secret".to_owned())],
        resource: vec![("service.name".to_owned(), "test".to_owned())],
        interval,
        timeout: Duration::from_secs(5),
    }
}

fn answered(span: Option<SpanPlace<'_>>) -> RequestAnswered<'_> {
    RequestAnswered {
        method: "GET",
        path: "/films",
        class: RouteClass::Relation,
        status: 200,
        latency: Duration::from_millis(2),
        response_bytes: 2,
        rows: Some(1),
        request_id: "1",
        trace: Some("4bf92f3577b34da6a3ce929d0e0e4736"),
        span,
        error_code: None,
    }
}

const SAMPLED: Option<SpanPlace<'_>> = Some(SpanPlace { id: "00f067aa0ba902b7", parent: "00f067aa0ba902b8" });
const SOON: Duration = Duration::from_secs(10);

/// Pushes of a counter that counts how often it was gathered.
fn exporter(settings: Settings) -> (Exporter, Arc<AtomicUsize>, mpsc::Receiver<Pushed>) {
    let registry = Registry::new();
    let counter = IntCounter::new("gathered_total", "Gathered.").unwrap();
    registry.register(Box::new(counter.clone())).unwrap();
    let gathered = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&gathered);
    let (told, heard) = mpsc::channel();
    let gather = move || {
        count.fetch_add(1, Ordering::Relaxed);
        counter.inc();
        registry.gather()
    };
    let exporter = Exporter::start(settings, gather, move |pushed| drop(told.send(pushed.clone()))).unwrap();
    (exporter, gathered, heard)
}

#[test]
fn the_first_request_pushes_and_the_next_ones_wait_for_their_time() {
    let (address, heard) = collector("200 OK");
    let (exporter, gathered, told) = exporter(settings(&address, Duration::from_secs(3_600)));
    exporter.answered(&answered(SAMPLED));
    let (path, key, metrics) = heard.recv_timeout(SOON).unwrap();
    assert_eq!((path.as_str(), key.as_str()), ("/v1/metrics", "secret"));
    let point = &metrics["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"][0];
    assert_eq!(point["asDouble"], 1.0);
    let (path, _, spans) = heard.recv_timeout(SOON).unwrap();
    assert_eq!(path, "/v1/traces");
    assert_eq!(spans["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["spanId"], "00f067aa0ba902b7");
    assert_eq!(told.recv_timeout(SOON).unwrap(), Ok(()));
    for _ in 0..100 {
        exporter.answered(&answered(None));
    }
    assert!(heard.recv_timeout(Duration::from_millis(200)).is_err(), "pushed before its time");

    exporter.finish(Deadline::after(SOON));
    assert_eq!(heard.recv_timeout(SOON).unwrap().0, "/v1/metrics", "what is left is pushed at the end");
    assert_eq!(gathered.load(Ordering::Relaxed), 2);
}

#[test]
fn what_came_after_a_push_is_pushed_once_more_and_then_nothing_runs() {
    let (address, heard) = collector("200 OK");
    let (exporter, gathered, _told) = exporter(settings(&address, Duration::from_millis(100)));
    exporter.answered(&answered(None));
    heard.recv_timeout(SOON).unwrap();
    exporter.answered(&answered(None));
    heard.recv_timeout(SOON).unwrap();
    assert!(heard.recv_timeout(Duration::from_millis(500)).is_err(), "an idle instance pushes nothing");
    assert_eq!(gathered.load(Ordering::Relaxed), 2);
}

#[test]
fn probes_are_no_news() {
    let (address, heard) = collector("200 OK");
    let (exporter, _, _told) = exporter(settings(&address, Duration::ZERO));
    exporter.answered(&RequestAnswered { class: RouteClass::Own, ..answered(None) });
    assert!(heard.recv_timeout(Duration::from_millis(200)).is_err());
}

#[test]
fn a_collector_that_refuses_is_told_of_and_its_address_is_not() {
    let (address, _heard) = collector("503 Service Unavailable");
    let (exporter, _, told) = exporter(settings(&address, Duration::ZERO));
    exporter.answered(&answered(None));
    let cause = told.recv_timeout(SOON).unwrap().unwrap_err();
    assert!(cause.contains("503") && !cause.contains("127.0.0.1"), "{cause}");
}

#[test]
fn a_collector_that_is_silent_holds_up_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (exporter, _, _told) = exporter(settings(&address, Duration::ZERO));
    let stopwatch = Stopwatch::start();
    for _ in 0..3 * SPANS_MAX {
        exporter.answered(&answered(SAMPLED));
    }
    assert!(exporter.0.state().spans.len() <= SPANS_MAX, "the queue has a bound");
    exporter.finish(Deadline::after(Duration::from_millis(300)));
    assert!(stopwatch.elapsed() < Duration::from_secs(3), "{:?}", stopwatch.elapsed());
}
