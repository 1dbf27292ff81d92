//! The environment, read once: what was typed, then what is true.
//!
//! [`variable::VARIABLES`] declares every variable with its other names, its default and its meaning; the reference
//! `docs/configuration.md` is written from it. [`raw`] finds what was typed, [`Config::read`] says what holds, and
//! names every fault at once rather than one per start.

mod export;
pub mod fault;
pub mod machine;
mod platform;
pub mod quantity;
pub mod raw;
mod resolve;
pub mod secret;
mod value;
pub mod variable;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

pub use fault::{Fault, Faults, Problem, Warning};
pub use machine::Machine;
pub use secret::Secret;

/// Everything that is settled before the first request.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens and what browsers are told.
    pub http: Http,
    /// Where the data is.
    pub storage: Storage,
    /// What of the database is shown, and how.
    pub api: Api,
    /// Who may ask.
    pub access: Access,
    /// What is bounded.
    pub bounds: Bounds,
    /// What is written to the log.
    pub log: Log,
    /// Where metrics and spans are pushed.
    pub export: Export,
    /// The platform that it runs on, where one says so.
    pub platform: Option<&'static str>,
    /// Typed, understood as far as possible, but worth a word to the operator.
    pub warnings: Vec<Warning>,
}

/// The socket and what its clients are told besides the answer.
#[derive(Debug, Clone)]
pub struct Http {
    /// Address or name to listen on.
    pub host: String,
    /// Port to listen on; 0 takes any free one.
    pub port: u16,
    /// Origins whose scripts may read answers.
    pub cors_origins: CorsOrigins,
    /// A request header that is sent back as it came, in lower case.
    pub trace_header: Option<String>,
    /// Proxies in front that each add an address to `X-Forwarded-For`.
    pub trusted_proxies: usize,
    /// Whether `Server-Timing` is sent.
    pub server_timing: Switch,
}

/// Origins whose scripts may read answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsOrigins {
    /// Every origin; credentials are not shared.
    Any,
    /// These, with credentials.
    Listed(Vec<String>),
}

/// On or off, where a bool would not say which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// It is done.
    On,
    /// It is not done.
    Off,
}

impl Switch {
    /// True for [`Switch::On`].
    #[must_use]
    pub fn is_on(self) -> bool {
        self == Self::On
    }
}

/// Where the data is.
#[derive(Debug, Clone)]
pub struct Storage {
    /// A Postgres DSN; set, it wins over the volume.
    pub database_url: Option<Secret<String>>,
    /// The mounted directory.
    pub volume: PathBuf,
    /// The name of the database on the volume.
    pub database_name: String,
    /// How the volume is used.
    pub volume_mode: VolumeMode,
    /// Whether a mode that the probe calls unsafe is used all the same.
    pub volume_unsafe: Switch,
    /// Directory of working copies; may vanish at any time.
    pub local_dir: PathBuf,
    /// Directory of migrations, if there are any.
    pub migrations: Option<PathBuf>,
    /// How old the volume's tail may be when a read starts; zero reads fresh.
    pub read_staleness: Duration,
    /// How far back any moment can be restored.
    pub retention: Duration,
    /// Shared log: most bytes of pages that a transaction writes; they are in memory, packed as well.
    pub transaction_max_bytes: u64,
    /// Whether statements are prepared on the server; off for poolers in transaction mode.
    pub prepared_statements: Switch,
    /// Channel on which Postgres announces a changed schema; `None` when nobody listens.
    pub channel: Option<String>,
}

/// How the volume is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeMode {
    /// The probe decides.
    Auto,
    /// One `SQLite` file on the volume.
    InPlace,
    /// An immutable file per commit group.
    SharedLog,
}

/// What of the database is shown, and how.
#[derive(Debug, Clone)]
pub struct Api {
    /// Exposed schemas; the first is the default. Never empty.
    pub schemas: Vec<String>,
    /// Schemas that functions and operators are also looked up in.
    pub extra_search_path: Vec<String>,
    /// A function that runs before each request's statement.
    pub pre_request: Option<String>,
    /// Settings of a function that hold for the whole transaction of its call.
    pub hoisted_settings: Vec<String>,
    /// A function whose answer replaces the description at `/`.
    pub root_spec: Option<String>,
    /// Whether `select=price.sum()` works.
    pub aggregates: Switch,
    /// Whether clients may ask for the execution plan.
    pub plan: Switch,
    /// Whether filters, orders and limits may name an embedded resource by its relation though it has an alias.
    pub legacy_target_names: Switch,
    /// How each request's transaction ends.
    pub transaction_end: TransactionEnd,
    /// What is described at `/`.
    pub openapi_mode: OpenApiMode,
    /// Base address that the description names.
    pub openapi_server_proxy_uri: Option<String>,
    /// Whether the description names the security scheme.
    pub openapi_security: Switch,
    /// How much of an error a client sees.
    pub error_verbosity: ErrorVerbosity,
    /// `app.settings.*`: names (with that prefix) and values that SQL can read.
    pub app_settings: Vec<(String, Secret<String>)>,
}

/// How each request's transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionEnd {
    /// Kept.
    Commit,
    /// Kept unless `Prefer: tx=rollback` is sent.
    CommitAllowOverride,
    /// Undone: for demonstrations.
    Rollback,
    /// Undone unless `Prefer: tx=commit` is sent.
    RollbackAllowOverride,
}

/// What is described at `/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenApiMode {
    /// What the asking role may see.
    FollowPrivileges,
    /// Everything exposed.
    IgnorePrivileges,
    /// Nothing.
    Disabled,
}

/// How much of an error a client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorVerbosity {
    /// Code, message, details and hint.
    Verbose,
    /// Code and message.
    Minimal,
}

/// Who may ask.
#[derive(Debug, Clone)]
pub struct Access {
    /// What decides where no grant does.
    pub mode: AccessMode,
    /// Role of a request without a token.
    pub anon_role: String,
    /// The key, JWK or JWKS that tokens are verified with.
    pub jwt_secret: Option<Secret<Vec<u8>>>,
    /// A JWKS as JSON.
    pub jwks: Option<Secret<String>>,
    /// Address of a JWKS.
    pub jwks_url: Option<String>,
    /// The file with the hashes of machine clients' keys.
    pub api_keys_file: Option<PathBuf>,
    /// How often a client, a sender or a role may ask, as typed.
    pub rate_limit: Option<String>,
    /// The audience a token must name.
    pub jwt_audience: Option<String>,
    /// Where in a token's claims the role stands, as a `JSONPath`.
    pub jwt_role_claim: String,
    /// Verified tokens that are remembered; zero remembers none.
    pub jwt_cache_max_entries: usize,
}

/// What decides where no grant does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessMode {
    /// Grants decide.
    Closed,
    /// Anyone may read everything.
    Read,
    /// Anyone may do everything.
    Open,
}

/// What is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Most rows of one answer; `None` is unbounded.
    pub max_rows: Option<u64>,
    /// Most rows of one answer that is streamed; `None` is unbounded.
    pub max_stream_rows: Option<u64>,
    /// Time for one answer that is streamed.
    pub stream_timeout: Duration,
    /// Largest body of a request.
    pub max_body_bytes: usize,
    /// All bodies being read or worked on at one time, together.
    pub bodies_bytes: usize,
    /// Largest body of an answer.
    pub max_answer_bytes: usize,
    /// All answers that are not sent yet, together.
    pub answers_bytes: usize,
    /// All that SQLite holds, together.
    pub sqlite_bytes: usize,
    /// Time for one request's statement, waiting included.
    pub statement_timeout: Duration,
    /// Requests in flight; the next one is told to come back.
    pub queue_limit: usize,
    /// Connections to the database.
    pub pool_size: usize,
    /// Time a request waits for a connection.
    pub pool_timeout: Duration,
    /// Time after which a connection that nobody used is closed.
    pub pool_idle_timeout: Duration,
    /// Time after which a connection is replaced.
    pub pool_max_lifetime: Duration,
    /// Threads that serve sockets.
    pub workers: usize,
    /// Open sockets, idle ones too.
    pub connections: usize,
}

/// Where metrics and spans are pushed.
#[derive(Debug, Clone)]
pub struct Export {
    /// Address for metrics.
    pub metrics: Option<String>,
    /// Address for spans.
    pub traces: Option<String>,
    /// Headers of each push.
    pub headers: Secret<Vec<(String, String)>>,
    /// What the instance is, by the names of OpenTelemetry's conventions.
    pub resource: Vec<(String, String)>,
    /// Time between two pushes.
    pub interval: Duration,
    /// Time that a push may take.
    pub timeout: Duration,
}

/// What is written to the log.
#[derive(Debug, Clone)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// The least severity that is written.
    pub level: LogLevel,
    /// The Google Cloud project that trace ids are linked to.
    pub google_cloud_project: Option<String>,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// Severities, least first in what they let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// And what may fail soon.
    Warn,
    /// And every request.
    Info,
    /// And what a developer needs.
    Debug,
    /// And everything else.
    Trace,
}

impl Config {
    /// Says what holds, from names and values as the environment has them and the machine's size.
    ///
    /// Reads the files that `…_FILE` variables name; touches nothing else.
    ///
    /// # Errors
    /// All faults together, each with its variable.
    pub fn read(environment: impl IntoIterator<Item = (String, String)>, machine: &Machine) -> Result<Self, Faults> {
        resolve::resolve(raw::collect(environment), machine)
    }
}

/// The process's environment. What is not Unicode has [`char::REPLACEMENT_CHARACTER`] in its place.
#[must_use]
pub fn environment() -> Vec<(String, String)> {
    let text = |text: OsString| text.into_string().unwrap_or_else(|text| text.to_string_lossy().into_owned());
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}

#[cfg(test)]
mod tests;
