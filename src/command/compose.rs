//! Puts the parts behind the socket together: configuration in, a pipeline out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::auth::{
    self, ApiKeys, Authenticator, ClaimPath, Identity, KeyRing, Keys, RateLimits, RemoteKeys, TokenCache,
};
use crate::clock::Deadline;
use crate::config::{self, Config};
use crate::migrate;
use crate::pipeline::App;
use crate::plan::Engine;
use crate::store::postgres::Postgres;
use crate::store::sqlite::Sqlite;
use crate::store::sqlite::journal::{SharedLog, SharedLogSettings};
use crate::store::{self, Store};
use crate::telemetry::{Event, Telemetry};
use crate::volume::disk::{Disk, Strategy};
use crate::volume::log::slot;
use crate::volume::mount::Mount;
use crate::volume::probe::{self, Depth, Facts, Refusal, Tried};

pub(super) mod settings;

/// Age from which a file aside is a killed writer's: no put takes an hour.
const LITTER_SECONDS: u64 = 3_600;

/// How long a start waits for a server.
const SERVER_PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks whether it is there.
const SERVER_PAUSE: Duration = Duration::from_millis(500);

/// Why the parts do not fit together.
#[derive(Debug, Error)]
pub(super) enum Error {
    /// The volume cannot be looked at.
    #[error("the volume \"{path}\" cannot be used", path = path.display())]
    Volume {
        /// Where it is.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: std::io::Error,
    },
    /// No file can be made on the volume.
    #[error(
        "the volume \"{path}\" cannot be written: {reason}; mount it for reading and writing, and let the user that berth \
         runs as write it (65532 in the image)",
        path = path.display()
    )]
    Unwritable {
        /// Where it is.
        path: PathBuf,
        /// The operating system's reason.
        reason: String,
    },
    /// The volume is none that may be used as it was chosen.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A file of its name would be served although the data is in the shared log.
    #[error(
        "the database \"{name}\" is in the shared log \"{log}\": in place it would be another database; use \
         VOLUME_MODE=shared-log, or leave the log: stop all instances, run `berth restore --output {file}`, and move \
         \"{log}\" away",
        log = log.display(),
        file = file.display()
    )]
    LogExists {
        /// `DATABASE_NAME`.
        name: String,
        /// The log's directory.
        log: PathBuf,
        /// Where the file belongs.
        file: PathBuf,
    },
    /// The log is empty, and the data lies beside it.
    #[error(
        "the shared log \"{log}\" is empty, and \"{file}\" lies beside it: run `berth import`, which makes that file the \
         log's database, or move it away to begin with an empty one",
        log = log.display(),
        file = file.display()
    )]
    NotImported {
        /// The log's directory.
        log: PathBuf,
        /// What would be served in place.
        file: PathBuf,
    },
    /// Nothing was ever written to a shared log of that name.
    #[error("the volume \"{volume}\" has no shared log \"{name}\"{else_there}", volume = volume.display())]
    NoLog {
        /// `VOLUME`.
        volume: PathBuf,
        /// `DATABASE_NAME`.
        name: String,
        /// What is there instead, and what can be done with it.
        else_there: String,
    },
    /// The database does not open.
    #[error("the store cannot be opened: {}", .0.in_full())]
    Store(store::Error),
    /// The operating system is out of something.
    #[error("cannot start")]
    System(#[from] std::io::Error),
    /// A metric is declared wrongly.
    #[error("cannot count")]
    Metrics(#[from] prometheus::Error),
    /// A migration failed.
    #[error(transparent)]
    Migrate(#[from] migrate::Error),
    /// `JWT_SECRET` or `JWKS`.
    #[error("the keys for tokens cannot be used")]
    Keys(#[from] auth::key::Error),
    /// `API_KEYS_FILE`.
    #[error("API_KEYS_FILE")]
    ApiKeys(#[from] auth::api_key::Error),
    /// `RATE_LIMIT`.
    #[error("RATE_LIMIT")]
    RateLimit(#[from] auth::rate::ParseError),
    /// `JWT_ROLE_CLAIM`.
    #[error("JWT_ROLE_CLAIM")]
    RoleClaim(#[from] auth::path::Error),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

/// The parts behind the socket.
pub(super) struct Composed {
    /// What answers requests.
    pub(super) app: Arc<App>,
    /// Where the data is, without secrets, for the log.
    pub(super) store: String,
}

/// Opens the store, applies migrations, and makes the pipeline.
pub(super) async fn compose(config: &Config, telemetry: &Telemetry) -> Result<Composed, Error> {
    let authenticator = authenticator(&config.access, telemetry)?;
    warn_of_missing_migrations(config.storage.migrations.as_deref(), telemetry);
    let (store, engine, name) = match &config.storage.database_url {
        Some(dsn) => {
            (Store::Postgres(postgres(config, dsn.expose(), telemetry).await?), Engine::Postgres, "postgres".to_owned())
        }
        None => {
            let mode = volume_mode(&config.storage)?;
            warn_of_ephemeral(&config.storage.volume, telemetry);
            let (sqlite, name) = match mode {
                Mode::InPlace => {
                    (in_place(config, telemetry)?, format!("sqlite {}", database_path(&config.storage).display()))
                }
                Mode::SharedLog => {
                    (shared(config, telemetry)?, format!("shared log {}", log_path(&config.storage).display()))
                }
            };
            (Store::Sqlite(sqlite), Engine::Sqlite, name)
        }
    };
    let app = App {
        store,
        settings: settings::planning(config, engine),
        authenticator,
        description: settings::description(&config.api),
        answer_max_bytes: config.bounds.max_answer_bytes,
        verbosity: settings::verbosity(&config.api),
        tells_timing: config.http.server_timing.is_on(),
        telemetry: telemetry.clone(),
    };
    Ok(Composed { app: Arc::new(app), store: name })
}

/// `<VOLUME>/<name>.db`.
pub(super) fn database_path(storage: &config::Storage) -> PathBuf {
    storage.volume.join(format!("{}.db", storage.database_name))
}

/// `<VOLUME>/<name>`, the shared log's directory.
pub(super) fn log_path(storage: &config::Storage) -> PathBuf {
    storage.volume.join(&storage.database_name)
}

/// How the volume is used.
pub(super) use crate::volume::probe::Store as Mode;

/// What the operator chose, or what the volume is fit for. A log that is there stays in use.
///
/// # Errors
/// When the volume cannot be looked at, or the operator's choice loses data on it.
pub(super) fn volume_mode(storage: &config::Storage) -> Result<Mode, Error> {
    let log = log_path(storage);
    match storage.volume_mode {
        config::VolumeMode::SharedLog => Ok(Mode::SharedLog),
        config::VolumeMode::Auto if has_log(&log) => Ok(Mode::SharedLog),
        config::VolumeMode::Auto => Ok(look(&storage.volume, Depth::Start)?.choose().0),
        config::VolumeMode::InPlace => {
            if has_log(&log) {
                let name = storage.database_name.clone();
                return Err(Error::LogExists { name, log, file: database_path(storage) });
            }
            let facts = look(&storage.volume, Depth::Start)?;
            if !storage.volume_unsafe.is_on() {
                facts.refuse_in_place()?;
            }
            Ok(Mode::InPlace)
        }
    }
}

/// True when there is anything of a shared log.
pub(super) fn has_log(log: &Path) -> bool {
    [slot::SLOTS, slot::SNAPSHOTS].iter().any(|directory| {
        std::fs::read_dir(log.join(directory)).is_ok_and(|entries| {
            let names: Vec<String> =
                entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
            slot::slots(&names).chain(slot::snapshots(&names)).next().is_some()
        })
    })
}

/// The shared log, to be read: nothing is made on the volume.
///
/// # Errors
/// [`Error::NoLog`].
pub(super) fn log_to_read(storage: &config::Storage) -> Result<Disk, Error> {
    let log = log_path(storage);
    if has_log(&log) {
        return Ok(Disk::to_read(log));
    }
    let file = database_path(storage);
    let else_there = if file.exists() {
        format!(
            ": the database lies in place, where only what is now is kept; `berth snapshot --output FILE` copies \
             \"{}\" as it is, and for what was look at your platform's snapshots of the volume",
            file.display()
        )
    } else {
        String::new()
    };
    Err(Error::NoLog { volume: storage.volume.clone(), name: storage.database_name.clone(), else_there })
}

/// Tries what a directory can do.
pub(super) fn look(directory: &Path, depth: Depth) -> Result<Facts, Error> {
    probe::look(directory, depth, &peer).map_err(|source| Error::Volume { path: directory.to_owned(), source })
}

/// Tells who forgot to mount a volume.
fn warn_of_ephemeral(volume: &Path, telemetry: &Telemetry) {
    let Some(mount) = Mount::of(volume).ok().flatten().filter(Mount::is_ephemeral) else { return };
    let message = format!(
        "\"{}\" is on {}, a container's own layer or memory: what is written is gone when the container is; mount a volume \
         there, or set DATABASE_URL",
        volume.display(),
        mount.kind
    );
    telemetry.record(&Event::ConfigWarning { variable: "VOLUME", message: &message });
}

/// Tells who named a directory of migrations that is not there. Where none is named, there need be none.
fn warn_of_missing_migrations(migrations: Option<&Path>, telemetry: &Telemetry) {
    const UNNAMED: [&str; 2] = ["./migrations", "/migrations"];
    let is_named = |path: &&Path| !UNNAMED.iter().any(|unnamed| Path::new(unnamed) == *path);
    if let Some(missing) = migrations.filter(is_named).filter(|path| !path.exists()) {
        let message = format!("\"{}\" is not there: no migrations are applied (none says so)", missing.display());
        telemetry.record(&Event::ConfigWarning { variable: "MIGRATIONS", message: &message });
    }
}

/// The second process of a probe: this program again.
fn peer(file: &Path) -> std::io::Result<std::process::Command> {
    let mut command = std::process::Command::new(std::env::current_exe()?);
    command.arg(super::PROBE_PEER).arg(file);
    Ok(command)
}

fn in_place(config: &Config, telemetry: &Telemetry) -> Result<Sqlite, Error> {
    open_in_place(config, telemetry).map_err(|error| unwritable(&config.storage).unwrap_or(error))
}

/// What SQLite only calls a file that cannot be opened.
fn unwritable(storage: &config::Storage) -> Option<Error> {
    match look(&storage.volume, Depth::Start).ok()?.writable {
        Tried::Fails(reason) => Some(Error::Unwritable { path: storage.volume.clone(), reason }),
        Tried::Works | Tried::Untried => None,
    }
}

fn open_in_place(config: &Config, telemetry: &Telemetry) -> Result<Sqlite, Error> {
    tell_applied(&super::migrate::in_place(&config.storage, migrate::Mode::Apply)?, telemetry);
    Ok(Sqlite::open(&settings::sqlite(config, database_path(&config.storage)), telemetry.clone())?)
}

fn shared(config: &Config, telemetry: &Telemetry) -> Result<Sqlite, Error> {
    let log = shared_log(&config.storage, telemetry)?;
    tell_applied(&super::migrate::shared(&log, &config.storage, migrate::Mode::Apply)?, telemetry);
    let settings = settings::sqlite(config, log.path());
    Ok(Sqlite::open_shared(&settings, &log, config.storage.read_staleness, telemetry.clone())?)
}

/// Opens the shared log on the volume, and makes the working copy.
pub(super) fn shared_log(storage: &config::Storage, telemetry: &Telemetry) -> Result<Arc<SharedLog>, Error> {
    refuse_unimported(storage)?;
    let disk = log_to_write(storage)?;
    if let Err(error) = disk.sweep(LITTER_SECONDS) {
        telemetry.record(&Event::StoreFailed { doing: "sweep the volume", cause: &error.to_string() });
    }
    let settings = SharedLogSettings {
        local_dir: storage.local_dir.clone(),
        retention: storage.retention,
        transaction_max_bytes: storage.transaction_max_bytes,
    };
    Ok(SharedLog::open(Arc::new(disk), &settings, telemetry.clone())?)
}

/// Refuses an empty log beside the file that would be served in place: whoever put it there wants it served.
///
/// # Errors
/// [`Error::NotImported`].
pub(super) fn refuse_unimported(storage: &config::Storage) -> Result<(), Error> {
    let (log, file) = (log_path(storage), database_path(storage));
    if !has_log(&log) && file.exists() { Err(Error::NotImported { log, file }) } else { Ok(()) }
}

/// The shared log's directory, which is made if it is missing.
pub(super) fn log_to_write(storage: &config::Storage) -> Result<Disk, Error> {
    let directory = log_path(storage);
    Ok(Disk::open(&directory, strategy(storage, &look(&directory, Depth::Start)?)?)?)
}

/// How the log's files are made.
///
/// # Errors
/// [`Refusal::SharedLog`], unless the operator takes the blame.
pub(super) fn strategy(storage: &config::Storage, facts: &Facts) -> Result<Strategy, Refusal> {
    match facts.strategy() {
        Err(_) if storage.volume_unsafe.is_on() => Ok(Strategy::ExclusiveCreate),
        decided => decided,
    }
}

fn tell_applied(report: &migrate::Report, telemetry: &Telemetry) {
    for applied in &report.applied {
        telemetry.record(&Event::MigrationApplied { file: &applied.name, latency: applied.latency });
    }
}

async fn postgres(config: &Config, dsn: &str, telemetry: &Telemetry) -> Result<Postgres, Error> {
    let postgres = Postgres::open(&settings::postgres(config, dsn), telemetry.clone())?;
    await_server(&postgres, telemetry).await?;
    tell_applied(&super::migrate::postgres(&postgres, &config.storage, migrate::Mode::Apply).await?, telemetry);
    postgres.reload().await?;
    Ok(postgres)
}

/// Waits for a server that is not there yet: platforms start both at once, and restart what fails less and less often.
///
/// # Errors
/// Why it does not answer.
async fn await_server(postgres: &Postgres, telemetry: &Telemetry) -> Result<(), store::Error> {
    let until = Deadline::after(SERVER_PATIENCE);
    loop {
        let error = match postgres.ping().await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        let is_starting = |code: &str| code.starts_with("57P") || code.starts_with("53");
        let may_come = matches!(&error, store::Error::Unreachable(_))
            || matches!(&error, store::Error::Database { code, .. } if is_starting(code));
        if !may_come || until.is_past() {
            return Err(error);
        }
        let cause = crate::error::Error::from(error).cause();
        telemetry.record(&Event::StoreFailed { doing: "connect", cause: &cause });
        tokio::time::sleep(SERVER_PAUSE).await;
    }
}

fn authenticator(access: &config::Access, telemetry: &Telemetry) -> Result<Authenticator, Error> {
    let secret = access.jwt_secret.as_ref().map(|secret| Keys::from_secret(secret.expose())).transpose()?;
    let set = access.jwks.as_ref().map(|jwks| Keys::from_jwks(jwks.expose())).transpose()?;
    let keys = match (secret, set) {
        (Some(secret), Some(set)) => Some(secret.and(set)),
        (secret, set) => secret.or(set),
    };
    let keys = match (&access.jwks_url, keys) {
        (Some(url), keys) => KeyRing::Remote(RemoteKeys::begin(url.clone(), keys, telemetry.clone())),
        (None, Some(keys)) => KeyRing::Fixed(keys),
        (None, None) => KeyRing::Empty,
    };
    Ok(Authenticator {
        anonymous: (!access.anon_role.is_empty()).then(|| Identity::anonymous(&access.anon_role)),
        keys,
        api_keys: access.api_keys_file.as_deref().map(|path| ApiKeys::open(path, telemetry.clone())).transpose()?,
        audience: access.jwt_audience.clone(),
        role_claim: ClaimPath::parse(&access.jwt_role_claim)?,
        cache: TokenCache::new(access.jwt_cache_max_entries),
        limits: RateLimits::parse(access.rate_limit.as_deref().unwrap_or_default())?,
    })
}
