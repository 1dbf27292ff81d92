//! From what was typed to what is true.

use std::collections::BTreeMap;

use base64::Engine as _;

use super::fault::{Fault, Faults, Problem, Warning};
use super::machine::Machine;
use super::raw::{Collected, Raw};
use super::secret::Secret;
use super::value::{list, text};
use super::{
    Access, AccessMode, Api, Bounds, Config, CorsOrigins, ErrorVerbosity, Http, Log, LogFormat, LogLevel, OpenApiMode,
    Storage, TransactionEnd, VolumeMode,
};

/// RFC 7518, section 3.2: a key of HS256 has at least as many bytes as the hash.
const JWT_SECRET_LEAST: usize = 32;

/// Longest `DATABASE_NAME`: it is part of file names, which end at 255 bytes.
const DATABASE_NAME_LONGEST: usize = 64;

/// A token is at most a few KiB, so this many remembered ones are the most that a small instance has memory for.
const JWT_CACHE_MOST: usize = 100_000;

/// Most proxies in front: more is a mistake.
const PROXIES_MOST: usize = 100;

/// Most requests in flight: the queues for them are made at start.
const QUEUE_MOST: usize = 100_000;

/// Most rows that SQL can be asked for.
const ROWS_MOST: u64 = i64::MAX as u64;

/// Most connections to the database: each may be a thread.
const POOL_MOST: usize = 1_000;

/// Files that a connection to the database has open: database, WAL, and what SQLite sorts in.
const CONNECTION_FILES: usize = 4;

/// Files that are open whatever there is to do.
const FILES_BESIDE: usize = 64;

/// Memory set aside for one open socket: `actix`'s read and write buffers, twice over.
const CONNECTION_BYTES: u64 = 32 << 10;

/// Says what holds.
pub(super) fn resolve(collected: Collected, machine: &Machine) -> Result<Config, Faults> {
    let Collected { raw, app_settings, platform, typed_as, faults, warnings } = collected;
    let mut resolver = Resolver { typed_as, faults, warnings };

    let config = Config {
        http: resolver.http(&raw),
        storage: resolver.storage(&raw, machine),
        api: resolver.api(&raw, app_settings),
        access: resolver.access(&raw),
        bounds: resolver.bounds(&raw, machine),
        log: resolver.log(&raw),
        export: resolver.export(&raw),
        platform,
        warnings: Vec::new(),
    };
    if resolver.faults.is_empty() {
        Ok(Config { warnings: resolver.warnings, ..config })
    } else {
        Err(Faults(resolver.faults))
    }
}

/// Collects faults instead of stopping at the first.
pub(super) struct Resolver {
    pub(super) typed_as: BTreeMap<&'static str, String>,
    pub(super) faults: Vec<Fault>,
    warnings: Vec<Warning>,
}

impl Resolver {
    fn http(&mut self, raw: &Raw) -> Http {
        Http {
            host: match text(&raw.host).unwrap_or_default().as_str() {
                "*" | "*4" | "!4" => "0.0.0.0".to_owned(),
                "*6" | "!6" => "::".to_owned(),
                host => host.to_owned(),
            },
            port: self.number("PORT", &raw.port, "a port", 0..=u16::MAX).unwrap_or_default(),
            cors_origins: self.cors_origins(&raw.cors_origins),
            trace_header: self.trace_header(&raw.server_trace_header),
            trusted_proxies: self
                .number("TRUSTED_PROXIES", &raw.trusted_proxies, "a number of proxies", 0..=PROXIES_MOST)
                .unwrap_or_default(),
            server_timing: self.switch("SERVER_TIMING_ENABLED", &raw.server_timing_enabled),
        }
    }

    fn storage(&mut self, raw: &Raw, machine: &Machine) -> Storage {
        let is_listening = self.switch("DB_CHANNEL_ENABLED", &raw.db_channel_enabled).is_on();
        Storage {
            database_url: self.database_url(&raw.database_url),
            volume: text(&raw.volume).unwrap_or_default().into(),
            database_name: self.database_name(&raw.database_name),
            volume_mode: self.choice(
                "VOLUME_MODE",
                &raw.volume_mode,
                "auto, in-place or shared-log",
                VolumeMode::Auto,
                &[("auto", VolumeMode::Auto), ("in-place", VolumeMode::InPlace), ("shared-log", VolumeMode::SharedLog)],
            ),
            volume_unsafe: self.switch("VOLUME_UNSAFE", &raw.volume_unsafe),
            local_dir: text(&raw.local_dir).map_or_else(|| std::env::temp_dir().join("berth"), Into::into),
            migrations: text(&raw.migrations).filter(|typed| typed != "none").map(Into::into),
            read_staleness: self.duration("READ_STALENESS", &raw.read_staleness),
            retention: self.duration("RETENTION", &raw.retention),
            transaction_max_bytes: (machine.memory_bytes / 8).clamp(16 << 20, 512 << 20),
            prepared_statements: self.switch("DB_PREPARED_STATEMENTS", &raw.db_prepared_statements),
            channel: text(&raw.db_channel).filter(|_| is_listening),
        }
    }

    fn api(&mut self, raw: &Raw, app_settings: Vec<(String, String)>) -> Api {
        Api {
            schemas: self.schemas(&raw.db_schemas),
            extra_search_path: list(&raw.db_extra_search_path),
            pre_request: text(&raw.db_pre_request),
            hoisted_settings: list(&raw.db_hoisted_tx_settings),
            root_spec: text(&raw.db_root_spec),
            aggregates: self.switch("DB_AGGREGATES_ENABLED", &raw.db_aggregates_enabled),
            plan: self.switch("DB_PLAN_ENABLED", &raw.db_plan_enabled),
            legacy_target_names: self.switch("URL_USE_LEGACY_TARGET_NAMES", &raw.url_use_legacy_target_names),
            transaction_end: self.choice(
                "DB_TX_END",
                &raw.db_tx_end,
                "commit, commit-allow-override, rollback or rollback-allow-override",
                TransactionEnd::Commit,
                &[
                    ("commit", TransactionEnd::Commit),
                    ("commit-allow-override", TransactionEnd::CommitAllowOverride),
                    ("rollback", TransactionEnd::Rollback),
                    ("rollback-allow-override", TransactionEnd::RollbackAllowOverride),
                ],
            ),
            openapi_mode: self.choice(
                "OPENAPI_MODE",
                &raw.openapi_mode,
                "follow-privileges, ignore-privileges or disabled",
                OpenApiMode::FollowPrivileges,
                &[
                    ("follow-privileges", OpenApiMode::FollowPrivileges),
                    ("ignore-privileges", OpenApiMode::IgnorePrivileges),
                    ("disabled", OpenApiMode::Disabled),
                ],
            ),
            openapi_server_proxy_uri: self.web_address("OPENAPI_SERVER_PROXY_URI", &raw.openapi_server_proxy_uri),
            openapi_security: self.switch("OPENAPI_SECURITY_ACTIVE", &raw.openapi_security_active),
            error_verbosity: self.choice(
                "CLIENT_ERROR_VERBOSITY",
                &raw.client_error_verbosity,
                "verbose or minimal",
                ErrorVerbosity::Verbose,
                &[("verbose", ErrorVerbosity::Verbose), ("minimal", ErrorVerbosity::Minimal)],
            ),
            app_settings: app_settings.into_iter().map(|(name, value)| (name, Secret::new(value))).collect(),
        }
    }

    fn access(&mut self, raw: &Raw) -> Access {
        let access = Access {
            mode: self.choice(
                "ACCESS",
                &raw.access,
                "closed, read or open",
                AccessMode::Closed,
                &[("closed", AccessMode::Closed), ("read", AccessMode::Read), ("open", AccessMode::Open)],
            ),
            anon_role: text(&raw.anon_role).unwrap_or_default(),
            jwt_secret: self.jwt_secret(raw),
            jwks: self.jwks(&raw.jwks),
            jwks_url: self.jwks_url(&raw.jwks_url),
            api_keys_file: text(&raw.api_keys_file).map(Into::into),
            rate_limit: text(&raw.rate_limit),
            jwt_audience: text(&raw.jwt_aud),
            jwt_role_claim: text(&raw.jwt_role_claim).unwrap_or_default(),
            jwt_cache_max_entries: self
                .number("JWT_CACHE_MAX_ENTRIES", &raw.jwt_cache_max_entries, "a number of tokens", 0..=JWT_CACHE_MOST)
                .unwrap_or_default(),
        };
        let message = match access.mode {
            AccessMode::Closed => return access,
            AccessMode::Read => "anyone who reaches this server may read everything",
            AccessMode::Open => "anyone who reaches this server may read, change and delete everything",
        };
        self.warnings.push(Warning { variable: "ACCESS".to_owned(), message: message.to_owned() });
        access
    }

    fn bounds(&mut self, raw: &Raw, machine: &Machine) -> Bounds {
        let memory = machine.memory_bytes;
        let max_rows = self.max_rows("MAX_ROWS", &raw.max_rows, Some((memory / (16 << 10)).clamp(1_000, 100_000)));
        // What is computed bounds the memory, of which a stream needs none; what is typed has other reasons.
        let typed_max_rows = max_rows.filter(|_| text(&raw.max_rows).is_some());
        let max_body = self.size("MAX_BODY", &raw.max_body).unwrap_or_else(|| (memory / 32).clamp(1 << 20, 64 << 20));
        let pool_size = self.pool_size(raw, machine);
        let sockets = machine.files.saturating_sub(FILES_BESIDE + pool_size * CONNECTION_FILES).max(1);
        Bounds {
            max_rows,
            max_stream_rows: self.max_rows("MAX_STREAM_ROWS", &raw.max_stream_rows, typed_max_rows),
            stream_timeout: self.time_limit("STREAM_TIMEOUT", &raw.stream_timeout),
            max_body_bytes: saturated(max_body),
            // One body of the largest size must always fit, or it could never be sent.
            bodies_bytes: saturated((memory / 4).max(max_body)),
            max_answer_bytes: saturated((memory / 16).clamp(4 << 20, 64 << 20)),
            answers_bytes: saturated((memory / 4).max(4 << 20)),
            // Page caches are a part of it, so little of it is too little.
            sqlite_bytes: saturated((memory / 2).max(128 << 20)),
            statement_timeout: self.time_limit("STATEMENT_TIMEOUT", &raw.statement_timeout),
            queue_limit: self
                .number("QUEUE_LIMIT", &raw.queue_limit, "a number of requests", 1..=QUEUE_MOST)
                .unwrap_or_else(|| saturated((memory >> 20).clamp(64, 1_024))),
            pool_size,
            pool_timeout: self.time_limit("POOL_TIMEOUT", &raw.pool_timeout),
            pool_idle_timeout: self.time_limit("POOL_IDLE_TIMEOUT", &raw.pool_idle_timeout),
            pool_max_lifetime: self.time_limit("POOL_MAX_LIFETIME", &raw.pool_max_lifetime),
            workers: machine.cores.max(1),
            connections: saturated((memory / 8 / CONNECTION_BYTES).clamp(256, 16_384)).min(sockets),
        }
    }

    fn log(&mut self, raw: &Raw) -> Log {
        Log {
            format: self.choice(
                "LOG_FORMAT",
                &raw.log_format,
                "json or text",
                LogFormat::Auto,
                &[("json", LogFormat::Json), ("text", LogFormat::Text)],
            ),
            level: self.choice(
                "LOG_LEVEL",
                &raw.log_level,
                "error, warn, info, debug or trace",
                LogLevel::Info,
                &[
                    ("crit", LogLevel::Error),
                    ("error", LogLevel::Error),
                    ("warn", LogLevel::Warn),
                    ("info", LogLevel::Info),
                    ("debug", LogLevel::Debug),
                    ("trace", LogLevel::Trace),
                ],
            ),
            google_cloud_project: text(&raw.google_cloud_project),
        }
    }
}

/// Single variables with a rule of their own.
impl Resolver {
    /// Connections take files, of which half are left for sockets.
    fn pool_size(&mut self, raw: &Raw, machine: &Machine) -> usize {
        let most = (machine.files / 2 / CONNECTION_FILES).clamp(1, POOL_MOST);
        let typed = self.number("POOL_SIZE", &raw.pool_size, "a number of connections", 1..=most);
        typed.unwrap_or_else(|| machine.cores.saturating_mul(4).clamp(4, 16).min(most))
    }

    fn cors_origins(&mut self, typed: &Option<String>) -> CorsOrigins {
        let origins = list(typed);
        if origins.is_empty() || origins.iter().any(|origin| origin == "*") {
            return CorsOrigins::Any;
        }
        for origin in &origins {
            if !origin.contains("://") || origin.ends_with('/') {
                self.unexpected("CORS_ORIGINS", origin, "an origin such as https://example.com");
            }
        }
        CorsOrigins::Listed(origins)
    }

    fn trace_header(&mut self, typed: &Option<String>) -> Option<String> {
        let name = text(typed)?.to_ascii_lowercase();
        if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return Some(name);
        }
        self.unexpected("SERVER_TRACE_HEADER", &name, "the name of a header");
        None
    }

    fn database_url(&mut self, typed: &Option<String>) -> Option<Secret<String>> {
        let url = text(typed)?;
        if url.starts_with("postgres://") || url.starts_with("postgresql://") || url.contains('=') {
            return Some(Secret::new(url));
        }
        self.unexpected_secret("DATABASE_URL", "a Postgres DSN such as postgres://user@host/database");
        None
    }

    fn database_name(&mut self, typed: &Option<String>) -> String {
        let name = text(typed).unwrap_or_default();
        let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !is_plain || name.len() > DATABASE_NAME_LONGEST {
            self.unexpected("DATABASE_NAME", &name, "1 to 64 letters, digits, _ or -");
        }
        name
    }

    fn schemas(&mut self, typed: &Option<String>) -> Vec<String> {
        let schemas = list(typed);
        if schemas.is_empty() {
            self.unexpected("DB_SCHEMAS", typed.as_deref().unwrap_or_default(), "a list of schemas");
        }
        for schema in &schemas {
            if schema == "pg_catalog" || schema == "information_schema" {
                self.unexpected("DB_SCHEMAS", schema, "a schema that may be exposed");
            }
        }
        schemas
    }

    fn jwt_secret(&mut self, raw: &Raw) -> Option<Secret<Vec<u8>>> {
        let is_base64 = self.switch("JWT_SECRET_IS_BASE64", &raw.jwt_secret_is_base64).is_on();
        let typed = raw.jwt_secret.as_ref()?;
        let secret = if is_base64 {
            // PostgREST takes the URL alphabet too, with any padding.
            let plain: String = typed.trim().replace('-', "+").replace('_', "/").replace('.', "=");
            let decoded = base64::engine::general_purpose::STANDARD_NO_PAD.decode(plain.trim_end_matches('='));
            let Ok(bytes) = decoded else {
                self.unexpected_secret("JWT_SECRET", "Base64");
                return None;
            };
            bytes
        } else {
            typed.clone().into_bytes()
        };
        let is_json = matches!(secret.first(), Some(b'{' | b'['));
        if !is_json && secret.len() < JWT_SECRET_LEAST {
            self.fault("JWT_SECRET", Problem::TooShort { least: JWT_SECRET_LEAST });
        }
        Some(Secret::new(secret))
    }

    fn jwks(&mut self, typed: &Option<String>) -> Option<Secret<String>> {
        let keys = text(typed)?;
        if serde_json::from_str::<serde_json::Value>(&keys).is_ok_and(|value| value.is_object()) {
            return Some(Secret::new(keys));
        }
        self.unexpected_secret("JWKS", "a JSON Web Key Set");
        None
    }

    fn jwks_url(&mut self, typed: &Option<String>) -> Option<String> {
        let address = self.web_address("JWKS_URL", typed)?;
        if !address.starts_with("https://") {
            let message =
                "keys that come without TLS can be replaced on their way by whoever is between, who can then \
                           sign tokens; use https"
                    .to_owned();
            self.warnings.push(Warning { variable: "JWKS_URL".to_owned(), message });
        }
        Some(address)
    }

    fn max_rows(&mut self, variable: &'static str, typed: &Option<String>, computed: Option<u64>) -> Option<u64> {
        match text(typed).as_deref() {
            None => computed,
            Some("none") => None,
            Some(_) => self.number(variable, typed, "none or a number of rows", 1..=ROWS_MOST),
        }
    }
}

fn saturated(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
