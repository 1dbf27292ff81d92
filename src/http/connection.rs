//! A connection's bytes on their way to and from actix.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep};

use super::fault::Fault;
use super::occupancy::Seat;
use super::patience::{Occupation, Patience};
use super::target::{Awaited, Targets, encode};

/// How long a client may take nothing of its answer, which is in memory until it does.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// How the answers begin that actix gives by itself, before any code of ours is asked.
const CLIENT_ERROR: &[u8] = b"HTTP/1.1 4";

/// What every answer of ours says.
const OURS: &[u8] = b"\r\nserver: berth/";

/// Makes requests' targets proper URIs, and actix's own answers, which have no body, the dialect's. Ends the wait for
/// requests that do not come.
#[derive(Debug)]
pub(super) struct Connection<Io> {
    io: Io,
    targets: Targets,
    /// Read, and longer than there was room for: at most three times what one read gives.
    unread: Vec<u8>,
    /// To be written before anything else: one short answer.
    unwritten: Vec<u8>,
    client: Client,
    /// Held as long as the connection is open.
    _seat: Seat,
    /// Runs while the client takes nothing of what there is to write.
    stall: Option<Pin<Box<Sleep>>>,
    stall_timeout: Duration,
    patience: Patience,
    /// The client sent nothing in its time: it is taken as if it had closed its side.
    is_given_up: bool,
}

/// What is known of the other side, for the requests of a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Client(Arc<ClientState>);

#[derive(Debug, Default)]
struct ClientState {
    /// Requests being answered.
    requests: AtomicUsize,
    has_left: AtomicBool,
    changed: Notify,
}

/// A request that is being answered, until it is dropped.
#[derive(Debug)]
pub(super) struct Serving(Client);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.0.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Client {
    /// One of its requests is being answered.
    pub(super) fn serve(&self) -> Serving {
        self.0.requests.fetch_add(1, Ordering::Relaxed);
        Serving(self.clone())
    }

    fn occupation(&self) -> Occupation {
        if self.0.requests.load(Ordering::Relaxed) == 0 { Occupation::Idle } else { Occupation::Answering }
    }

    /// Done when the client closes its side: hardly any does so and waits for an answer.
    pub(super) async fn leaves(&self) {
        let changed = self.0.changed.notified();
        if !self.0.has_left.load(Ordering::Acquire) {
            changed.await;
        }
    }

    /// Says so to whoever waits for it.
    fn leave(&self) {
        self.0.has_left.store(true, Ordering::Release);
        self.0.changed.notify_waiters();
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> Connection<Io> {
    pub(super) fn new(io: Io, seat: Seat) -> Self {
        let (targets, client) = (Targets::default(), Client::default());
        Self {
            io,
            targets,
            unread: Vec::new(),
            unwritten: Vec::new(),
            client,
            _seat: seat,
            stall: None,
            stall_timeout: STALL_TIMEOUT,
            patience: Patience::new(),
            is_given_up: false,
        }
    }

    /// The other side.
    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }

    fn hand_out_unread(&mut self, buffer: &mut ReadBuf<'_>) {
        let count = self.unread.len().min(buffer.remaining());
        let rest = self.unread.split_off(count);
        buffer.put_slice(&self.unread);
        self.unread = rest;
    }

    /// Writes to the client, for as long as it takes something now and then.
    fn poll_hand_on(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        if written.is_ready() {
            self.stall = None;
            self.patience.has_written();
            return written;
        }
        let timeout = self.stall_timeout;
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(stall.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Reads from the client, for as long as it sends something now and then.
    fn poll_hear(&mut self, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.io).poll_read(context, buffer);
        let Poll::Ready(read) = read else {
            ready!(self.patience.poll_over(self.client.occupation(), context));
            self.is_given_up = true;
            // Not amid an answer that is still on its way.
            if self.stall.is_none() && matches!(self.targets.awaited(), Awaited::Head { .. }) {
                self.unwritten = dressed(&Fault::HeadTooSlow);
            }
            return Poll::Ready(Ok(()));
        };
        if read.is_err() || (buffer.filled().len() == before && buffer.remaining() > 0) {
            self.client.leave();
        }
        Poll::Ready(read)
    }

    fn poll_write_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unwritten.is_empty() {
            let answer = std::mem::take(&mut self.unwritten);
            let written = self.poll_hand_on(context, &answer);
            self.unwritten = answer;
            let count = ready!(written)?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unwritten.drain(..count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> AsyncRead for Connection<Io> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_given_up {
            return Poll::Ready(Ok(()));
        }
        if self.unread.is_empty() {
            let before = buffer.filled().len();
            ready!(self.poll_hear(context, buffer))?;
            let bytes = buffer.filled().get(before..).unwrap_or_default();
            let places = self.targets.illegal(bytes);
            let awaited = self.targets.awaited();
            self.patience.has_read(awaited);
            if places.is_empty() {
                return Poll::Ready(Ok(()));
            }
            self.unread = encode(bytes, &places);
            buffer.set_filled(before);
        }
        self.hand_out_unread(buffer);
        Poll::Ready(Ok(()))
    }
}

impl<Io: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Connection<Io> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_write_out(context))?;
        match bare_error(bytes) {
            Some(fault) => {
                self.unwritten = dressed(&fault);
                Poll::Ready(Ok(bytes.len()))
            }
            None => self.poll_hand_on(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_out(context))?;
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_out(context))?;
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

/// The fault, when `bytes` are an answer that actix gave by itself.
fn bare_error(bytes: &[u8]) -> Option<Fault> {
    if !bytes.starts_with(CLIENT_ERROR) {
        return None;
    }
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n").and_then(|end| bytes.get(..end))?;
    if head.windows(OURS.len()).any(|window| window.eq_ignore_ascii_case(OURS)) {
        return None;
    }
    match bytes.get(9..12)? {
        b"408" => Some(Fault::HeadTooSlow),
        b"431" => Some(Fault::HeadTooLarge),
        _ => Some(Fault::HeadBroken),
    }
}

/// The answer, after which the connection is closed.
fn dressed(fault: &Fault) -> Vec<u8> {
    let reply = fault.reply();
    let reason = http_reason(reply.status);
    let mut text = format!("HTTP/1.1 {} {reason}\r\n", reply.status);
    for (name, value) in &reply.headers {
        text += &format!("{name}: {value}\r\n");
    }
    text += &format!(
        "Server: berth/{}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        env!("CARGO_PKG_VERSION"),
        reply.body.len()
    );
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(&reply.body);
    bytes
}

fn http_reason(status: u16) -> &'static str {
    actix_web::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio::time::timeout;

    use super::*;
    use crate::clock::Stopwatch;
    use crate::http::occupancy::Occupancy;

    /// Takes a few bytes, and then none.
    #[derive(Debug)]
    struct Full(usize);

    impl AsyncRead for Full {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Full {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
            let taken = self.0.min(bytes.len());
            self.0 -= taken;
            if taken == 0 { Poll::Pending } else { Poll::Ready(Ok(taken)) }
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_let_go() {
        let mut connection = Connection {
            stall_timeout: Duration::from_millis(10),
            ..Connection::new(Full(3), Occupancy::new(1).take())
        };
        let mut write = async || poll_fn(|context| Pin::new(&mut connection).poll_write(context, b"12345")).await;
        assert_eq!(write().await.unwrap(), 3);
        assert_eq!(write().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    /// A connection, and its client.
    fn pair(keep_alive: u64, head_timeout: u64) -> (Connection<DuplexStream>, DuplexStream) {
        let (io, client) = duplex(1_000);
        let patience = Patience::of(Duration::from_millis(keep_alive), Duration::from_millis(head_timeout));
        (Connection { patience, ..Connection::new(io, Occupancy::new(1).take()) }, client)
    }

    async fn read(connection: &mut Connection<DuplexStream>) -> String {
        let mut bytes = [0; 1_000];
        let count = connection.read(&mut bytes).await.unwrap();
        String::from_utf8(bytes[..count].to_vec()).unwrap()
    }

    const HEAD: &str = "GET / HTTP/1.1\r\n\r\n";

    #[tokio::test]
    async fn what_came_in_time_is_read_however_late_that_is() {
        let (mut connection, mut client) = pair(20, 20);
        assert!(timeout(Duration::from_millis(1), read(&mut connection)).await.is_err());
        client.write_all(HEAD.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(60)).await;
        assert_eq!(read(&mut connection).await, HEAD);
        assert!(timeout(Duration::from_millis(1), read(&mut connection)).await.is_err());
        client.write_all(HEAD.as_bytes()).await.unwrap();
        sleep(Duration::from_millis(60)).await;
        assert_eq!(read(&mut connection).await, HEAD);
    }

    #[tokio::test]
    async fn a_freeze_costs_nobody_their_connection() {
        let (mut connection, _client) = pair(20, 20);
        assert!(timeout(Duration::from_millis(1), read(&mut connection)).await.is_err());
        std::thread::sleep(Duration::from_millis(1_100));
        assert!(timeout(Duration::from_millis(5), read(&mut connection)).await.is_err());
        assert_eq!(read(&mut connection).await, "", "nobody came after it");
    }

    #[tokio::test]
    async fn a_connection_ends_when_no_request_begins_and_not_while_one_is_answered() {
        let (mut connection, mut client) = pair(30, 10_000);
        client.write_all(HEAD.as_bytes()).await.unwrap();
        assert_eq!(read(&mut connection).await, HEAD);
        let serving = connection.client().serve();
        assert!(timeout(Duration::from_millis(150), read(&mut connection)).await.is_err());
        drop(serving);
        assert_eq!(read(&mut connection).await, "");
        connection.shutdown().await.unwrap();
        let mut told = String::new();
        drop(connection);
        client.read_to_string(&mut told).await.unwrap();
        assert_eq!(told, "");
    }

    #[tokio::test]
    async fn each_head_must_end_in_time_and_its_sender_is_told() {
        for before in ["", HEAD] {
            let (mut connection, mut client) = pair(10_000, 30);
            client.write_all(format!("{before}GET /fi").as_bytes()).await.unwrap();
            assert_eq!(read(&mut connection).await, format!("{before}GET /fi"));
            let begun = Stopwatch::start();
            assert_eq!(read(&mut connection).await, "");
            assert!(begun.elapsed() < Duration::from_secs(5));
            connection.shutdown().await.unwrap();
            drop(connection);
            let mut told = String::new();
            client.read_to_string(&mut told).await.unwrap();
            assert!(told.starts_with("HTTP/1.1 408 ") && told.contains("BERTH408"), "{told}");
        }
    }
}
