//! What the volume can do, tried on it.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::disk::{Strategy, make_directory};
use crate::clock;

/// Finds out how files can be made whole if and only if their name is free: by a hard link where there are such, else
/// by an exclusive create.
///
/// # Errors
/// When no file can be made in `directory` at all.
pub fn strategy(directory: &Path) -> io::Result<Strategy> {
    make_directory(directory)?;
    let nonce = clock::nonce().map_err(|error| io::Error::other(error.to_string()))?;
    let file = directory.join(format!("probe-{nonce:016x}"));
    let link = directory.join(format!("probe-{nonce:016x}-link"));
    File::create_new(&file)?.sync_all()?;
    let linked = fs::hard_link(&file, &link);
    // A second link must be refused, or links say nothing about who was first.
    let is_exclusive = fs::hard_link(&file, &link).is_err_and(|error| error.kind() == io::ErrorKind::AlreadyExists);
    let _ = fs::remove_file(&link);
    fs::remove_file(&file)?;
    Ok(if linked.is_ok() && is_exclusive { Strategy::HardLink } else { Strategy::ExclusiveCreate })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_directory_has_hard_links_and_keeps_no_litter() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("app");
        assert_eq!(strategy(&directory).unwrap(), Strategy::HardLink);
        assert_eq!(fs::read_dir(directory).unwrap().count(), 0);
    }
}
