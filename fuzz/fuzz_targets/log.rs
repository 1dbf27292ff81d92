//! Any bytes are a file of the log or are refused; an altered file gives what was written or an error.
//!
//! Input: the bytes of a file; and again what is done to a good one, three bytes for each change: where (two), and what
//! is added to the byte there.

#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use berth::volume::log::change::{Change, Checksum, Header, Nonce, Record, Txid};
use berth::volume::log::ltx::{decode, decode_head, decode_pages, encode};
use libfuzzer_sys::fuzz_target;

const PAGE_BYTES: usize = 512;

/// A record and its file.
static GOOD: LazyLock<(Record, Vec<u8>)> = LazyLock::new(|| {
    let page = |seed: usize| (0..PAGE_BYTES).map(|at| (at * seed % 251 / 3) as u8).collect::<Vec<u8>>();
    let pages: BTreeMap<u32, Vec<u8>> =
        [2_u32, 3, 7].into_iter().map(|number| (number, page(number as usize))).collect();
    let after = Checksum::of_pages(pages.iter().map(|(number, content)| (*number, content.as_slice())));
    let header = Header {
        first: Txid(42),
        last: Txid(42),
        timestamp_millis: 1_700_000_000_123,
        nonce: Nonce(0x0102_0304_0506_0708),
        predecessor: Nonce(0x0908_0706_0504_0302),
        after,
    };
    let record = Record { header, change: Change { page_size: PAGE_BYTES as u32, database_pages: 9, pages } };
    let file = encode(&record).expect("a good record");
    (record, file)
});

fuzz_target!(|input: &[u8]| {
    read(input);

    let (record, file) = &*GOOD;
    let mut altered = file.clone();
    for change in input.chunks_exact(3) {
        let at = usize::from(u16::from_be_bytes([change[0], change[1]])) % altered.len();
        altered[at] = altered[at].wrapping_add(change[2]);
    }
    if let Some(found) = read(&altered) {
        // LZ4 may say the same in other bytes.
        assert_eq!(&found, record);
    }
    if let Some(length) = input.first() {
        read(&file[..file.len().saturating_sub(usize::from(*length))]);
    }
});

/// Reads a file in all ways, which must agree.
fn read(bytes: &[u8]) -> Option<Record> {
    let record = decode(bytes).ok();
    let mut pages = BTreeMap::new();
    let summary = decode_pages(bytes, &mut |number, content| {
        pages.insert(number, content.to_vec());
        Ok(())
    });
    assert_eq!(record.is_some(), summary.is_ok());
    if let (Some(record), Ok(summary)) = (&record, summary) {
        assert_eq!((record.header, &record.change.pages), (summary.header, &pages));
        assert_eq!(decode_head(bytes).ok(), Some(record.header));
    }
    record
}
