//! Metrics and spans reach a collector, also from an instance that is stopped before any scrape could find it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value as Json;

use crate::support::Start;

const SOON: Duration = Duration::from_secs(20);
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// An OpenTelemetry collector's receiver: path, header `api-key` and body of each request.
fn collector() -> (String, Receiver<(String, String, Json)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (told, heard) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut path, mut key, mut length) = (String::new(), String::new(), 0);
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap() == 0 {
                    break;
                }
                let line = line.trim_end().to_ascii_lowercase();
                if let Some(rest) = line.strip_prefix("post ") {
                    path = rest.split(' ').next().unwrap().to_owned();
                } else if let Some(value) = line.strip_prefix("api-key: ") {
                    key = value.to_owned();
                } else if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.parse().unwrap();
                } else if line.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}").unwrap();
            if told.send((path, key, serde_json::from_slice(&body).unwrap_or_default())).is_err() {
                return;
            }
        }
    });
    (address, heard)
}

/// The value of a counter in a push of metrics, all its points together.
fn total(push: &Json, name: &str) -> f64 {
    let metrics = push["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].as_array().unwrap();
    let metric = metrics.iter().find(|metric| metric["name"] == name).unwrap_or_else(|| panic!("no {name}"));
    let points = metric["sum"]["dataPoints"].as_array().unwrap();
    points.iter().map(|point| point["asDouble"].as_f64().unwrap()).sum()
}

fn attribute<'a>(push: &'a Json, name: &str) -> &'a str {
    let attributes = push["resourceMetrics"][0]["resource"]["attributes"].as_array().unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == name);
    found.and_then(|attribute| attribute["value"]["stringValue"].as_str()).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn a_stopped_instance_has_told_a_collector_what_it_did() {
    let (address, heard) = collector();
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("data");
    std::fs::create_dir(&volume).unwrap();
    let berth = Start::sqlite(folder.path(), &volume)
        .with("MIGRATIONS", crate::support::migrations().display())
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        .with("OTEL_EXPORTER_OTLP_HEADERS", "api-key=se%63ret")
        .with("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        .with("K_SERVICE", "films")
        .with("K_REVISION", "films-00001")
        .run();
    let client = berth.client();
    let traced = [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")];
    assert_eq!(client.send("GET", "/films?limit=2", &traced, "").status, 200);

    let (path, key, first) = heard.recv_timeout(SOON).unwrap();
    assert_eq!((path.as_str(), key.as_str()), ("/v1/metrics", "secret"));
    for (name, value) in [
        ("service.name", "films"),
        ("faas.version", "films-00001"),
        ("deployment.environment.name", "test"),
        ("service.version", env!("CARGO_PKG_VERSION")),
    ] {
        assert_eq!(attribute(&first, name), value);
    }
    assert_eq!(attribute(&first, "service.instance.id").len(), 16);
    let (path, _, spans) = heard.recv_timeout(SOON).unwrap();
    let span = &spans["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!((path.as_str(), span["traceId"].as_str()), ("/v1/traces", Some(TRACE)));
    assert_eq!(span["parentSpanId"], "00f067aa0ba902b7");

    // Not sampled, and before the next push is due.
    for _ in 0..10 {
        assert_eq!(client.get("/films?limit=1").status, 200);
    }
    let log = berth.log.clone();
    let (code, took) = berth.terminate();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(5), "{took:?}");
    let (path, _, last) = heard.recv_timeout(SOON).unwrap();
    assert_eq!(path, "/v1/metrics");
    assert!(total(&last, "berth_http_requests_total") >= 11.0);
    assert!(total(&last, "berth_busy_seconds_total") > 0.0);
    let log = std::fs::read_to_string(log).unwrap();
    let line = log.lines().find(|line| line.contains(TRACE)).unwrap();
    assert!(line.contains("logging.googleapis.com/spanId") && !log.contains("secret"), "{line}");
}

#[test]
fn a_collector_that_does_not_answer_costs_no_request_and_no_more_than_a_second_of_the_stop() {
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("data");
    std::fs::create_dir(&volume).unwrap();
    let berth = Start::sqlite(folder.path(), &volume)
        .with("MIGRATIONS", crate::support::migrations().display())
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", deaf.local_addr().unwrap()))
        .with("OTEL_METRIC_EXPORT_INTERVAL", "1")
        .run();
    let client = berth.client();
    let started = std::time::Instant::now();
    for _ in 0..50 {
        assert_eq!(client.get("/films?limit=1").status, 200);
    }
    assert!(started.elapsed() < Duration::from_secs(5), "requests wait for the collector");
    let (code, took) = berth.terminate();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(4), "{took:?}");
}
