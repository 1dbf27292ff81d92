//! What each part behind the socket must know, out of the configuration.

use std::path::PathBuf;

use crate::config::{self, Config};
use crate::plan::{self, Engine, TransactionOverride};
use crate::request::prefer::TransactionEnd;
use crate::response::{Verbosity, openapi};
use crate::store::postgres::{Function, PostgresSettings, Prepare};
use crate::store::sqlite::SqliteSettings;

/// What the SQLite store must know.
pub(super) fn sqlite(config: &Config, path: PathBuf) -> SqliteSettings {
    SqliteSettings {
        readers: u32::try_from(config.bounds.pool_size).unwrap_or(u32::MAX),
        queue_limit: config.bounds.queue_limit,
        body_max_bytes: config.bounds.max_answer_bytes,
        value_max_bytes: config.bounds.max_answer_bytes.max(config.bounds.max_body_bytes),
        memory_max_bytes: config.bounds.sqlite_bytes,
        stream_timeout: config.bounds.stream_timeout,
        ..SqliteSettings::new(path)
    }
}

/// What the Postgres store must know.
pub(in crate::command) fn postgres(config: &Config, dsn: &str) -> PostgresSettings {
    PostgresSettings {
        dsn: dsn.to_owned(),
        schemas: config.api.schemas.clone(),
        extra_search_path: config.api.extra_search_path.clone(),
        pool_size: config.bounds.pool_size,
        pool_timeout: config.bounds.pool_timeout,
        idle_timeout: config.bounds.pool_idle_timeout,
        max_lifetime: config.bounds.pool_max_lifetime,
        stream_timeout: config.bounds.stream_timeout,
        body_max_bytes: config.bounds.max_answer_bytes,
        prepared: if config.storage.prepared_statements.is_on() { Prepare::Once } else { Prepare::Never },
        channel: config.storage.channel.clone(),
        pre_request: config.api.pre_request.as_deref().map(Function::parse),
        hoisted_settings: config.api.hoisted_settings.clone(),
        app_settings: config
            .api
            .app_settings
            .iter()
            .map(|(name, value)| (name.clone(), value.expose().clone()))
            .collect(),
        application_name: "berth".to_owned(),
    }
}

/// What planning must know.
pub(super) fn planning(config: &Config, engine: Engine) -> plan::Settings {
    let schemas = match engine {
        Engine::Sqlite => vec!["public".to_owned()],
        Engine::Postgres => config.api.schemas.clone(),
    };
    let (transaction_end, transaction_override) = match config.api.transaction_end {
        config::TransactionEnd::Commit => (TransactionEnd::Commit, TransactionOverride::Ignored),
        config::TransactionEnd::CommitAllowOverride => (TransactionEnd::Commit, TransactionOverride::Heeded),
        config::TransactionEnd::Rollback => (TransactionEnd::Rollback, TransactionOverride::Ignored),
        config::TransactionEnd::RollbackAllowOverride => (TransactionEnd::Rollback, TransactionOverride::Heeded),
    };
    plan::Settings {
        transaction_end,
        transaction_override,
        engine,
        schemas,
        max_rows: config.bounds.max_rows,
        streaming: plan::Streaming::Rows { at_most: config.bounds.max_stream_rows },
        aggregates: config.api.aggregates.is_on(),
        plans: config.api.plan.is_on(),
        target_names: if config.api.legacy_target_names.is_on() {
            plan::TargetNames::Legacy
        } else {
            plan::TargetNames::Alias
        },
        root: match (config.api.openapi_mode, &config.api.root_spec) {
            (config::OpenApiMode::Disabled, _) => plan::Root::Disabled,
            (_, Some(name)) => plan::Root::Function(name.clone()),
            (config::OpenApiMode::IgnorePrivileges, None) => plan::Root::Everything,
            (config::OpenApiMode::FollowPrivileges, None) => plan::Root::Usable,
        },
        access: match config.access.mode {
            config::AccessMode::Closed => plan::AccessMode::Closed,
            config::AccessMode::Read => plan::AccessMode::Read,
            config::AccessMode::Open => plan::AccessMode::Open,
        },
    }
}

/// How much of an error a client sees.
pub(super) fn verbosity(api: &config::Api) -> Verbosity {
    match api.error_verbosity {
        config::ErrorVerbosity::Verbose => Verbosity::Verbose,
        config::ErrorVerbosity::Minimal => Verbosity::Minimal,
    }
}

/// What the description at `/` says beside the tables.
pub(super) fn description(api: &config::Api) -> openapi::Settings {
    openapi::Settings {
        proxy: api.openapi_server_proxy_uri.as_deref().and_then(openapi::Proxy::parse),
        security: if api.openapi_security.is_on() { openapi::Security::Token } else { openapi::Security::Silent },
    }
}
