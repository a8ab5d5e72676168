//! Adds up what happens in a run, for whoever asks how far it has come.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use brigade_engine::events::{Event, Outcome};
use serde::Serialize;

/// The sums so far. Counted from many tasks at once.
#[derive(Debug, Default)]
pub(super) struct Tally {
    keys: AtomicU64,
    objects_planned: AtomicU64,
    objects_done: AtomicU64,
    bytes_planned: AtomicU64,
    bytes_done: AtomicU64,
    deleted: AtomicU64,
    failed: AtomicU64,
}

/// What a [`Tally`] had at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Totals {
    /// Keys compared.
    pub(super) keys: u64,
    /// Objects to send, as far as is known.
    pub(super) objects_planned: u64,
    /// How many of them are done with, failed ones included.
    pub(super) objects_done: u64,
    /// Bytes of the objects to send.
    pub(super) bytes_planned: u64,
    /// Bytes that arrived.
    pub(super) bytes_done: u64,
    /// Objects deleted.
    pub(super) deleted: u64,
    /// What failed: objects, and places that could not be read.
    pub(super) failed: u64,
}

impl Tally {
    /// Counts an event.
    pub(super) fn count(&self, event: &Event<'_>) {
        match event {
            Event::Planned { keys, objects, bytes } => {
                add(&self.keys, *keys);
                add(&self.objects_planned, *objects);
                add(&self.bytes_planned, *bytes);
            }
            Event::Progress { bytes } => add(&self.bytes_done, *bytes),
            Event::Object { outcome, .. } => self.count_outcome(outcome),
            // The listing starts again from the beginning, and with it all counts.
            Event::Reordered { .. } => self.restart(),
            Event::Unknown { unknown, .. } if unknown.reason.is_failure() => add(&self.failed, 1),
            _ => {}
        }
    }

    fn count_outcome(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Deleted => add(&self.deleted, 1),
            Outcome::Sent { .. } | Outcome::InStep | Outcome::Withdrawn { .. } => add(&self.objects_done, 1),
            Outcome::Failed(_) | Outcome::Unrepresentable { .. } | Outcome::Restoring(_) => {
                add(&self.objects_done, 1);
                add(&self.failed, 1);
            }
        }
    }

    fn restart(&self) {
        let Self { keys, objects_planned, objects_done, bytes_planned, bytes_done, deleted, failed } = self;
        for sum in [keys, objects_planned, objects_done, bytes_planned, bytes_done, deleted, failed] {
            sum.store(0, Relaxed);
        }
    }

    /// The sums at this moment.
    pub(super) fn totals(&self) -> Totals {
        Totals {
            keys: self.keys.load(Relaxed),
            objects_planned: self.objects_planned.load(Relaxed),
            objects_done: self.objects_done.load(Relaxed),
            bytes_planned: self.bytes_planned.load(Relaxed),
            bytes_done: self.bytes_done.load(Relaxed),
            deleted: self.deleted.load(Relaxed),
            failed: self.failed.load(Relaxed),
        }
    }
}

fn add(sum: &AtomicU64, more: u64) {
    sum.fetch_add(more, Relaxed);
}

#[cfg(test)]
mod tests {
    use brigade_engine::events::Side;
    use brigade_store::{Extent, Failure, FailureKind, Key, Unknown, UnknownReason, Verified};

    use super::*;

    #[test]
    fn events_are_added_up_until_the_listing_starts_again() {
        let tally = Tally::default();
        let key = Key::from("a");
        let sent = Outcome::Sent { bytes: 5, replaced: false, verified: Verified::Yes };
        let failed = Outcome::Failed(Failure::new(FailureKind::Failed, "no"));
        tally.count(&Event::Planned { keys: 10, objects: 4, bytes: 100 });
        tally.count(&Event::Planned { keys: 1, objects: 1, bytes: 1 });
        tally.count(&Event::Progress { bytes: 5 });
        for outcome in [&sent, &failed, &Outcome::InStep, &Outcome::Deleted] {
            tally.count(&Event::Object { key: &key, outcome });
        }
        for reason in [UnknownReason::SpecialFile, UnknownReason::BrokenSymlink] {
            let unknown = Unknown { key: key.clone(), extent: Extent::Key, reason };
            tally.count(&Event::Unknown { side: Side::Source, unknown: &unknown });
        }
        let expected = Totals {
            keys: 11,
            objects_planned: 5,
            objects_done: 3,
            bytes_planned: 101,
            bytes_done: 5,
            deleted: 1,
            failed: 2,
        };
        assert_eq!(tally.totals(), expected);
        tally.count(&Event::Reordered { location: "s3://bucket", key: Some(&key) });
        assert_eq!(tally.totals(), Totals::default());
    }
}
