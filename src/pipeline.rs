//! One request from end to end: the page to read first.

use bytes::Bytes;

use crate::clock::Deadline;
use crate::request::Raw;
use crate::response::Reply;

/// What all requests share.
#[derive(Debug, Default)]
pub struct App;

/// What is known of a request besides what it says.
#[derive(Debug, Clone)]
pub struct Context {
    /// Names the request in logs.
    pub request_id: String,
    /// When the answer is due.
    pub deadline: Deadline,
    /// The distributed trace it belongs to.
    pub trace: Option<String>,
}

impl App {
    /// Answers a request; errors are answers too.
    pub async fn answer(&self, _raw: Raw, _context: &Context) -> Reply {
        Reply { status: 404, headers: Vec::new(), body: Bytes::new() }
    }

    /// Says whether requests can be answered now, and what is missing.
    ///
    /// # Errors
    /// What is missing.
    pub async fn is_ready(&self) -> Result<(), String> {
        Ok(())
    }

    /// Reads the schema anew.
    pub async fn reload(&self) {}

    /// Lets go of the store.
    pub async fn close(&self) {}
}
