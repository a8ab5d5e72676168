//! The guard against losses: a directory of which the source has lost all that
//! was settled is likelier a disk that isn't mounted than a wish. Pure.

use brigade_store::Key;

use crate::plan::{Action, Decision, Phase};
use crate::range::Sight;

/// How many settled objects a directory must have had for their loss to be refused.
const MANY: u64 = 100;

/// Watches keys in order for directories that have lost everything.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    /// The directories that the last key lies in, from the root on; empty before the first key.
    open: Vec<Directory>,
    /// The largest that has lost everything, with how many objects it had.
    largest: Option<(Key, u64)>,
}

#[derive(Debug)]
struct Directory {
    /// Empty for the root, else ending in `/`.
    prefix: Vec<u8>,
    /// Settled objects that would be deleted.
    lost: u64,
    /// Whether any settled object is still there, or may be.
    has_kept: bool,
}

impl Losses {
    /// Takes note of a key. Keys come in order; one that begins a range
    /// anywhere closes all directories that it isn't in.
    pub(crate) fn see(&mut self, key: &Key, is_settled: bool, source: Sight, decision: &Decision) {
        if !is_settled {
            return;
        }
        let is_lost = matches!(decision, Decision::Act(Phase::Deletions, Action::Delete(_)));
        if !is_lost && source == Sight::Absent {
            return;
        }
        self.enter(key.as_bytes());
        for directory in &mut self.open {
            directory.lost += u64::from(is_lost);
            directory.has_kept |= !is_lost;
        }
    }

    /// The largest directory that has lost all of many settled objects, with
    /// how many. The root is the empty key.
    pub(crate) fn largest(&mut self) -> Option<(Key, u64)> {
        while let Some(directory) = self.open.pop() {
            self.close(directory);
        }
        self.largest.clone()
    }

    fn enter(&mut self, key: &[u8]) {
        if self.open.is_empty() {
            self.open.push(Directory { prefix: vec![], lost: 0, has_kept: false });
        }
        while let Some(directory) = self.open.pop_if(|directory| !key.starts_with(&directory.prefix)) {
            self.close(directory);
        }
        let from = self.open.last().map_or(0, |directory| directory.prefix.len());
        for (place, _) in key.iter().enumerate().skip(from).filter(|&(_, &byte)| byte == b'/') {
            self.open.push(Directory { prefix: key[..=place].to_vec(), lost: 0, has_kept: false });
        }
    }

    fn close(&mut self, directory: Directory) {
        let Directory { prefix, lost, has_kept } = directory;
        let is_largest = self.largest.as_ref().is_none_or(|(_, largest)| lost >= *largest);
        if lost >= MANY && !has_kept && is_largest {
            self.largest = Some((Key::new(prefix), lost));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use brigade_store::{Entry, Version};

    use super::*;

    fn lost(key: &str) -> (Key, Decision) {
        let version = Version::Object { etag: "e".into() };
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

    fn largest(keys: impl IntoIterator<Item = (Key, Decision)>) -> Option<(String, u64)> {
        let mut losses = Losses::default();
        for (key, decision) in keys {
            let source = if matches!(decision, Decision::InStep(_)) { Sight::Present } else { Sight::Absent };
            losses.see(&key, true, source, &decision);
        }
        losses.largest().map(|(key, count)| (key.to_string(), count))
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
        let mut losses = Losses::default();
        for (key, decision) in lost_below("d/", 100) {
            losses.see(&key, true, Sight::Absent, &decision);
        }
        losses.see(&Key::from("d/new"), false, Sight::Present, &Decision::InStep(None));
        losses.see(&Key::from("e"), true, Sight::Present, &Decision::InStep(None));
        assert_eq!(losses.largest(), Some((Key::from("d/"), 100)), "what is new there does not count");
        let mut losses = Losses::default();
        for (key, decision) in lost_below("d/", 100) {
            losses.see(&key, true, Sight::Absent, &decision);
        }
        losses.see(&Key::from("d/unknown"), true, Sight::Unknown, &Decision::Held);
        losses.see(&Key::from("e"), true, Sight::Present, &Decision::InStep(None));
        assert_eq!(losses.largest(), None, "it may be there");
    }
}
