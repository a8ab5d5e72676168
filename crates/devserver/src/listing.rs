//! From ordered keys to one page of a listing: pure.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Which part of the keys a page shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection<'a> {
    /// Only keys that begin so.
    pub(crate) prefix: &'a [u8],
    /// Keys that have this after the prefix are rolled up into the part that
    /// ends with it. Never empty.
    pub(crate) delimiter: Option<&'a [u8]>,
    /// The page begins after this. Where it is a common prefix itself, it
    /// begins after all keys of that prefix: so one rule serves `start-after`,
    /// `marker` and what our continuation tokens hold.
    pub(crate) after: Option<&'a [u8]>,
    /// The most elements of a page.
    pub(crate) limit: usize,
}

/// An element of a page; each counts as one, whatever it stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Element<'a, V> {
    /// A key by itself, with what is kept under it.
    Key(&'a [u8], &'a V),
    /// All keys that begin so.
    CommonPrefix(&'a [u8]),
}

impl<'a, V> Element<'a, V> {
    /// The key or common prefix.
    pub(crate) fn name(&self) -> &'a [u8] {
        match self {
            Self::Key(name, _) | Self::CommonPrefix(name) => name,
        }
    }
}

/// A page: its elements, and whether there is more after them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<'a, V> {
    pub(crate) elements: Vec<Element<'a, V>>,
    pub(crate) truncated: bool,
}

/// The page of `keys` that `selection` asks for. A limit of 0 gives an empty
/// page that isn't truncated, as S3 does.
pub(crate) fn page<'a, V>(keys: &'a BTreeMap<Vec<u8>, V>, selection: &Selection<'_>) -> Page<'a, V> {
    let mut page = Page { elements: Vec::new(), truncated: false };
    let Some(start) = start(selection).filter(|_| selection.limit > 0) else { return page };
    let mut rest = keys.range::<[u8], _>((as_slice(&start), Bound::Unbounded));
    while let Some((key, value)) = rest.next() {
        if !key.starts_with(selection.prefix) {
            break;
        }
        if page.elements.len() == selection.limit {
            page.truncated = true;
            break;
        }
        match common_prefix(key, selection) {
            None => page.elements.push(Element::Key(key, value)),
            Some(prefix) => {
                page.elements.push(Element::CommonPrefix(prefix));
                let Some(next) = after_all_with(prefix) else { break };
                rest = keys.range::<[u8], _>((Bound::Included(next.as_slice()), Bound::Unbounded));
            }
        }
    }
    page
}

/// Where the page begins; `None` where nothing can come after.
fn start(selection: &Selection<'_>) -> Option<Bound<Vec<u8>>> {
    let prefix = Bound::Included(selection.prefix.to_vec());
    let Some(after) = selection.after.filter(|after| *after >= selection.prefix) else { return Some(prefix) };
    if common_prefix(after, selection) == Some(after) {
        return after_all_with(after).map(Bound::Included);
    }
    Some(Bound::Excluded(after.to_vec()))
}

fn as_slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

/// The part of `key` that stands for it, if it is rolled up.
fn common_prefix<'k>(key: &'k [u8], selection: &Selection<'_>) -> Option<&'k [u8]> {
    let delimiter = selection.delimiter?;
    let rest = key.strip_prefix(selection.prefix)?;
    let at = rest.windows(delimiter.len()).position(|window| window == delimiter)?;
    key.get(..selection.prefix.len() + at + delimiter.len())
}

/// The least bytes above everything that begins with `prefix`, if there are any.
fn after_all_with(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut next = prefix.to_vec();
    while let Some(last) = next.pop() {
        if let Some(above) = last.checked_add(1) {
            next.push(above);
            return Some(next);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn index(keys: &[&str]) -> BTreeMap<Vec<u8>, u8> {
        keys.iter().map(|key| (key.as_bytes().to_vec(), 0)).collect()
    }

    fn names(page: &Page<'_, u8>) -> Vec<String> {
        page.elements.iter().map(|element| String::from_utf8_lossy(element.name()).into_owned()).collect()
    }

    fn listed(keys: &[&str], prefix: &str, delimiter: &str, after: &str, limit: usize) -> (Vec<String>, bool) {
        let keys = index(keys);
        let selection = Selection {
            prefix: prefix.as_bytes(),
            delimiter: Some(delimiter.as_bytes()).filter(|delimiter| !delimiter.is_empty()),
            after: Some(after.as_bytes()).filter(|after| !after.is_empty()),
            limit,
        };
        let page = page(&keys, &selection);
        (names(&page), page.truncated)
    }

    #[test]
    fn pages_by_hand() {
        let keys = ["a", "a-b", "a/", "a/x", "a/y/z", "a0", "b//c"];
        let all = |prefix, delimiter, after| listed(&keys, prefix, delimiter, after, 1000).0;
        assert_eq!(all("", "", ""), keys);
        assert_eq!(all("", "/", ""), ["a", "a-b", "a/", "a0", "b/"]);
        assert_eq!(all("a/", "/", ""), ["a/", "a/x", "a/y/"]);
        assert_eq!(all("b/", "/", ""), ["b//"]);
        assert_eq!(all("", "/", "a/"), ["a0", "b/"], "after a common prefix means after all of its keys");
        assert_eq!(all("", "/", "a/x"), ["a/", "a0", "b/"], "a/y/z comes after a/x and is rolled up");
        assert_eq!(all("a/", "", "a/"), ["a/x", "a/y/z"]);
        assert_eq!(all("a/", "", "0"), ["a/", "a/x", "a/y/z"]);
        assert!(all("a/", "", "b").is_empty());
        assert_eq!(listed(&keys, "", "/", "", 3), (vec!["a".into(), "a-b".into(), "a/".into()], true));
        assert!(!listed(&keys, "", "/", "", 5).1);
        assert_eq!(listed(&keys, "", "", "", 0), (vec![], false));
    }

    /// The same by filtering and rolling up all keys, then cutting.
    fn model(keys: &[Vec<u8>], prefix: &[u8], delimiter: Option<&[u8]>, after: Option<&[u8]>) -> Vec<Vec<u8>> {
        let roll_up = |key: &[u8]| -> Option<Vec<u8>> {
            let delimiter = delimiter?;
            let mut end = prefix.len() + delimiter.len();
            while end <= key.len() {
                if key[prefix.len()..end].ends_with(delimiter) {
                    return Some(key[..end].to_vec());
                }
                end += 1;
            }
            None
        };
        let mut elements = Vec::new();
        for key in keys.iter().filter(|key| key.starts_with(prefix)) {
            let comes_after = after.is_none_or(|after| {
                let whole = after.starts_with(prefix) && roll_up(after).is_some_and(|rolled| rolled == after);
                key.as_slice() > after && !(whole && key.starts_with(after))
            });
            if comes_after {
                elements.push(roll_up(key).unwrap_or_else(|| key.clone()));
            }
        }
        elements.dedup();
        elements
    }

    /// Few different bytes, so that prefixes and delimiters meet often; 255 to
    /// meet the end of the byte range.
    fn name(longest: usize) -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(proptest::sample::select(vec![b'/', b'a', b'b', b'-', 255]), 0..longest)
    }

    proptest! {
        #[test]
        fn pages_end_to_end_are_the_whole_listing(
            keys in proptest::collection::btree_set(name(7), 0..40),
            prefix in name(3),
            delimiter in proptest::option::of(proptest::collection::vec(proptest::sample::select(vec![b'/', b'a']), 1..3)),
            after in proptest::option::of(name(5)),
            limit in 1_usize..6,
        ) {
            let all: Vec<Vec<u8>> = keys.iter().cloned().collect();
            let expected = model(&all, &prefix, delimiter.as_deref(), after.as_deref());
            let index: BTreeMap<Vec<u8>, u8> = keys.into_iter().map(|key| (key, 0)).collect();
            let mut found: Vec<Vec<u8>> = Vec::new();
            let mut position = after;
            loop {
                let selection = Selection {
                    prefix: &prefix,
                    delimiter: delimiter.as_deref(),
                    after: position.as_deref(),
                    limit,
                };
                let page = page(&index, &selection);
                prop_assert!(page.elements.len() <= limit);
                prop_assert!(!page.truncated || page.elements.len() == limit);
                found.extend(page.elements.iter().map(|element| element.name().to_vec()));
                if !page.truncated {
                    break;
                }
                position = found.last().cloned();
            }
            prop_assert_eq!(found, expected);
        }
    }
}
