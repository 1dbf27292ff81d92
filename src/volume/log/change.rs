//! What one commit group changed, where a copy of the database stands, and the checksums that chain the two.

use std::collections::BTreeMap;
use std::fmt;

use crc_fast::{CrcAlgorithm, Digest};

use crate::clock;

/// CRC-64 as the LTX format has it. Every byte of every page goes through it, at a start several times.
pub(super) fn crc() -> Digest {
    Digest::new(CrcAlgorithm::Crc64GoIso)
}

/// The bit that every checksum of the format has, so that none is zero.
pub(super) const CHECKSUM_FLAG: u64 = 1 << 63;

/// Where `SQLite` keeps its locks; the page that holds this byte is never written.
///
/// Source: `SQLite`, `PENDING_BYTE`; superfly/ltx, `LockPgno`.
const PENDING_BYTE: u32 = 0x4000_0000;

/// The number of a commit group; the first one is 1, and an empty log stands at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Txid(pub u64);

impl Txid {
    /// Before anything was committed.
    pub const NONE: Self = Self(0);
    /// The first commit group.
    pub const FIRST: Self = Self(1);

    /// The one after this.
    #[must_use]
    pub fn next(self) -> Self {
        // A commit every nanosecond for five hundred years does not get there.
        Self(self.0.saturating_add(1))
    }

    /// Reads 16 lower-case hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_digits = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        is_digits.then(|| u64::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

impl fmt::Display for Txid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// Who made a record: a number drawn anew for each attempt to publish, never a hash of what it says.
///
/// Two instances that make the same change write the same pages; only this tells their records apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Nonce(pub u64);

impl Nonce {
    /// Before anything was committed.
    pub const NONE: Self = Self(0);

    /// Draws one for a new attempt.
    ///
    /// # Errors
    /// When the operating system has no randomness to give.
    pub fn draw() -> Result<Self, getrandom::Error> {
        // Zero means nobody.
        clock::nonce().map(|nonce| Self(nonce.max(1)))
    }
}

/// The checksum of a whole database: the exclusive or of its pages' checksums.
///
/// It can be brought up to date from a page's old and new content, without a look at the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Checksum(pub u64);

impl Checksum {
    /// Of a database without pages.
    pub const EMPTY: Self = Self(CHECKSUM_FLAG);

    /// Of all `pages`, which are numbered from 1 on, each once; the lock page counts for nothing.
    pub fn of_pages<'a>(pages: impl IntoIterator<Item = (u32, &'a [u8])>) -> Self {
        pages.into_iter().fold(Self::EMPTY, |sum, (number, content)| sum.with_page(number, None, Some(content)))
    }

    /// With page `number` replaced: `None` stands for a page that was not there, or is not there any more.
    #[must_use]
    pub fn with_page(self, number: u32, old: Option<&[u8]>, new: Option<&[u8]>) -> Self {
        let term = |content: Option<&[u8]>| content.map_or(0, |content| page_checksum(number, content));
        Self(CHECKSUM_FLAG | (self.0 ^ term(old) ^ term(new)))
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

/// CRC-64 of the page's number (big-endian) and content; nothing for the lock page.
pub(super) fn page_checksum(number: u32, content: &[u8]) -> u64 {
    if u32::try_from(content.len()).is_ok_and(|page_size| number == lock_page(page_size)) {
        return 0;
    }
    let mut digest = crc();
    digest.update(&number.to_be_bytes());
    digest.update(content);
    digest.finalize()
}

/// The page that `SQLite` locks and never writes, in a database of pages of `page_size` bytes.
#[must_use]
pub fn lock_page(page_size: u32) -> u32 {
    PENDING_BYTE.checked_div(page_size).map_or(0, |pages_before| pages_before + 1)
}

/// The pages that a commit group wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Bytes of a page: a power of two from 512 to 65536.
    pub page_size: u32,
    /// Pages of the database after the change; pages past it are gone.
    pub database_pages: u32,
    /// New content by page number, from 1 on.
    pub pages: BTreeMap<u32, Vec<u8>>,
}

impl Change {
    /// The database after it.
    #[must_use]
    pub fn shape(&self) -> Shape {
        Shape { page_size: self.page_size, database_pages: self.database_pages }
    }

    /// Bytes of its pages.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        u64::try_from(self.pages.len()).unwrap_or(u64::MAX).saturating_mul(u64::from(self.page_size))
    }
}

/// How large a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of a page: a power of two from 512 to 65536.
    pub page_size: u32,
    /// Pages of the database.
    pub database_pages: u32,
}

/// Where a copy of the database stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The last commit group it has.
    pub txid: Txid,
    /// Its pages.
    pub checksum: Checksum,
    /// Who made that commit group: the record this copy has, and no other of the same number.
    pub nonce: Nonce,
}

impl Position {
    /// Where every log begins.
    pub const START: Self = Self { txid: Txid::NONE, checksum: Checksum::EMPTY, nonce: Nonce::NONE };
}

/// What a file of the log says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The first commit group in it: 1 for a snapshot, its own number for a slot.
    pub first: Txid,
    /// The last commit group in it.
    pub last: Txid,
    /// When it was committed, in milliseconds since 1970 by its maker's clock; nothing but retention and people look.
    pub timestamp_millis: i64,
    /// Who made the commit group `last`.
    pub nonce: Nonce,
    /// Who made the commit group before `first`: what this one was built on.
    pub predecessor: Nonce,
    /// The database after: a copy that has other pages is to be thrown away.
    pub after: Checksum,
}

impl Header {
    /// Where a copy stands that has this.
    #[must_use]
    pub fn position(&self) -> Position {
        Position { txid: self.last, checksum: self.after, nonce: self.nonce }
    }

    /// True when this is the commit group that follows `position`, made on the very record that stands there.
    #[must_use]
    pub fn follows(&self, position: &Position) -> bool {
        self.first == self.last && self.last == position.txid.next() && self.predecessor == position.nonce
    }
}

/// One file of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it says about itself.
    pub header: Header,
    /// The pages.
    pub change: Change,
}
