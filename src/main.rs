//! The command line's entry.

use std::process::ExitCode;

fn main() -> ExitCode {
    berth::command::run(std::env::args_os())
}
