//! Names of the log's files, relative to the database's directory on the volume.
//!
//! ```text
//! ltx/0/<txid>-<txid>.ltx              a slot: one commit group
//! ltx/9/0000000000000001-<txid>.ltx    a snapshot: the whole database at txid
//! txid := 16 lower-case hexadecimal digits
//! ```
//!
//! Source: the file replica of Litestream 0.5, levels 0 and 9 (`litestream.LTXFilePath`).

use super::change::Txid;

/// The directory of the slots.
pub const SLOTS: &str = "ltx/0";

/// The directory of the snapshots.
pub const SNAPSHOTS: &str = "ltx/9";

/// The path of the slot of `txid`.
#[must_use]
pub fn slot_path(txid: Txid) -> String {
    format!("{SLOTS}/{txid}-{txid}.ltx")
}

/// The path of the snapshot at `txid`.
#[must_use]
pub fn snapshot_path(txid: Txid) -> String {
    format!("{SNAPSHOTS}/{first}-{txid}.ltx", first = Txid::FIRST)
}

/// The transaction of the slot of that name; other names are none of the log's.
#[must_use]
pub fn slot(name: &str) -> Option<Txid> {
    parse(name).filter(|(first, last)| first == last).map(|(_, last)| last)
}

/// The transaction of the snapshot of that name.
#[must_use]
pub fn snapshot(name: &str) -> Option<Txid> {
    parse(name).filter(|(first, _)| *first == Txid::FIRST).map(|(_, last)| last)
}

/// The transactions of the slots among `names`, in their order.
pub fn slots(names: &[String]) -> impl DoubleEndedIterator<Item = Txid> {
    names.iter().filter_map(|name| slot(name))
}

/// The transactions of the snapshots among `names`, in their order.
pub fn snapshots(names: &[String]) -> impl DoubleEndedIterator<Item = Txid> {
    names.iter().filter_map(|name| snapshot(name))
}

/// The first and the last transaction that `name` tells, if it is a name of the log.
fn parse(name: &str) -> Option<(Txid, Txid)> {
    let (first, last) = name.strip_suffix(".ltx")?.split_once('-')?;
    let range = (Txid::parse(first)?, Txid::parse(last)?);
    (Txid::FIRST <= range.0 && range.0 <= range.1).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn paths_are_those_of_a_litestream_file_replica() {
        assert_eq!(slot_path(Txid(0x1f)), "ltx/0/000000000000001f-000000000000001f.ltx");
        assert_eq!(snapshot_path(Txid(0x1f)), "ltx/9/0000000000000001-000000000000001f.ltx");
    }

    #[test]
    fn a_path_is_read_back_as_the_transaction_it_was_made_of() {
        for txid in [Txid(1), Txid(0xabc), Txid(u64::MAX)] {
            let slot = slot_path(txid).replace("ltx/0/", "");
            let snapshot = snapshot_path(txid).replace("ltx/9/", "");
            assert_eq!(slots(&names(&[&slot])).collect::<Vec<_>>(), [txid]);
            assert_eq!(snapshots(&names(&[&snapshot])).collect::<Vec<_>>(), [txid]);
        }
    }

    #[test]
    fn names_that_are_not_the_logs_are_passed_over() {
        let strange = names(&[
            "",
            ".ltx",
            "-.ltx",
            "0000000000000001-0000000000000001.ltx.tmp",
            "0000000000000001-0000000000000001",
            "000000000000000A-000000000000000A.ltx",
            "00000000000000001-00000000000000001.ltx",
            "+000000000000001-+000000000000001.ltx",
            "0000000000000000-0000000000000000.ltx",
            "0000000000000003-0000000000000002.ltx",
        ]);
        assert_eq!(slots(&strange).count() + snapshots(&strange).count(), 0);
        let range = names(&["0000000000000002-0000000000000005.ltx"]);
        assert_eq!(slots(&range).count() + snapshots(&range).count(), 0, "a compacted range is neither");
    }
}
