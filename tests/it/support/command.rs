//! berth's commands beside `serve`, run to their end.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// `berth arguments…` in `folder`, with `data` in it for the volume and the variables of `env`.
fn command(folder: &Path, env: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_berth"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("LLVM_PROFILE_FILE", std::env::var_os("LLVM_PROFILE_FILE").unwrap_or_default())
        .env("VOLUME", folder.join("data"))
        .env("LOCAL_DIR", folder.join("local"))
        .env("MIGRATIONS", folder.join("no-migrations"))
        .envs(env.iter().copied())
        .args(arguments)
        .current_dir(folder);
    command
}

/// Runs it.
pub fn berth(folder: &Path, env: &[(&str, &str)], arguments: &[&str]) -> Output {
    command(folder, env, arguments).output().unwrap()
}

/// Starts it.
pub fn spawn(folder: &Path, env: &[(&str, &str)], arguments: &[&str]) -> Child {
    command(folder, env, arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The same, which must end well; what it said on stdout.
pub fn done(folder: &Path, env: &[(&str, &str)], arguments: &[&str]) -> String {
    let output = berth(folder, env, arguments);
    let (said, complained) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {said}{complained}");
    said
}

/// The same, which must fail as a command that was understood; what it said on stderr.
pub fn refused(folder: &Path, env: &[(&str, &str)], arguments: &[&str]) -> String {
    let output = berth(folder, env, arguments);
    let complained = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}{complained}", text(&output.stdout));
    complained
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
