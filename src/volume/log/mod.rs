//! The shared log: one immutable file per commit group, in a directory that several instances mount.

pub mod change;
pub mod ltx;
pub mod slot;
