//! The merge: three strips in key order, read like a zip, one triple for each key.
//!
//! Pure: pages go in, triples come out, as many as the pages allow.

use std::collections::VecDeque;

use brigade_store::{Entry, Extent, Key, Listed, Unknown};

use crate::ledger::{Apart, SettledPair};

/// What is known of one key: on both sides now, and when they were last in step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Triple {
    /// The key.
    pub key: Key,
    /// What the source lists.
    pub left: Presence,
    /// What both sides were when they were last in step, if that is remembered.
    pub settled: Option<SettledPair>,
    /// What the destination lists.
    pub right: Presence,
}

/// What one listing says of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It is there.
    Present(Entry),
    /// It is proven not to be there.
    Absent,
    /// The listing can't tell.
    Unknown,
}

/// One of the strips that are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strip {
    /// The source's listing.
    Left,
    /// The settled pairs.
    Settled,
    /// The destination's listing.
    Right,
}

/// The merge under way.
#[derive(Debug, Default)]
pub struct Merge {
    left: Side,
    settled: Queue<SettledPair>,
    /// Up to here all settled pairs have come, where that is known.
    settled_through: Option<Key>,
    right: Side,
}

impl Merge {
    /// Appends a page of the source's listing. Keys ascend strictly over all
    /// pages of a strip: the listing stage has checked it.
    pub fn push_left(&mut self, page: Vec<Listed>) {
        self.left.queue.items.extend(page);
    }

    /// Appends a page of settled pairs.
    pub fn push_settled(&mut self, page: Vec<SettledPair>) {
        self.settled.items.extend(page);
    }

    /// Says that all settled pairs up to this key have come: there may be none for long.
    pub fn settled_through(&mut self, key: Option<Key>) {
        self.settled_through = key;
    }

    /// Appends a page of the destination's listing.
    pub fn push_right(&mut self, page: Vec<Listed>) {
        self.right.queue.items.extend(page);
    }

    /// Says that a strip has ended.
    pub fn end(&mut self, strip: Strip) {
        match strip {
            Strip::Left => self.left.queue.ended = true,
            Strip::Settled => self.settled.ended = true,
            Strip::Right => self.right.queue.ended = true,
        }
    }

    /// A strip of which the next page is needed before there can be another
    /// triple; `None` while there can be, and at the end.
    #[must_use]
    pub fn hungry(&self) -> Option<Strip> {
        [
            (Strip::Left, self.left.queue.hungry()),
            (Strip::Settled, self.settled.hungry() && !self.lacks_pair_of_next()),
            (Strip::Right, self.right.queue.hungry()),
        ]
        .into_iter()
        .find_map(|(strip, hungry)| hungry.then_some(strip))
    }

    /// Whether all strips have ended and all triples have come out.
    #[must_use]
    pub fn finished(&self) -> bool {
        self.left.queue.finished() && self.settled.finished() && self.right.queue.finished()
    }

    /// The next triple, or `None` while a strip is hungry, and at the end.
    pub fn next_triple(&mut self) -> Option<Triple> {
        while self.hungry().is_none() {
            let key = self.smallest_key()?.clone();
            // What is unknown below a prefix says nothing about a key of its own:
            // it is remembered until the merge has passed the prefix.
            if self.left.take_unknown_below(&key) | self.right.take_unknown_below(&key) {
                continue;
            }
            return Some(Triple {
                left: self.left.take(&key),
                settled: self.settled.take(&key),
                right: self.right.take(&key),
                key,
            });
        }
        None
    }

    /// Whether the source lists anything below a prefix, ending in `/`, whose own
    /// triple has just come out, and which the source did not list itself.
    #[must_use]
    pub fn source_goes_on_below(&self, prefix: &Key) -> bool {
        self.left.queue.head_key().is_some_and(|next| next.as_bytes().starts_with(prefix.as_bytes()))
    }

    /// Whether it is known that no pair comes for the next key of the listings.
    fn lacks_pair_of_next(&self) -> bool {
        self.settled_through.as_ref().is_some_and(|through| self.smallest_key().is_some_and(|next| next <= through))
    }

    fn smallest_key(&self) -> Option<&Key> {
        let heads = [self.left.queue.head_key(), self.settled.head_key(), self.right.queue.head_key()];
        heads.into_iter().flatten().min()
    }
}

/// A strip's items that have come and were not taken yet.
#[derive(Debug)]
struct Queue<T> {
    items: VecDeque<T>,
    ended: bool,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { items: VecDeque::new(), ended: false }
    }
}

/// An item of a strip, by the key that decides its place.
pub(crate) trait Keyed {
    /// The key.
    fn key(&self) -> &Key;
}

impl Keyed for Listed {
    fn key(&self) -> &Key {
        Self::key(self)
    }
}

impl Keyed for SettledPair {
    fn key(&self) -> &Key {
        &self.key
    }
}

impl Keyed for Apart {
    fn key(&self) -> &Key {
        &self.key
    }
}

impl<T: Keyed> Queue<T> {
    fn hungry(&self) -> bool {
        self.items.is_empty() && !self.ended
    }

    fn finished(&self) -> bool {
        self.items.is_empty() && self.ended
    }

    fn head_key(&self) -> Option<&Key> {
        self.items.front().map(Keyed::key)
    }

    fn take(&mut self, key: &Key) -> Option<T> {
        self.items.pop_front_if(|item| item.key() == key)
    }
}

/// A listing, with the prefix below which it could not look.
#[derive(Debug, Default)]
struct Side {
    queue: Queue<Listed>,
    unknown_below: Option<Unknown>,
}

impl Side {
    /// Takes note of an unknown prefix, if that is what comes next at this key.
    fn take_unknown_below(&mut self, key: &Key) -> bool {
        let next = self.queue.items.pop_front_if(|item| match item {
            Listed::Unknown(unknown) => unknown.extent == Extent::Below && unknown.key == *key,
            Listed::Present(_) => false,
        });
        if let Some(Listed::Unknown(unknown)) = next {
            self.unknown_below = Some(unknown);
            return true;
        }
        false
    }

    fn take(&mut self, key: &Key) -> Presence {
        match self.queue.take(key) {
            Some(Listed::Present(entry)) => Presence::Present(entry),
            Some(Listed::Unknown(_)) => Presence::Unknown,
            None if self.unknown_covers(key) => Presence::Unknown,
            None => Presence::Absent,
        }
    }

    fn unknown_covers(&self, key: &Key) -> bool {
        self.unknown_below.as_ref().is_some_and(|unknown| unknown.covers(key))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::SystemTime;

    use brigade_store::{UnknownReason, Version};
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::Fingerprint;

    fn entry(key: &str) -> Entry {
        let version = Version::object("");
        Entry { key: Key::from(key), size: 1, modified: SystemTime::UNIX_EPOCH, version }
    }

    fn unknown(key: &str, extent: Extent) -> Listed {
        Listed::Unknown(Unknown { key: Key::from(key), extent, reason: UnknownReason::SpecialFile })
    }

    /// Merges two listings that come in pages of the given lengths.
    fn merge(left: Vec<Listed>, right: Vec<Listed>, page: usize) -> Vec<Triple> {
        let mut merge = Merge::default();
        merge.end(Strip::Settled);
        let (mut left, mut right) = (left.into_iter(), right.into_iter());
        let mut triples = Vec::new();
        while !merge.finished() {
            while let Some(triple) = merge.next_triple() {
                triples.push(triple);
            }
            let Some(strip) = merge.hungry() else { continue };
            let side = if strip == Strip::Left { &mut left } else { &mut right };
            let next: Vec<Listed> = side.by_ref().take(page).collect();
            match strip {
                _ if next.is_empty() => merge.end(strip),
                Strip::Left => merge.push_left(next),
                _ => merge.push_right(next),
            }
        }
        triples
    }

    #[test]
    fn what_could_not_be_read_is_unknown_and_not_absent() {
        let left = vec![
            Listed::Present(entry("a")),
            unknown("d/", Extent::Below),
            Listed::Present(entry("e")),
            unknown("f", Extent::Key),
        ];
        let right = ["a", "d", "d/", "d/x", "d/y/z", "d0", "f", "f/x"];
        let triples = merge(left, right.map(|key| Listed::Present(entry(key))).into(), 2);
        let lefts: Vec<(String, bool)> =
            triples.iter().map(|triple| (triple.key.to_string(), triple.left == Presence::Unknown)).collect();
        let expected = [
            ("a", false),
            ("d", false),
            ("d/", true),
            ("d/x", true),
            ("d/y/z", true),
            ("d0", false),
            ("e", false),
            ("f", true),
            ("f/x", false),
        ];
        assert_eq!(lefts, expected.map(|(key, unknown)| (key.to_owned(), unknown)));
    }

    #[test]
    fn an_unknown_store_leaves_nothing_proven() {
        let triples = merge(vec![unknown("", Extent::Below)], vec![Listed::Present(entry("a"))], 1);
        assert_eq!(triples.len(), 1);
        assert_eq!(triples[0].left, Presence::Unknown);
    }

    #[test]
    fn pairs_that_are_known_not_to_come_are_not_asked_for() {
        let mut merge = Merge::default();
        merge.end(Strip::Left);
        merge.push_right(["a", "b", "d"].map(|key| Listed::Present(entry(key))).into());
        assert_eq!(merge.hungry(), Some(Strip::Settled));
        merge.settled_through(Some(Key::from("b")));
        let triples: Vec<String> =
            std::iter::from_fn(|| merge.next_triple()).map(|triple| triple.key.to_string()).collect();
        assert_eq!((triples, merge.hungry()), (vec!["a".to_owned(), "b".to_owned()], Some(Strip::Settled)));
    }

    proptest! {
        #[test]
        fn the_merge_says_what_a_map_says(
            left in proptest::collection::btree_set("[ab/.]{1,4}", 0..40),
            right in proptest::collection::btree_set("[ab/.]{1,4}", 0..40),
            settled in proptest::collection::btree_set("[ab/.]{1,4}", 0..40),
            page in 1usize..7,
        ) {
            let mut expected: BTreeMap<Key, (bool, bool, bool)> = BTreeMap::new();
            for (keys, which) in [(&left, 0), (&settled, 1), (&right, 2)] {
                for key in keys {
                    let seen = expected.entry(Key::from(key.as_str())).or_default();
                    match which { 0 => seen.0 = true, 1 => seen.1 = true, _ => seen.2 = true }
                }
            }
            let merged: Vec<(Key, (bool, bool, bool))> = merge_all(&left, &settled, &right, page)
                .into_iter()
                .map(|triple| {
                    let present = |presence: &Presence| matches!(presence, Presence::Present(entry) if entry.key == triple.key);
                    let seen = (present(&triple.left), triple.settled.is_some(), present(&triple.right));
                    (triple.key, seen)
                })
                .collect();
            prop_assert_eq!(merged, expected.into_iter().collect::<Vec<_>>());
        }
    }

    fn merge_all(
        left: &BTreeSet<String>,
        settled: &BTreeSet<String>,
        right: &BTreeSet<String>,
        page: usize,
    ) -> Vec<Triple> {
        let pair = |key: &String| {
            let (left, right) = (Fingerprint::of(&entry(key)), Fingerprint::of(&entry(key)));
            let key = Key::from(key.as_str());
            SettledPair { key, left, right, digest: None, unsure: false, assumed: false, lost: false }
        };
        let mut merge = Merge::default();
        let (mut left, mut settled, mut right) = (left.iter(), settled.iter(), right.iter());
        let mut triples = Vec::new();
        while !merge.finished() {
            triples.extend(std::iter::from_fn(|| merge.next_triple()));
            let Some(strip) = merge.hungry() else { continue };
            let source = match strip {
                Strip::Left => &mut left,
                Strip::Settled => &mut settled,
                Strip::Right => &mut right,
            };
            let keys: Vec<&String> = source.by_ref().take(page).collect();
            let listed = || keys.iter().map(|key| Listed::Present(entry(key))).collect();
            match strip {
                _ if keys.is_empty() => merge.end(strip),
                Strip::Left => merge.push_left(listed()),
                Strip::Settled => merge.push_settled(keys.iter().map(|key| pair(key)).collect()),
                Strip::Right => merge.push_right(listed()),
            }
        }
        triples
    }
}
