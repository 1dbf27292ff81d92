//! What follows the body of an answer whose rows are sent while they are read.

use std::task::{Context, Poll};

use bytes::Bytes;

use crate::store;

/// The pieces behind a [`Reply`](super::Reply)'s body. Dropped, it ends the reading.
#[derive(Debug)]
pub struct Rest(store::Rest);

impl Rest {
    /// What follows the body that a store gave.
    #[must_use]
    pub fn new(rest: store::Rest) -> Self {
        Self(rest)
    }

    /// The next piece; `None` behind the last. After an error, what was given is not all, and nothing more comes.
    pub fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, store::Error>>> {
        self.0.poll_piece(context)
    }

    /// Rows of the whole answer, once it is given.
    #[must_use]
    pub fn rows(&self) -> Option<u64> {
        self.0.rows()
    }
}
