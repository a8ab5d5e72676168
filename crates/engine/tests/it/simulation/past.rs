//! What earlier runs of a course did, as far as a run that takes up their progress may build on it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use brigade_engine::ledger::Change;
use brigade_store::Key;

use super::chronicle::{Happened, Version};
use super::episode::Episode;
use super::witness::{Objects, Witness};

/// What happened before a run.
#[derive(Default)]
pub(crate) struct Past {
    /// Every version that a run was shown at the destination, or wrote there.
    pub(crate) seen_at_dest: BTreeMap<Key, Vec<Version>>,
    /// Where somebody else wrote since the progress began that may be taken up: at the source, at the destination.
    pub(crate) touched: [BTreeSet<Key>; 2],
    /// When that progress began, by the clock of then.
    pub(crate) begun: Option<SystemTime>,
    /// How many objects were removed from the destination since then.
    pub(crate) removed: usize,
}

impl Past {
    /// What one run that was heard did, alone.
    pub(crate) fn of(seen: &Witness<'_>) -> Self {
        let mut past = Self { touched: seen.touched.clone(), removed: seen.removed, ..Self::default() };
        let listed = seen.listed[1].iter().flatten().map(|(_, version)| version);
        past.see(listed.chain(seen.changed.values().flatten()));
        past
    }

    /// Takes in a later run; one that began from the start has dropped what the earlier ones left.
    pub(crate) fn add(&mut self, later: Self, episode: &Episode<'_>) {
        let begun = |happened: &Happened| match happened {
            Happened::Committed(changes) => changes.iter().find_map(|change| match change {
                Change::Begin { begun, .. } => Some(*begun),
                _ => None,
            }),
            _ => None,
        };
        if let Some(begun) = episode.records.iter().rev().find_map(|(_, happened)| begun(happened)) {
            let seen_at_dest = std::mem::take(&mut self.seen_at_dest);
            *self = Self { seen_at_dest, begun: Some(begun), ..Self::default() };
        }
        for (all, more) in self.touched.iter_mut().zip(later.touched) {
            all.extend(more);
        }
        self.removed += later.removed;
        self.see(later.seen_at_dest.values().flatten());
    }

    fn see<'a>(&mut self, versions: impl Iterator<Item = &'a Version>) {
        for version in versions {
            let known = self.seen_at_dest.entry(version.entry.key.clone()).or_default();
            if !known.contains(version) {
                known.push(version.clone());
            }
        }
    }

    /// Takes in what somebody else did between two runs.
    pub(crate) fn touch(&mut self, before: &[Objects; 2], after: &[Objects; 2]) {
        for (touched, (before, after)) in self.touched.iter_mut().zip(before.iter().zip(after)) {
            let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
            touched.extend(keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).cloned());
        }
    }

    /// Whether nobody else wrote since the progress began.
    pub(crate) fn is_untouched(&self) -> bool {
        self.touched.iter().all(BTreeSet::is_empty)
    }
}
