//! Runs that take up what an earlier one left: found by the simulation, and held by themselves.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brigade_engine::error::Why;
use brigade_engine::ledger::memory::MemoryLedger;
use brigade_engine::ledger::{Change, Cursor, Ledger, Progress};
use brigade_engine::plan::{Action, Phase};
use brigade_store::memory::{self, Call, Fate, Fates, Strike};
use brigade_store::{Failure, FailureKind, Key};
use tokio_util::sync::CancellationToken;

use crate::fixture::Fixture;

/// Where an earlier run of the same job came through this key (`None`: all), and left this.
fn left(
    mut fixture: Fixture,
    through: Option<&str>,
    left: impl IntoIterator<Item = Change>,
) -> (Fixture, MemoryLedger) {
    let ledger = MemoryLedger::default();
    let begun = Change::Begin { job: fixture.job.digest(), begun: SystemTime::now() };
    let cursor = Change::Cursor(Cursor { through: through.map(Key::from), ..Cursor::default() });
    block_on(ledger.commit([begun, cursor].into_iter().chain(left).collect())).unwrap();
    fixture.ledger = Some(ledger.clone());
    (fixture, ledger)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

#[test]
fn what_waits_ahead_of_the_cursor_is_planned_again() {
    let fixture = Fixture::up().deleting();
    for key in ["a", "z"] {
        fixture.source.put(key, "same");
    }
    fixture.dest.put("a", "same");
    // The source had lost it then.
    let deletion = Action::Delete(fixture.dest.put("z", "same"));
    let (fixture, _) = left(fixture, Some("b"), [Change::Spool(Phase::Deletions, deletion)]);
    let summary = fixture.run().unwrap();
    assert_eq!((summary.in_step, summary.withdrawn), (2, 0), "{summary:?}");
    assert!(summary.taken_up.is_some());
}

/// The person asks to stop, and the read in flight fails because of it.
struct StoppedInRead(CancellationToken);

impl Fates for StoppedInRead {
    fn befalls(&self, call: Call, _: &Key) -> Fate {
        if call != Call::Read {
            return Fate::default();
        }
        let strike = Strike::Refused(Failure::new(FailureKind::Failed, "abandoned"));
        // Everything has been listed and planned by then.
        Fate { to_store: Duration::from_millis(200), strike, ..Fate::default() }
    }

    fn reached(&self, call: Call, _: &Key, _: &Strike) {
        if call == Call::Read {
            self.0.cancel();
        }
    }

    fn changed(&self, _: memory::Change<'_>) {}
}

#[test]
fn a_failed_key_stays_in_mind_when_the_second_look_is_interrupted() {
    let fixture = Fixture::up();
    fixture.source.put("k", "new");
    let (fixture, ledger) = left(fixture, None, [Change::Failed("k".into())]);
    fixture.source.set_fates(Some(Arc::new(StoppedInRead(fixture.cancel.clone()))));
    assert!(matches!(fixture.run().unwrap_err().why, Why::Interrupted));
    let run = block_on(ledger.progress()).unwrap().run.unwrap();
    assert_eq!(run.failed, [Key::from("k")]);
}
