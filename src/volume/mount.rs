//! What kind of file system a directory is on, and with which options it is mounted.
//!
//! SQLite's WAL needs locks and shared memory that work between all processes of the database. File systems that other
//! hosts can mount give neither, and lose data silently: <https://www.sqlite.org/wal.html>,
//! <https://www.sqlite.org/faq.html#q5>.
//!
//! Source: `proc_pid_mountinfo(5)`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The mounts that this process sees.
const MOUNTS: &str = "/proc/self/mountinfo";

/// File systems of one host: its kernel keeps their locks and their memory.
const LOCAL: &[&str] = &[
    "aufs",
    "bcachefs",
    "btrfs",
    "exfat",
    "ext2",
    "ext3",
    "ext4",
    "f2fs",
    "fuse.fuse-overlayfs",
    "fuseblk",
    "jfs",
    "nilfs2",
    "ntfs3",
    "overlay",
    "ramfs",
    "reiserfs",
    "rootfs",
    "tmpfs",
    "vfat",
    "xfs",
    "zfs",
];

/// Memory, and what a container's own files are on: gone when the container is.
const EPHEMERAL: &[&str] = &["aufs", "fuse.fuse-overlayfs", "overlay", "ramfs", "rootfs", "tmpfs"];

/// File systems that several hosts can mount, with names for people.
const NETWORK: &[(&str, &str)] = &[
    ("nfs", "NFS"),
    ("nfs4", "NFS"),
    ("cifs", "SMB"),
    ("smb3", "SMB"),
    ("smbfs", "SMB"),
    ("ceph", "CephFS"),
    ("fuse.ceph", "CephFS"),
    ("fuse.ceph-fuse", "CephFS"),
    ("fuse.glusterfs", "GlusterFS"),
    ("lustre", "Lustre"),
    ("gpfs", "GPFS"),
    ("ocfs2", "OCFS2"),
    ("gfs2", "GFS2"),
    ("afs", "AFS"),
    ("9p", "9P"),
    ("virtiofs", "virtiofs"),
    ("fuse.sshfs", "SSHFS"),
    ("fuse.juicefs", "JuiceFS"),
    ("fuse.seaweedfs", "SeaweedFS"),
    ("fuse.mfs", "MooseFS"),
    ("fuse.lizardfs", "LizardFS"),
    ("fuse.beegfs", "BeeGFS"),
    ("beegfs", "BeeGFS"),
];

/// Mounts of an object store, where a file appears whole at its close; told by a word in the type or the source.
const OBJECT_STORES: &[(&str, &str)] = &[("gcsfuse", "Cloud Storage FUSE")];

/// Mounts of an object store that put a file at its close without asking whether the name is free. Also where their store
/// could answer: none of them sends the precondition when it uploads a new file.
///
/// Source: Mountpoint's `doc/SEMANTICS.md` and its pull request 1948 (the upload has no conditional headers, the last to
/// complete wins); of the others it was tried with two mounts, or nothing promises more.
const OVERWRITING: &[(&str, &str)] = &[
    ("s3fs", "s3fs"),
    ("mountpoint-s3", "Mountpoint for S3"),
    ("rclone", "rclone mount"),
    ("goofys", "goofys"),
    ("geesefs", "GeeseFS"),
    ("blobfuse", "BlobFuse"),
    ("ossfs", "ossfs"),
    ("cosfs", "cosfs"),
];

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub point: PathBuf,
    /// The file system's type as the kernel names it, e.g. `ext4`, `nfs4`, `fuse.gcsfuse`.
    pub kind: String,
    /// What is mounted, e.g. `/dev/sda1`, `10.0.0.2:/share`, a bucket.
    pub source: String,
    /// Options of the mount and of the file system, e.g. `rw`, `nolock`, `acdirmax=60`.
    pub options: Vec<String>,
}

/// Who else may have the file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Nobody: it is this host's own.
    Local,
    /// Other hosts, over a network.
    Network(&'static str),
    /// Other hosts, and a file appears whole at its close, if its name is free then.
    ObjectStore(&'static str),
    /// The same, but a file takes its name at its close from one that got it meanwhile: the last one wins.
    Overwriting(&'static str),
    /// It is not known; so it is taken for a network's.
    Unknown,
}

impl Mount {
    /// The mount that `path`, which must exist, is on; `None` when the kernel does not tell.
    ///
    /// # Errors
    /// When the path cannot be resolved.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        let path = fs::canonicalize(path)?;
        Ok(fs::read_to_string(MOUNTS).ok().and_then(|text| find(&text, &path)))
    }

    /// Who else may have it.
    #[must_use]
    pub fn family(&self) -> Family {
        let is_fuse = self.kind == "fuse" || self.kind.starts_with("fuse.");
        let named = |word: &str| self.kind.contains(word) || (is_fuse && self.source.contains(word));
        if let Some((_, name)) = OBJECT_STORES.iter().find(|(word, _)| is_fuse && named(word)) {
            return Family::ObjectStore(name);
        }
        if let Some((_, name)) = OVERWRITING.iter().find(|(word, _)| is_fuse && named(word)) {
            return Family::Overwriting(name);
        }
        if let Some((_, name)) = NETWORK.iter().find(|(kind, _)| *kind == self.kind) {
            return Family::Network(name);
        }
        if LOCAL.contains(&self.kind.as_str()) { Family::Local } else { Family::Unknown }
    }

    /// True when what is written ends with the container, or with the host.
    #[must_use]
    pub fn is_ephemeral(&self) -> bool {
        EPHEMERAL.contains(&self.kind.as_str())
    }

    /// True when an option without a value is set.
    #[must_use]
    pub fn has(&self, option: &str) -> bool {
        self.options.iter().any(|set| set == option)
    }

    /// The value of an option; `-` and `_` in its name are the same.
    #[must_use]
    pub fn value(&self, option: &str) -> Option<&str> {
        let wanted = option.replace('_', "-");
        self.options
            .iter()
            .filter_map(|set| set.split_once('='))
            .find_map(|(name, value)| (name.replace('_', "-").trim_start_matches('-') == wanted).then_some(value))
    }
}

/// The last of the longest mount points above `path`: later mounts cover earlier ones.
fn find(mountinfo: &str, path: &Path) -> Option<Mount> {
    let mounts = mountinfo.lines().filter_map(read_line).filter(|mount| path.starts_with(&mount.point));
    mounts.max_by_key(|mount| mount.point.components().count())
}

fn read_line(line: &str) -> Option<Mount> {
    let (mount, file_system) = line.split_once(" - ")?;
    let mut mount = mount.split(' ').skip(4);
    let point = PathBuf::from(unescape(mount.next()?));
    let mut options: Vec<String> = mount.next()?.split(',').map(unescape).collect();
    let mut file_system = file_system.split(' ');
    let kind = file_system.next()?.to_owned();
    let source = file_system.next().map(unescape).unwrap_or_default();
    for option in file_system.next().unwrap_or_default().split(',').map(unescape) {
        if !option.is_empty() && !options.contains(&option) {
            options.push(option);
        }
    }
    Some(Mount { point, kind, source, options })
}

/// Blanks and backslashes are written as three octal digits.
fn unescape(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let octal = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(byte) => {
                plain.push(char::from(byte));
                plain.push_str(part.get(3..).unwrap_or_default());
            }
            None => {
                plain.push('\\');
                plain.push_str(part);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = "\
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
40 27 0:40 / /data rw,nosuid shared:2 master:1 - nfs 10.0.0.2:/share rw,vers=3,nolock,acdirmax=60
41 27 0:41 / /my\\040bucket rw - fuse.gcsfuse bucket rw,user_id=0
42 27 0:42 / /other rw - fuse mountpoint-s3 rw
43 40 0:43 / /data ro - tmpfs tmpfs rw
44 27 0:44 / /strange rw - newfs none rw
";

    fn at(path: &str) -> Mount {
        find(MOUNTINFO, Path::new(path)).unwrap()
    }

    #[test]
    fn the_innermost_and_newest_mount_counts() {
        assert_eq!(at("/etc/x").kind, "ext4");
        assert_eq!(at("/data/app").kind, "tmpfs");
        assert_eq!(at("/database").kind, "ext4", "a name that only begins alike is another");
        assert_eq!(at("/my bucket/app").source, "bucket");
    }

    #[test]
    fn families_are_told_by_type_or_source() {
        assert_eq!(at("/").family(), Family::Local);
        assert_eq!(at("/my bucket").family(), Family::ObjectStore("Cloud Storage FUSE"));
        assert_eq!(at("/other").family(), Family::Overwriting("Mountpoint for S3"));
        assert_eq!(at("/strange").family(), Family::Unknown);
        let nfs = read_line(MOUNTINFO.lines().nth(1).unwrap()).unwrap();
        assert_eq!(nfs.family(), Family::Network("NFS"));
        assert!(nfs.has("nolock") && !nfs.has("lock"));
        assert_eq!(nfs.value("acdirmax"), Some("60"));
    }

    #[test]
    fn what_ends_with_the_container_is_told_from_volumes() {
        assert!(at("/data/app").is_ephemeral());
        assert!(!at("/").is_ephemeral() && !at("/my bucket").is_ephemeral() && !at("/strange").is_ephemeral());
    }

    #[test]
    fn the_root_directory_is_on_some_mount() {
        assert!(Mount::of(Path::new("/")).unwrap().is_some());
    }
}
