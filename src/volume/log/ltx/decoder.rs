//! Reads a file as it goes by, so that a snapshot is never in memory as a whole.

use std::io::{self, BufReader, Read};

use crc_fast::Digest;

use super::header::{HEADER_BYTES, decode_header};
use super::pages::{Index, PageOrder};
use super::{CHECKSUM_FLAG, Error, FLAG_SIZED, Header, Shape, StreamError, Sums, crc};

/// Bytes read at once: a mount answers a request of this size as fast as a small one.
const BUFFER_BYTES: usize = 256 << 10;

/// What a file says, besides its pages.
#[derive(Debug, PartialEq, Eq)]
pub struct Summary {
    /// About itself.
    pub header: Header,
    /// About the database after it.
    pub shape: Shape,
    /// Of every page, when it has the whole database.
    pub sums: Option<Sums>,
    /// Its bytes.
    pub size_bytes: u64,
}

/// Reads a file to its end and gives every page, in ascending order, to `keep`.
///
/// Only when this returns a summary were the pages those of a whole and unaltered file: until then what was kept may be
/// anything.
///
/// # Errors
/// [`StreamError::Format`] when it is no whole file of the log, [`StreamError::File`] when it cannot be read,
/// [`StreamError::Keep`] when `keep` fails.
pub fn decode_pages(
    file: impl Read,
    keep: &mut dyn FnMut(u32, &[u8]) -> io::Result<()>,
) -> Result<Summary, StreamError> {
    let mut input = Input { file: BufReader::with_capacity(BUFFER_BYTES, file), digest: crc(), size_bytes: 0 };
    let (header, shape) = decode_header(&input.digested::<HEADER_BYTES>("header")?)?;
    let mut order = PageOrder::new(&header, shape);
    let mut index = Index::default();
    let mut page = Page::of(shape);
    loop {
        let start = input.size_bytes;
        let Some(number) = page.read(&mut input)? else { break };
        order.next(number, &page.content)?;
        index.push(number, start, input.size_bytes);
        keep(number, &page.content).map_err(StreamError::Keep)?;
    }
    let index = index.finish();
    let mut found = vec![0; index.len()];
    input.fill(&mut found, "index")?;
    if found != index {
        return Err(Error::Malformed { part: "index" }.into());
    }
    input.digest.update(&found);
    if input.digested::<8>("trailer")? != [0; 8] {
        return Err(Error::Foreign { field: "checksum of the database" }.into());
    }
    let mut checksum = [0; 8];
    input.fill(&mut checksum, "trailer")?;
    if u64::from_be_bytes(checksum) != CHECKSUM_FLAG | input.digest.finalize() {
        return Err(Error::Checksum { part: "file" }.into());
    }
    input.end()?;
    Ok(Summary { header, shape, sums: order.finish(header.after)?, size_bytes: input.size_bytes })
}

/// Reads only what a file says about itself: no checksum tells whether it is true.
///
/// # Errors
/// [`StreamError::Format`] when it does not begin as a file of the log, [`StreamError::File`] when it cannot be read.
pub fn decode_head(file: impl Read) -> Result<Header, StreamError> {
    let mut input = Input { file: BufReader::with_capacity(HEADER_BYTES, file), digest: crc(), size_bytes: 0 };
    Ok(decode_header(&input.digested::<HEADER_BYTES>("header")?)?.0)
}

/// One page after the other, in the same memory.
struct Page {
    packed: Vec<u8>,
    /// The most bytes that LZ4 makes of a page: a torn length allocates nothing.
    packed_max_bytes: usize,
    content: Vec<u8>,
}

impl Page {
    fn of(shape: Shape) -> Self {
        let page_size = usize::try_from(shape.page_size).unwrap_or_default();
        let packed_max_bytes = lz4_flex::block::get_maximum_output_size(page_size);
        Self { packed: Vec::new(), packed_max_bytes, content: vec![0; page_size] }
    }

    /// Reads the next one and says its number; `None` at the end of the pages.
    fn read(&mut self, input: &mut Input<impl Read>) -> Result<Option<u32>, StreamError> {
        let number = u32::from_be_bytes(input.digested("page")?);
        let flags = u16::from_be_bytes(input.digested("page")?);
        if (number, flags) == (0, 0) {
            return Ok(None);
        }
        if flags != FLAG_SIZED {
            return Err(Error::Foreign { field: "page's flags" }.into());
        }
        let length = usize::try_from(u32::from_be_bytes(input.digested("page")?)).unwrap_or(usize::MAX);
        if length > self.packed_max_bytes {
            return Err(Error::Malformed { part: "page" }.into());
        }
        self.packed.resize(length, 0);
        input.fill(&mut self.packed, "page")?;
        if lz4_flex::block::decompress_into(&self.packed, &mut self.content).ok() != Some(self.content.len()) {
            return Err(Error::Malformed { part: "page" }.into());
        }
        input.digest.update(&self.content);
        Ok(Some(number))
    }
}

/// The file, the checksum of what was read of it, and how much that was.
struct Input<File> {
    file: BufReader<File>,
    digest: Digest,
    size_bytes: u64,
}

impl<File: Read> Input<File> {
    /// Reads as many bytes as `buffer` has.
    fn fill(&mut self, buffer: &mut [u8], part: &'static str) -> Result<(), StreamError> {
        self.file.read_exact(buffer).map_err(|error| {
            let is_end = error.kind() == io::ErrorKind::UnexpectedEof;
            if is_end { Error::Short { part }.into() } else { StreamError::File(error) }
        })?;
        self.size_bytes = self.size_bytes.saturating_add(u64::try_from(buffer.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Reads bytes that stand in the file as the checksum has them.
    fn digested<const LENGTH: usize>(&mut self, part: &'static str) -> Result<[u8; LENGTH], StreamError> {
        let mut bytes = [0; LENGTH];
        self.fill(&mut bytes, part)?;
        self.digest.update(&bytes);
        Ok(bytes)
    }

    /// Nothing may follow.
    fn end(&mut self) -> Result<(), StreamError> {
        match self.file.read(&mut [0]).map_err(StreamError::File)? {
            0 => Ok(()),
            _ => Err(Error::Malformed { part: "end of the file" }.into()),
        }
    }
}
