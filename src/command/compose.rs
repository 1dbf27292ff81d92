//! Puts the parts behind the socket together: configuration in, a pipeline out.

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::auth::{self, Authenticator, ClaimPath, Identity, Keys, TokenCache};
use crate::catalog::QualifiedName;
use crate::config::{self, Config, Switch};
use crate::migrate;
use crate::pipeline::App;
use crate::plan::{self, Engine};
use crate::response::openapi;
use crate::store::postgres::{Postgres, PostgresSettings, Prepare};
use crate::store::sqlite::journal::{SharedLog, SharedLogSettings};
use crate::store::sqlite::{Sqlite, SqliteSettings};
use crate::store::{self, Store};
use crate::telemetry::{Event, Telemetry};
use crate::volume::disk::Disk;
use crate::volume::{mount, probe};

/// Age from which a file aside is a killed writer's: no put takes an hour.
const LITTER_SECONDS: u64 = 3_600;

/// Why the parts do not fit together.
#[derive(Debug, Error)]
pub(super) enum Error {
    /// The volume is none that SQLite may be used on in place.
    #[error(transparent)]
    Volume(#[from] mount::Error),
    /// The database does not open.
    #[error("the store cannot be opened")]
    Store(#[from] store::Error),
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
    /// `JWT_ROLE_CLAIM`.
    #[error("JWT_ROLE_CLAIM")]
    RoleClaim(#[from] auth::path::Error),
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
    let authenticator = authenticator(&config.access)?;
    let (store, engine, name) = match &config.storage.database_url {
        Some(dsn) => {
            (Store::Postgres(postgres(config, dsn.expose(), telemetry).await?), Engine::Postgres, "postgres".to_owned())
        }
        None => {
            let (sqlite, name) = match volume_mode(&config.storage)? {
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
        settings: plan_settings(config, engine),
        authenticator,
        description: description(&config.api),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// One SQLite file on the volume.
    InPlace,
    /// The shared log.
    SharedLog,
}

/// What the operator chose, or what the volume is fit for.
///
/// # Errors
/// When the volume cannot be looked at, or the operator's choice loses data on it.
pub(super) fn volume_mode(storage: &config::Storage) -> Result<Mode, Error> {
    match storage.volume_mode {
        config::VolumeMode::Auto if mount::shared_with_others(&storage.volume)?.is_some() => Ok(Mode::SharedLog),
        config::VolumeMode::Auto => Ok(Mode::InPlace),
        config::VolumeMode::InPlace => {
            mount::check(&storage.volume, trust(storage.volume_unsafe))?;
            Ok(Mode::InPlace)
        }
        config::VolumeMode::SharedLog => Ok(Mode::SharedLog),
    }
}

fn in_place(config: &Config, telemetry: &Telemetry) -> Result<Sqlite, Error> {
    tell_applied(&super::migrate::in_place(&config.storage, migrate::Mode::Apply)?, telemetry);
    Ok(Sqlite::open(&sqlite_settings(config, database_path(&config.storage)), telemetry.clone())?)
}

fn shared(config: &Config, telemetry: &Telemetry) -> Result<Sqlite, Error> {
    let log = shared_log(&config.storage, telemetry)?;
    tell_applied(&super::migrate::shared(&log, &config.storage, migrate::Mode::Apply)?, telemetry);
    let settings = sqlite_settings(config, log.path());
    Ok(Sqlite::open_shared(&settings, &log, config.storage.read_staleness, telemetry.clone())?)
}

/// Opens the shared log on the volume, and makes the working copy.
pub(super) fn shared_log(storage: &config::Storage, telemetry: &Telemetry) -> Result<Arc<SharedLog>, Error> {
    let directory = log_path(storage);
    let strategy = probe::strategy(&directory)?;
    let disk = Disk::open(directory, strategy)?;
    if let Err(error) = disk.sweep(LITTER_SECONDS) {
        telemetry.record(&Event::StoreFailed { doing: "sweep the volume", cause: &error.to_string() });
    }
    let settings = SharedLogSettings { local_dir: storage.local_dir.clone(), retention: storage.retention };
    Ok(SharedLog::open(Arc::new(disk), &settings, telemetry.clone())?)
}

fn tell_applied(report: &migrate::Report, telemetry: &Telemetry) {
    for applied in &report.applied {
        telemetry.record(&Event::MigrationApplied { file: &applied.name, latency: applied.latency });
    }
}

fn sqlite_settings(config: &Config, path: PathBuf) -> SqliteSettings {
    SqliteSettings {
        readers: u32::try_from(config.bounds.pool_size).unwrap_or(u32::MAX),
        queue_limit: config.bounds.queue_limit,
        ..SqliteSettings::new(path)
    }
}

async fn postgres(config: &Config, dsn: &str, telemetry: &Telemetry) -> Result<Postgres, Error> {
    let postgres = Postgres::open(&postgres_settings(config, dsn), telemetry.clone())?;
    tell_applied(&super::migrate::postgres(&postgres, &config.storage, migrate::Mode::Apply).await?, telemetry);
    postgres.reload().await?;
    Ok(postgres)
}

/// What the Postgres store must know.
pub(super) fn postgres_settings(config: &Config, dsn: &str) -> PostgresSettings {
    PostgresSettings {
        dsn: dsn.to_owned(),
        schemas: config.api.schemas.clone(),
        extra_search_path: config.api.extra_search_path.clone(),
        pool_size: config.bounds.pool_size,
        pool_timeout: config.bounds.pool_timeout,
        statement_timeout: config.bounds.statement_timeout,
        prepared: if config.storage.prepared_statements.is_on() { Prepare::Once } else { Prepare::Never },
        channel: config.storage.channel.clone(),
        pre_request: config.api.pre_request.as_deref().map(|name| qualified(name, &config.api.schemas)),
        application_name: "berth".to_owned(),
    }
}

/// `schema.name`, or a name in the first exposed schema.
fn qualified(name: &str, schemas: &[String]) -> QualifiedName {
    match name.split_once('.') {
        Some((schema, name)) => QualifiedName::new(schema, name),
        None => QualifiedName::new(schemas.first().map_or("public", String::as_str), name),
    }
}

fn plan_settings(config: &Config, engine: Engine) -> plan::Settings {
    let schemas = match engine {
        Engine::Sqlite => vec!["public".to_owned()],
        Engine::Postgres => config.api.schemas.clone(),
    };
    plan::Settings {
        engine,
        schemas,
        max_rows: config.bounds.max_rows,
        aggregates: config.api.aggregates.is_on(),
        access: match config.access.mode {
            config::AccessMode::Closed => plan::AccessMode::Closed,
            config::AccessMode::Read => plan::AccessMode::Read,
            config::AccessMode::Open => plan::AccessMode::Open,
        },
    }
}

fn authenticator(access: &config::Access) -> Result<Authenticator, Error> {
    let secret = access.jwt_secret.as_ref().map(|secret| Keys::from_secret(secret.expose())).transpose()?;
    let set = access.jwks.as_ref().map(|jwks| Keys::from_jwks(jwks.expose())).transpose()?;
    let keys = match (secret, set) {
        (Some(secret), Some(set)) => Some(secret.and(set)),
        (secret, set) => secret.or(set),
    };
    Ok(Authenticator {
        anonymous: (!access.anon_role.is_empty()).then(|| Identity::anonymous(&access.anon_role)),
        keys,
        audience: access.jwt_audience.clone(),
        role_claim: ClaimPath::parse(&access.jwt_role_claim)?,
        cache: TokenCache::new(access.jwt_cache_max_entries),
    })
}

fn description(api: &config::Api) -> openapi::Settings {
    openapi::Settings {
        proxy: api.openapi_server_proxy_uri.as_deref().and_then(openapi::Proxy::parse),
        security: if api.openapi_security.is_on() { openapi::Security::Token } else { openapi::Security::Silent },
    }
}

/// Whether the operator takes the blame for an unsafe volume.
pub(super) fn trust(volume_unsafe: Switch) -> mount::Trust {
    if volume_unsafe.is_on() { mount::Trust::Operator } else { mount::Trust::Nobody }
}
