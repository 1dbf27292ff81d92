//! A connection's bytes on their way to and from actix.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep};

use super::fault::Fault;
use super::occupancy::Seat;
use super::target::{Targets, encode};

/// How long a client may take nothing of its answer, which is in memory until it does.
const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// How the answers begin that actix gives by itself, before any code of ours is asked.
const CLIENT_ERROR: &[u8] = b"HTTP/1.1 4";

/// What every answer of ours says.
const OURS: &[u8] = b"\r\nserver: berth/";

/// Makes requests' targets proper URIs, and actix's own answers, which have no body, the dialect's.
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
}

/// What is known of the other side, for the requests of a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Client(Arc<ClientState>);

#[derive(Debug, Default)]
struct ClientState {
    has_left: AtomicBool,
    changed: Notify,
}

impl Client {
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
            return written;
        }
        let timeout = self.stall_timeout;
        let stall = self.stall.get_or_insert_with(|| Box::pin(sleep(timeout)));
        ready!(stall.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
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
        if self.unread.is_empty() {
            let before = buffer.filled().len();
            let read = ready!(Pin::new(&mut self.io).poll_read(context, buffer));
            if read.is_err() || (buffer.filled().len() == before && buffer.remaining() > 0) {
                self.client.leave();
            }
            read?;
            let bytes = buffer.filled().get(before..).unwrap_or_default();
            let places = self.targets.illegal(bytes);
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

    use super::*;
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
}
