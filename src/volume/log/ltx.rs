//! Files of the log as bytes: the LTX format, version 3.
//!
//! All numbers are big-endian.
//!
//! | part | bytes | what |
//! |---|---|---|
//! | header | 100 | see `encode_header` |
//! | pages, ascending | 6 + 4 + n | page number (4), flags (2, always 1), n, the page as an LZ4 block of n bytes |
//! | end of pages | 6 | zeros |
//! | index | … | for each page: number, offset of its part in the file, length of its part, as varints; a zero |
//! | index length | 8 | bytes of the index |
//! | trailer | 8 + 8 | zero; checksum of the file |
//!
//! The file's checksum is over all of it but itself, with the pages as they are before compression. So a flipped bit is
//! found unless LZ4 makes the same page of it: what [`decode`] returns is what was encoded, or an error.
//!
//! The format has fields for the database's checksums before and after, but Litestream 0.5 restores no file that uses
//! them: it merges all files into one without checksums, and then finds the last one's not allowed
//! (`ltx.Compactor` with `HeaderFlagNoChecksum`, `Trailer.Validate`). So the flag is set, those fields are zero, and the
//! checksum after stands where the length of a WAL would, the predecessor's nonce where its salts would, and the maker's
//! nonce in `NodeID`. Restoring looks at none of these.
//!
//! Source: <https://github.com/superfly/ltx/blob/main/README.md>, `encoder.go`, `decoder.go`.

use std::collections::BTreeMap;

use crc_fast::Digest;
use thiserror::Error as ThisError;

use super::change::{CHECKSUM_FLAG, Change, Checksum, Header, Nonce, Record, Txid, crc, lock_page};

mod cursor;
#[cfg(test)]
mod tests;

use cursor::Cursor;

/// The most bytes of a slot's file; a commit group that does not fit must be split.
pub const SLOT_MAX_BYTES: u64 = 256 << 20;

/// The most bytes of a snapshot's file: it is held in memory as a whole.
pub const SNAPSHOT_MAX_BYTES: u64 = 2 << 30;

/// The most bytes of pages in one file: LZ4 makes at most 255 of one, which a torn file must not turn into memory.
const PAGES_MAX_BYTES: u64 = 4 << 30;

const MAGIC: [u8; 4] = *b"LTX1";
const HEADER_BYTES: usize = 100;
const RESERVED_BYTES: usize = 20;
const END_OF_PAGES: [u8; 6] = [0; 6];

/// Flag of a page: its LZ4 block's length stands before it.
const FLAG_SIZED: u16 = 1;

/// `WALOffset`, which the format wants beside length and salts: that of the first frame of a WAL.
const WAL_OFFSET: u64 = 32;

/// `HeaderFlagNoChecksum`.
const FLAGS: u32 = 2;

/// Why bytes are no file of the log, or a record cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
pub enum Error {
    /// The bytes end too soon.
    #[error("the file ends in its {part}")]
    Short {
        /// Where.
        part: &'static str,
    },
    /// It is no LTX file.
    #[error("the file does not begin with \"LTX1\"")]
    Magic,
    /// It is an LTX file that berth did not write.
    #[error("the file was not written by berth: its {field} is another's")]
    Foreign {
        /// Which field says so.
        field: &'static str,
    },
    /// A value that cannot be.
    #[error("the {part} cannot be as it is")]
    Malformed {
        /// Which one.
        part: &'static str,
    },
    /// It would be too long to be read again.
    #[error("the file would have {size_bytes} bytes, more than the {limit_bytes} that are read")]
    TooLarge {
        /// Its bytes.
        size_bytes: u64,
        /// [`SLOT_MAX_BYTES`] or [`SNAPSHOT_MAX_BYTES`].
        limit_bytes: u64,
    },
    /// It was altered.
    #[error("the {part} does not match its checksum")]
    Checksum {
        /// The file, or the database in it.
        part: &'static str,
    },
}

/// The bytes of `record`.
///
/// # Errors
/// [`Error::Malformed`] when the record breaks a rule of the format: a page of another size, past the end or the lock
/// page, transactions out of order, a first slot or snapshot that is not the whole database. [`Error::TooLarge`] when no
/// one could read it.
///
/// # Example
/// ```
/// use berth::volume::log::change::{Change, Checksum, Header, Nonce, Record, Txid};
/// use berth::volume::log::ltx;
///
/// let page = vec![7; 512];
/// let header = Header {
///     first: Txid(1),
///     last: Txid(1),
///     timestamp_millis: 0,
///     nonce: Nonce(42),
///     predecessor: Nonce::NONE,
///     after: Checksum::of_pages([(1, page.as_slice())]),
/// };
/// let record = Record { header, change: Change { page_size: 512, database_pages: 1, pages: [(1, page)].into() } };
/// assert_eq!(ltx::decode(&ltx::encode(&record)?)?, record);
/// # Ok::<(), ltx::Error>(())
/// ```
pub fn encode(record: &Record) -> Result<Vec<u8>, Error> {
    check_header(&record.header, &record.change)?;
    let mut order = PageOrder::new(&record.header, &record.change);
    let mut bytes = encode_header(&record.header, &record.change);
    let mut digest = crc();
    digest.update(&bytes);
    let mut index = Vec::new();
    for (&number, content) in &record.change.pages {
        order.next(number, content)?;
        let start = bytes.len();
        let packed = lz4_flex::block::compress(content);
        let length = u32::try_from(packed.len()).map_err(|_| Error::Malformed { part: "page" })?;
        bytes.extend(number.to_be_bytes());
        bytes.extend(FLAG_SIZED.to_be_bytes());
        bytes.extend(length.to_be_bytes());
        digest.update(bytes.get(start..).unwrap_or_default());
        digest.update(content);
        bytes.extend(packed);
        push_index_entry(&mut index, number, start, bytes.len());
    }
    order.finish(record.header.after)?;
    let tail = bytes.len();
    bytes.extend(END_OF_PAGES);
    bytes.extend(finish_index(index));
    bytes.extend(0_u64.to_be_bytes());
    digest.update(bytes.get(tail..).unwrap_or_default());
    bytes.extend((CHECKSUM_FLAG | digest.finalize()).to_be_bytes());
    check_size(&record.header, u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
    Ok(bytes)
}

/// The record whose bytes these are, all of them, unaltered.
///
/// # Errors
/// [`Error`] when they are not.
pub fn decode(bytes: &[u8]) -> Result<Record, Error> {
    let mut cursor = Cursor::new(bytes);
    let mut digest = crc();
    let (header, mut change) = decode_header(cursor.take(HEADER_BYTES, "header")?)?;
    digest.update(cursor.since(0));
    check_header(&header, &change)?;
    let mut order = PageOrder::new(&header, &change);
    let mut index = Vec::new();
    let mut pages = BTreeMap::new();
    loop {
        let start = cursor.position();
        let Some((number, content)) = decode_page(&mut cursor, &mut digest, change.page_size)? else { break };
        order.next(number, &content)?;
        push_index_entry(&mut index, number, start, cursor.position());
        pages.insert(number, content);
    }
    let start = cursor.position();
    let index = finish_index(index);
    if cursor.take(index.len(), "index")? != index {
        return Err(Error::Malformed { part: "index" });
    }
    if cursor.u64("trailer")? != 0 {
        return Err(Error::Foreign { field: "checksum of the database" });
    }
    digest.update(cursor.since(start));
    let found = cursor.u64("trailer")?;
    if found != CHECKSUM_FLAG | digest.finalize() {
        return Err(Error::Checksum { part: "file" });
    }
    cursor.end()?;
    order.finish(header.after)?;
    change.pages = pages;
    Ok(Record { header, change })
}

/// The header's 100 bytes.
///
/// | offset | bytes | what |
/// |---|---|---|
/// | 0 | 4 | `LTX1` |
/// | 4 | 4 | flags: 2, no checksums of the database |
/// | 8 | 4 | page size |
/// | 12 | 4 | pages of the database after |
/// | 16 | 8 + 8 | first and last transaction |
/// | 32 | 8 | milliseconds since 1970 |
/// | 40 | 8 | zero |
/// | 48 | 8 | `WALOffset`: 32 |
/// | 56 | 8 | `WALSize`: checksum of the database after, without its highest bit |
/// | 64 | 8 | `WALSalt1`, `WALSalt2`: nonce of the predecessor |
/// | 72 | 8 | `NodeID`: nonce of the maker |
/// | 80 | 20 | zeros |
fn encode_header(header: &Header, change: &Change) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend(MAGIC);
    bytes.extend(FLAGS.to_be_bytes());
    bytes.extend(change.page_size.to_be_bytes());
    bytes.extend(change.database_pages.to_be_bytes());
    bytes.extend(header.first.0.to_be_bytes());
    bytes.extend(header.last.0.to_be_bytes());
    bytes.extend(header.timestamp_millis.to_be_bytes());
    bytes.extend(0_u64.to_be_bytes());
    bytes.extend(WAL_OFFSET.to_be_bytes());
    bytes.extend((header.after.0 & !CHECKSUM_FLAG).to_be_bytes());
    bytes.extend(header.predecessor.0.to_be_bytes());
    bytes.extend(header.nonce.0.to_be_bytes());
    bytes.extend([0; RESERVED_BYTES]);
    bytes
}

/// Reads what `encode_header` wrote; the change has no pages yet.
fn decode_header(bytes: &[u8]) -> Result<(Header, Change), Error> {
    let mut cursor = Cursor::new(bytes);
    if cursor.take(MAGIC.len(), "header")? != MAGIC {
        return Err(Error::Magic);
    }
    if cursor.u32("header")? != FLAGS {
        return Err(Error::Foreign { field: "flags" });
    }
    let page_size = cursor.u32("header")?;
    let database_pages = cursor.u32("header")?;
    let first = Txid(cursor.u64("header")?);
    let last = Txid(cursor.u64("header")?);
    let timestamp_millis = cursor.i64("header")?;
    if cursor.u64("header")? != 0 {
        return Err(Error::Foreign { field: "checksum of the database" });
    }
    if cursor.u64("header")? != WAL_OFFSET {
        return Err(Error::Foreign { field: "WALOffset" });
    }
    let after = cursor.u64("header")?;
    if after & CHECKSUM_FLAG != 0 {
        return Err(Error::Foreign { field: "WALSize" });
    }
    let after = Checksum(after | CHECKSUM_FLAG);
    let predecessor = Nonce(cursor.u64("header")?);
    let nonce = Nonce(cursor.u64("header")?);
    if cursor.take(RESERVED_BYTES, "header")? != [0; RESERVED_BYTES] {
        return Err(Error::Foreign { field: "reserved field" });
    }
    let header = Header { first, last, timestamp_millis, nonce, predecessor, after };
    Ok((header, Change { page_size, database_pages, pages: BTreeMap::new() }))
}

/// The rules that hold between the fields of a header.
fn check_header(header: &Header, change: &Change) -> Result<(), Error> {
    let malformed = |part| Err(Error::Malformed { part });
    if !change.page_size.is_power_of_two() || !(512..=65_536).contains(&change.page_size) {
        return malformed("page size");
    }
    if change.database_pages == 0 {
        return malformed("size of the database");
    }
    if header.first == Txid::NONE || header.first > header.last {
        return malformed("range of transactions");
    }
    if header.nonce == Nonce::NONE {
        return Err(Error::Foreign { field: "NodeID" });
    }
    if header.after.0 & CHECKSUM_FLAG == 0 {
        return malformed("checksum of the database after");
    }
    if header.first == Txid::FIRST && header.predecessor != Nonce::NONE {
        return malformed("predecessor");
    }
    Ok(())
}

/// A slot that cannot be read would stop the log.
fn check_size(header: &Header, size_bytes: u64) -> Result<(), Error> {
    let limit_bytes = if header.first == header.last { SLOT_MAX_BYTES } else { SNAPSHOT_MAX_BYTES };
    if size_bytes > limit_bytes { Err(Error::TooLarge { size_bytes, limit_bytes }) } else { Ok(()) }
}

/// The next page, or `None` at the end of the pages; what was read is added to the file's checksum.
fn decode_page(cursor: &mut Cursor<'_>, digest: &mut Digest, page_size: u32) -> Result<Option<(u32, Vec<u8>)>, Error> {
    let start = cursor.position();
    let number = cursor.u32("page")?;
    let flags = cursor.u16("page")?;
    if (number, flags) == (0, 0) {
        digest.update(cursor.since(start));
        return Ok(None);
    }
    if flags != FLAG_SIZED {
        return Err(Error::Foreign { field: "page's flags" });
    }
    let length = cursor.u32("page")?;
    digest.update(cursor.since(start));
    let packed = cursor.take(usize::try_from(length).unwrap_or(usize::MAX), "page")?;
    let mut content = vec![0; usize::try_from(page_size).unwrap_or_default()];
    if lz4_flex::block::decompress_into(packed, &mut content).ok() != Some(content.len()) {
        return Err(Error::Malformed { part: "page" });
    }
    digest.update(&content);
    Ok(Some((number, content)))
}

/// Holds the rules of which pages a file has, page by page.
#[derive(Debug)]
struct PageOrder {
    page_size: u32,
    database_pages: u32,
    lock_page: u32,
    /// The last page seen; 0 before the first.
    last: u32,
    /// The checksum so far of a file that has the whole database; `None` where a file has only changes.
    whole: Option<Checksum>,
    bytes: u64,
}

impl PageOrder {
    fn new(header: &Header, change: &Change) -> Self {
        Self {
            page_size: change.page_size,
            database_pages: change.database_pages,
            lock_page: lock_page(change.page_size),
            last: 0,
            whole: (header.first == Txid::FIRST).then_some(Checksum::EMPTY),
            bytes: 0,
        }
    }

    /// The page that must follow `page` where all are there.
    fn successor(&self, page: u32) -> u32 {
        let next = page.saturating_add(1);
        if next == self.lock_page { next.saturating_add(1) } else { next }
    }

    fn next(&mut self, number: u32, content: &[u8]) -> Result<(), Error> {
        self.bytes += u64::from(self.page_size);
        let fits = number > self.last
            && number <= self.database_pages
            && number != self.lock_page
            && u32::try_from(content.len()) == Ok(self.page_size)
            && self.bytes <= PAGES_MAX_BYTES
            && (self.whole.is_none() || number == self.successor(self.last));
        if !fits {
            return Err(Error::Malformed { part: "page" });
        }
        self.last = number;
        self.whole = self.whole.map(|sum| sum.with_page(number, None, Some(content)));
        Ok(())
    }

    /// After the last page: a whole database must be complete, and have the checksum that the trailer says.
    fn finish(&self, after: Checksum) -> Result<(), Error> {
        let Some(sum) = self.whole else { return Ok(()) };
        if self.successor(self.last) <= self.database_pages {
            return Err(Error::Malformed { part: "last page" });
        }
        if sum != after {
            return Err(Error::Checksum { part: "database" });
        }
        Ok(())
    }
}

fn push_index_entry(index: &mut Vec<u8>, number: u32, start: usize, end: usize) {
    push_varint(index, u64::from(number));
    push_varint(index, u64::try_from(start).unwrap_or(u64::MAX));
    push_varint(index, u64::try_from(end.saturating_sub(start)).unwrap_or(u64::MAX));
}

/// Adds the index's terminator and length.
fn finish_index(mut index: Vec<u8>) -> Vec<u8> {
    push_varint(&mut index, 0);
    let length = u64::try_from(index.len()).unwrap_or(u64::MAX);
    index.extend(length.to_be_bytes());
    index
}

/// Seven bits a byte, lowest first; the high bit says that more follow.
fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}
