//! What an operator types and what becomes of it.

use std::time::Duration;

use super::variable::{Preset, VARIABLES, reference};
use super::*;

const SMALL: Machine = Machine { memory_bytes: 512 << 20, cores: 2, files: 1_024 };

fn pairs(typed: &[(&str, &str)]) -> Vec<(String, String)> {
    typed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn read(typed: &[(&str, &str)]) -> Config {
    Config::read(pairs(typed), &SMALL).unwrap()
}

fn faults(typed: &[(&str, &str)]) -> Vec<String> {
    Config::read(pairs(typed), &SMALL).unwrap_err().0.iter().map(ToString::to_string).collect()
}

#[test]
fn an_empty_environment_is_a_working_configuration() {
    let config = read(&[]);
    assert_eq!((config.http.host.as_str(), config.http.port), ("0.0.0.0", 8080));
    assert_eq!(config.http.cors_origins, CorsOrigins::Any);
    assert_eq!(config.access.mode, AccessMode::Closed);
    assert_eq!(config.api.schemas, ["public"]);
    assert_eq!(config.storage.channel.as_deref(), Some("pgrst"));
    assert_eq!(config.storage.retention, Duration::from_secs(86_400));
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn bounds_follow_the_machine() {
    let bounds = read(&[]).bounds;
    assert_eq!(bounds.max_rows, Some(32_768));
    assert_eq!(bounds.max_body_bytes, 16 << 20);
    assert_eq!(bounds.bodies_bytes, 128 << 20);
    assert_eq!((bounds.max_answer_bytes, bounds.answers_bytes), (32 << 20, 128 << 20));
    assert_eq!((bounds.queue_limit, bounds.pool_size, bounds.workers), (512, 8, 2));

    let tiny = Config::read(Vec::new(), &Machine { memory_bytes: 16 << 20, cores: 1, files: 1_024 }).unwrap().bounds;
    assert_eq!((tiny.max_body_bytes, tiny.queue_limit, tiny.pool_size), (1 << 20, 64, 4));
}

#[test]
fn the_largest_body_always_fits_the_memory_for_bodies() {
    assert_eq!(read(&[("MAX_BODY", "1GiB")]).bounds.bodies_bytes, 1 << 30);
}

#[test]
fn every_fault_is_reported_at_once_with_its_variable() {
    let found = faults(&[("PORT", "eighty"), ("PGRST_DB_POOL", "0"), ("MAX_BODY", "big"), ("ACCESS", "maybe")]);
    assert_eq!(
        found,
        [
            "PORT: \"eighty\" is not a port, 0 to 65535",
            "ACCESS: \"maybe\" is not closed, read or open",
            "MAX_BODY: \"big\" is not a size such as 10MB or 512KiB, at most 1GiB",
            "PGRST_DB_POOL: \"0\" is not a number of connections, 1 to 128",
        ]
    );
}

#[test]
fn postgrest_names_are_second_names() {
    let config = read(&[
        ("PGRST_DB_URI", "postgres://authenticator@db/app"),
        ("PGRST_DB_ANON_ROLE", "web_anon"),
        ("PGRST_DB_SCHEMAS", "api, private"),
        ("PGRST_SERVER_HOST", "!4"),
        ("PGRST_SERVER_PORT", "3000"),
        ("PGRST_DB_EXTRA_SEARCH_PATH", ""),
        ("PGRST_DB_TX_END", "rollback-allow-override"),
        ("PGRST_DB_CHANNEL_ENABLED", "true"),
        ("PGRST_JWT_SECRET_IS_BASE64", "False"),
        ("PGRST_LOG_LEVEL", "crit"),
        ("PGRST_APP_SETTINGS_Tenant", "north"),
        ("PGRST_DB_POOL_ACQUISITION_TIMEOUT", "3"),
    ]);
    assert_eq!(config.storage.database_url.unwrap().expose(), "postgres://authenticator@db/app");
    assert_eq!(config.access.anon_role, "web_anon");
    assert_eq!(config.api.schemas, ["api", "private"]);
    assert_eq!((config.http.host.as_str(), config.http.port), ("0.0.0.0", 3000));
    assert!(config.api.extra_search_path.is_empty());
    assert_eq!(config.api.transaction_end, TransactionEnd::RollbackAllowOverride);
    assert_eq!(config.storage.channel.as_deref(), Some("pgrst"));
    assert_eq!(config.log.level, LogLevel::Error);
    assert_eq!(config.bounds.pool_timeout, Duration::from_secs(3));
    assert_eq!(config.api.app_settings, [("app.settings.Tenant".to_owned(), Secret::new("north".to_owned()))]);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn a_variables_own_name_wins_over_its_second_name() {
    assert_eq!(read(&[("PORT", "1"), ("PGRST_SERVER_PORT", "2")]).http.port, 1);
}

#[test]
fn an_empty_value_is_as_good_as_none() {
    assert_eq!(read(&[("PORT", " "), ("JWT_ROLE_CLAIM", "")]).access.jwt_role_claim, "$.role");
}

#[test]
fn what_has_no_effect_is_said() {
    let config = read(&[("PGRST_ADMIN_SERVER_PORT", "3001"), ("PGRST_NOVELTY", "x"), ("HOME", "/root")]);
    let variables: Vec<_> = config.warnings.iter().map(|warning| warning.variable.as_str()).collect();
    assert_eq!(variables, ["PGRST_ADMIN_SERVER_PORT", "PGRST_NOVELTY"]);
}

#[test]
fn an_open_door_is_said() {
    assert_eq!(read(&[("ACCESS", "open")]).warnings.len(), 1);
}

#[test]
fn secrets_come_from_files_without_their_last_line_break() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "0123456789abcdef0123456789abcdef\n").unwrap();
    let path = file.path().to_str().unwrap();
    let expected = b"0123456789abcdef0123456789abcdef".to_vec();

    let by_file = read(&[("JWT_SECRET_FILE", path)]);
    assert_eq!(by_file.access.jwt_secret.unwrap().expose(), &expected);
    let by_sign = read(&[("PGRST_JWT_SECRET", &format!("@{path}"))]);
    assert_eq!(by_sign.access.jwt_secret.unwrap().expose(), &expected);
}

#[test]
fn a_missing_file_names_the_variable_that_asked_for_it() {
    let found = faults(&[("JWT_SECRET_FILE", "/nowhere/secret")]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("JWT_SECRET_FILE: the file \"/nowhere/secret\" cannot be read"), "{found:?}");
}

#[test]
fn a_value_and_a_file_together_are_refused() {
    let found = faults(&[("DATABASE_URL", "postgres://a/b"), ("DATABASE_URL_FILE", "/x")]);
    assert_eq!(found, ["DATABASE_URL: \"DATABASE_URL_FILE\" is set too; set one of them"]);
}

#[test]
fn a_short_secret_is_refused_and_not_repeated() {
    let found = faults(&[("JWT_SECRET", "hunter2")]);
    assert_eq!(found, ["JWT_SECRET: it must have at least 32 characters"]);
}

#[test]
fn nobody_comes_without_a_token_where_the_anonymous_role_is_set_to_nothing() {
    assert_eq!(read(&[]).access.anon_role, "anon");
    for name in ["ANON_ROLE", "PGRST_DB_ANON_ROLE"] {
        assert_eq!(read(&[(name, "")]).access.anon_role, "");
    }
}

#[test]
fn a_base64_secret_may_use_the_url_alphabet() {
    let config =
        read(&[("JWT_SECRET", "-_-_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="), ("JWT_SECRET_IS_BASE64", "true")]);
    assert_eq!(config.access.jwt_secret.unwrap().expose().first(), Some(&0xfb));
}

#[test]
fn debug_shows_no_secret() {
    let config = read(&[
        ("DATABASE_URL", "postgres://user:hunter2@db/app"),
        ("JWT_SECRET", "hunter2hunter2hunter2hunter2hunter2"),
        ("PGRST_APP_SETTINGS_KEY", "hunter2"),
    ]);
    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_bad_dsn_is_not_repeated() {
    assert!(!faults(&[("DATABASE_URL", "hunter2")]).concat().contains("hunter2"));
}

#[test]
fn wrong_values_are_refused() {
    for (name, value) in [
        ("CORS_ORIGINS", "example.com"),
        ("DATABASE_NAME", "../escape"),
        ("DB_SCHEMAS", "public,pg_catalog"),
        ("DB_SCHEMAS", ","),
        ("STATEMENT_TIMEOUT", "0s"),
        ("READ_STALENESS", "soon"),
        ("JWKS", "not json"),
        ("JWKS_URL", "file:///etc/passwd"),
        ("OPENAPI_SERVER_PROXY_URI", "example.com"),
        ("SERVER_TRACE_HEADER", "a: b"),
        ("VOLUME_UNSAFE", "perhaps"),
        ("MAX_ROWS", "-1"),
        ("MAX_STREAM_ROWS", "many"),
        ("JWKS_URL", "https://"),
        ("JWKS_URL", "https://a b/keys"),
        ("VOLUME", "/data/\u{fffd}"),
        ("JWT_SECRET", "\u{fffd}0123456789abcdef0123456789abcdef"),
    ] {
        assert_eq!(faults(&[(name, value)]).len(), 1, "{name}={value}");
    }
}

#[test]
fn quantities_beyond_reason_are_refused_with_what_is_allowed() {
    for (name, value, allowed) in [
        ("POOL_SIZE", "100000", "a number of connections, 1 to 128"),
        ("QUEUE_LIMIT", "18446744073709551615", "a number of requests, 1 to 100000"),
        ("MAX_ROWS", "0", "none or a number of rows, 1 to 9223372036854775807"),
        ("MAX_STREAM_ROWS", "18446744073709551615", "none or a number of rows, 1 to 9223372036854775807"),
        ("TRUSTED_PROXIES", "101", "a number of proxies, 0 to 100"),
        ("JWT_CACHE_MAX_ENTRIES", "100001", "a number of tokens, 0 to 100000"),
        ("MAX_BODY", "0", "a size such as 10MB or 512KiB, at most 1GiB"),
        ("MAX_BODY", "2GiB", "a size such as 10MB or 512KiB, at most 1GiB"),
        ("STATEMENT_TIMEOUT", "0s", "a duration such as 500ms, 30s or 2h, longer than zero, at most 24d"),
        ("STATEMENT_TIMEOUT", "25d", "a duration such as 500ms, 30s or 2h, longer than zero, at most 24d"),
        ("STREAM_TIMEOUT", "-1", "a duration such as 500ms, 30s or 2h, longer than zero, at most 24d"),
        ("RETENTION", "99999d", "a duration such as 500ms, 30s or 24h, at most 36600d"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0", "a number of milliseconds, 1 to 86400000"),
    ] {
        assert_eq!(faults(&[(name, value)]), [format!("{name}: \"{value}\" is not {allowed}")]);
    }
}

#[test]
fn sockets_and_connections_share_the_files_that_may_be_open() {
    let bounds = |pool: &str, files| {
        let machine = Machine { memory_bytes: 8 << 30, cores: 2, files };
        Config::read(pairs(&[("POOL_SIZE", pool)]), &machine).unwrap().bounds
    };
    assert_eq!(bounds("8", 1 << 20).connections, 16_384);
    assert_eq!(bounds("8", 1_024).connections, 1_024 - 64 - 8 * 4);
    assert_eq!(bounds("128", 1_024).connections, 1_024 - 64 - 128 * 4);
}

#[test]
fn migrations_can_be_none() {
    let migrations = |typed: &[(&str, &str)]| read(typed).storage.migrations;
    assert_eq!(migrations(&[]), Some("./migrations".into()));
    assert_eq!(migrations(&[("MIGRATIONS", "none")]), None);
}

#[test]
fn rows_can_be_unbounded() {
    assert_eq!(read(&[("MAX_ROWS", "none")]).bounds.max_rows, None);
}

#[test]
fn streams_have_as_many_rows_as_they_like_unless_a_bound_was_typed() {
    let bound = |typed: &[(&str, &str)]| read(typed).bounds.max_stream_rows;
    assert_eq!(bound(&[]), None);
    assert_eq!(bound(&[("MAX_ROWS", "10")]), Some(10));
    assert_eq!(bound(&[("MAX_ROWS", "10"), ("MAX_STREAM_ROWS", "none")]), None);
    assert_eq!(bound(&[("MAX_STREAM_ROWS", "20")]), Some(20));
}

#[test]
fn a_typed_name_of_the_service_wins_over_one_that_is_found() {
    let name = |typed: &[(&str, &str)]| {
        let resource = read(typed).export.resource;
        let mut names: Vec<_> = resource.into_iter().filter(|(name, _)| name == "service.name").collect();
        assert_eq!(names.len(), 1, "{names:?}");
        names.remove(0).1
    };
    let (found, among, own) =
        (("K_SERVICE", "found"), ("OTEL_RESOURCE_ATTRIBUTES", "a=b,service.name=among"), ("OTEL_SERVICE_NAME", "own"));
    assert_eq!(name(&[]), "berth");
    assert_eq!(name(&[found]), "found");
    assert_eq!(name(&[found, among]), "among");
    assert_eq!(name(&[found, among, own]), "own");
}

#[test]
fn the_table_and_the_fields_are_the_same_set() {
    // `Raw` refuses unknown fields, so a variable without a field fails; the count finds a field without a variable.
    let typed = VARIABLES.iter().map(|variable| (variable.name.to_owned(), "x".to_owned()));
    let raw: raw::Raw = envy::from_iter(typed).unwrap();
    let shown = format!("{raw:?}");
    assert_eq!(shown.matches("Some(\"x\")").count(), VARIABLES.len());
    assert!(!shown.contains("None"), "{shown}");
}

#[test]
fn names_are_declared_once() {
    let mut names: Vec<_> =
        VARIABLES.iter().flat_map(|variable| std::iter::once(&variable.name).chain(variable.aliases)).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(VARIABLES.iter().all(|variable| !matches!(variable.default, Preset::Typed(""))));
}

#[test]
fn the_reference_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/configuration.md");
    if environment().iter().any(|(name, value)| name == "WRITE_REFERENCE" && value == "1") {
        std::fs::write(path, reference()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(written == reference(), "run `WRITE_REFERENCE=1 cargo test --lib the_reference_is_up_to_date`");
}
