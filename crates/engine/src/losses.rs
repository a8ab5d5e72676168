//! The guard against losses: a directory of which the source has lost all that
//! was settled is likelier a disk that isn't mounted than a wish. Pure.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use brigade_store::Key;

use crate::plan::{Action, Decision, Phase};
use crate::range::Sight;

/// How many settled objects a directory must have had for their loss to be refused.
const MANY: u64 = 100;

/// Watches the keys of a range, in order, for directories that have lost everything.
///
/// Those at its edges, in which its first key lies or its last, may go on in
/// other ranges. They are judged when what all ranges saw has been added up.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// The directories that the last key lies in, from the root on; empty before the first key.
    open: Vec<Directory>,
    /// What was seen of those at an edge, by their prefix.
    at_edges: BTreeMap<Key, Fate>,
    /// The largest other one that has lost everything.
    largest: Option<Lost>,
}

#[derive(Debug)]
struct Directory {
    /// Empty for the root, else ending in `/`.
    prefix: Key,
    /// Whether the first key lies in it.
    is_at_edge: bool,
    fate: Fate,
}

/// What became of the settled objects in a directory.
#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    /// How many would be deleted.
    lost: u64,
    /// Whether any is still there, or may be.
    has_kept: bool,
}

/// A directory that has lost all of so many objects. The greatest is the one
/// to be named: that with the most, and of nested ones the outermost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Lost {
    count: u64,
    prefix: Reverse<Key>,
}

impl Losses {
    /// Takes note of the next key in order.
    pub(crate) fn see(&mut self, key: &Key, is_settled: bool, source: Sight, decision: &Decision) {
        if !is_settled {
            return;
        }
        let is_lost = matches!(decision, Decision::Act(Phase::Deletions, Action::Delete(_)));
        if !is_lost && source == Sight::Absent {
            return;
        }
        self.enter(key.as_bytes());
        let seen = Fate { lost: u64::from(is_lost), has_kept: !is_lost };
        for directory in &mut self.open {
            directory.fate += seen;
        }
    }

    /// Adds what was seen in another range, which has come to its end.
    pub(crate) fn add(&mut self, mut other: Self) {
        for Directory { prefix, fate, .. } in other.open.drain(..) {
            *other.at_edges.entry(prefix).or_default() += fate;
        }
        for (prefix, fate) in other.at_edges {
            *self.at_edges.entry(prefix).or_default() += fate;
        }
        self.largest = self.largest.take().max(other.largest);
    }

    /// The largest directory that has lost all of many settled objects, with
    /// how many, of all that was added. The root is the empty key.
    pub(crate) fn largest(&self) -> Option<(Key, u64)> {
        let at_edges = self.at_edges.iter().filter_map(|(prefix, fate)| fate.lost(prefix));
        let Lost { count, prefix } = at_edges.chain(self.largest.clone()).max()?;
        Some((prefix.0, count))
    }

    fn enter(&mut self, key: &[u8]) {
        let is_first = self.open.is_empty();
        if is_first {
            self.open.push(Directory { prefix: Key::from(""), is_at_edge: true, fate: Fate::default() });
        }
        while let Some(directory) = self.open.pop_if(|directory| !key.starts_with(directory.prefix.as_bytes())) {
            self.close(directory);
        }
        let from = self.open.last().map_or(0, |directory| directory.prefix.as_bytes().len());
        for (place, _) in key.iter().enumerate().skip(from).filter(|&(_, &byte)| byte == b'/') {
            let prefix = Key::new(&key[..=place]);
            self.open.push(Directory { prefix, is_at_edge: is_first, fate: Fate::default() });
        }
    }

    fn close(&mut self, Directory { prefix, is_at_edge, fate }: Directory) {
        if is_at_edge {
            *self.at_edges.entry(prefix).or_default() += fate;
        } else {
            self.largest = self.largest.take().max(fate.lost(&prefix));
        }
    }
}

impl Fate {
    fn lost(self, prefix: &Key) -> Option<Lost> {
        (self.lost >= MANY && !self.has_kept).then(|| Lost { count: self.lost, prefix: Reverse(prefix.clone()) })
    }
}

impl std::ops::AddAssign for Fate {
    fn add_assign(&mut self, more: Self) {
        self.lost += more.lost;
        self.has_kept |= more.has_kept;
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use brigade_store::{Entry, Version};
    use proptest::prelude::*;

    use super::*;

    fn lost(key: &str) -> (Key, Decision) {
        let version = Version::object("e");
        let entry = Entry { key: Key::from(key), size: 1, modified: SystemTime::UNIX_EPOCH, version };
        (Key::from(key), Decision::Act(Phase::Deletions, Action::Delete(entry)))
    }

    /// Keys `directory/000` and on, all settled and lost.
    fn lost_below(directory: &str, count: u32) -> Vec<(Key, Decision)> {
        (0..count).map(|n| lost(&format!("{directory}{n:03}"))).collect()
    }

    fn kept(key: &str) -> (Key, Decision) {
        (Key::from(key), Decision::InStep(None))
    }

    /// What each of these ranges saw, added up.
    fn largest_of<'a>(ranges: impl IntoIterator<Item = &'a [(Key, Decision)]>) -> Option<(String, u64)> {
        let mut all = Losses::default();
        for range in ranges {
            let mut losses = Losses::default();
            for (key, decision) in range {
                let source = if matches!(decision, Decision::InStep(_)) { Sight::Present } else { Sight::Absent };
                losses.see(key, true, source, decision);
            }
            all.add(losses);
        }
        all.largest().map(|(key, count)| (key.to_string(), count))
    }

    fn largest(keys: impl IntoIterator<Item = (Key, Decision)>) -> Option<(String, u64)> {
        let keys: Vec<_> = keys.into_iter().collect();
        largest_of([&keys[..]])
    }

    #[test]
    fn a_directory_that_lost_all_of_many_is_named_and_no_smaller_one() {
        assert_eq!(largest(lost_below("d/", 99).into_iter().chain([kept("e")])), None);
        let hundred = || lost_below("d/", 100).into_iter();
        assert_eq!(largest(hundred().chain([kept("e")])), Some(("d/".into(), 100)));
        assert_eq!(largest(hundred().chain([kept("d/z")])), None, "one is left");
        assert_eq!(largest(hundred().chain([kept("d/z"), kept("e")])), None);
        let nested = hundred().chain(lost_below("d/e/", 150)).chain([kept("f")]);
        assert_eq!(largest(nested), Some(("d/".into(), 250)));
        let inner = hundred().chain(lost_below("d/e/", 150)).chain([kept("d/f")]);
        assert_eq!(largest(inner), Some(("d/e/".into(), 150)));
        assert_eq!(largest(lost_below("", 100)), Some((String::new(), 100)), "the root itself");
        let both = hundred().chain(lost_below("e/", 120)).chain([kept("f")]);
        assert_eq!(largest(both), Some(("e/".into(), 120)));
    }

    #[test]
    fn what_was_never_settled_or_is_not_known_vouches_for_nothing_and_for_all() {
        let table = [
            ("what is new there does not count", ("d/new", false, Sight::Present), Some((Key::from("d/"), 100))),
            ("it may be there", ("d/unknown", true, Sight::Unknown), None),
        ];
        for (row, (key, is_settled, source), expected) in table {
            let mut losses = Losses::default();
            for (key, decision) in lost_below("d/", 100) {
                losses.see(&key, true, Sight::Absent, &decision);
            }
            losses.see(&Key::from(key), is_settled, source, &Decision::Held);
            losses.see(&Key::from("e"), true, Sight::Present, &Decision::InStep(None));
            let mut all = Losses::default();
            all.add(losses);
            assert_eq!(all.largest(), expected, "{row}");
        }
    }

    proptest! {
        #[test]
        fn the_same_directory_is_named_however_the_keys_are_cut(
            groups in proptest::collection::vec(("(a/|b/|c){0,3}", 50u32..120, proptest::bool::weighted(0.1)), 1..6),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..4),
            backwards: bool,
        ) {
            let mut keys = Vec::new();
            for (directory, count, has_kept) in groups {
                keys.extend(lost_below(&directory, count));
                keys.extend(has_kept.then(|| kept(&format!("{directory}z"))));
            }
            keys.sort_by(|(one, _), (other, _)| one.cmp(other));
            keys.dedup_by(|(one, _), (other, _)| one == other);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(keys.len())).chain([0, keys.len()]).collect();
            cuts.sort_unstable();
            let mut ranges: Vec<&[(Key, Decision)]> = cuts.windows(2).map(|cut| &keys[cut[0]..cut[1]]).collect();
            if backwards {
                ranges.reverse();
            }
            prop_assert_eq!(largest_of(ranges), largest_of([&keys[..]]));
        }
    }
}
