//! Writes a file as its pages come, so that a snapshot is never in memory as a whole.

use std::io::Write;

use crc_fast::Digest;

use super::header::{check_header, check_size, encode_header};
use super::pages::{Index, PageOrder};
use super::{CHECKSUM_FLAG, END_OF_PAGES, Error, FLAG_SIZED, Header, Shape, StreamError, crc};

/// A file that is being written.
#[derive(Debug)]
pub struct Encoder<Sink> {
    sink: Sink,
    header: Header,
    order: PageOrder,
    index: Index,
    digest: Digest,
    size_bytes: u64,
}

impl<Sink: Write> Encoder<Sink> {
    /// Writes the header.
    ///
    /// # Errors
    /// [`StreamError::Format`] when it breaks a rule of the format, [`StreamError::File`] when the sink fails.
    pub fn begin(sink: Sink, header: &Header, shape: Shape) -> Result<Self, StreamError> {
        check_header(header, shape)?;
        let order = PageOrder::new(header, shape);
        let mut encoder = Self { sink, header: *header, order, index: Index::default(), digest: crc(), size_bytes: 0 };
        encoder.write(&encode_header(header, shape))?;
        Ok(encoder)
    }

    /// Writes the next page; they come in ascending order.
    ///
    /// # Errors
    /// As [`begin`](Self::begin); [`Error::TooLarge`] when no one could read the file.
    pub fn page(&mut self, number: u32, content: &[u8]) -> Result<(), StreamError> {
        self.order.next(number, content)?;
        let start = self.size_bytes;
        let packed = lz4_flex::block::compress(content);
        let length = u32::try_from(packed.len()).map_err(|_| Error::Malformed { part: "page" })?;
        let mut lead = [0; 10];
        lead[..4].copy_from_slice(&number.to_be_bytes());
        lead[4..6].copy_from_slice(&FLAG_SIZED.to_be_bytes());
        lead[6..].copy_from_slice(&length.to_be_bytes());
        self.write(&lead)?;
        self.digest.update(content);
        self.write_undigested(&packed)?;
        self.index.push(number, start, self.size_bytes);
        check_size(&self.header, self.size_bytes)?;
        Ok(())
    }

    /// Writes the end, and says how many bytes the file has.
    ///
    /// # Errors
    /// As [`begin`](Self::begin); a snapshot must be the whole database that its header says.
    pub fn finish(mut self) -> Result<u64, StreamError> {
        let index = std::mem::take(&mut self.index).finish();
        self.write(&END_OF_PAGES)?;
        self.write(&index)?;
        self.write(&0_u64.to_be_bytes())?;
        let checksum = CHECKSUM_FLAG | self.digest.finalize();
        self.write_undigested(&checksum.to_be_bytes())?;
        self.sink.flush().map_err(StreamError::File)?;
        check_size(&self.header, self.size_bytes)?;
        self.order.finish(self.header.after)?;
        Ok(self.size_bytes)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        self.digest.update(bytes);
        self.write_undigested(bytes)
    }

    fn write_undigested(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        self.sink.write_all(bytes).map_err(StreamError::File)?;
        self.size_bytes = self.size_bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}
