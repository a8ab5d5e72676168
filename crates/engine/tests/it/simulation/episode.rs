//! One run, as it was lived through.

use std::time::SystemTime;

use brigade_engine::error::{RunError, Why};
use brigade_engine::events::{Side, Summary};
use brigade_store::memory::{Call, Strike};

use super::chronicle::Happened;
use super::scenario::Scenario;
use super::storm::Weather;
use super::witness::Objects;

/// One run, and all that happened in it.
pub(crate) struct Episode<'a> {
    pub(crate) scenario: &'a Scenario,
    pub(crate) weather: Weather,
    /// When it began, by the local clock.
    pub(crate) begun: SystemTime,
    /// What both stores held when it began: source, destination.
    pub(crate) before: [Objects; 2],
    pub(crate) after: [Objects; 2],
    pub(crate) records: Vec<(u128, Happened)>,
    /// How it ended; `None` where it was killed.
    pub(crate) ended: Option<Result<Summary, RunError>>,
}

/// What happened, for a reader.
pub(crate) fn line(happened: &Happened) -> String {
    match happened {
        Happened::Call { side, call, key, strike: Strike::None, .. } => format!("{side:?} {call:?} {key}"),
        Happened::Call { side, call, key, strike, .. } => format!("{side:?} {call:?} {key}: {strike:?}"),
        Happened::Changed { side, key, before, after, by_us } => {
            let who = if *by_us { "we" } else { "somebody else" };
            format!("    {who} changed {side:?} {key}: {before:?} -> {after:?}")
        }
        // A listing that is sorted comes from another thread: what is noted at the
        // very same time as one of its pages is noted before it or after it.
        Happened::Committed(changes) => {
            let mut changes: Vec<String> = changes.iter().map(|change| format!("{change:?}")).collect();
            changes.sort();
            format!("  Committed {}", changes.join(", "))
        }
        other => format!("  {other:?}"),
    }
}

impl Episode<'_> {
    /// Why the run ended before its end.
    pub(crate) fn why(&self) -> Option<&Why> {
        self.ended.as_ref()?.as_ref().err().map(|error| &error.why)
    }

    /// Whether it went on with what an earlier one had left.
    pub(crate) fn takes_up(&self) -> bool {
        self.records.iter().any(|(_, happened)| matches!(happened, Happened::TakenUp(_)))
    }

    /// How often this was called at the destination.
    pub(crate) fn count_at_dest(&self, wanted: Call) -> usize {
        let is_it =
            |happened: &Happened| matches!(happened, Happened::Call { side: Side::Dest, call, .. } if *call == wanted);
        self.records.iter().filter(|(_, happened)| is_it(happened)).count()
    }
}
