//! What can happen that an operator may want to know of.

use std::time::Duration;

/// A happening.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A request got its answer.
    RequestAnswered(RequestAnswered<'a>),
    /// Why a request got a 5xx: what its client is not told.
    RequestFailed {
        /// The request's id.
        request_id: &'a str,
        /// The trace it belongs to.
        trace: Option<&'a str>,
        /// The code its client was told.
        code: &'a str,
        /// The error and what caused it; no SQL values.
        cause: &'a str,
    },
    /// The rows of an answer that were sent while they were read are at their end.
    StreamEnded(StreamEnded<'a>),
    /// A request was turned away before any work was done for it.
    RequestRefused(Refusal),
    /// Waiting writes were made durable together.
    GroupCommitted {
        /// Requests in the group.
        requests: usize,
        /// From the first statement to durable.
        latency: Duration,
    },
    /// A commit was put to the shared log.
    Published {
        /// What came of it.
        outcome: Publication,
        /// From the commit's pages to the answer of the volume.
        latency: Duration,
    },
    /// Others' commits were read from the shared log and applied to the working copy.
    CaughtUp {
        /// Commit groups; one for a copy that was made anew.
        commit_groups: u64,
        /// From the look at the log's end until readers can see them.
        latency: Duration,
    },
    /// The store ran one request's statement.
    StatementRun {
        /// What kind.
        operation: Operation,
        /// Without waiting for a connection.
        latency: Duration,
    },
    /// A request waited for a connection.
    PoolWait {
        /// How long.
        latency: Duration,
        /// Connections at work, this one included.
        in_use: usize,
        /// Connections open.
        open: usize,
    },
    /// The tables were read from the database.
    CatalogLoaded {
        /// Tables and views.
        tables: usize,
        /// How long it took.
        latency: Duration,
    },
    /// A migration was applied.
    MigrationApplied {
        /// Its file's name.
        file: &'a str,
        /// How long it took.
        latency: Duration,
    },
    /// Keys for tokens were fetched from `JWKS_URL`.
    KeysFetched {
        /// How many.
        keys: usize,
        /// How long it took.
        latency: Duration,
    },
    /// Keys for tokens could not be fetched from `JWKS_URL`; those at hand are used.
    KeysNotFetched {
        /// What went wrong.
        cause: &'a str,
    },
    /// The file of API keys was read.
    ApiKeysRead {
        /// How many keys it holds.
        keys: usize,
    },
    /// The file of API keys cannot be used; those at hand are used.
    ApiKeysNotRead {
        /// What is wrong with it; no key.
        cause: &'a str,
    },
    /// A request was turned away because of a rate limit.
    RateLimited {
        /// Whose limit: `address`, `sender` or `role`.
        by: &'static str,
    },
    /// Metrics and spans were pushed.
    TelemetryPushed,
    /// Metrics and spans could not be pushed; the next push tells the metrics again.
    TelemetryNotPushed {
        /// What went wrong.
        cause: &'a str,
    },
    /// Something typed does not do what it says.
    ConfigWarning {
        /// The variable.
        variable: &'a str,
        /// What the operator should know.
        message: &'a str,
    },
    /// The server takes requests.
    Started {
        /// This program's version.
        version: &'a str,
        /// Where it listens, e.g. `http://0.0.0.0:8080`.
        address: &'a str,
        /// Where the data is, without secrets, e.g. `sqlite ./data/app.db`.
        store: &'a str,
        /// From the start of the process.
        latency: Duration,
    },
    /// The server was asked to stop, and takes no new connection.
    Stopping,
    /// All is done and closed.
    Stopped,
    /// The store could not do what it must, beyond one request.
    StoreFailed {
        /// What it was doing, e.g. `load the catalog`.
        doing: &'a str,
        /// The error and what caused it.
        cause: &'a str,
    },
}

/// A request and its answer.
#[derive(Debug, Clone, Copy)]
pub struct RequestAnswered<'a> {
    /// The verb.
    pub method: &'a str,
    /// The path without the query, which may hold what nobody should read in a log.
    pub path: &'a str,
    /// What kind of thing the path addresses.
    pub class: RouteClass,
    /// HTTP status.
    pub status: u16,
    /// From the request's head to the answer.
    pub latency: Duration,
    /// Bytes of the answer's body.
    pub response_bytes: usize,
    /// Rows of the answer, when it says.
    pub rows: Option<u64>,
    /// The request's id.
    pub request_id: &'a str,
    /// The trace it belongs to.
    pub trace: Option<&'a str>,
    /// Its place in that trace, when the trace is sampled and spans are wanted.
    pub span: Option<SpanPlace<'a>>,
    /// The code of the error, when it is one.
    pub error_code: Option<&'a str>,
}

/// The end of an answer whose rows were sent while they were read.
#[derive(Debug, Clone, Copy)]
pub struct StreamEnded<'a> {
    /// The request's id.
    pub request_id: &'a str,
    /// The trace it belongs to.
    pub trace: Option<&'a str>,
    /// How it ended.
    pub ending: StreamEnding<'a>,
    /// Rows, when all were sent.
    pub rows: Option<u64>,
    /// Bytes that were sent.
    pub bytes: usize,
    /// From the request's head to the end.
    pub latency: Duration,
}

/// How an answer ended that was sent while it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamEnding<'a> {
    /// All was sent.
    Whole,
    /// Its client took no more.
    ClientLeft,
    /// The rows ended early.
    Broken {
        /// The error's code.
        code: &'a str,
        /// The error and what caused it; no SQL values.
        cause: &'a str,
    },
}

impl StreamEnding<'_> {
    /// The label in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::ClientLeft => "client_left",
            Self::Broken { .. } => "broken",
        }
    }
}

/// Where a span stands in its trace: 16 hexadecimal digits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanPlace<'a> {
    /// Its own name.
    pub id: &'a str,
    /// The caller's.
    pub parent: &'a str,
}

/// Kinds of things that paths address: few, so that metrics stay few whatever clients ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteClass {
    /// `/`.
    Root,
    /// `/{table}`.
    Relation,
    /// `/rpc/{function}`.
    Function,
    /// `/-/batch`: requests to any of the above.
    Batch,
    /// The rest of `/-/…`.
    Own,
    /// A browser asks what it may ask.
    Preflight,
    /// Anything else.
    Other,
}

impl RouteClass {
    /// Every class, in the order of their positions.
    pub const ALL: [Self; 7] =
        [Self::Root, Self::Relation, Self::Function, Self::Batch, Self::Own, Self::Preflight, Self::Other];

    /// The label in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Relation => "relation",
            Self::Function => "function",
            Self::Batch => "batch",
            Self::Own => "own",
            Self::Preflight => "preflight",
            Self::Other => "other",
        }
    }
}

/// Why a request is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// As many as may are in flight.
    QueueFull,
    /// As many bytes of bodies as may are in memory.
    BodiesFull,
    /// As many bytes of answers as may wait for their clients to take them.
    AnswersFull,
}

impl Refusal {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::QueueFull, Self::BodiesFull, Self::AnswersFull];

    /// The label in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::BodiesFull => "bodies_full",
            Self::AnswersFull => "answers_full",
        }
    }
}

/// What came of a commit that was put to the shared log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publication {
    /// It is in the log.
    Won,
    /// Another instance was faster.
    Lost,
    /// The volume took nothing, or it was too large.
    Refused,
    /// The volume does not tell.
    Unknown,
}

impl Publication {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Won, Self::Lost, Self::Refused, Self::Unknown];

    /// The label in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// Kinds of statements; a function that is called is of the one that it may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Rows are read.
    Read,
    /// Rows are written.
    Write,
}

impl Operation {
    /// The label in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}
