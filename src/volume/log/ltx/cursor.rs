//! Reads fixed-width numbers and runs of bytes of a header, never past the end.

use super::Error;

/// A place in a file's bytes.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// The next `length` bytes, which are there before anything is made of them.
    pub(super) fn take(&mut self, length: usize, part: &'static str) -> Result<&'a [u8], Error> {
        let end = self.position.checked_add(length).ok_or(Error::Short { part })?;
        let taken = self.bytes.get(self.position..end).ok_or(Error::Short { part })?;
        self.position = end;
        Ok(taken)
    }

    fn array<const LENGTH: usize>(&mut self, part: &'static str) -> Result<[u8; LENGTH], Error> {
        self.take(LENGTH, part)?.try_into().map_err(|_| Error::Short { part })
    }

    pub(super) fn u32(&mut self, part: &'static str) -> Result<u32, Error> {
        self.array(part).map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self, part: &'static str) -> Result<u64, Error> {
        self.array(part).map(u64::from_be_bytes)
    }

    pub(super) fn i64(&mut self, part: &'static str) -> Result<i64, Error> {
        self.array(part).map(i64::from_be_bytes)
    }
}
