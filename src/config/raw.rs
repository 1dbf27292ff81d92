//! What was typed: every variable as text, under its own name, wherever it came from.

use std::collections::BTreeMap;
use std::io::Read as _;

use serde::Deserialize;

use super::fault::{Fault, Problem, Warning};
use super::platform;
use super::variable::{IGNORED, Preset, Source, VARIABLES, Variable};

/// Secrets are short; a file beyond this is a mistake and is not read into memory.
const FILE_MAX_BYTES: u64 = 1 << 20;

/// What `PostgREST` puts before the name of a setting that SQL can read.
const APP_SETTINGS_PREFIX: &str = "PGRST_APP_SETTINGS_";

/// Every variable as it was typed; its default's text when it was not and has one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is a variable, and `variable::VARIABLES` documents it")]
pub struct Raw {
    pub port: Option<String>,
    pub host: Option<String>,
    pub cors_origins: Option<String>,
    pub server_trace_header: Option<String>,
    pub server_timing_enabled: Option<String>,
    pub database_url: Option<String>,
    pub volume: Option<String>,
    pub database_name: Option<String>,
    pub volume_mode: Option<String>,
    pub volume_unsafe: Option<String>,
    pub local_dir: Option<String>,
    pub migrations: Option<String>,
    pub read_staleness: Option<String>,
    pub retention: Option<String>,
    pub db_prepared_statements: Option<String>,
    pub db_channel_enabled: Option<String>,
    pub db_channel: Option<String>,
    pub db_schemas: Option<String>,
    pub db_extra_search_path: Option<String>,
    pub db_pre_request: Option<String>,
    pub db_hoisted_tx_settings: Option<String>,
    pub db_root_spec: Option<String>,
    pub db_aggregates_enabled: Option<String>,
    pub db_plan_enabled: Option<String>,
    pub url_use_legacy_target_names: Option<String>,
    pub db_tx_end: Option<String>,
    pub openapi_mode: Option<String>,
    pub openapi_server_proxy_uri: Option<String>,
    pub openapi_security_active: Option<String>,
    pub client_error_verbosity: Option<String>,
    pub access: Option<String>,
    pub anon_role: Option<String>,
    pub jwt_secret: Option<String>,
    pub jwt_secret_is_base64: Option<String>,
    pub jwks: Option<String>,
    pub jwks_url: Option<String>,
    pub api_keys_file: Option<String>,
    pub rate_limit: Option<String>,
    pub trusted_proxies: Option<String>,
    pub jwt_aud: Option<String>,
    pub jwt_role_claim: Option<String>,
    pub jwt_cache_max_entries: Option<String>,
    pub max_rows: Option<String>,
    pub max_stream_rows: Option<String>,
    pub stream_timeout: Option<String>,
    pub max_body: Option<String>,
    pub statement_timeout: Option<String>,
    pub queue_limit: Option<String>,
    pub pool_size: Option<String>,
    pub pool_timeout: Option<String>,
    pub pool_idle_timeout: Option<String>,
    pub pool_max_lifetime: Option<String>,
    pub log_format: Option<String>,
    pub log_level: Option<String>,
    pub otel_exporter_otlp_endpoint: Option<String>,
    pub otel_exporter_otlp_metrics_endpoint: Option<String>,
    pub otel_exporter_otlp_traces_endpoint: Option<String>,
    pub otel_exporter_otlp_headers: Option<String>,
    pub otel_exporter_otlp_timeout: Option<String>,
    pub otel_metric_export_interval: Option<String>,
    pub otel_service_name: Option<String>,
    pub otel_resource_attributes: Option<String>,
    pub k_service: Option<String>,
    pub k_revision: Option<String>,
    pub google_cloud_project: Option<String>,
}

/// What the environment held, and what was odd about it.
#[derive(Debug, Clone, Default)]
pub struct Collected {
    /// The variables.
    pub raw: Raw,
    /// `app.settings.*` with their values.
    pub app_settings: Vec<(String, String)>,
    /// The platform that set some of it.
    pub platform: Option<&'static str>,
    /// Under which name each variable was typed, where that was not its own.
    pub typed_as: BTreeMap<&'static str, String>,
    /// What cannot be read.
    pub faults: Vec<Fault>,
    /// What does nothing.
    pub warnings: Vec<Warning>,
}

/// Sorts an environment into variables, settings and oddities.
#[must_use]
pub fn collect(environment: impl IntoIterator<Item = (String, String)>) -> Collected {
    let environment: BTreeMap<String, String> = environment.into_iter().collect();
    let mut collected = Collected { platform: platform::of(&environment), ..Collected::default() };
    let mut typed = Vec::with_capacity(VARIABLES.len());

    for variable in VARIABLES {
        if let Some(value) = find(variable, &environment, &mut collected) {
            typed.push((variable.name.to_owned(), value));
        }
    }
    for (name, value) in &environment {
        if let Some(setting) = name.strip_prefix(APP_SETTINGS_PREFIX) {
            collected.app_settings.push((format!("app.settings.{setting}"), value.clone()));
        } else if !is_declared(name) {
            warn_if_ignored(name, &mut collected.warnings);
        }
    }

    match envy::from_iter(typed) {
        Ok(raw) => collected.raw = raw,
        Err(error) => collected.faults.push(Fault {
            variable: "environment".to_owned(),
            problem: Problem::Environment { reason: error.to_string() },
        }),
    }
    collected
}

/// The text of one variable: its own name first, then its second names, then its default.
fn find(variable: &Variable, environment: &BTreeMap<String, String>, collected: &mut Collected) -> Option<String> {
    // An extra search path may be wished empty, and nobody to come without a token; for all others an empty value is as
    // good as none.
    let may_be_empty = matches!(variable.name, "DB_EXTRA_SEARCH_PATH" | "ANON_ROLE");
    let is_given = |value: &&String| may_be_empty || !value.trim().is_empty();
    for name in std::iter::once(&variable.name).chain(variable.aliases) {
        let value = environment.get(*name).filter(is_given);
        let file_name = format!("{name}_FILE");
        let file = environment
            .get(&file_name)
            .filter(|path| variable.source == Source::ValueOrFile && !path.trim().is_empty());
        if value.is_none() && file.is_none() {
            continue;
        }
        if *name != variable.name {
            collected.typed_as.insert(variable.name, (*name).to_owned());
        }
        if let Some(value) = value.filter(|value| value.contains(char::REPLACEMENT_CHARACTER)) {
            let problem = match variable.source {
                Source::Value => Problem::NoText { value: value.clone() },
                Source::ValueOrFile => Problem::UnexpectedSecret { expected: "UTF-8" },
            };
            collected.faults.push(Fault { variable: (*name).to_owned(), problem });
            return None;
        }
        if value.is_some() && file.is_some() {
            let problem = Problem::GivenTwice { other: file_name };
            collected.faults.push(Fault { variable: (*name).to_owned(), problem });
            return None;
        }
        if let Some(path) = file {
            collected.typed_as.insert(variable.name, file_name.clone());
            return read_file(&file_name, path, &mut collected.faults);
        }
        let is_postgrest = *name != variable.name && variable.source == Source::ValueOrFile;
        return match value.and_then(|value| value.strip_prefix('@')).filter(|_| is_postgrest) {
            Some(path) => read_file(name, path, &mut collected.faults),
            None => value.cloned(),
        };
    }
    match variable.default {
        Preset::Typed(text) => Some(text.to_owned()),
        Preset::Nothing | Preset::Computed(_) => None,
    }
}

/// The text of a file without its last line break; `None` with a fault when it cannot be read.
fn read_file(variable: &str, path: &str, faults: &mut Vec<Fault>) -> Option<String> {
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(FILE_MAX_BYTES + 1).read_to_string(&mut text));
    let reason = match read {
        Ok(length) if length as u64 > FILE_MAX_BYTES => format!("it is larger than {FILE_MAX_BYTES} bytes"),
        Ok(_) => {
            let end = text.trim_end_matches(['\r', '\n']).len();
            text.truncate(end);
            return Some(text);
        }
        Err(error) => error.to_string(),
    };
    let problem = Problem::Unreadable { path: path.to_owned(), reason };
    faults.push(Fault { variable: variable.to_owned(), problem });
    None
}

fn is_declared(name: &str) -> bool {
    VARIABLES.iter().any(|variable| {
        std::iter::once(&variable.name).chain(variable.aliases).any(|declared| {
            name == *declared
                || (variable.source == Source::ValueOrFile && name.strip_suffix("_FILE") == Some(declared))
        })
    })
}

fn warn_if_ignored(name: &str, warnings: &mut Vec<Warning>) {
    let found = IGNORED.iter().find(|ignored| {
        if ignored.name.ends_with('_') { name.starts_with(ignored.name) } else { name == ignored.name }
    });
    if let Some(ignored) = found {
        warnings.push(Warning { variable: name.to_owned(), message: format!("has no effect: {}", ignored.reason) });
    }
}
