//! Files of the log as bytes: the LTX format, version 3.
//!
//! All numbers are big-endian.
//!
//! | part | bytes | what |
//! |---|---|---|
//! | header | 100 | see `header` |
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
use std::io;

use thiserror::Error as ThisError;

use super::change::{
    CHECKSUM_FLAG, Change, Checksum, Header, Nonce, Record, Shape, Txid, crc, lock_page, page_checksum,
};
use super::sums::Sums;

mod cursor;
mod decoder;
mod encoder;
mod header;
mod pages;
#[cfg(test)]
mod tests;

pub use decoder::{Summary, decode_head, decode_pages};
pub use encoder::Encoder;

/// The most bytes of a slot's file; a commit group that does not fit must be split.
pub const SLOT_MAX_BYTES: u64 = 256 << 20;

/// The most bytes of a snapshot's file: more would not be copied to a new instance in any time that a start has.
pub const SNAPSHOT_MAX_BYTES: u64 = 64 << 30;

/// The most bytes of pages in a slot, which is held in memory: LZ4 makes at most 255 of one.
const PAGES_MAX_BYTES: u64 = 4 << 30;

const END_OF_PAGES: [u8; 6] = [0; 6];

/// Flag of a page: its LZ4 block's length stands before it.
const FLAG_SIZED: u16 = 1;

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

/// Why a file cannot be written or read as it goes by.
#[derive(Debug, ThisError)]
pub enum StreamError {
    /// It is no file of the log.
    #[error(transparent)]
    Format(#[from] Error),
    /// What it is written to or read from.
    #[error("the file cannot be written or read")]
    File(#[source] io::Error),
    /// Whoever takes the pages.
    #[error("a page cannot be kept")]
    Keep(#[source] io::Error),
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
    let mut bytes = Vec::new();
    let encoded = Encoder::begin(&mut bytes, &record.header, record.change.shape()).and_then(|mut encoder| {
        for (&number, content) in &record.change.pages {
            encoder.page(number, content)?;
        }
        encoder.finish()
    });
    match encoded {
        Ok(_) => Ok(bytes),
        Err(error) => Err(in_memory(error)),
    }
}

/// The record whose bytes these are, all of them, unaltered.
///
/// # Errors
/// [`Error`] when they are not.
pub fn decode(bytes: &[u8]) -> Result<Record, Error> {
    let mut pages = BTreeMap::new();
    let mut keep = |number, content: &[u8]| {
        pages.insert(number, content.to_vec());
        Ok(())
    };
    let Summary { header, shape, .. } = decode_pages(bytes, &mut keep).map_err(in_memory)?;
    Ok(Record { header, change: Change { page_size: shape.page_size, database_pages: shape.database_pages, pages } })
}

/// Memory does not fail, but for an end that comes too soon.
fn in_memory(error: StreamError) -> Error {
    match error {
        StreamError::Format(error) => error,
        StreamError::File(_) | StreamError::Keep(_) => Error::Short { part: "file" },
    }
}
