//! `berth check`: what the volume or the database can do, and whether the configuration is safe on it.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use thiserror::Error;

use super::compose;
use crate::config::{AccessMode, Config, VolumeMode};
use crate::telemetry::Telemetry;
use crate::volume::probe::report::{self, Finding, Level};
use crate::volume::probe::{Depth, Facts, lock};

mod database;
mod exposure;
mod shared;

/// Columns of a finding's lines below its first.
const INDENT: usize = 10;

/// How the findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Table,
    /// For machines.
    Json,
}

/// Why the check does not end well.
#[derive(Debug, Error)]
pub(super) enum Error {
    /// Something was found that loses data, or does not work.
    #[error("the configuration is not safe")]
    Unsafe,
    /// The check itself cannot be done.
    #[error(transparent)]
    Compose(#[from] compose::Error),
    /// The operating system is out of something.
    #[error("cannot check")]
    System(#[from] std::io::Error),
    /// The findings cannot be written as JSON.
    #[error("cannot write the findings")]
    Json(#[from] serde_json::Error),
}

/// What was found, as machines read it.
#[derive(Debug, Serialize)]
struct Report {
    safe: bool,
    store: &'static str,
    reason: String,
    findings: Vec<Finding>,
}

/// Tries everything and prints what was found.
///
/// # Errors
/// [`Error::Unsafe`] when a finding is.
pub(super) async fn run(config: &Config, form: Form, instances: Option<usize>) -> Result<(), Error> {
    let (store, reason, mut findings) = match &config.storage.database_url {
        Some(dsn) => {
            let telemetry = Telemetry::silent().map_err(compose::Error::from)?;
            let findings = database::findings(config, dsn.expose(), instances, telemetry).await;
            ("postgres", "DATABASE_URL is set".to_owned(), findings)
        }
        None => volume(config)?,
    };
    findings.push(access(config));
    let safe = findings.iter().all(|finding| finding.level != Level::Unsafe);
    let report = Report { safe, store, reason, findings };
    let text = match form {
        Form::Json => serde_json::to_string_pretty(&report)?,
        Form::Table => table(&report),
    };
    writeln!(std::io::stdout().lock(), "{}", text.trim_end())?;
    if safe { Ok(()) } else { Err(Error::Unsafe) }
}

/// The part of a probe's second process. It needs no configuration.
pub(super) fn answer_probe(file: &Path) -> ExitCode {
    match lock::answer(file) {
        Ok(words) if writeln!(std::io::stdout().lock(), "{words}").is_ok() => ExitCode::SUCCESS,
        Ok(_) | Err(_) => ExitCode::FAILURE,
    }
}

fn volume(config: &Config) -> Result<(&'static str, String, Vec<Finding>), Error> {
    let storage = &config.storage;
    let facts = compose::look(&storage.volume, Depth::Whole)?;
    let log = compose::log_path(storage);
    let mut findings = report::findings(&facts, &log);
    let (mode, reason) = match storage.volume_mode {
        VolumeMode::InPlace => (compose::Mode::InPlace, "VOLUME_MODE=in-place".to_owned()),
        VolumeMode::SharedLog => (compose::Mode::SharedLog, "VOLUME_MODE=shared-log".to_owned()),
        VolumeMode::Auto if compose::has_log(&log) => {
            (compose::Mode::SharedLog, format!("the log \"{}\" is there", log.display()))
        }
        VolumeMode::Auto => facts.choose(),
    };
    findings.push(verdict(config, &facts, mode));
    if mode == compose::Mode::SharedLog {
        findings.extend(shared::findings(storage)?);
    }
    findings.extend(exposure::of_volume(config, mode));
    Ok((mode.name(), reason, findings))
}

/// Whether the store is safe on this volume.
fn verdict(config: &Config, facts: &Facts, mode: compose::Mode) -> Finding {
    let name = "store";
    let refused = match (mode, compose::volume_mode(&config.storage)) {
        (_, Err(error)) => Some(error.to_string()),
        (compose::Mode::InPlace, Ok(_)) => facts.refuse_in_place().err().map(|refusal| refusal.to_string()),
        (compose::Mode::SharedLog, Ok(_)) => {
            let unimported = compose::refuse_unimported(&config.storage).err().map(|error| error.to_string());
            unimported.or_else(|| facts.strategy().err().map(|refusal| refusal.to_string()))
        }
    };
    match refused {
        None => Finding::ok(name, mode.name(), "safe on this volume"),
        Some(reason) => Finding::ok(name, mode.name(), reason)
            .advise(Level::Unsafe, "Set VOLUME_MODE=auto, use another volume, or set DATABASE_URL."),
    }
}

/// What lets in more than it should. A secret that can be guessed is refused with the rest of the configuration.
fn access(config: &Config) -> Finding {
    match config.access.mode {
        AccessMode::Closed => Finding::ok("access", "closed", "only what is granted is visible"),
        AccessMode::Read => Finding::ok("access", "read", "everybody may read every table")
            .advise(Level::Warning, "Grant what should be seen, and leave ACCESS=closed."),
        AccessMode::Open => Finding::ok("access", "open", everybody(config.platform))
            .advise(Level::Warning, "Grant what is needed, and leave ACCESS=closed."),
    }
}

/// What `ACCESS=open` means where it runs.
fn everybody(platform: Option<&str>) -> String {
    match platform {
        Some(platform) => format!("this is {platform}: whoever reaches its address may read and change every table"),
        None => "everybody may read and change every table".to_owned(),
    }
}

fn table(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let level = match finding.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Unsafe => "UNSAFE",
        };
        text.push_str(&format!("{level:<INDENT$}{}: {}\n", finding.name, finding.value));
        for line in std::iter::once(&finding.meaning).chain(&finding.advice).filter(|line| !line.is_empty()) {
            text.push_str(&format!("{:INDENT$}{line}\n", ""));
        }
    }
    let verdict = if report.safe { "safe" } else { "not safe" };
    text.push_str(&format!("\nstore: {} ({})\n{verdict}\n", report.store, report.reason));
    text
}
