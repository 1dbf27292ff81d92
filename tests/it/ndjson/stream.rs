//! Answers that are sent while they are read.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{MEDIA, values};
use crate::support::deployment::Deployment;
use crate::support::load::memory;
use crate::support::{Answer, Berth, Client};

/// `number` is none in the row before the last quarter.
const SCHEMA: &str = "
    CREATE TABLE big (id int PRIMARY KEY, number text NOT NULL, pad text NOT NULL);
    CREATE TABLE times (n int PRIMARY KEY);
    INSERT INTO times VALUES (1), (2), (3), (4), (5);
    CREATE VIEW many AS SELECT times.n, big.id, big.pad FROM times CROSS JOIN big;
";

const ROWS: usize = 20_000;
const BROKEN: usize = 15_000;
const SOON: Duration = Duration::from_secs(60);

fn lines(client: &Client, path: &str, prefer: &str) -> Answer {
    client.send("GET", path, &[("Accept", MEDIA), ("Prefer", prefer)], "")
}

/// Ten megabytes of rows.
fn fill(client: &Client) {
    let pad = "0123456789".repeat(48);
    let row = |id: usize| {
        let number = if id == BROKEN { "none".to_owned() } else { id.to_string() };
        format!("{{\"id\":{id},\"number\":\"{number}\",\"pad\":\"{pad}\"}}\n")
    };
    let rows: String = (1..=ROWS).map(row).collect();
    let answer = client.send("POST", "/big", &[("Content-Type", MEDIA)], &rows);
    assert_eq!(answer.status, 201, "{}", answer.body);
}

/// A client that reads when it is told to.
fn begin(berth: &Berth, path: &str) -> TcpStream {
    let mut socket = TcpStream::connect(("127.0.0.1", berth.port)).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: x\r\nAccept: {MEDIA}\r\nConnection: close\r\n\r\n").unwrap();
    let mut head = [0; 1_000];
    socket.read_exact(&mut head).unwrap();
    assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
    socket
}

fn read_to_end(mut socket: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A connection that is reset has ended as well.
    let _ = socket.read_to_end(&mut bytes);
    bytes
}

/// Waits until a metric has a value.
fn await_metric(client: &Client, line: &str) {
    let started = Instant::now();
    while !client.get("/-/metrics").body.lines().any(|found| found == line) {
        assert!(started.elapsed() < SOON, "no {line} in {}", client.get("/-/metrics").body);
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn more_rows_than_an_answer_may_have_are_sent_while_they_are_read() {
    for deployment in Deployment::on_each_store("ndjson_stream", SCHEMA) {
        let berth = deployment.instance().with("MAX_ROWS", 100).with("MAX_STREAM_ROWS", "none").run();
        let (client, store) = (berth.client(), deployment.name());
        fill(&client);
        let all = lines(&client, "/big?select=id,pad&order=id", "");
        let ids = values(&all).iter().map(|row| row["id"].as_u64().unwrap()).collect::<Vec<_>>();
        assert!(ids.iter().copied().eq(1..=ROWS as u64), "{store}: {} rows", ids.len());
        assert_eq!(all.header("Transfer-Encoding"), Some("chunked"), "{store}");
        assert_eq!(all.header("Content-Range"), Some("*/*"), "{store}");
        assert_eq!(client.get("/big?select=id").header("Content-Range"), Some("0-99/*"), "{store}");

        let counted = lines(&client, "/big?select=id,pad&order=id.desc&limit=5000&offset=10", "count=exact");
        assert_eq!((counted.status, values(&counted).len()), (206, 5_000), "{store}");
        assert_eq!(counted.header("Content-Range"), Some("10-5009/20000"), "{store}");
        assert_eq!(counted.header("Preference-Applied"), Some("count=exact"), "{store}");
        let head = client.send("HEAD", "/big", &[("Accept", MEDIA), ("Prefer", "count=exact")], "");
        assert_eq!((head.status, head.header("Content-Range")), (200, Some("0-19999/20000")), "{store}");
        let behind = lines(&client, "/big?offset=30000", "count=exact");
        assert_eq!((behind.status, behind.json()["code"].as_str()), (416, Some("PGRST103")), "{store}");

        let before = memory(berth.id(), "RssAnon:");
        let many = lines(&client, "/many", "");
        assert_eq!(many.body.lines().count(), 5 * ROWS, "{store}");
        let more = memory(berth.id(), "RssAnon:") - before;
        assert!(more < 16.0, "{store}: {} bytes took {more:.1} MiB", many.body.len());
        await_metric(&client, "berth_http_streams_total{ending=\"whole\"} 3");

        let bounded = deployment.instance().with("MAX_ROWS", 100).run();
        assert_eq!(values(&lines(&bounded.client(), "/big", "")).len(), 100, "{store}");
    }
}

#[test]
fn a_stream_that_breaks_is_told_from_a_whole_one() {
    for deployment in Deployment::on_each_store("ndjson_breaks", SCHEMA) {
        let berth = deployment.instance().run();
        let (client, store) = (berth.client(), deployment.name());
        fill(&client);
        let path = "/big?select=id,pad,number::int";
        assert!(client.try_send("GET", path, &[("Accept", MEDIA)], "").is_none(), "{store}");
        let sent = read_to_end(begin(&berth, path));
        assert!(sent.len() > 64 << 10 && !sent.ends_with(b"0\r\n\r\n"), "{store}: {} bytes", sent.len());
        await_metric(&client, "berth_http_streams_total{ending=\"broken\"} 2");
        let told = berth.logged("\"code\":\"22P02\"");
        assert!(told.contains("\"severity\":\"ERROR\"") && told.contains("requestId"), "{store}: {told}");
        // What breaks before anything is sent is an error like any other.
        let refused = lines(&client, &format!("{path}&id=gte.{BROKEN}"), "");
        assert_eq!((refused.status, refused.json()["code"].as_str()), (400, Some("22P02")), "{store}");
    }
}

#[test]
fn a_client_that_takes_its_time_keeps_nobody_waiting_and_is_let_go() {
    for deployment in Deployment::on_each_store("ndjson_slow", SCHEMA) {
        let berth = deployment.instance().with("POOL_SIZE", 2).with("STREAM_TIMEOUT", "4s").run();
        let (client, store) = (berth.client(), deployment.name());
        fill(&client);
        let slow = begin(&berth, "/many");
        let started = Instant::now();
        // One of two connections is left, and the writer.
        for _ in 0..5 {
            assert_eq!(client.get("/big?select=id&id=lt.3&order=id").json(), json!([{"id": 1}, {"id": 2}]), "{store}");
        }
        let written =
            client.send("PATCH", "/big?id=eq.20000", &[("Content-Type", "application/json")], "{\"pad\":\"new\"}");
        assert_eq!(written.status, 204, "{store}");
        let is_early = started.elapsed() < Duration::from_secs(3);
        // The place among the streams is free again when time is up, whatever the client does.
        assert_eq!(lines(&client, "/big?select=id", "").body.lines().count(), ROWS, "{store}");
        assert!(!is_early || started.elapsed() > Duration::from_secs(3), "{store}: {:?}", started.elapsed());
        let sent = read_to_end(slow);
        assert!(!sent.ends_with(b"0\r\n\r\n"), "{store}");
        assert!(!sent.windows(5).any(|window| window == b"\"new\""), "{store}: it is of the moment at which it began");
        await_metric(&client, "berth_http_streams_total{ending=\"broken\"} 1");
        berth.logged("\"code\":\"57014\"");
    }
}

#[test]
fn who_knows_no_pieces_reads_to_the_end_of_the_connection() {
    let deployment = Deployment::in_place(SCHEMA);
    let berth = deployment.instance().run();
    fill(&berth.client());
    let mut socket = TcpStream::connect(("127.0.0.1", berth.port)).unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    write!(socket, "GET /big?select=id HTTP/1.0\r\nAccept: {MEDIA}\r\n\r\n").unwrap();
    let answer = String::from_utf8(read_to_end(socket)).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200") && !head.to_ascii_lowercase().contains("transfer-encoding"), "{head}");
    assert_eq!(body.lines().count(), ROWS);
    assert!(body.lines().all(|line| line.starts_with("{\"id\":")));
}

#[test]
fn a_client_that_leaves_ends_the_reading() {
    for deployment in Deployment::on_each_store("ndjson_left", SCHEMA) {
        let berth = deployment.instance().with("POOL_SIZE", 2).with("STREAM_TIMEOUT", "10m").run();
        let (client, store) = (berth.client(), deployment.name());
        fill(&client);
        drop(begin(&berth, "/many"));
        await_metric(&client, "berth_http_streams_total{ending=\"client_left\"} 1");
        await_metric(&client, "berth_http_requests_in_flight 0");
        let started = Instant::now();
        assert_eq!(lines(&client, "/big?select=id", "").body.lines().count(), ROWS, "{store}");
        assert!(started.elapsed() < SOON, "{store}");
    }
}

#[test]
fn what_a_stream_is_of_has_a_name_where_the_store_has_one() {
    for deployment in [Deployment::in_place(SCHEMA), Deployment::shared_log(SCHEMA)] {
        let berth = deployment.instance().run();
        let (client, store) = (berth.client(), deployment.name());
        fill(&client);
        let get = |tag: &str| client.send("GET", "/big", &[("Accept", MEDIA), ("If-None-Match", tag)], "");
        let first = get("\"none\"");
        let tag = first.header("ETag").unwrap_or_else(|| panic!("{store}: no ETag")).to_owned();
        let second = get(&tag);
        assert_eq!((second.status, second.body.as_str()), (304, ""), "{store}");
        client.send("DELETE", "/big?id=eq.1", &[], "");
        assert_eq!(get(&tag).body.lines().count(), ROWS - 1, "{store}");
    }
}

#[test]
fn a_batch_reads_lines_whole() {
    for deployment in Deployment::on_each_store("ndjson_batch", SCHEMA) {
        let berth = deployment.instance().with("MAX_ROWS", 2).run();
        let (client, store) = (berth.client(), deployment.name());
        let step = json!([{"path": "/times?order=n", "headers": {"Accept": MEDIA}}]);
        let answer = client.post("/-/batch", &step.to_string());
        assert_eq!(answer.json()[0]["body"], "{\"n\":1}\n{\"n\":2}\n", "{store}");
    }
}
