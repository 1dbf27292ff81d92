use proptest::prelude::*;

use super::header::{MAGIC, check_size};
use super::pages::PageOrder;
use super::*;

const PAGE: usize = 512;
const TRAILER_BYTES: usize = 16;

fn page(seed: u8) -> Vec<u8> {
    (0..PAGE).map(|at| seed.wrapping_mul(u8::try_from(at % 7).unwrap())).collect()
}

/// A slot with some pages of a database of `database_pages`.
fn slot(txid: u64, database_pages: u32, numbers: &[u32]) -> Record {
    let pages: BTreeMap<u32, Vec<u8>> =
        numbers.iter().map(|&number| (number, page(u8::try_from(number % 251).unwrap()))).collect();
    let is_first = txid == 1;
    let after = Checksum::of_pages(pages.iter().map(|(&number, content)| (number, content.as_slice())));
    let header = Header {
        first: Txid(txid),
        last: Txid(txid),
        timestamp_millis: 1_700_000_000_123,
        nonce: Nonce(0x0102_0304_0506_0708 + txid),
        predecessor: if is_first { Nonce::NONE } else { Nonce(0xfeed_face_0000_0000 + txid) },
        after,
    };
    Record { header, change: Change { page_size: 512, database_pages, pages } }
}

/// The same pages as a snapshot at `txid`.
fn snapshot(txid: u64, record: Record) -> Record {
    let header = Header { first: Txid::FIRST, last: Txid(txid), predecessor: Nonce::NONE, ..record.header };
    Record { header, ..record }
}

#[test]
fn the_crc_is_the_iso_one_of_go() {
    let mut digest = crc();
    digest.update(b"123456789");
    assert_eq!(digest.finalize(), 0xb909_56c7_75a4_1001);
}

/// Page 1 of 512 bytes, all zero, as superfly/ltx's decoder computes it: an independent bit-by-bit CRC.
#[test]
fn a_page_checksum_is_over_number_and_content() {
    let mut expected = u64::MAX;
    for byte in [0, 0, 0, 3_u8].into_iter().chain(page(9)) {
        expected ^= u64::from(byte);
        for _ in 0..8 {
            expected = if expected & 1 == 1 { (expected >> 1) ^ 0xd800_0000_0000_0000 } else { expected >> 1 };
        }
    }
    assert_eq!(Checksum::EMPTY.with_page(3, None, Some(&page(9))).0, CHECKSUM_FLAG | !expected);
}

#[test]
fn what_is_encoded_lies_where_the_format_says() {
    let record = slot(0x2a, 9, &[2, 3]);
    let bytes = encode(&record).unwrap();
    let u32_at = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let u64_at = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
    assert_eq!(&bytes[..4], b"LTX1");
    assert_eq!((u32_at(4), u32_at(8), u32_at(12)), (2, 512, 9));
    assert_eq!((u64_at(16), u64_at(24), u64_at(32)), (0x2a, 0x2a, 1_700_000_000_123));
    assert_eq!((u64_at(40), u64_at(48)), (0, 32));
    assert_eq!(u64_at(56) | CHECKSUM_FLAG, record.header.after.0);
    assert_eq!((u64_at(64), u64_at(72)), (record.header.predecessor.0, record.header.nonce.0));
    assert!(bytes[80..100].iter().all(|&byte| byte == 0));
    let first_length = u32_at(106) as usize;
    assert_eq!((u32_at(100), &bytes[104..106]), (2, &[0, 1][..]));
    assert_eq!(lz4_flex::block::decompress(&bytes[110..110 + first_length], PAGE).unwrap(), page(2));
    assert_eq!(u32_at(110 + first_length), 3);
    let trailer = bytes.len() - TRAILER_BYTES;
    assert_eq!(u64_at(trailer), 0);
    let index_length = usize::try_from(u64_at(trailer - 8)).unwrap();
    let index = &bytes[trailer - 8 - index_length..trailer - 8];
    assert_eq!((index[0], index[1], *index.last().unwrap()), (2, 100, 0), "page 2 begins at byte 100");
    assert_eq!(&bytes[trailer - 8 - index_length - 6..][..6], &END_OF_PAGES);
}

#[test]
fn slots_and_snapshots_are_read_back_as_they_were() {
    for record in [slot(1, 2, &[1, 2]), slot(7, 9, &[1, 4, 9]), slot(8, 1, &[]), snapshot(9, slot(9, 3, &[1, 2, 3]))] {
        assert_eq!(decode(&encode(&record).unwrap()).unwrap(), record);
    }
}

#[test]
fn a_whole_database_must_be_whole() {
    let malformed = |part| Err(Error::Malformed { part });
    assert_eq!(encode(&slot(1, 3, &[1, 2])).map(|_| ()), malformed("last page"));
    assert_eq!(encode(&slot(1, 3, &[1, 3])).map(|_| ()), malformed("page"));
    assert_eq!(encode(&snapshot(5, slot(5, 2, &[2]))).map(|_| ()), malformed("page"));
    let mut wrong = slot(1, 1, &[1]);
    wrong.header.after = Checksum(CHECKSUM_FLAG | 1);
    assert_eq!(encode(&wrong).map(|_| ()), Err(Error::Checksum { part: "database" }));
}

#[test]
fn the_lock_page_is_in_no_file_and_in_no_checksum() {
    let lock = lock_page(512);
    assert_eq!((lock, lock_page(4096), lock_page(65_536)), (0x20_0001, 0x4_0001, 0x4001));
    assert!(encode(&slot(7, lock + 1, &[lock - 1, lock + 1])).is_ok());
    assert_eq!(encode(&slot(7, lock + 1, &[lock])).map(|_| ()), Err(Error::Malformed { part: "page" }));
    assert_eq!(Checksum::EMPTY.with_page(lock, None, Some(&page(1))), Checksum::EMPTY);
    let order = PageOrder::new(&slot(1, 1, &[]).header, slot(1, 1, &[]).change.shape());
    assert_eq!((order.successor(0), order.successor(lock - 1)), (1, lock + 1), "snapshots skip it");
}

#[test]
fn records_that_break_the_format_are_not_written() {
    let fault = |alter: &dyn Fn(&mut Record)| {
        let mut record = slot(7, 4, &[2]);
        alter(&mut record);
        encode(&record).is_err()
    };
    assert!(!fault(&|_| {}));
    assert!(fault(&|record| record.change.page_size = 1000));
    assert!(fault(&|record| record.change.page_size = 131_072));
    assert!(fault(&|record| record.change.database_pages = 0));
    assert!(fault(&|record| record.change.database_pages = 1), "a page past the end");
    assert!(fault(&|record| record.change.pages.insert(3, vec![0; 511]).map_or((), |_| ())));
    assert!(fault(&|record| record.header.first = Txid(8)));
    assert!(fault(&|record| record.header.first = Txid(0)));
    assert!(fault(&|record| record.header.nonce = Nonce::NONE));
    assert!(fault(&|record| record.header.first = Txid::FIRST), "a predecessor of the first");
    assert!(fault(&|record| record.header.after = Checksum(5)));
}

#[test]
fn every_cut_and_every_byte_too_many_is_found() {
    let bytes = encode(&slot(7, 9, &[1, 4])).unwrap();
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length]).is_err(), "cut at {length}");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(decode(&longer).is_err());
}

#[test]
fn every_flipped_bit_is_found_unless_it_says_the_same() {
    let record = slot(7, 9, &[1, 4]);
    let bytes = encode(&record).unwrap();
    for bit in 0..bytes.len() * 8 {
        let mut altered = bytes.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        if let Ok(read) = decode(&altered) {
            assert_eq!(read, record, "bit {bit}");
        }
    }
}

/// Claims a compressed page of 4 GiB in a file of a few bytes.
#[test]
fn a_length_past_the_end_allocates_nothing() {
    let mut bytes = encode(&slot(7, 9, &[1])).unwrap();
    bytes[106..110].copy_from_slice(&u32::MAX.to_be_bytes());
    assert_eq!(decode(&bytes), Err(Error::Malformed { part: "page" }));
}

#[test]
fn files_of_litestream_itself_are_told_from_altered_ones() {
    let bytes = encode(&slot(7, 9, &[1])).unwrap();
    let field = |range: std::ops::Range<usize>, value: &[u8]| {
        let mut other = bytes.clone();
        other[range].copy_from_slice(value);
        decode(&other).map(|_| ())
    };
    let foreign = |field| Err(Error::Foreign { field });
    assert_eq!(field(4..8, &[0; 4]), foreign("flags"), "with checksums");
    assert_eq!(field(48..56, &[0, 0, 0, 0, 0, 0, 16, 32]), foreign("WALOffset"));
    assert_eq!(field(72..80, &[0; 8]), foreign("NodeID"));
}

#[test]
fn what_nobody_could_read_again_is_not_written() {
    let slot = slot(7, 9, &[1]);
    let too_large = |record: &Record, size| matches!(check_size(&record.header, size), Err(Error::TooLarge { .. }));
    assert!(too_large(&slot, SLOT_MAX_BYTES + 1) && !too_large(&slot, SLOT_MAX_BYTES));
    let snapshot = snapshot(7, slot);
    assert!(too_large(&snapshot, SNAPSHOT_MAX_BYTES + 1) && !too_large(&snapshot, SLOT_MAX_BYTES + 1));
}

fn any_slot() -> impl Strategy<Value = Record> {
    let pages = prop::collection::btree_map(1..40_u32, prop::collection::vec(any::<u8>(), PAGE), 0..6);
    (2..u64::MAX, pages, any::<(u64, u64, i64)>(), 40..u32::MAX).prop_map(
        |(txid, pages, (nonce, sum, timestamp_millis), database_pages)| {
            let header = Header {
                first: Txid(txid),
                last: Txid(txid),
                timestamp_millis,
                nonce: Nonce(nonce | 1),
                predecessor: Nonce(sum),
                after: Checksum(nonce | CHECKSUM_FLAG),
            };
            Record { header, change: Change { page_size: 512, database_pages, pages } }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_slot_is_read_back(record in any_slot()) {
        prop_assert_eq!(decode(&encode(&record).unwrap()).unwrap(), record);
    }

    #[test]
    fn any_alteration_is_found_unless_it_says_the_same(
        record in any_slot(),
        alterations in prop::collection::vec((any::<prop::sample::Index>(), 1..=u8::MAX), 1..4),
    ) {
        let mut bytes = encode(&record).unwrap();
        for (at, mask) in alterations {
            let at = at.index(bytes.len());
            bytes[at] ^= mask;
        }
        if let Ok(read) = decode(&bytes) {
            prop_assert_eq!(read, record);
        }
    }

    #[test]
    fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut framed = MAGIC.to_vec();
        framed.extend(&bytes);
        prop_assert!(decode(&bytes).is_err() && decode(&framed).is_err());
    }

    #[test]
    fn the_checksum_of_changed_pages_is_that_of_all_pages(
        before in prop::collection::btree_map(1..9_u32, prop::collection::vec(any::<u8>(), PAGE), 0..8),
        after in prop::collection::btree_map(1..9_u32, prop::collection::vec(any::<u8>(), PAGE), 0..8),
    ) {
        let sum = |pages: &BTreeMap<u32, Vec<u8>>| {
            Checksum::of_pages(pages.iter().map(|(&number, content)| (number, content.as_slice())))
        };
        let changed = (1..9).fold(sum(&before), |sum, number| {
            sum.with_page(number, before.get(&number).map(Vec::as_slice), after.get(&number).map(Vec::as_slice))
        });
        prop_assert_eq!(changed, sum(&after));
    }
}
