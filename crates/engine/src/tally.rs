//! The tally: what was done so far, in figures that add up, and told to whoever watches.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use brigade_store::{Extent, Failure, FailureKind, Key, Restoring, Store, Unknown, Verified, Work};

use crate::events::{Event, Observer, Outcome, Side, Summary};

/// Places that are remembered as told of.
const MOST_PLACES: usize = 10_000;

/// Counts what happens and passes it on.
pub(crate) struct Tally {
    observer: Arc<dyn Observer>,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    summary: Summary,
    /// Places that were told of, each once: ranges may meet in one.
    unknown: HashSet<(Side, Key)>,
    /// Objects sent before the listing had to start again: the second listing finds them in step.
    sent_before_restart: u64,
}

impl Tally {
    pub(crate) fn new(observer: Arc<dyn Observer>) -> Self {
        Self { observer, counts: Mutex::default() }
    }

    /// Adds to the figures.
    pub(crate) fn count(&self, add: impl FnOnce(&mut Summary)) {
        add(&mut self.counts().summary);
    }

    /// Counts the requests that this work would take.
    pub(crate) fn foresee(&self, store: &Arc<dyn Store>, work: Work<'_>) {
        store.foresee(work, &mut self.counts().summary.forecast);
    }

    /// The figures so far.
    pub(crate) fn summary(&self) -> Summary {
        let counts = self.counts();
        let mut summary = counts.summary.clone();
        summary.in_step = summary.in_step.saturating_sub(counts.sent_before_restart);
        summary
    }

    /// Forgets everything because the listing starts again; not what was sent, if that stays.
    pub(crate) fn restart(&self, stays_sent: bool) {
        let mut counts = self.counts();
        if !stays_sent {
            *counts = Counts::default();
            return;
        }
        let Summary { created, replaced, bytes, unverified, .. } = counts.summary;
        counts.sent_before_restart = created + replaced;
        counts.unknown.clear();
        counts.summary = Summary { created, replaced, bytes, unverified, ..Summary::default() };
    }

    /// Counts and tells what came of one object.
    pub(crate) fn object(&self, key: &Key, outcome: &Outcome) {
        self.count(|summary| match outcome {
            Outcome::Sent { bytes, replaced, verified } => {
                *(if *replaced { &mut summary.replaced } else { &mut summary.created }) += 1;
                summary.bytes += bytes;
                summary.unverified += u64::from(*verified == Verified::Unverifiable);
            }
            Outcome::InStep => summary.in_step += 1,
            Outcome::Deleted => summary.deleted += 1,
            Outcome::Withdrawn { .. } => summary.withdrawn += 1,
            Outcome::Unrepresentable { .. } => summary.unrepresentable += 1,
            Outcome::Restoring(restoring) => {
                summary.restoring += 1;
                summary.ready += u64::from(*restoring == Restoring::Ready);
            }
            Outcome::Failed(Failure { kind: FailureKind::Archived, .. }) => summary.archived += 1,
            Outcome::Failed(_) => summary.failed += 1,
        });
        self.tell(Event::Object { key, outcome });
    }

    /// Whether the place was not told of before, as far as that is remembered.
    fn is_new(&self, side: Side, key: &Key) -> bool {
        let unknown = &mut self.counts().unknown;
        if unknown.len() >= MOST_PLACES {
            unknown.clear();
        }
        unknown.insert((side, key.clone()))
    }

    /// Counts and tells of a place that a store could not tell of.
    pub(crate) fn unknown(&self, side: Side, unknown: &Unknown) {
        if unknown.extent == Extent::Below && !self.is_new(side, &unknown.key) {
            return;
        }
        self.count(|summary| {
            if unknown.reason.is_failure() {
                summary.failed += 1;
            } else {
                summary.skipped += 1;
            }
        });
        self.tell(Event::Unknown { side, unknown });
    }

    /// Tells of something that isn't counted.
    pub(crate) fn tell(&self, event: Event<'_>) {
        self.observer.event(event);
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
