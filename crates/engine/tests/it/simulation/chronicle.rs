//! What happened in a run, in order: every call, every change of an object, every event.

use std::fmt;
use std::sync::{Arc, Mutex};

use brigade_engine::events::{Event, Observer, Outcome, Side, TakenUp};
use brigade_engine::ledger;
use brigade_engine::plan::Phase;
use brigade_store::memory::{Call, Change, Strike};
use brigade_store::{Entry, Key, Unknown};
use bytes::Bytes;
use tokio::time::Instant;

/// An object as it was at some time.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) entry: Entry,
    pub(crate) body: Bytes,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// A call reached a store: of a page of a listing, with the key that its range starts after.
    Call { side: Side, call: Call, key: Key, range_start: Option<Key>, strike: Strike },
    /// An object came, changed or went.
    Changed { side: Side, key: Key, before: Option<Version>, after: Option<Version>, by_us: bool },
    /// The run told what came of a key.
    Told { key: Key, outcome: Outcome },
    /// The run told of a place that a store can't tell of.
    Unknown { side: Side, unknown: Unknown },
    /// The run began a phase.
    Phase(Phase),
    /// The run began to list again, because a store broke its order.
    Reordered,
    /// The run goes on with what an earlier one left.
    TakenUp(TakenUp),
    /// The ledger made these changes.
    Committed(Vec<ledger::Change>),
    /// Somebody asked the run to stop.
    Cancelled,
    /// The run was killed, at this step.
    Crashed(String),
    /// The run returned.
    Ended(String),
}

/// The chronicle of one run, with the time of each record in ms since the world began.
#[derive(Clone)]
pub(crate) struct Chronicle(Arc<Inner>);

struct Inner {
    start: Instant,
    records: Mutex<Vec<(u128, Happened)>>,
}

impl Chronicle {
    /// An empty one that begins now.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner { start: Instant::now(), records: Mutex::default() }))
    }

    pub(crate) fn record(&self, happened: Happened) {
        self.0.records.lock().unwrap().push((self.0.start.elapsed().as_millis(), happened));
    }

    pub(crate) fn record_change(&self, side: Side, change: Change<'_>) {
        let version = |(entry, body): (&Entry, &Bytes)| Version { entry: entry.clone(), body: body.clone() };
        let (before, after) = (change.before.map(version), change.after.map(version));
        self.record(Happened::Changed { side, key: change.key.clone(), before, after, by_us: change.by_call });
    }

    /// Everything since the last time this was asked.
    pub(crate) fn take(&self) -> Vec<(u128, Happened)> {
        std::mem::take(&mut self.0.records.lock().unwrap())
    }
}

impl Observer for Chronicle {
    fn event(&self, event: Event<'_>) {
        self.record(match event {
            Event::Object { key, outcome } => Happened::Told { key: key.clone(), outcome: outcome.clone() },
            Event::Unknown { side, unknown } => Happened::Unknown { side, unknown: unknown.clone() },
            Event::Phase { phase, .. } => Happened::Phase(phase),
            Event::Reordered { .. } => Happened::Reordered,
            Event::TakenUp(taken_up) => Happened::TakenUp(taken_up.clone()),
            _ => return,
        });
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes {:?}", self.entry.size, self.body)
    }
}
