//! What is known of the transaction that is being written to a WAL: where its frames are, and whether it commits.

use std::collections::BTreeMap;

use super::Written;
use crate::volume::log::change::Change;

/// Bytes of the WAL's header, and where it has the size of a page.
const WAL_HEADER_BYTES: usize = 32;
const PAGE_SIZE_AT: usize = 8;

/// Bytes of a frame's header, and where it has the database's size and the salts of its WAL.
const FRAME_HEADER_BYTES: usize = 24;
const DATABASE_PAGES_AT: usize = 4;
const SALTS_AT: std::ops::Range<usize> = 8..16;

/// The header of a frame that is none: a recovery stops before it.
pub(super) const VOID: [u8; FRAME_HEADER_BYTES] = [0; FRAME_HEADER_BYTES];

/// The transaction at hand.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    /// Whether its commit is to be published.
    is_open: bool,
    /// Bytes of a page; 0 until the WAL's header has been seen.
    page_size: u32,
    /// Where its first frame is.
    first: Option<i64>,
    /// The commit, once its last frame is written.
    commit: Option<Commit>,
}

/// A commit that is written and that no reader sees yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Commit {
    first: i64,
    last: i64,
    database_pages: u32,
    is_open: bool,
}

impl Commit {
    /// Where in the WAL the frame is that makes it one.
    pub(super) fn at(&self) -> i64 {
        self.last
    }
}

impl Transaction {
    pub(super) fn begin(&mut self) {
        *self = Self { is_open: true, page_size: self.page_size, ..Self::default() };
    }

    /// True when no commit is left that was not put to the publisher.
    pub(super) fn end(&mut self) -> bool {
        let is_clean = self.commit.is_none();
        *self = Self { page_size: self.page_size, ..Self::default() };
        is_clean
    }

    /// Takes note of a write to the WAL that succeeded.
    pub(super) fn wrote(&mut self, bytes: &[u8], offset: i64) {
        if offset == 0 && bytes.len() == WAL_HEADER_BYTES {
            self.page_size = number(bytes, PAGE_SIZE_AT).unwrap_or_default();
            return;
        }
        if bytes.len() != FRAME_HEADER_BYTES {
            return;
        }
        let first = self.first.map_or(offset, |first| first.min(offset));
        self.first = Some(first);
        let database_pages = number(bytes, DATABASE_PAGES_AT).unwrap_or_default();
        if database_pages != 0 {
            self.commit = Some(Commit { first, last: offset, database_pages, is_open: self.is_open });
        }
    }

    /// Takes note of a write that failed: SQLite gives the commit up.
    pub(super) fn failed(&mut self) {
        self.commit = None;
    }

    /// The commit that is to be decided, if there is one.
    pub(super) fn take_commit(&mut self) -> Option<Commit> {
        let commit = self.commit.take()?;
        self.first = None;
        Some(commit)
    }

    /// The pages that the commit wrote; `None` when they cannot be read, or nobody began the transaction.
    pub(super) fn read(
        &mut self,
        commit: Commit,
        max_bytes: u64,
        read: impl Fn(&mut [u8], i64) -> bool,
    ) -> Option<Written> {
        if !commit.is_open {
            return None;
        }
        if self.page_size == 0 {
            // The WAL is older than this connection.
            let mut header = [0; WAL_HEADER_BYTES];
            if !read(&mut header, 0) {
                return None;
            }
            self.page_size = number(&header, PAGE_SIZE_AT)?;
        }
        let frame_bytes = FRAME_HEADER_BYTES + usize::try_from(self.page_size).ok()?;
        let mut frame = vec![0; frame_bytes];
        let max_pages = max_bytes / u64::from(self.page_size);
        let mut pages = BTreeMap::new();
        let mut salts: Option<Vec<u8>> = None;
        let mut offset = commit.first;
        while offset <= commit.last {
            if !read(&mut frame, offset) {
                return None;
            }
            let page = number(&frame, 0)?;
            let of_frame = frame.get(SALTS_AT)?;
            if salts.get_or_insert_with(|| of_frame.to_vec()) != of_frame {
                return None;
            }
            // A later frame of the same page is the newer one; a page past the end was cut off by the same commit.
            if page <= commit.database_pages {
                pages.insert(page, frame.get(FRAME_HEADER_BYTES..)?.to_vec());
            }
            if u64::try_from(pages.len()).is_ok_and(|pages| pages > max_pages) {
                return Some(Written::TooLarge);
            }
            offset += i64::try_from(frame_bytes).ok()?;
        }
        let change = Change { page_size: self.page_size, database_pages: commit.database_pages, pages };
        Some(Written::Change(change))
    }
}

/// A big-endian number of four bytes.
fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_be_bytes)
}
