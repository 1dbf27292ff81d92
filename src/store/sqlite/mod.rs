//! SQLite on a volume, in place.
//!
//! Reads run on a pool of connections that cannot write, each against one moment of the file. Writes go through a
//! bounded queue to one thread, which commits all that wait together (`writer`). The catalog is read at start and on
//! [`Sqlite::reload`]; every statement is refused when the schema is no longer the one it was planned for, so that
//! changes by other processes are seen too.
//!
//! Start at [`Sqlite::execute`].

mod authorizer;
mod bind;
mod call;
mod connection;
mod explain;
mod fault;
mod files;
pub mod format;
pub mod functions;
mod gathering;
mod group;
mod interrupt;
mod introspect;
pub mod journal;
mod looks;
mod once;
mod outcome;
mod parts;
pub mod plain;
mod reader;
mod script;
mod session;
mod settings;
mod stability;
mod state;
mod stream;
#[cfg(test)]
mod tests;
mod tidying;
mod unsorted;
mod validity;
pub mod workplace;
mod write;
mod writer;

use std::cell::RefCell;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Error, Outcome, Rest, Transaction};
use crate::catalog::Catalog;
use crate::clock::{Deadline, Stopwatch, attend, within};
use crate::sql::{Statement, Work};
use crate::telemetry::{Event, LogState, Operation, Telemetry};
use connection::{Readers, open_readers, open_writer};
use files::Files;
use journal::{Journal, SharedLog};
use looks::{Freshness, Looks};
use outcome::schema_version;
use reader::Read;
pub use settings::SqliteSettings;
use state::States;
use stream::{Streamed, Streams};
use validity::Validity;
use writer::{Order, Writer};

/// How long reading the catalog may wait for a connection: longer than any statement should hold one.
const RELOAD_TIMEOUT: Duration = Duration::from_secs(30);

/// What a shared log adds.
#[derive(Debug)]
struct Shared {
    looks: Looks,
    log: Arc<SharedLog>,
}

/// A SQLite file on a volume that gives locks and shared memory.
///
/// Dropped, it lets the waiting writes finish and brings them into the file.
#[derive(Debug)]
pub struct Sqlite {
    // Dropped in this order: who looks has a way into the writer's queue, and the last to close must be the writer,
    // which removes the WAL.
    shared: Option<Shared>,
    /// In place.
    files: Option<Files>,
    readers: Readers,
    streams: Box<Streams>,
    writer: Writer,
    /// The current snapshot, for whoever plans and for the writer's error texts.
    catalog: Arc<ArcSwap<Catalog>>,
    /// One reload at a time: who waited for another's is served by it.
    reloading: tokio::sync::Mutex<()>,
    /// As many reads on the blocking pool as there are connections.
    running: Arc<Semaphore>,
    /// Reads that wait or run on the blocking pool.
    admitted: Arc<Semaphore>,
    validity: Arc<Validity>,
    body_max_bytes: usize,
    telemetry: Telemetry,
}

impl Sqlite {
    /// Opens the file and reads its catalog.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the file cannot be opened, is no database, or cannot be in WAL mode;
    /// [`Error::Database`] when its schema cannot be read.
    pub fn open(settings: &SqliteSettings, telemetry: Telemetry) -> Result<Self, Error> {
        let connection = open_writer(settings, None)?;
        Self::with(connection, Journal::InPlace(Files::of(&settings.path)), settings, telemetry)
    }

    /// Opens the working copy of a shared log, and reads its catalog. Reads are at most `staleness` behind the log.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_shared(
        settings: &SqliteSettings,
        log: &Arc<SharedLog>,
        staleness: Duration,
        telemetry: Telemetry,
    ) -> Result<Self, Error> {
        let connection = open_writer(settings, Some(log))?;
        let mut sqlite = Self::with(connection, Journal::Shared(Arc::clone(log)), settings, telemetry)?;
        if let Some(catch_up) = sqlite.writer.catch_up() {
            let looks = Looks::start(Arc::clone(log), catch_up, staleness)?;
            sqlite.shared = Some(Shared { looks, log: Arc::clone(log) });
        }
        Ok(sqlite)
    }

    fn with(
        connection: Connection,
        journal: Journal,
        settings: &SqliteSettings,
        telemetry: Telemetry,
    ) -> Result<Self, Error> {
        let readers = open_readers(settings)?;
        let states = match &journal {
            Journal::InPlace(_) => States::of_file(&settings.path),
            Journal::Shared(log) => States::Shared(Arc::clone(log)),
        };
        let files = match &journal {
            Journal::InPlace(files) => Some(files.clone()),
            Journal::Shared(_) => None,
        };
        let catalog = Arc::new(ArcSwap::from_pointee(load(&connection, &telemetry)?));
        let writer = Writer::start(
            connection,
            journal,
            Arc::clone(&catalog),
            settings.queue_limit,
            settings.body_max_bytes,
            telemetry.clone(),
        )?;
        let running = usize::try_from(settings.readers.max(1)).unwrap_or(1);
        let admitted = running.saturating_add(settings.queue_limit).min(Semaphore::MAX_PERMITS);
        Ok(Self {
            shared: None,
            files,
            readers,
            streams: Box::new(Streams::new(settings)),
            writer,
            catalog,
            reloading: tokio::sync::Mutex::new(()),
            running: Arc::new(Semaphore::new(running)),
            admitted: Arc::new(Semaphore::new(admitted)),
            validity: Arc::new(Validity::of(states)),
            body_max_bytes: settings.body_max_bytes,
            telemetry,
        })
    }

    /// The catalog of this moment.
    #[must_use]
    pub fn catalog(&self) -> Arc<Catalog> {
        self.catalog.load_full()
    }

    /// Whether writes can be taken. If not, the process should be replaced.
    ///
    /// # Errors
    /// [`Error::Internal`] once the writer's thread has ended, [`Error::Unreachable`] when the file is gone.
    pub fn ping(&self) -> Result<(), Error> {
        if !self.writer.is_alive() {
            return Err(Error::Internal("the writer has ended".to_owned()));
        }
        self.files.as_ref().map_or(Ok(()), Files::check)
    }

    /// Reads the catalog again.
    ///
    /// # Errors
    /// [`Error::PoolTimeout`] without a free connection, or what SQLite says.
    pub async fn reload(&self) -> Result<(), Error> {
        let before = self.catalog.load_full();
        let _turn = self.reloading.lock().await;
        if !Arc::ptr_eq(&before, &self.catalog.load()) {
            return Ok(());
        }
        let (readers, telemetry) = (self.readers.clone(), self.telemetry.clone());
        let read = move || {
            let connection = readers.get_timeout(RELOAD_TIMEOUT).map_err(|_| Error::PoolTimeout)?;
            load(&connection, &telemetry)
        };
        let catalog = tokio::task::spawn_blocking(read).await.map_err(|error| Error::Internal(error.to_string()))??;
        self.catalog.store(Arc::new(catalog));
        Ok(())
    }

    /// Runs a statement, all of it or nothing, and gives up at the deadline.
    ///
    /// A write that is answered well is on the volume.
    ///
    /// # Errors
    /// Each of [`Error`] but [`Error::Unreachable`]; those without rows of their own: [`Error::SchemaChanged`] (load
    /// the catalog and plan again), [`Error::QueueFull`] (later), [`Error::OutcomeUnknown`] (look first).
    pub async fn execute(&self, statement: Statement, deadline: Deadline) -> Result<Outcome, Error> {
        match &statement.work {
            Work::None => Ok(Outcome::default()),
            Work::Envelope { .. } | Work::Lines { .. } => {
                Err(Error::Internal("an envelope is for Postgres".to_owned()))
            }
            Work::Write { .. } => self.write(Order::Statement(Box::new(statement)), deadline).await,
            Work::Rows { by_key, .. } => {
                let by_key = *by_key;
                let read = async {
                    match self.validity.known(&statement) {
                        Some(known) => Ok(known),
                        None => self.read_by(by_key, statement, deadline).await,
                    }
                };
                self.read_fresh(deadline, read).await
            }
            Work::Call(invocation) if invocation.writes => {
                self.write(Order::Statement(Box::new(statement)), deadline).await
            }
            Work::Call(_) | Work::Explain { .. } => {
                self.read_fresh(deadline, self.read_by(false, statement, deadline)).await
            }
        }
    }

    /// Begins to run a read whose rows are handed on while they are read; without a [`Rest`] that was all.
    ///
    /// # Errors
    /// As [`execute`](Self::execute), for what goes wrong by then; the rest tells what goes wrong later.
    pub async fn stream(&self, statement: Statement, deadline: Deadline) -> Result<(Outcome, Option<Rest>), Error> {
        let position = self.look(deadline).await?;
        let (outcome, rest) = match self.validity.known(&statement) {
            Some(known) => (known, None),
            None => {
                let (catalog, validity) = (self.catalog.load_full(), Arc::clone(&self.validity));
                let telemetry = self.telemetry.clone();
                self.streams.begin(Streamed { statement, catalog, validity, telemetry, deadline }).await?
            }
        };
        Ok((Outcome { position, ..outcome }, rest))
    }

    /// Runs the statements of a transaction, all of them or none, and gives up at the deadline.
    ///
    /// # Errors
    /// As [`execute`](Self::execute), and [`Error::Stopped`].
    pub async fn transact(&self, transaction: Transaction, deadline: Deadline) -> Result<Outcome, Error> {
        if !transaction.read_only {
            return self.write(Order::Transaction(RefCell::new(transaction)), deadline).await;
        }
        let (catalog, body_max_bytes) = (self.catalog.load_full(), self.body_max_bytes);
        let mut script = transaction.script;
        let read = self.read_elsewhere(deadline, move |connection| {
            script::read(script.as_mut(), connection, &catalog, deadline, body_max_bytes)
        });
        self.read_fresh(deadline, read).await
    }

    async fn write(&self, order: Order, deadline: Deadline) -> Result<Outcome, Error> {
        let stopwatch = Stopwatch::start();
        let answer = self.writer.run(order, deadline).await;
        self.telemetry.record(&Event::StatementRun { operation: Operation::Write, latency: stopwatch.elapsed() });
        answer
    }

    /// Waits until the file is as new as a read must see it.
    async fn read_fresh(
        &self,
        deadline: Deadline,
        read: impl Future<Output = Result<Outcome, Error>>,
    ) -> Result<Outcome, Error> {
        let position = self.look(deadline).await?;
        Ok(Outcome { position, ..read.await? })
    }

    /// Looks at the end of a shared log; what is read afterwards is of this position or newer.
    async fn look(&self, deadline: Deadline) -> Result<Option<u64>, Error> {
        let Some(shared) = &self.shared else { return Ok(None) };
        shared.looks.fresh(deadline, Freshness::AsConfigured).await?;
        Ok(Some(shared.log.txid().0))
    }

    async fn read_by(&self, by_key: bool, statement: Statement, deadline: Deadline) -> Result<Outcome, Error> {
        let catalog = self.catalog.load_full();
        // Some microseconds: handing it to another thread would cost more.
        if let Some(connection) = self.readers.try_get().filter(|_| by_key) {
            let bounds = (deadline, self.body_max_bytes);
            return read(&connection, &catalog, &statement, bounds, &self.validity, &self.telemetry);
        }
        let (telemetry, validity, bounds) =
            (self.telemetry.clone(), Arc::clone(&self.validity), (deadline, self.body_max_bytes));
        self.read_elsewhere(deadline, move |connection| {
            read(connection, &catalog, &statement, bounds, &validity, &telemetry)
        })
        .await
    }

    /// True when the schema is no longer that of the snapshot: another process may have changed it.
    pub async fn is_stale(&self, deadline: Deadline) -> bool {
        if let Some(shared) = &self.shared
            && shared.looks.fresh(deadline, Freshness::AsConfigured).await.is_err()
        {
            return false;
        }
        let version = self.catalog.load().version;
        let current = self.readers.try_get().and_then(|connection| schema_version(&connection).ok());
        current.is_some_and(|current| current != version)
    }

    /// How this instance stands to the shared log.
    #[must_use]
    pub fn log_state(&self) -> Option<LogState> {
        self.shared.as_ref().map(|shared| LogState { look_age: shared.looks.age(), ..shared.log.state() })
    }

    /// Waits until the working copy has at least the commit group `position`.
    ///
    /// # Errors
    /// [`Error::NoSuchPosition`] when the log ends before it, or why the log cannot be read.
    pub async fn wait_for(&self, position: u64, deadline: Deadline) -> Result<(), Error> {
        let Some(shared) = &self.shared else { return Ok(()) };
        if shared.log.txid().0 >= position {
            return Ok(());
        }
        shared.looks.fresh(deadline, Freshness::Now).await?;
        if shared.log.txid().0 >= position { Ok(()) } else { Err(Error::NoSuchPosition { position }) }
    }

    /// Reads on the blocking pool, as many at a time as there are connections.
    async fn read_elsewhere(
        &self,
        deadline: Deadline,
        read: impl FnOnce(&Connection) -> Result<Outcome, Error> + Send + 'static,
    ) -> Result<Outcome, Error> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| Error::QueueFull)?;
        let stopwatch = Stopwatch::start();
        let turn = within(deadline, Arc::clone(&self.running).acquire_owned());
        let turn = turn.await.map_err(|_| Error::PoolTimeout)?.map_err(|error| Error::Internal(error.to_string()))?;
        let (readers, telemetry) = (self.readers.clone(), self.telemetry.clone());
        let interest = interrupt::Interest::default();
        let watched = interest.watched();
        let run = move || {
            // Kept until the work is done, even when nobody waits for it any more.
            let _kept: [OwnedSemaphorePermit; 2] = [admitted, turn];
            let connection = readers.get_timeout(deadline.remaining()).map_err(|_| Error::PoolTimeout)?;
            let state = readers.state();
            telemetry.record(&Event::PoolWait {
                latency: stopwatch.elapsed(),
                in_use: usize::try_from(state.connections - state.idle_connections).unwrap_or_default(),
                open: usize::try_from(state.connections).unwrap_or_default(),
            });
            watched.run(|| read(&connection))
        };
        attend(tokio::task::spawn_blocking(run)).await.map_err(|error| Error::Internal(error.to_string()))?
    }
}

fn read(
    connection: &Connection,
    catalog: &Arc<Catalog>,
    statement: &Statement,
    (deadline, body_max_bytes): (Deadline, usize),
    validity: &Validity,
    telemetry: &Telemetry,
) -> Result<Outcome, Error> {
    let stopwatch = Stopwatch::start();
    // Named before it is read: a commit meanwhile makes the rows newer than their name says, never older.
    let state = validity.states.now();
    let answer = Read::of(statement, catalog)?.run(connection, deadline, body_max_bytes);
    telemetry.record(&Event::StatementRun { operation: Operation::Read, latency: stopwatch.elapsed() });
    answer.map(|outcome| Outcome { state: state.filter(|_| validity.is_stable(connection, statement)), ..outcome })
}

fn load(connection: &Connection, telemetry: &Telemetry) -> Result<Catalog, Error> {
    let stopwatch = Stopwatch::start();
    let catalog = introspect::read(connection).map_err(fault::plain)?;
    telemetry.record(&Event::CatalogLoaded { tables: catalog.tables.len(), latency: stopwatch.elapsed() });
    Ok(catalog)
}
