//! What operators read.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::clock::Deadline;

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn written(format: Format, level: Level, project: Option<&str>, event: &Event<'_>) -> String {
    let page = Page::default();
    let writer = Writer::to(page.clone()).unwrap();
    let settings = Settings { format, level, google_cloud_project: project.map(str::to_owned) };
    let log = Log::new(settings, writer.clone());
    log.interpret(event);
    writer.flush(Deadline::after(Duration::from_secs(5)));
    let bytes = page.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn answered() -> RequestAnswered<'static> {
    RequestAnswered {
        method: "GET",
        path: "/films",
        class: RouteClass::Relation,
        status: 406,
        latency: Duration::from_micros(1234),
        response_bytes: 99,
        rows: Some(3),
        request_id: "abc",
        trace: Some("4bf92f3577b34da6a3ce929d0e0e4736"),
        span: None,
        error_code: Some("PGRST116"),
    }
}

#[test]
fn a_request_is_a_json_object_that_the_cloud_understands() {
    let line = written(Format::Json, Level::Info, Some("acme"), &Event::RequestAnswered(answered()));
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["severity"], "INFO");
    assert_eq!(value["message"], "request");
    assert!(value["time"].as_str().unwrap().ends_with('Z'));
    assert_eq!(value["httpRequest"]["requestMethod"], "GET");
    assert_eq!(value["httpRequest"]["requestUrl"], "/films");
    assert_eq!(value["httpRequest"]["status"], 406);
    assert_eq!(value["httpRequest"]["latency"], "0.001234s");
    assert_eq!(value["rows"], 3);
    assert_eq!(value["code"], "PGRST116");
    assert_eq!(value["requestId"], "abc");
    assert_eq!(value["logging.googleapis.com/trace"], "projects/acme/traces/4bf92f3577b34da6a3ce929d0e0e4736");
}

#[test]
fn people_read_a_request_on_one_line() {
    let line = written(Format::Text, Level::Info, None, &Event::RequestAnswered(answered()));
    assert!(
        line.contains(" INFO    request status=406 method=\"GET\" path=\"/films\" milliseconds=1.2 rows=3"),
        "{line}"
    );
    assert_eq!(line.lines().count(), 1);
}

#[test]
fn no_value_can_forge_a_line() {
    for format in [Format::Json, Format::Text] {
        let answered = RequestAnswered { path: "/\"\n{\"severity\":\"ERROR\"}", method: "G\nET", ..answered() };
        let line = written(format, Level::Info, None, &Event::RequestAnswered(answered));
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}

#[test]
fn a_level_leaves_out_what_matters_less() {
    assert_eq!(written(Format::Json, Level::Warn, None, &Event::RequestAnswered(answered())), "");
    let failed = RequestAnswered { status: 500, ..answered() };
    assert!(written(Format::Json, Level::Error, None, &Event::RequestAnswered(failed)).contains("ERROR"));
}

#[test]
fn probes_are_told_to_developers_only() {
    let probe = RequestAnswered { class: RouteClass::Own, status: 200, ..answered() };
    assert_eq!(written(Format::Json, Level::Info, None, &Event::RequestAnswered(probe)), "");
    assert_ne!(written(Format::Json, Level::Debug, None, &Event::RequestAnswered(probe)), "");
}

/// What is written of what `tell` tells `tracing`.
fn told(level: Level, tell: impl FnOnce()) -> String {
    let page = Page::default();
    let writer = Writer::to(page.clone()).unwrap();
    let settings = Settings { format: Format::Json, level, google_cloud_project: None };
    let subscriber = tracing_subscriber::registry().with(LibraryLayer(Log::new(settings, writer.clone())));
    tracing::subscriber::with_default(subscriber, tell);
    writer.flush(Deadline::after(Duration::from_secs(60)));
    String::from_utf8(page.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn what_a_client_sends_is_no_error() {
    let broken = || tracing::error!(target: "actix_http::h1::dispatcher", "stream error: request parse error");
    assert!(told(Level::Info, broken).starts_with("{\"severity\":\"INFO\""));
    assert_eq!(told(Level::Warn, broken), "");
}

#[test]
fn lines_of_libraries_come_as_fields() {
    let text = told(Level::Info, || {
        tracing::warn!(target: "library", attempts = 3, "it is slow");
        tracing::info!(target: "library", "chatter");
    });
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&value["message"], &value["target"]), (&"it is slow".into(), &"library".into()));
    assert_eq!(value["attempts"], "3");
}
