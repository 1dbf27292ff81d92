//! From what a store answered to status, headers and body.

use bytes::Bytes;

/// An answer, before any socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status code.
    pub status: u16,
    /// Header names in their usual spelling, with values.
    pub headers: Vec<(String, String)>,
    /// The body; empty for `HEAD` and 204.
    pub body: Bytes,
}
