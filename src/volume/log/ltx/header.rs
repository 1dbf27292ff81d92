//! The first bytes of a file: what it is of, who made it, and what it was made on.

use super::cursor::Cursor;
use super::{CHECKSUM_FLAG, Checksum, Error, Header, Nonce, SLOT_MAX_BYTES, SNAPSHOT_MAX_BYTES, Shape, Txid};

/// Bytes of a header.
pub(super) const HEADER_BYTES: usize = 100;

pub(super) const MAGIC: [u8; 4] = *b"LTX1";
const RESERVED_BYTES: usize = 20;

/// `WALOffset`, which the format wants beside length and salts: that of the first frame of a WAL.
const WAL_OFFSET: u64 = 32;

/// `HeaderFlagNoChecksum`.
const FLAGS: u32 = 2;

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
pub(super) fn encode_header(header: &Header, shape: Shape) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES);
    bytes.extend(MAGIC);
    bytes.extend(FLAGS.to_be_bytes());
    bytes.extend(shape.page_size.to_be_bytes());
    bytes.extend(shape.database_pages.to_be_bytes());
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

/// Reads what [`encode_header`] wrote.
pub(super) fn decode_header(bytes: &[u8]) -> Result<(Header, Shape), Error> {
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
    let shape = Shape { page_size, database_pages };
    check_header(&header, shape)?;
    Ok((header, shape))
}

/// The rules that hold between the fields of a header.
pub(super) fn check_header(header: &Header, shape: Shape) -> Result<(), Error> {
    let malformed = |part| Err(Error::Malformed { part });
    if !shape.page_size.is_power_of_two() || !(512..=65_536).contains(&shape.page_size) {
        return malformed("page size");
    }
    if shape.database_pages == 0 {
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
pub(super) fn check_size(header: &Header, size_bytes: u64) -> Result<(), Error> {
    let limit_bytes = if header.first == header.last { SLOT_MAX_BYTES } else { SNAPSHOT_MAX_BYTES };
    if size_bytes > limit_bytes { Err(Error::TooLarge { size_bytes, limit_bytes }) } else { Ok(()) }
}
