//! The mounted directory: what it can do, and the log that several instances share on it.

pub mod mount;
