//! What kind of file system the volume is, and whether SQLite may be used on it in place.
//!
//! SQLite's WAL needs locks and shared memory that work between all processes of the volume. File systems that other
//! hosts can mount give neither, and lose data silently: <https://www.sqlite.org/wal.html>,
//! <https://www.sqlite.org/faq.html#q5>.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error as ThisError;

/// Who answers for a volume that is not known to be safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Nobody: it is refused.
    Nobody,
    /// The operator, by `VOLUME_UNSAFE=true`.
    Operator,
}

/// Why SQLite must not be used in place.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The directory cannot be made or looked at.
    #[error("the volume \"{path}\" cannot be used", path = path.display())]
    Directory {
        /// The volume.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// Other hosts may mount the file system.
    #[error(
        "the volume \"{path}\" is on {file_system}, where SQLite in place loses data when more than one instance runs; \
         use VOLUME_MODE=shared-log (or auto), a block or local volume, a Postgres DSN (DATABASE_URL), or \
         VOLUME_UNSAFE=true if you are sure that only one process ever opens it",
        path = path.display()
    )]
    Shared {
        /// The volume.
        path: PathBuf,
        /// What it is.
        file_system: &'static str,
    },
}

/// What the volume is on, when other hosts may mount it too. Makes the directory if it is missing.
///
/// # Errors
/// [`Error::Directory`] when it cannot be made or read.
pub fn shared_with_others(volume: &Path) -> Result<Option<&'static str>, Error> {
    let fault = |source| Error::Directory { path: volume.to_owned(), source };
    std::fs::create_dir_all(volume).map_err(fault)?;
    let kind = rustix::fs::statfs(volume).map_err(|error| fault(error.into()))?.f_type;
    Ok(shared_file_system(kind))
}

/// Makes the directory if it is missing, and refuses file systems that several hosts can share.
///
/// # Errors
/// [`Error::Directory`] when it cannot be made or read; [`Error::Shared`] unless the operator is trusted.
pub fn check(volume: &Path, trust: Trust) -> Result<(), Error> {
    match (shared_with_others(volume)?, trust) {
        (Some(file_system), Trust::Nobody) => Err(Error::Shared { path: volume.to_owned(), file_system }),
        (Some(_), Trust::Operator) | (None, _) => Ok(()),
    }
}

/// The name of a file system that several hosts can mount, by its magic number (statfs(2), `linux/magic.h`).
fn shared_file_system(magic: i64) -> Option<&'static str> {
    match magic {
        0x6969 => Some("NFS"),
        0x517B => Some("SMB"),
        0xFF53_4D42 => Some("CIFS"),
        0xFE53_4D42 => Some("SMB 2"),
        0x6573_5546 => Some("FUSE (Cloud Storage FUSE, GlusterFS, s3fs …)"),
        0x00C3_6400 => Some("CephFS"),
        0x5346_414F => Some("AFS"),
        0x0102_1997 => Some("9P"),
        0x0BD0_0BD0 => Some("Lustre"),
        0x4750_4653 => Some("GPFS"),
        0x7461_636F => Some("OCFS2"),
        0x0116_1970 => Some("GFS2"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_directory_is_made_and_taken() {
        let folder = tempfile::tempdir().unwrap();
        let volume = folder.path().join("a/b");
        check(&volume, Trust::Nobody).unwrap();
        assert!(volume.is_dir());
    }

    #[test]
    fn file_systems_of_several_hosts_are_known_by_name() {
        assert_eq!(shared_file_system(0x6969), Some("NFS"));
        assert!(shared_file_system(0x6573_5546).is_some_and(|name| name.starts_with("FUSE")));
        assert_eq!(shared_file_system(0xEF53), None, "ext4 is local");
    }
}
