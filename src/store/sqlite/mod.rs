//! SQLite on a volume.

pub mod format;
pub mod functions;
