//! One file per command of the command line.
//!
//! Only here do the parts meet: [`serve`] reads the configuration, puts store, pipeline and server together, and takes
//! them apart again.

mod check;
mod compose;
mod copy;
mod health;
mod import;
mod migrate;
mod output;
mod progress;
mod restore;
mod scratch;
mod serve;
mod snapshot;
mod token;

use std::error::Error;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::clock::Stopwatch;
use crate::config::{self, Config, Machine};
use crate::migrate::Mode;

/// Your SQL tables as a REST API. Settings come from the environment: see docs/configuration.md.
#[derive(Debug, Parser)]
#[command(name = "berth", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Serve the API (the default).
    Serve,
    /// Apply the migrations that have not been applied yet.
    Migrate {
        /// Check that they would apply, and undo it.
        #[arg(long)]
        dry_run: bool,
    },
    /// Try what the volume or the database can do, and say whether the configuration is safe; the exit code tells.
    Check {
        /// Write the findings for machines.
        #[arg(long)]
        json: bool,
        /// Instances that run at once, for which the Postgres server must have connections; two without it.
        #[arg(long, value_name = "N")]
        instances: Option<usize>,
    },
    /// Make an existing SQLite file the database of an empty volume.
    Import(import::Wish),
    /// Copy the whole database from the volume into Postgres, and verify every row.
    Copy(copy::Wish),
    /// Write a snapshot of the database as it is now: beside the shared log, or into a file.
    Snapshot(snapshot::Wish),
    /// Make a SQLite file of the database as it was at a moment that the shared log still has.
    Restore(restore::Wish),
    /// The second process of a probe: takes a lock and looks at memory that the first one shares.
    #[command(name = PROBE_PEER, hide = true)]
    ProbePeer {
        /// The file that is locked and mapped.
        file: PathBuf,
    },
    /// Ask the server on this machine whether it is ready; the exit code tells.
    Health,
    /// Make a token for development, signed with the configured secret.
    Token(token::Wish),
}

/// The hidden command of a probe's second process.
const PROBE_PEER: &str = "probe-peer";

/// Exit code of a command that was understood and failed.
const FAILED: u8 = 1;

/// Exit code of wrong arguments or a wrong environment, as clap has it.
const MISUSED: u8 = 2;

/// What almost every start wants is known without the parser, which would stay in memory.
fn command_of(arguments: Vec<OsString>) -> Result<Command, clap::Error> {
    match arguments.get(1..) {
        None | Some([]) => Ok(Command::Serve),
        Some([serve]) if serve == "serve" => Ok(Command::Serve),
        Some(_) => Ok(Arguments::try_parse_from(arguments)?.command.unwrap_or(Command::Serve)),
    }
}

/// Runs the command that `arguments` (the program's name first) name.
///
/// Faults go to stderr, one a line.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let since_start = Stopwatch::start();
    let command = match command_of(arguments.into_iter().collect()) {
        Ok(command) => command,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(MISUSED));
        }
    };
    if let Command::ProbePeer { file } = &command {
        return check::answer_probe(file);
    }
    let config = match Config::read(config::environment(), &Machine::look()) {
        Ok(config) => config,
        Err(faults) => {
            complain(&faults.to_string());
            return ExitCode::from(MISUSED);
        }
    };
    let done: Result<(), Box<dyn Error>> = match command {
        Command::Serve => serve::run(&config, since_start).map_err(Into::into),
        Command::Migrate { dry_run } => {
            let mode = if dry_run { Mode::DryRun } else { Mode::Apply };
            block_on(migrate::run(&config, mode)).map_err(Into::into)
        }
        Command::Check { json, instances } => {
            let form = if json { check::Form::Json } else { check::Form::Table };
            block_on(check::run(&config, form, instances)).map_err(Into::into)
        }
        Command::Import(wish) => import::run(&config.storage, &wish).map_err(Into::into),
        Command::Copy(wish) => block_on(copy::run(&config, &wish)).map_err(Into::into),
        Command::Snapshot(wish) => snapshot::run(&config.storage, &wish).map_err(Into::into),
        Command::Restore(wish) => restore::run(&config.storage, &wish).map_err(Into::into),
        // Answered above, without a configuration.
        Command::ProbePeer { .. } => Ok(()),
        Command::Health => health::run(&config.http).map_err(Into::into),
        Command::Token(wish) => token::run(&config.access, &wish).map_err(Into::into),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&chain(error.as_ref()));
            ExitCode::from(FAILED)
        }
    }
}

/// Runs a command that waits for a database.
fn block_on<T, E: From<std::io::Error>>(work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// An error and what caused it, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// Tells people, each line under this program's name. A closed stderr is nobody's loss.
fn complain(text: &str) {
    let mut stderr = std::io::stderr().lock();
    for line in text.lines() {
        let _ = writeln!(stderr, "berth: {line}");
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn serving_is_what_it_does_unless_told() {
        let parsed = Arguments::try_parse_from(["berth"]).unwrap();
        assert!(parsed.command.is_none());
        assert!(Arguments::try_parse_from(["berth", "dance"]).is_err());
    }

    #[test]
    fn a_wrong_word_is_misuse() {
        let code = run(["berth", "dance"].map(OsString::from));
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(MISUSED)));
    }
}
