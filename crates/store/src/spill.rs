//! Sorts listings that come in any order, in bounded memory: runs are sorted
//! in memory, spilled to an unnamed temporary file, and merged.

mod encoding;
mod file;
mod records;
mod runs;

use std::io;

use crate::Listed;
pub(crate) use encoding::{decode_reason, encode_reason};
pub use file::{SortedFile, SortedPages};
pub(crate) use records::{RecordSorter, RunLimit, SortedRecords};

/// Bytes of entries that are sorted in memory before they are spilled.
const DEFAULT_RUN_BYTES: usize = 8 << 20;

/// Takes the items of a listing in any order, to give them back in key order.
///
/// The calls do blocking file I/O in the system's temporary directory
/// (`TMPDIR`): make them where blocking is allowed, as in
/// `tokio::task::spawn_blocking`. Memory holds one run while pushing, and one
/// small buffer for each run (at most 128 runs) while merging.
#[derive(Debug)]
pub struct Sorter {
    records: RecordSorter,
}

impl Sorter {
    /// A sorter that spills whenever 8 MiB of entries have come together.
    #[must_use]
    pub fn new() -> Self {
        Self::with_run_bytes(DEFAULT_RUN_BYTES)
    }

    /// A sorter that spills whenever this many bytes of entries have come together.
    #[must_use]
    pub fn with_run_bytes(bytes: usize) -> Self {
        Self { records: RecordSorter::new(RunLimit { records: usize::MAX, bytes }) }
    }

    /// Takes one item. Fails if the temporary file can't be written.
    pub fn push(&mut self, item: &Listed) -> io::Result<()> {
        let (rank, payload) = encoding::encode(item);
        self.records.push(item.key().as_bytes(), rank, &payload)
    }

    /// Ends the input.
    pub fn finish(self) -> io::Result<Sorted> {
        Ok(Sorted { records: self.records.finish()? })
    }
}

impl Default for Sorter {
    fn default() -> Self {
        Self::new()
    }
}

/// The items that a [`Sorter`] took, in strictly ascending key order.
///
/// Of several items with one key the most cautious is given: an unknown
/// before an entry, one that reaches below its key before one that doesn't;
/// of two alike, the one that was pushed last.
#[derive(Debug)]
pub struct Sorted {
    records: SortedRecords,
}

impl Sorted {
    /// The next items, at least one and at most `limit` (or one, if that is
    /// 0); `None` at the end. Blocks on file I/O, as [`Sorter`] does.
    pub fn next_page(&mut self, limit: usize) -> io::Result<Option<Vec<Listed>>> {
        let mut page = Vec::new();
        while page.len() < limit.max(1) {
            match self.records.next()? {
                Some(record) => page.push(encoding::decode(record)?),
                None => break,
            }
        }
        Ok(if page.is_empty() { None } else { Some(page) })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::{Entry, Extent, Key, Unknown, UnknownReason, Version, VersionId};

    fn moment() -> impl Strategy<Value = SystemTime> {
        (-4_000_000_000_i64..4_000_000_000, 0..1_000_000_000_u32).prop_map(|(seconds, nanoseconds)| {
            let whole = Duration::from_secs(seconds.unsigned_abs());
            let start = if seconds < 0 { UNIX_EPOCH - whole } else { UNIX_EPOCH + whole };
            start + Duration::from_nanos(nanoseconds.into())
        })
    }

    fn version() -> impl Strategy<Value = Version> {
        prop_oneof![
            ("[0-9a-f\"ä-]{0,8}", option::of("[0-9a-zA-Z._é]{1,8}"), option::of("[A-Z_]{1,8}")).prop_map(
                |(etag, id, class)| Version::Object {
                    etag,
                    id: id.as_deref().map(VersionId::from),
                    storage_class: class.map(String::into_boxed_str),
                }
            ),
            (moment(), any::<u64>(), any::<u64>()).prop_map(|(changed, inode, device)| Version::File {
                changed,
                inode,
                device
            }),
        ]
    }

    fn reason() -> impl Strategy<Value = UnknownReason> {
        prop_oneof![
            Just(UnknownReason::SpecialFile),
            Just(UnknownReason::Symlink),
            Just(UnknownReason::BrokenSymlink),
            Just(UnknownReason::SymlinkLoop),
            Just(UnknownReason::NotKept),
            Just(UnknownReason::NotTold),
            Just(UnknownReason::Generated),
            ".{0,6}".prop_map(UnknownReason::UnreadableSymlink),
            ".{0,6}".prop_map(UnknownReason::Unreadable),
        ]
    }

    fn item() -> impl Strategy<Value = Listed> {
        // Few letters, so that keys meet.
        let key = proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'/'), Just(0xff)], 0..5).prop_map(Key::new);
        let extent = prop_oneof![Just(Extent::Key), Just(Extent::Below)];
        prop_oneof![
            (key.clone(), any::<u64>(), moment(), version())
                .prop_map(|(key, size, modified, version)| Listed::Present(Entry { key, size, modified, version })),
            (key, extent, reason()).prop_map(|(key, extent, reason)| Listed::Unknown(Unknown { key, extent, reason })),
        ]
    }

    fn caution(item: &Listed) -> u8 {
        match item {
            Listed::Present(_) => 0,
            Listed::Unknown(unknown) if unknown.extent == Extent::Key => 1,
            Listed::Unknown(_) => 2,
        }
    }

    fn expected(items: &[Listed]) -> Vec<Listed> {
        let mut kept: BTreeMap<Key, Listed> = BTreeMap::new();
        for item in items {
            if kept.get(item.key()).is_none_or(|before| caution(before) <= caution(item)) {
                kept.insert(item.key().clone(), item.clone());
            }
        }
        kept.into_values().collect()
    }

    fn sorted(items: &[Listed], run_bytes: usize, limit: usize) -> Vec<Listed> {
        let mut sorter = Sorter::with_run_bytes(run_bytes);
        for item in items {
            sorter.push(item).unwrap();
        }
        let mut output = sorter.finish().unwrap();
        let mut all = Vec::new();
        while let Some(page) = output.next_page(limit).unwrap() {
            assert!(!page.is_empty() && page.len() <= limit.max(1));
            all.extend(page);
        }
        assert_eq!(output.next_page(limit).unwrap(), None, "the end stays the end");
        all
    }

    proptest! {
        #[test]
        fn items_come_back_whole_in_order_and_once(
            items in proptest::collection::vec(item(), 0..300),
            run_bytes in 0..3000_usize,
            limit in 0..20_usize,
        ) {
            prop_assert_eq!(sorted(&items, run_bytes, limit), expected(&items));
        }
    }

    #[test]
    fn more_runs_than_are_merged_at_once_are_merged_in_rounds() {
        let items: Vec<Listed> = (0..20_000_u32)
            .map(|n| {
                let key = Key::from(format!("{:05}", (n * 7919) % 15_000));
                let version = Version::object(n.to_string());
                Listed::Present(Entry { key, size: n.into(), modified: UNIX_EPOCH, version })
            })
            .collect();
        // One item to a run: 20,000 runs, which takes three rounds of 128.
        assert_eq!(sorted(&items, 1, 1000), expected(&items));
    }
}
