//! `berth health`: for container health checks, where no other program is in the image.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use thiserror::Error;

use crate::config::Http;

/// Health checks are asked every few seconds; an answer later than this is none.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The status line is all that counts.
const ANSWER_MAX_BYTES: u64 = 4 << 10;

/// Why the server is not healthy.
#[derive(Debug, Error)]
pub(super) enum Error {
    /// It does not answer.
    #[error("no answer on {address}")]
    Silent {
        /// Where it was asked.
        address: String,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// It answers that it cannot work.
    #[error("not ready: \"{status_line}\"")]
    NotReady {
        /// The first line of its answer.
        status_line: String,
    },
}

/// Asks `/-/ready` of the server that the same environment describes.
pub(super) fn run(http: &Http) -> Result<(), Error> {
    let host = match http.host.as_str() {
        "0.0.0.0" => "127.0.0.1",
        "::" => "::1",
        host => host,
    };
    let answer = ask(host, http.port)
        .map_err(|source| Error::Silent { address: format!("{host} port {}", http.port), source })?;
    let status_line = answer.lines().next().unwrap_or_default().to_owned();
    if status_line.split(' ').nth(1) == Some("200") { Ok(()) } else { Err(Error::NotReady { status_line }) }
}

fn ask(host: &str, port: u16) -> io::Result<String> {
    let address = (host, port).to_socket_addrs()?.next().ok_or(io::ErrorKind::AddrNotAvailable)?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(b"GET /-/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX_BYTES).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::config::{CorsOrigins, Switch};

    /// The verdict on a server that answers with `answer`.
    fn verdict_on(answer: &'static str) -> Result<(), Error> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = [0; 128];
            let length = stream.read(&mut asked).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        let verdict = run(&http(port));
        assert!(server.join().unwrap().starts_with("GET /-/ready HTTP/1.1\r\n"));
        verdict
    }

    fn http(port: u16) -> Http {
        Http {
            trusted_proxies: 0,
            host: "0.0.0.0".to_owned(),
            port,
            cors_origins: CorsOrigins::Any,
            trace_header: None,
            server_timing: Switch::Off,
        }
    }

    #[test]
    fn a_ready_server_is_healthy() {
        verdict_on("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    }

    #[test]
    fn a_server_that_is_not_ready_is_not_healthy() {
        let error = verdict_on("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").unwrap_err();
        assert_eq!(error.to_string(), "not ready: \"HTTP/1.1 503 Service Unavailable\"");
    }

    #[test]
    fn silence_is_not_healthy() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert!(matches!(run(&http(port)), Err(Error::Silent { .. })));
    }
}
