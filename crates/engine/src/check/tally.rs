//! Counting what a check finds, and telling of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use brigade_store::{Key, RequestCount, Unknown};

use super::bound::most_bad;
use super::{CheckEvent, Difference, Found, Watcher};
use crate::events::Side;

/// What a check found, in figures that add up. No key is in two of the counts of what was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CheckSummary {
    /// Objects at the source that take part.
    pub source_objects: u64,
    /// Objects in the copy that take part.
    pub dest_objects: u64,
    /// Keys that both sides list with one size: what a sample is drawn from.
    pub comparable: u64,
    /// Proven to be the same.
    pub same: u64,
    /// In the source only.
    pub missing: u64,
    /// In the copy only.
    pub extra: u64,
    /// Of another size.
    pub sizes: u64,
    /// Of one size and another content.
    pub contents: u64,
    /// Of the same content, with other headers.
    pub metadata: u64,
    /// Written or deleted while they were checked.
    pub changed: u64,
    /// Deleted on both sides while they were checked.
    pub gone: u64,
    /// Not to be read.
    pub unchecked: u64,
    /// Listed on one side, while the other can't tell whether it has them.
    pub held: u64,
    /// Places that could not be listed.
    pub unlisted: u64,
    /// What is no object: FIFOs, sockets, devices, symlinks that are not followed.
    pub skipped: u64,
    /// Left out by the filters, or ours by their name.
    pub excluded: u64,
    /// How many of the comparable ones had their turn.
    pub sampled: u64,
    /// How many of those were not proven to be the same, for whatever reason.
    pub sampled_bad: u64,
    /// Comparable ones without a turn in this check that earlier ones proved to be the same, unchanged since.
    pub earlier: u64,
    /// When the oldest of those checks was.
    pub earliest: Option<SystemTime>,
    /// Bytes of content that were read, on both sides together.
    pub bytes: u64,
    /// Requests sent, by operation.
    pub requests: Vec<RequestCount>,
}

/// How large the share of bad objects is, of all at the source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Share {
    /// There are none at the source.
    Nothing,
    /// All were listed, and verified by this check or an earlier one: so many are bad.
    Exactly(u64),
    /// Some were: with the confidence asked for, no larger share than this is bad, from 0 to 1. Of what
    /// lies in places that could not be listed, it says nothing.
    AtMost(f64),
}

impl CheckSummary {
    /// Objects that differ, extra ones apart.
    #[must_use]
    pub fn bad(&self) -> u64 {
        self.missing + self.sizes + self.contents + self.metadata
    }

    /// What could not be checked, and is not known to differ.
    #[must_use]
    pub fn unknown(&self) -> u64 {
        self.changed + self.unchecked + self.held + self.unlisted
    }

    /// The share of the source's objects that the copy doesn't have as they are, with this confidence (above 0,
    /// below 1). What could not be checked counts as bad in it. What the listings tell is
    /// known of all; the sample bounds what they don't.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share has no more digits")]
    pub fn share(&self, confidence: f64) -> Share {
        let is_all_listed = self.unlisted == 0;
        if self.source_objects == 0 {
            return if is_all_listed { Share::Nothing } else { Share::AtMost(1.0) };
        }
        let bad = self.bad() + self.changed + self.unchecked + self.held;
        let known = bad.saturating_sub(self.sampled_bad);
        // Only good ones are remembered, so that earlier checks are no sample of all: what they found is
        // apart, and says nothing of the rest. That is what this sample was drawn from, as those never checked
        // have their turn first.
        let rest = self.comparable.saturating_sub(self.earlier);
        let among_rest = if self.sampled < rest {
            most_bad(self.sampled, self.sampled_bad, confidence) * rest as f64
        } else if is_all_listed {
            return Share::Exactly(bad);
        } else {
            self.sampled_bad as f64
        };
        Share::AtMost(((known as f64 + among_rest) / self.source_objects as f64).min(1.0))
    }
}

/// Counts, and tells who watches.
pub(super) struct Tally {
    watcher: Arc<dyn Watcher>,
    summary: Mutex<CheckSummary>,
}

impl Tally {
    pub(super) fn new(watcher: Arc<dyn Watcher>) -> Self {
        Self { watcher, summary: Mutex::default() }
    }

    pub(super) fn count(&self, add: impl FnOnce(&mut CheckSummary)) {
        add(&mut self.counts());
    }

    pub(super) fn summary(&self) -> CheckSummary {
        self.counts().clone()
    }

    /// Forgets what was counted, because everything starts again; not what was read.
    pub(super) fn restart(&self) {
        let mut counts = self.counts();
        *counts = CheckSummary { bytes: counts.bytes, ..CheckSummary::default() };
    }

    /// Counts and tells what was found of a key; whether it had its turn in the sample.
    pub(super) fn object(&self, key: &Key, found: &Found, is_sampled: bool) {
        self.count(|summary| {
            *match found {
                Found::Same(_) => &mut summary.same,
                Found::Missing => &mut summary.missing,
                Found::Extra => &mut summary.extra,
                Found::Different(Difference::Size { .. }) => &mut summary.sizes,
                Found::Different(Difference::Content(_)) => &mut summary.contents,
                Found::Different(Difference::Metadata(_)) => &mut summary.metadata,
                Found::Changed => &mut summary.changed,
                Found::Gone => &mut summary.gone,
                Found::Unchecked { .. } => &mut summary.unchecked,
            } += 1;
            summary.sampled += u64::from(is_sampled);
            summary.sampled_bad += u64::from(is_sampled && !matches!(found, Found::Same(_) | Found::Gone));
        });
        self.tell(CheckEvent::Object { key, found });
    }

    /// Counts and tells of a place that a store could not tell of.
    pub(super) fn unknown(&self, side: Side, unknown: &Unknown) {
        self.count(|summary| {
            *(if unknown.reason.is_failure() { &mut summary.unlisted } else { &mut summary.skipped }) += 1;
        });
        self.tell(CheckEvent::Unknown { side, unknown });
    }

    /// Counts and tells what was read.
    pub(super) fn read(&self, bytes: u64) {
        self.count(|summary| summary.bytes += bytes);
        self.tell(CheckEvent::Read { bytes });
    }

    pub(super) fn tell(&self, event: CheckEvent<'_>) {
        self.watcher.event(event);
    }

    fn counts(&self) -> MutexGuard<'_, CheckSummary> {
        self.summary.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(summary: &CheckSummary) -> f64 {
        match summary.share(0.95) {
            Share::AtMost(share) => (share * 100_000.0).round() / 1000.0,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_all_checked_is_known_exactly_and_the_rest_is_bounded() {
        let sampled = CheckSummary {
            source_objects: 1_000_000,
            comparable: 1_000_000,
            sampled: 1000,
            same: 1000,
            ..CheckSummary::default()
        };
        assert!((percent(&sampled) - 0.299).abs() < 1e-9);
        // Each missing one is known to be: a thousand of a million more.
        let missing = CheckSummary { source_objects: 1_001_000, missing: 1000, ..sampled.clone() };
        assert!((percent(&missing) - 0.399).abs() < 1e-9, "{}", percent(&missing));
        // What could not be read may be bad.
        let bad = CheckSummary { same: 98, unchecked: 1, contents: 1, sampled_bad: 2, sampled: 100, ..sampled.clone() };
        assert!((percent(&bad) - 6.162).abs() < 1e-9, "{}", percent(&bad));
        let all = CheckSummary { comparable: 1000, source_objects: 1003, missing: 3, ..sampled.clone() };
        assert_eq!(all.share(0.95), Share::Exactly(3));
        let earlier = CheckSummary { earlier: 999_000, ..sampled.clone() };
        assert_eq!(earlier.share(0.95), Share::Exactly(0));
        assert_eq!(CheckSummary::default().share(0.95), Share::Nothing);
    }

    /// Of a hundred thousand, 90,000 were found good before: the draw speaks of the other 10,000 alone.
    #[test]
    fn what_earlier_checks_found_good_is_no_part_of_the_sample() {
        let rest = CheckSummary {
            source_objects: 100_000,
            comparable: 100_000,
            earlier: 90_000,
            sampled: 100,
            same: 100,
            ..CheckSummary::default()
        };
        // 2.951 % of a tenth.
        assert!((percent(&rest) - 0.295).abs() < 1e-9, "{}", percent(&rest));
        let bad = CheckSummary { same: 98, contents: 2, sampled_bad: 2, ..rest.clone() };
        assert!((percent(&bad) - 0.616).abs() < 1e-9, "{}", percent(&bad));
        let none = CheckSummary { same: 0, sampled: 0, ..rest };
        assert!((percent(&none) - 10.0).abs() < 1e-9, "{}", percent(&none));
    }

    #[test]
    fn nothing_is_exact_while_places_could_not_be_listed() {
        let all = CheckSummary {
            source_objects: 10,
            comparable: 10,
            sampled: 10,
            same: 10,
            unlisted: 1,
            ..CheckSummary::default()
        };
        assert_eq!(all.share(0.95), Share::AtMost(0.0));
        let bad = CheckSummary { same: 9, contents: 1, sampled_bad: 1, ..all };
        assert_eq!(bad.share(0.95), Share::AtMost(0.1));
        let nothing = CheckSummary { unlisted: 1, ..CheckSummary::default() };
        assert_eq!(nothing.share(0.95), Share::AtMost(1.0));
    }
}
