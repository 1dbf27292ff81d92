//! Keys at an address (`JWKS_URL`), over TLS whose server is one that the process trusts.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::{Berth, Start, free_port};

fn key(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(file)
}

/// Serves the public keys on `port` over TLS, by a certificate that only its own file vouches for.
fn serve_keys(port: u16) {
    let certificate = CertificateDer::from_pem_file(key("tls.pem")).unwrap();
    let secret = PrivateKeyDer::from_pem_file(key("tls.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], secret)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(&config)).unwrap(), socket.unwrap());
            let keys = std::fs::read_to_string(key("public.json")).unwrap();
            if stream.read(&mut [0; 4096]).is_ok() {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", keys.len());
                let _ = stream.write_all((head + &keys).as_bytes());
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
}

/// A server on which `web` may read the table `notes`, with its keys at `https://localhost:<port>`.
fn server<'a>(folder: &'a Path, port: u16) -> Start<'a> {
    let migrations = folder.join("migrations");
    std::fs::create_dir_all(&migrations).unwrap();
    let sql = "CREATE TABLE notes (id bigint PRIMARY KEY);\nINSERT INTO notes VALUES (1);\nCREATE ROLE web;\n\
               GRANT SELECT ON notes TO web;\n";
    std::fs::write(migrations.join("0001_notes.sql"), sql).unwrap();
    Start::sqlite(folder, &folder.join("data"))
        .with("ACCESS", "closed")
        .with("MIGRATIONS", migrations.display())
        .with("JWKS_URL", format!("https://localhost:{port}/keys"))
}

fn bearer() -> String {
    let header = Header { kid: Some("rsa".into()), ..Header::new(Algorithm::RS256) };
    let signing = EncodingKey::from_rsa_pem(&std::fs::read(key("rsa.pem")).unwrap()).unwrap();
    format!("Bearer {}", encode(&header, &serde_json::json!({"role": "web"}), &signing).unwrap())
}

/// Asks until the status is as wished.
fn wait_for(server: &Berth, path: &str, headers: &[(&str, &str)], status: u16) {
    let started = Instant::now();
    loop {
        let answer = server.client().try_send("GET", path, headers, "");
        if answer.as_ref().is_some_and(|answer| answer.status == status) {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{path}: {answer:?}\n{}", server.log_text());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn an_address_that_is_down_at_the_start_is_told_and_its_keys_are_taken_once_it_is_up() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let server = server(folder.path(), port).with("SSL_CERT_FILE", key("tls.pem").display()).spawn();
    wait_for(&server, "/-/live", &[], 200);
    wait_for(&server, "/-/ready", &[], 503);
    let bearer = bearer();
    let answer = server.client().send("GET", "/notes", &[("Authorization", &bearer)], "");
    assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("BERTH503")), "{}", answer.body);
    assert!(answer.header("retry-after").is_some());
    assert_eq!(server.client().get("/notes").status, 401, "who comes without a token needs no keys");
    server.logged("fetch the keys at JWKS_URL");

    serve_keys(port);
    wait_for(&server, "/notes", &[("Authorization", &bearer)], 200);
    wait_for(&server, "/-/ready", &[], 200);
    let metrics = server.client().get("/-/metrics").body;
    assert!(metrics.contains("berth_jwks_fetches_total{outcome=\"fetched\"} 1"), "{metrics}");
    assert!(metrics.contains("berth_jwks_keys 4"), "{metrics}");
}

#[test]
fn keys_from_a_server_that_nobody_vouches_for_are_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    serve_keys(port);
    let server = server(folder.path(), port).spawn();
    wait_for(&server, "/-/live", &[], 200);
    let answer = server.client().send("GET", "/notes", &[("Authorization", &bearer())], "");
    assert_eq!(answer.status, 503, "{}", answer.body);
    let log = server.log_text();
    assert!(log.contains("certificate") || log.contains("Certificate"), "{log}");
}
