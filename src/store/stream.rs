//! Rows that are handed on while they are read.
//!
//! An answer begins as any other: with an [`Outcome`](super::Outcome), whose body is the first [`PIECE_BYTES`] or all there
//! is. What follows is a [`Rest`]: pieces, which are read as fast as they are taken. Whoever reads waits for whoever takes,
//! up to a deadline, so that a slow client holds a connection for that long at most, and some pieces of memory.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::Error;
use crate::clock::{Deadline, within};

/// How much is handed on at one time.
pub(super) const PIECE_BYTES: usize = 64 << 10;

/// Pieces that are ready before anybody takes them.
const PIECES_WAITING: usize = 1;

/// As many reads as may be handed on at one time: half of the connections, so that others are left for the rest.
#[derive(Debug)]
pub(super) struct Places(Arc<Semaphore>);

impl Places {
    /// For so many connections; one place at least.
    pub(super) fn of(connections: usize) -> Self {
        Self(Arc::new(Semaphore::new((connections / 2).max(1))))
    }

    /// Takes a place, which is free again when it is dropped.
    ///
    /// # Errors
    /// [`Error::PoolTimeout`] when others have all of them until the deadline.
    pub(super) async fn take(&self, deadline: Deadline) -> Result<OwnedSemaphorePermit, Error> {
        let place = within(deadline, Arc::clone(&self.0).acquire_owned());
        place.await.map_err(|_| Error::PoolTimeout)?.map_err(|error| Error::Internal(error.to_string()))
    }
}

/// What follows the beginning of an answer. Dropped, it ends the reading.
#[derive(Debug)]
pub struct Rest {
    pieces: mpsc::Receiver<Bytes>,
    /// How it ended, once there are no more pieces.
    ending: oneshot::Receiver<Result<u64, Error>>,
    rows: Option<u64>,
}

impl Rest {
    /// The next piece, which is never empty; `None` behind the last. After an error, what was given is not all, and nothing
    /// more comes. To be asked no more after either.
    pub fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        while let Some(piece) = ready!(self.pieces.poll_recv(context)) {
            if !piece.is_empty() {
                return Poll::Ready(Some(Ok(piece)));
            }
        }
        let ending = ready!(Pin::new(&mut self.ending).poll(context));
        Poll::Ready(match ending {
            Ok(Ok(rows)) => {
                self.rows = Some(rows);
                None
            }
            Ok(Err(error)) => Some(Err(error)),
            Err(_) => Some(Err(Error::Internal("whoever read the rows is gone".to_owned()))),
        })
    }

    /// Rows of the whole answer, once it is given.
    #[must_use]
    pub fn rows(&self) -> Option<u64> {
        self.rows
    }
}

/// Where pieces are put for whoever has the [`Rest`].
#[derive(Debug)]
pub(super) struct Feed {
    pieces: mpsc::Sender<Bytes>,
    ending: oneshot::Sender<Result<u64, Error>>,
    until: Deadline,
}

/// An answer of which nothing was given yet, to be taken by `until`.
pub(super) fn feed(until: Deadline) -> (Feed, Rest) {
    let (pieces, taken) = mpsc::channel(PIECES_WAITING);
    let (ending, ended) = oneshot::channel();
    (Feed { pieces, ending, until }, Rest { pieces: taken, ending: ended, rows: None })
}

impl Feed {
    /// Hands a piece on, when there is room for it.
    ///
    /// # Errors
    /// [`Error::Timeout`] when time is up, or nobody takes pieces any more.
    pub(super) async fn give(&self, piece: Bytes) -> Result<(), Error> {
        let given = within(self.until, self.pieces.send(piece)).await;
        given.ok().and_then(Result::ok).ok_or(Error::Timeout)
    }

    /// When all must have been given.
    pub(super) fn until(&self) -> Deadline {
        self.until
    }

    /// Done when nobody takes pieces any more.
    pub(super) async fn left(&self) {
        self.pieces.closed().await;
    }

    /// Tells that there are no more pieces, and why.
    pub(super) fn end(self, rows: Result<u64, Error>) {
        // Whoever has left does not want to know.
        drop(self.ending.send(rows));
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use super::*;

    async fn next(rest: &mut Rest) -> Option<Result<Bytes, Error>> {
        poll_fn(|context| rest.poll_piece(context)).await
    }

    #[tokio::test]
    async fn pieces_come_in_order_and_then_the_number_of_rows() {
        let (feed, mut rest) = feed(Deadline::after(Duration::from_secs(60)));
        let reading = async move {
            for piece in ["a", "", "b", "c"] {
                feed.give(Bytes::from(piece)).await.unwrap();
            }
            feed.end(Ok(3));
        };
        let taking = async {
            for piece in ["a", "b", "c"] {
                assert_eq!(next(&mut rest).await.unwrap().unwrap(), Bytes::from(piece));
            }
            assert!(next(&mut rest).await.is_none());
            assert_eq!(rest.rows(), Some(3));
        };
        tokio::join!(reading, taking);
    }

    #[tokio::test]
    async fn who_takes_nothing_is_waited_for_until_the_deadline() {
        let (feed, mut rest) = feed(Deadline::after(Duration::from_millis(20)));
        feed.give(Bytes::from("a")).await.unwrap();
        let error = feed.give(Bytes::from("b")).await.unwrap_err();
        assert!(matches!(error, Error::Timeout));
        feed.end(Err(error));
        assert_eq!(next(&mut rest).await.unwrap().unwrap(), Bytes::from("a"));
        assert!(matches!(next(&mut rest).await, Some(Err(Error::Timeout))));
        assert_eq!(rest.rows(), None);
    }

    #[tokio::test]
    async fn an_end_that_nobody_told_is_an_error() {
        let (feed, mut rest) = feed(Deadline::after(Duration::from_secs(60)));
        drop(feed);
        assert!(matches!(next(&mut rest).await, Some(Err(Error::Internal(_)))));
    }

    #[tokio::test]
    async fn nothing_is_given_to_who_has_left() {
        let (feed, rest) = feed(Deadline::after(Duration::from_secs(60)));
        drop(rest);
        feed.left().await;
        assert!(feed.give(Bytes::from("a")).await.is_err());
    }
}
