//! An instance that its platform freezes, and wakes for a request.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Berth, Start};

/// Longer than a head may take to arrive, and than a statement may run.
const FREEZE: Duration = Duration::from_secs(10);

/// Three million steps of SQLite: a second or some.
const SLOW: &str = "CREATE VIEW slow AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) \
                    SELECT max(i) AS steps FROM n; CREATE TABLE t (id INTEGER PRIMARY KEY);";

fn connect(berth: &Berth) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", berth.port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

fn status(stream: &mut TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn what_came_before_or_during_a_freeze_is_answered_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("data");
    std::fs::create_dir(&volume).unwrap();
    rusqlite::Connection::open(volume.join("app.db")).unwrap().execute_batch(SLOW).unwrap();
    let berth = Start::sqlite(folder.path(), &volume).with("STATEMENT_TIMEOUT", "9s").run();

    let mut connected = connect(&berth);
    let mut reading = connect(&berth);
    let ask = |stream: &mut TcpStream, head: &str, body: &str| {
        let head = format!("{head}\r\nHost: test\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(head.as_bytes()).unwrap();
    };
    ask(&mut reading, "GET /slow HTTP/1.1", "");
    thread::sleep(Duration::from_millis(300));

    berth.signal(Signal::STOP);
    ask(&mut connected, "GET /t HTTP/1.1", "");
    let mut late = connect(&berth);
    ask(&mut late, "POST /t HTTP/1.1\r\nContent-Type: application/json", r#"{"id":1}"#);
    thread::sleep(FREEZE);
    berth.signal(Signal::CONT);

    assert_eq!(status(&mut connected), "200", "a request on a connection that was there");
    assert_eq!(status(&mut late), "201", "a request on a new connection");
    assert_eq!(status(&mut reading), "200", "a statement that ran");
    berth.logged("/slow");
}
