//! Which pages a file has, and the index of them at its end.

use super::{Checksum, Error, Header, PAGES_MAX_BYTES, Shape, Sums, Txid, lock_page, page_checksum};

/// Holds the rules of which pages a file has, page by page.
#[derive(Debug)]
pub(super) struct PageOrder {
    shape: Shape,
    lock_page: u32,
    /// The last page seen; 0 before the first.
    last: u32,
    /// The checksums so far of a file that has the whole database; `None` where a file has only changes.
    whole: Option<Sums>,
    bytes: u64,
    limit_bytes: u64,
}

impl PageOrder {
    pub(super) fn new(header: &Header, shape: Shape) -> Self {
        Self {
            shape,
            lock_page: lock_page(shape.page_size),
            last: 0,
            whole: (header.first == Txid::FIRST).then(Sums::default),
            bytes: 0,
            limit_bytes: if header.first == header.last { PAGES_MAX_BYTES } else { u64::MAX },
        }
    }

    /// The page that must follow `page` where all are there.
    pub(super) fn successor(&self, page: u32) -> u32 {
        let next = page.saturating_add(1);
        if next == self.lock_page { next.saturating_add(1) } else { next }
    }

    pub(super) fn next(&mut self, number: u32, content: &[u8]) -> Result<(), Error> {
        self.bytes += u64::from(self.shape.page_size);
        let fits = number > self.last
            && number <= self.shape.database_pages
            && number != self.lock_page
            && u32::try_from(content.len()) == Ok(self.shape.page_size)
            && self.bytes <= self.limit_bytes
            && (self.whole.is_none() || number == self.successor(self.last));
        if !fits {
            return Err(Error::Malformed { part: "page" });
        }
        self.last = number;
        if let Some(sums) = &mut self.whole {
            sums.push(number, page_checksum(number, content));
        }
        Ok(())
    }

    /// After the last page: a whole database must be complete, and have the checksum that the header says. Its sums.
    pub(super) fn finish(self, after: Checksum) -> Result<Option<Sums>, Error> {
        let Some(sums) = &self.whole else { return Ok(None) };
        if self.successor(self.last) <= self.shape.database_pages {
            return Err(Error::Malformed { part: "last page" });
        }
        if sums.checksum() != after {
            return Err(Error::Checksum { part: "database" });
        }
        Ok(self.whole)
    }
}

/// Where in the file each page is, for readers that want single ones.
#[derive(Debug, Default)]
pub(super) struct Index(Vec<u8>);

impl Index {
    /// Adds a page whose part of the file begins at `start` and ends before `end`.
    pub(super) fn push(&mut self, number: u32, start: u64, end: u64) {
        push_varint(&mut self.0, u64::from(number));
        push_varint(&mut self.0, start);
        push_varint(&mut self.0, end.saturating_sub(start));
    }

    /// Its bytes, with the terminator and the length.
    pub(super) fn finish(mut self) -> Vec<u8> {
        push_varint(&mut self.0, 0);
        let length = u64::try_from(self.0.len()).unwrap_or(u64::MAX);
        self.0.extend(length.to_be_bytes());
        self.0
    }
}

/// Seven bits a byte, lowest first; the high bit says that more follow.
fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}
