//! The command line's entry.

use std::process::ExitCode;

/// Requests are served on several threads and make many small values each: the system's allocator makes them wait for
/// each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    berth::command::run(std::env::args_os())
}
