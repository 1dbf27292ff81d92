//! Calls of functions.

pub(super) mod postgres;
pub(super) mod sqlite;
