//! From versions in listing order to one page of their listing: pure.

use std::ops::Bound;
use std::sync::Arc;

use crate::storage::{Keys, Record, VersionId};

/// Which part of the versions a page shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection<'a> {
    /// Only sort keys that begin so.
    pub(crate) prefix: &'a [u8],
    /// The page begins after this key, or after one version of it. The version may have
    /// been removed: its id says where it stood. Where that of a null version doesn't, the
    /// key begins again.
    pub(crate) after: Option<(&'a [u8], Option<&'a VersionId>)>,
    /// The most elements of a page.
    pub(crate) limit: usize,
}

/// A version of a page.
pub(crate) struct Element<'a> {
    pub(crate) record: &'a Arc<Record>,
    /// Whether it is the current one of its key.
    pub(crate) is_latest: bool,
}

/// A page, and whether there is more after it.
pub(crate) struct Page<'a> {
    pub(crate) elements: Vec<Element<'a>>,
    pub(crate) truncated: bool,
}

/// The page of `keys` that `selection` asks for: key by key, the newest version first. A
/// limit of 0 gives an empty page that isn't truncated.
pub(crate) fn page<'a>(keys: &'a Keys, selection: &Selection<'_>) -> Page<'a> {
    let mut page = Page { elements: Vec::new(), truncated: false };
    let start = match selection.after {
        Some((key, None)) if key >= selection.prefix => Bound::Excluded(key),
        Some((key, Some(_))) if key >= selection.prefix => Bound::Included(key),
        _ => Bound::Included(selection.prefix),
    };
    let within = keys.from(start).take_while(|key| key.starts_with(selection.prefix));
    for key in within {
        let seen = selection.after.and_then(|(after, id)| id.filter(|_| after == key));
        let seen = seen.map_or(0, |id| versions_up_to(keys, key, id));
        for (place, record) in keys.versions(key).enumerate().skip(seen) {
            if page.elements.len() == selection.limit {
                page.truncated = selection.limit > 0;
                return page;
            }
            page.elements.push(Element { record, is_latest: place == 0 });
        }
    }
    page
}

/// How many of a key's versions stand before the end of that one.
fn versions_up_to(keys: &Keys, key: &[u8], id: &VersionId) -> usize {
    if let Some(place) = keys.versions(key).position(|record| record.version == *id) {
        return place + 1;
    }
    let Some(sequence) = id.sequence() else { return 0 };
    keys.versions(key).take_while(|record| record.sequence > sequence).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Versions of the keys a, b and c: 6 of them, in the order in which they are listed.
    fn filled() -> (Keys, Vec<Arc<Record>>) {
        let mut keys = Keys::default();
        let mut written = Vec::new();
        for (sequence, key) in (1..).zip(["b", "a", "b", "c", "b", "a"]) {
            let version = if sequence == 1 { VersionId::NULL } else { VersionId::new(sequence) };
            let record =
                Record { key: key.to_owned(), sequence, version, delete_marker: sequence == 5, ..Record::default() };
            written.push(Arc::new(record));
            keys.put(key.as_bytes().to_vec(), Arc::clone(&written[written.len() - 1]));
        }
        written.sort_by_key(|record| (record.key.clone(), u64::MAX - record.sequence));
        (keys, written)
    }

    fn all(keys: &Keys, prefix: &str, limit: usize) -> Vec<(u64, bool)> {
        let mut found: Vec<(u64, bool)> = Vec::new();
        let mut marker: Option<Arc<Record>> = None;
        loop {
            let after = marker.as_ref().map(|last| (last.key.as_bytes(), Some(&last.version)));
            let page = page(keys, &Selection { prefix: prefix.as_bytes(), after, limit });
            assert!(page.elements.len() <= limit);
            found.extend(page.elements.iter().map(|element| (element.record.sequence, element.is_latest)));
            if !page.truncated {
                return found;
            }
            marker = page.elements.last().map(|last| Arc::clone(last.record));
        }
    }

    #[test]
    fn pages_end_to_end_are_the_whole_listing_however_short() {
        let (keys, written) = filled();
        let latest = [6, 5, 4];
        let expected: Vec<_> = written.iter().map(|it| (it.sequence, latest.contains(&it.sequence))).collect();
        for limit in 1..8 {
            assert_eq!(all(&keys, "", limit), expected, "{limit}");
        }
        assert_eq!(all(&keys, "b", 2), [(5, true), (3, false), (1, false)]);
        assert!(page(&keys, &Selection { prefix: b"", after: None, limit: 0 }).elements.is_empty());
        let after_key = page(&keys, &Selection { prefix: b"", after: Some((b"b", None)), limit: 9 });
        assert_eq!(after_key.elements.len(), 1);
    }

    #[test]
    fn a_page_goes_on_behind_a_version_that_was_removed() {
        let (mut keys, written) = filled();
        let gone = &written[3];
        assert_eq!(gone.sequence, 3);
        keys.remove(b"b", &gone.version);
        let after = Some((b"b".as_slice(), Some(&gone.version)));
        let left: Vec<u64> = page(&keys, &Selection { prefix: b"", after, limit: 9 })
            .elements
            .iter()
            .map(|element| element.record.sequence)
            .collect();
        assert_eq!(left, [1, 4]);
    }
}
