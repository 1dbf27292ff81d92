//! What a store over SQLite must know.

use std::path::PathBuf;
use std::time::Duration;

/// How the file is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteSettings {
    /// The database file; made when there is none. Its directory must exist.
    pub path: PathBuf,
    /// Connections for reading, at least one.
    pub readers: u32,
    /// Most writes that wait, and most reads that wait; beyond it [`Error::QueueFull`](crate::store::Error::QueueFull).
    pub queue_limit: usize,
    /// How long to wait for another process that writes.
    pub busy_timeout: Duration,
    /// How long rows may be handed on while they are read.
    pub stream_timeout: Duration,
    /// Largest body of an answer, in bytes.
    pub body_max_bytes: usize,
    /// Largest value and row, in bytes: no smaller than a body, which an embedded resource may fill.
    pub value_max_bytes: usize,
    /// What SQLite may hold in this process, in bytes, with all its connections.
    pub memory_max_bytes: usize,
    /// How much of the file each connection may map into memory; 0 for none.
    pub mmap_bytes: u64,
}

impl SqliteSettings {
    /// Settings that fit a small container.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            readers: 4,
            queue_limit: 1_000,
            busy_timeout: Duration::from_secs(5),
            stream_timeout: Duration::from_secs(300),
            body_max_bytes: 64 * 1024 * 1024,
            value_max_bytes: 64 * 1024 * 1024,
            memory_max_bytes: 512 * 1024 * 1024,
            mmap_bytes: 256 * 1024 * 1024,
        }
    }
}
