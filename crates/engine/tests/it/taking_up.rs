//! Runs that take up what an earlier one left: found by the simulation, and held by themselves.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brigade_engine::error::Why;
use brigade_engine::events::Outcome;
use brigade_engine::ledger::memory::MemoryLedger;
use brigade_engine::ledger::{Change, Cursor, Ledger, Progress};
use brigade_engine::plan::{Action, Phase};
use brigade_store::memory::{self, Call, Fate, Fates, MemoryOptions, MemoryStore, Strike};
use brigade_store::{Failure, FailureKind, Key, KeyRange};
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

/// A run that leaves pairs, and then one of the same job that came through this key.
fn settled_and_left(mut fixture: Fixture, through: &str) -> Fixture {
    let ledger = MemoryLedger::default();
    fixture.ledger = Some(ledger.clone());
    fixture.run().unwrap();
    let begun = Change::Begin { job: fixture.job.digest(), begun: SystemTime::now() };
    let cursor = Change::Cursor(Cursor { through: Some(through.into()), ..Cursor::default() });
    block_on(ledger.commit(vec![begun, cursor])).unwrap();
    fixture
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

#[test]
fn a_directory_on_both_sides_of_the_cursor_is_judged_as_one() {
    for (kept, is_refused) in [(None, true), (Some("d/001"), false), (Some("d/077"), false)] {
        let fixture = Fixture::up().deleting();
        for key in (0..101).map(|number| format!("d/{number:03}")).chain(["e".into()]) {
            fixture.source.put(key.as_str(), "content");
        }
        let fixture = settled_and_left(fixture, "d/049");
        for key in (0..101).map(|number| format!("d/{number:03}")).filter(|key| Some(key.as_str()) != kept) {
            fixture.source.take(key.as_str());
        }
        match fixture.run() {
            Ok(summary) => assert!(!is_refused && summary.deleted == 100, "{kept:?}: {summary:?}"),
            Err(error) => assert!(is_refused && matches!(error.why, Why::Refused(_)), "{kept:?}: {error:?}"),
        }
    }
}

#[test]
fn what_lies_ahead_of_the_cursor_finds_no_room_below_a_file_behind_it() {
    let fixture = Fixture::down();
    for key in ["a", "b"] {
        fixture.source.put(key, "a file");
    }
    let fixture = settled_and_left(fixture, "a-z");
    fixture.source.put("a/b", "below it");
    let summary = fixture.run().unwrap();
    assert!(summary.taken_up.is_some());
    assert_eq!((summary.in_step, summary.failed), (2, 1), "{summary:?}");
    let outcomes = fixture.outcomes();
    let Some((_, Outcome::Failed(failure))) = outcomes.iter().find(|(key, _)| key == "a/b") else {
        panic!("{outcomes:?}")
    };
    assert!(failure.reason.contains("a is an object too"), "{failure}");
}

/// A listing that begins after this key is refused, and the pages of any other one take their time.
struct RefusedAfter(&'static str);

impl Fates for RefusedAfter {
    fn befalls(&self, call: Call, key: &Key) -> Fate {
        match call {
            Call::ListRange if key.to_string() == self.0 => {
                let strike = Strike::Refused(Failure::new(FailureKind::Denied, "not this one"));
                Fate { strike, ..Fate::default() }
            }
            Call::ListRangeMore => Fate { to_store: Duration::from_millis(50), ..Fate::default() },
            _ => Fate::default(),
        }
    }

    fn reached(&self, _: Call, _: &Key, _: Option<&Key>, _: &Strike) {}

    fn changed(&self, _: memory::Change<'_>) {}
}

#[test]
fn where_one_stretch_can_not_go_on_neither_does_the_other_and_its_reason_is_told() {
    // Behind the cursor, the tree alone is listed.
    for (row, after) in [("behind", ""), ("ahead", "m")] {
        let small = |options| MemoryStore::new(MemoryOptions { page_size: 1, ..options });
        let fixture = Fixture::new(small(MemoryOptions::remote()), small(MemoryOptions::local()));
        for number in 0..40 {
            fixture.source.put(format!("a{number:02}").as_str(), "content");
            fixture.source.put(format!("z{number:02}").as_str(), "content");
        }
        let fixture = settled_and_left(fixture, "m");
        let before = fixture.dest.count(Call::ListRangeMore);
        fixture.dest.set_fates(Some(Arc::new(RefusedAfter(after))));
        let error = fixture.run().unwrap_err();
        assert!(matches!(&error.why, Why::Listing(error) if error.reason == "not this one"), "{row}: {error:?}");
        let pages = fixture.dest.count(Call::ListRangeMore) - before;
        assert!(pages < 20, "{row}: {pages} pages more were listed in vain");
        fixture.dest.set_fates(None);
        assert!(fixture.run().unwrap().taken_up.is_some(), "{row}");
    }
}

#[test]
fn a_file_behind_the_cursor_that_failed_still_comes_before_what_may_lie_below_it() {
    for looks_fail in [false, true] {
        comes_before_what_may_lie_below_it(looks_fail);
    }
}

fn comes_before_what_may_lie_below_it(looks_fail: bool) {
    let fixture = Fixture::down();
    for number in 0..2000 {
        fixture.source.put(format!("Z{number:04}").as_str(), "content");
    }
    let fixture = settled_and_left(fixture, "a-z");
    fixture.source.put("a", "a file");
    fixture.source.put("a/b", "below it");
    block_on(fixture.ledger.as_ref().unwrap().commit(vec![Change::Failed("a".into())])).unwrap();
    if looks_fail {
        let before = KeyRange::around(&"a".into()).after.unwrap();
        fixture.source.fail(Call::FirstAfter, before, 9, Failure::new(FailureKind::Denied, "not now"));
    }
    let summary = fixture.run().unwrap();
    assert_eq!((summary.created, summary.failed), (1, 1), "{summary:?}");
    let outcomes = fixture.outcomes();
    assert!(
        outcomes.iter().any(|(key, outcome)| key == "a/b" && matches!(outcome, Outcome::Failed(_))),
        "{outcomes:?}"
    );
}

#[test]
fn a_pattern_that_matches_on_either_side_of_the_cursor_or_what_failed_matches() {
    for key in ["a", "b", "z"] {
        let fixture = Fixture::up().excluding(key);
        for key in ["a", "b", "m", "z"] {
            fixture.source.put(key, "content");
        }
        let fixture = settled_and_left(fixture, "m");
        block_on(fixture.ledger.as_ref().unwrap().commit(vec![Change::Failed("b".into())])).unwrap();
        assert!(fixture.run().unwrap().taken_up.is_some());
        assert!(fixture.log.warnings.lock().unwrap().is_empty(), "{key}");
    }
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

    fn reached(&self, call: Call, _: &Key, _: Option<&Key>, _: &Strike) {
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
