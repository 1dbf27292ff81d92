//! On Postgres a read is one round trip, whatever must be told of its sender: all of its transaction is sent before any of it
//! is answered. A write ends its transaction once its rows were counted.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::stores::{SECRET, Sender};
use crate::support::deployment::{Deployment, Home};

/// How long the server's answers are held back: what waits for none of them is sent meanwhile.
const HELD: Duration = Duration::from_millis(60);

/// How often a request is sent; the least counts. A machine under load may take its time to send.
const TIMES: usize = 4;

const SCHEMA: &str = "
    CREATE ROLE trip_user;
    CREATE TABLE notes (id int PRIMARY KEY, owner text, title text);
    INSERT INTO notes VALUES (1, 'ann', 'one'), (2, 'bob', 'two');
    ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON notes USING (owner = current_setting('request.jwt.claims', true)::json ->> 'name');
    GRANT SELECT, INSERT, UPDATE, DELETE ON notes TO trip_user;
    CREATE FUNCTION told() RETURNS json LANGUAGE sql STABLE AS $$ SELECT json_build_object(
        'user', current_user, 'name', current_setting('request.jwt.claims')::json ->> 'name',
        'method', current_setting('request.method'), 'path', current_setting('request.path'),
        'search_path', current_setting('search_path'), 'read_only', current_setting('transaction_read_only'),
        'timeout', (SELECT setting::int FROM pg_settings WHERE name = 'statement_timeout')) $$;";

/// Stands before a server, and counts how often somebody waits for its answer before sending more.
struct Between {
    address: String,
    turns: Arc<AtomicUsize>,
}

impl Between {
    fn start(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, turns) = (listener.local_addr().unwrap().to_string(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&turns);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (server, turns) = (TcpStream::connect(&server).unwrap(), Arc::clone(&counted));
                std::thread::spawn(move || relay(client, server, &turns));
            }
        });
        Self { address, turns }
    }
}

/// Hands on what either sends. A turn begins with what the client sends after it was answered.
fn relay(client: TcpStream, server: TcpStream, turns: &AtomicUsize) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let (answered, was_answered) = mpsc::channel();
    answered.send(()).unwrap();
    let (mut from_server, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    std::thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from_server.read(&mut bytes) {
            std::thread::sleep(HELD);
            let _ = answered.send(());
            if to_client.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let (mut from_client, mut to_server) = (client, server);
    let mut bytes = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from_client.read(&mut bytes) {
        turns.fetch_add(usize::from(was_answered.try_iter().count() > 0), Ordering::SeqCst);
        if to_server.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = to_server.shutdown(Shutdown::Both);
}

#[test]
fn a_read_is_one_round_trip_and_a_write_two_with_role_claims_and_limits() {
    let Some(deployment) = Deployment::postgres("round_trips", SCHEMA) else { return };
    let Home::Postgres(dsn) = &deployment.home else { unreachable!("it was asked for") };
    let server = dsn.split('@').nth(1).and_then(|rest| rest.split('/').next()).unwrap();
    let between = Between::start(server.to_owned());
    let start = deployment.instance().with("DATABASE_URL", dsn.replace(server, &between.address));
    // One connection: each statement is prepared once.
    let start = start.with("ACCESS", "closed").with("JWT_SECRET", SECRET).with("POOL_SIZE", 1);
    let berth = start.with("STATEMENT_TIMEOUT", "7s").run();
    let (client, ann) = (berth.client(), Sender::named("trip_user", "ann"));
    let mut headers = ann.headers();
    headers.push(("Content-Type", "application/json"));
    for (method, path, body, expected, trips) in [
        ("GET", "/notes?id=eq.1&select=title", "", r#"[{"title":"one"}]"#, 1),
        ("GET", "/notes?id=eq.2&select=title", "", "[]", 1),
        ("GET", "/notes?select=id&order=id&limit=100", "", r#"[{"id":1}]"#, 1),
        ("PATCH", "/notes?id=eq.1&select=id", r#"{"title":"one"}"#, "", 2),
    ] {
        let turns = |_| {
            let before = between.turns.load(Ordering::SeqCst);
            let answer = client.send(method, path, &headers, body);
            assert!(answer.status < 300 && answer.body == expected, "{method} {path}: {answer:?}");
            between.turns.load(Ordering::SeqCst) - before
        };
        let fewest = (0..TIMES).map(turns).min().unwrap();
        assert_eq!(fewest, trips, "{method} {path}");
    }
    for method in ["GET", "POST"] {
        let told = client.send(method, "/rpc/told", &headers, if method == "GET" { "" } else { "{}" }).json();
        let timeout = told["timeout"].as_u64().unwrap();
        assert!((1..=7_000).contains(&timeout), "{told}");
        let expected = serde_json::json!({
            "user": "trip_user", "name": "ann", "method": method, "path": "/rpc/told", "search_path": "\"public\", \"public\"",
            "read_only": "on", "timeout": timeout,
        });
        assert_eq!(told, expected);
    }
}
