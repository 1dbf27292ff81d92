//! Reads whose rows are handed on while they are read.
//!
//! Each runs on a thread and a connection of its own, beside the readers: as long as its client takes to read, it keeps
//! nobody else waiting. As a reader it sees one moment of the file, which the WAL keeps until it is done.
//!
//! ```text
//! thread: rows → pieces ──(one waits)──▶ task: hands them on, ends at the deadline ──(one waits)──▶ Rest
//! ```

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rusqlite::{Connection, params_from_iter};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::connection::open_reader;
use super::format::BodyWriter;
use super::interrupt::{Interest, Limit, Watched};
use super::outcome::with_schema;
use super::reader::Read;
use super::{SqliteSettings, Validity, fault, session};
use crate::catalog::Catalog;
use crate::clock::{Deadline, Stopwatch, attend};
use crate::sql::Statement;
use crate::store::stream::{self, Feed, PIECE_BYTES, Places, Rest};
use crate::store::{Error, Extent, Outcome};
use crate::telemetry::{Event, Operation, Telemetry};

/// What runs reads that are handed on.
#[derive(Debug)]
pub(super) struct Streams {
    settings: SqliteSettings,
    places: Places,
    /// Connections that nobody uses: no more than there are places.
    idle: Arc<Mutex<Vec<Connection>>>,
}

/// A read that is to be handed on.
#[derive(Debug)]
pub(super) struct Streamed {
    pub(super) statement: Statement,
    pub(super) catalog: Arc<Catalog>,
    pub(super) validity: Arc<Validity>,
    pub(super) telemetry: Telemetry,
    /// When its first rows are due.
    pub(super) deadline: Deadline,
}

impl Streams {
    /// None that runs yet.
    pub(super) fn new(settings: &SqliteSettings) -> Self {
        let places = Places::of(usize::try_from(settings.readers).unwrap_or(1));
        Self { settings: settings.clone(), places, idle: Arc::default() }
    }

    /// Begins a read.
    ///
    /// # Errors
    /// [`Error::PoolTimeout`] when others take all places until the deadline, else as a read's.
    pub(super) async fn begin(&self, streamed: Streamed) -> Result<(Outcome, Option<Rest>), Error> {
        let place = self.places.take(streamed.deadline).await?;
        let until = Deadline::after(self.settings.stream_timeout);
        let interest = Interest::default();
        let (begun, beginning) = oneshot::channel();
        let (pieces, read) = mpsc::channel(1);
        let (ended, ending) = oneshot::channel();
        let hands = Hands { begun: Some(begun), pieces, ended };
        let worker = Worker {
            streamed,
            until,
            settings: self.settings.clone(),
            idle: Arc::clone(&self.idle),
            watched: interest.watched(),
            place,
        };
        let thread = std::thread::Builder::new().name("berth-stream".to_owned());
        thread.spawn(move || worker.run(hands)).map_err(|error| Error::Internal(error.to_string()))?;

        let gone = |_| Error::Internal("the thread of a stream is gone".to_owned());
        let (outcome, extent) = attend(beginning).await.map_err(gone)??;
        let outcome = Outcome { extent, ..outcome };
        if extent == Extent::Whole {
            return Ok((outcome, None));
        }
        let (feed, rest) = stream::feed(until);
        tokio::spawn(hand_on(read, ending, feed, interest));
        Ok((outcome, Some(rest)))
    }
}

/// Hands on what a thread reads, until the deadline or until nobody takes it.
async fn hand_on(
    mut read: mpsc::Receiver<Bytes>,
    ending: oneshot::Receiver<Result<u64, Error>>,
    feed: Feed,
    interest: Interest,
) {
    loop {
        let next = tokio::select! {
            next = attend(read.recv()) => next,
            () = feed.left() => return,
        };
        let Some(piece) = next else { break };
        if let Err(error) = feed.give(piece).await {
            // The thread must not wait for room that nobody makes.
            drop((read, interest));
            return feed.end(Err(error));
        }
    }
    let gone = |_| Err(Error::Internal("the thread of a stream is gone".to_owned()));
    feed.end(ending.await.unwrap_or_else(gone));
}

/// Where a thread tells what it reads.
struct Hands {
    /// Told once: the first rows, or why there are none.
    begun: Option<oneshot::Sender<Result<(Outcome, Extent), Error>>>,
    pieces: mpsc::Sender<Bytes>,
    ended: oneshot::Sender<Result<u64, Error>>,
}

impl Hands {
    /// Tells the first rows. Who does not hear it has left, and the next piece says so.
    fn begin(&mut self, outcome: Outcome, extent: Extent) {
        if let Some(begun) = self.begun.take() {
            drop(begun.send(Ok((outcome, extent))));
        }
    }

    /// Waits until there is room for a piece.
    fn give(&self, piece: Bytes) -> Result<(), Error> {
        self.pieces.blocking_send(piece).map_err(|_| Error::Timeout)
    }

    fn end(self, rows: Result<u64, Error>) {
        match (self.begun, rows) {
            (Some(begun), Err(error)) => drop(begun.send(Err(error))),
            (_, rows) => drop(self.ended.send(rows)),
        }
    }
}

/// The thread of a read.
struct Worker {
    streamed: Streamed,
    until: Deadline,
    settings: SqliteSettings,
    idle: Arc<Mutex<Vec<Connection>>>,
    watched: Watched,
    place: OwnedSemaphorePermit,
}

impl Worker {
    fn run(self, mut hands: Hands) {
        let Self { streamed, until, settings, idle, watched, place } = self;
        let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match kept.map_or_else(|| open_reader(&settings), Ok) {
            Ok(connection) => connection,
            Err(error) => return hands.end(Err(error)),
        };
        let rows = watched.run(|| read(&streamed, &connection, until, &mut hands));
        // Its pages are in the cache of the operating system too.
        let is_released = connection.release_memory().is_ok();
        if is_released && connection.is_autocommit() {
            idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
        drop(place);
        hands.end(rows);
    }
}

/// Reads all rows; gives their number.
fn read(streamed: &Streamed, connection: &Connection, until: Deadline, hands: &mut Hands) -> Result<u64, Error> {
    let Streamed { statement, catalog, validity, telemetry, deadline } = streamed;
    if deadline.is_past() {
        return Err(Error::Timeout);
    }
    let stopwatch = Stopwatch::start();
    // As in every read: named before it is read.
    let state = validity.states.now();
    let read = Read::of(statement, catalog)?;
    let wanted = read.wanted()?;
    with_schema(connection, statement.catalog_version, || {
        let _session = session::Guard::of(&statement.session);
        let first = Limit::until(*deadline);
        let total = read.total(connection, wanted)?;
        let mut prepared = read.prepare(connection, wanted.query)?;
        let mut rows = prepared.query(params_from_iter(&wanted.query.values)).map_err(fault::plain)?;
        let mut writer = BodyWriter::new(wanted.output);
        let begin = |rows: u64, body: Bytes, extent: Extent, hands: &mut Hands| {
            let state = state.filter(|_| validity.is_stable(connection, statement));
            hands.begin(Outcome { total, page: rows, body, state, ..Outcome::default() }, extent);
            telemetry.record(&Event::StatementRun { operation: Operation::Read, latency: stopwatch.elapsed() });
        };
        let mut later = None;
        while let Some(row) = rows.next().map_err(fault::plain)? {
            writer.row(row).map_err(fault::plain)?;
            if writer.size_bytes() < PIECE_BYTES {
                continue;
            }
            let piece = writer.take();
            if later.is_some() {
                hands.give(piece)?;
            } else {
                let extent = if total.is_some() { Extent::BegunOfCounted } else { Extent::Begun };
                begin(writer.rows(), piece, extent, hands);
                later = Some(Limit::until(until));
            }
        }
        let rows = writer.rows();
        if later.is_some() {
            hands.give(writer.finish())?;
        } else {
            begin(rows, writer.finish(), Extent::Whole, hands);
        }
        drop((later, first));
        Ok(rows)
    })
}
