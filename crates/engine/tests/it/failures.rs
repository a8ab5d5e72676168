//! Objects that fail, change or vanish: the others go on, and each is told.

use std::sync::Arc;

use brigade_engine::error::Why;
use brigade_engine::events::Outcome;
use brigade_engine::job::AtOnce;
use brigade_engine::ledger::memory::MemoryLedger;
use brigade_store::memory::{Call, Change, Fate, Fates, MemoryOptions, MemoryStore, Strike};
use brigade_store::{Failure, FailureKind, Key};
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, keys};

fn outcome(fixture: &Fixture, key: &str) -> Outcome {
    fixture.outcomes().into_iter().find(|(found, _)| found == key).unwrap().1
}

#[test]
fn one_failure_is_told_and_the_others_go_on() {
    let fixture = Fixture::up();
    for key in ["a", "b", "c"] {
        fixture.source.put(key, "content");
    }
    let failure = Failure::new(FailureKind::Denied, "the store says no");
    fixture.dest.fail(Call::Write, "b", 1, failure.clone());
    let summary = fixture.run().unwrap();
    assert_eq!((summary.created, summary.failed), (2, 1));
    assert_eq!(outcome(&fixture, "b"), Outcome::Failed(failure));
    assert_eq!(fixture.run().unwrap().created, 1);
}

#[test]
fn what_vanishes_meanwhile_is_no_error() {
    let fixture = Fixture::up();
    fixture.source.put("a", "content");
    fixture.source.fail(Call::Read, "a", 1, Failure::new(FailureKind::Absent, "gone"));
    let summary = fixture.run().unwrap();
    assert_eq!((summary.withdrawn, summary.failed), (1, 0));
    assert!(summary.complete());
}

#[test]
fn what_changes_while_it_is_read_is_read_once_more_and_then_fails() {
    for (times, created, failed) in [(1, 1, 0), (2, 0, 1)] {
        let fixture = Fixture::up();
        fixture.source.put("a", "content");
        fixture.source.fail(Call::Read, "a", times, Failure::new(FailureKind::Changed, "it changed"));
        let summary = fixture.run().unwrap();
        assert_eq!((summary.created, summary.failed), (created, failed), "{times} changes");
    }
}

#[test]
fn what_vanishes_or_changes_while_it_is_compared_is_looked_at_again() {
    let table = [
        (FailureKind::Absent, 1, (0, 0, 1, 0)),
        (FailureKind::Changed, 1, (1, 0, 0, 0)),
        (FailureKind::Changed, 2, (0, 0, 0, 1)),
    ];
    for (kind, times, expected) in table {
        let fixture = Fixture::up();
        fixture.source.put("a", "content");
        fixture.dest.put("a", "content");
        fixture.source.fail(Call::Digests, "a", times, Failure::new(kind, "on order"));
        let summary = fixture.run().unwrap();
        let found = (summary.in_step, summary.created, summary.withdrawn, summary.failed);
        assert_eq!(found, expected, "{kind:?} {times}");
    }
}

#[test]
fn what_somebody_else_wrote_meanwhile_is_in_step_only_if_it_is_the_same() {
    for (theirs, in_step, failed) in [("content", 1, 0), ("differs", 0, 1)] {
        let fixture = Fixture::up();
        fixture.source.put("a", "content");
        fixture.dest.put("a", theirs);
        fixture.dest.hide_from_listings("a");
        let summary = fixture.run().unwrap();
        assert_eq!((summary.in_step, summary.failed, summary.created), (in_step, failed, 0), "{theirs}");
        assert_eq!(fixture.dest.contents()[&Key::from("a")], theirs);
    }
}

#[test]
fn a_file_of_another_name_is_not_taken_for_the_one_that_was_to_be_written() {
    let fixture = Fixture::down().deleting();
    fixture.source.put("A", "content");
    // To this file system both names are one: what is looked for as `A` is found, and listed as `a`.
    fixture.dest.put("a", "content");
    fixture.dest.put("A", "content");
    fixture.dest.hide_from_listings("A");
    let summary = fixture.run().unwrap();
    assert_eq!((summary.in_step, summary.failed, summary.deleted, summary.deletions_held_back), (0, 1, 0, 1));
    assert!(matches!(outcome(&fixture, "A"), Outcome::Failed(failure) if failure.reason.contains("another file")));
    assert_eq!(keys(&fixture.dest), ["A", "a"]);
}

fn in_parts() -> Fixture {
    let small = |options| MemoryStore::new(MemoryOptions { whole_limit: 16, ..options });
    let fixture = Fixture::new(small(MemoryOptions::local()), small(MemoryOptions::remote()));
    fixture.source.put("large", vec![7; 20 << 20]);
    fixture
}

#[test]
fn a_large_object_comes_over_in_parts() {
    let fixture = in_parts();
    let summary = fixture.run().unwrap();
    assert_eq!((summary.created, summary.bytes), (1, 20 << 20));
    assert_eq!(fixture.dest.count(Call::WritePart), 3);
    assert_eq!(fixture.dest.contents(), fixture.source.contents());
    assert_eq!(fixture.run().unwrap().in_step, 1, "its multipart ETag is understood");
}

#[test]
fn parts_that_fail_or_change_leave_nothing_behind() {
    let table = [
        (true, Call::ReadRange, FailureKind::Failed, 0),
        (true, Call::CheckUnchanged, FailureKind::Changed, 1),
        (false, Call::WritePart, FailureKind::Failed, 0),
        (false, Call::Finish, FailureKind::Corrupt, 0),
        (false, Call::Begin, FailureKind::Denied, 0),
    ];
    for (at_source, call, kind, created) in table {
        let fixture = in_parts();
        let store = if at_source { &fixture.source } else { &fixture.dest };
        store.fail(call, "large", 1, Failure::new(kind, "on order"));
        let summary = fixture.run().unwrap();
        assert_eq!((summary.created, summary.failed), (created, 1 - created), "{call:?}");
        assert_eq!(keys(&fixture.dest).len() as u64, created, "{call:?}");
        assert_eq!(fixture.dest.unfinished_uploads(), 0, "{call:?}");
    }
}

#[test]
fn memory_smaller_than_a_part_slows_and_never_blocks() {
    let mut fixture = in_parts();
    fixture.options.memory = 1;
    fixture.options.jobs = AtOnce::Exactly(1);
    assert_eq!(fixture.run().unwrap().created, 1);
}

#[test]
fn a_file_and_a_directory_of_one_name_change_places_in_one_run() {
    let fixture = Fixture::down().deleting();
    fixture.source.put("a", "now a file");
    fixture.source.put("b/c", "now below a directory");
    fixture.dest.put("a/x", "was below a directory");
    fixture.dest.put("b", "was a file");
    let summary = fixture.run().unwrap();
    assert_eq!((summary.created, summary.deleted, summary.failed), (2, 2, 0));
    assert_eq!(fixture.dest.contents(), fixture.source.contents());
}

#[test]
fn without_delete_what_stands_in_the_way_stays_and_is_told() {
    let fixture = Fixture::down();
    fixture.source.put("a", "now a file");
    fixture.dest.put("a/x", "was below a directory");
    let summary = fixture.run().unwrap();
    assert_eq!((summary.failed, summary.extra), (1, 1));
    assert_eq!(keys(&fixture.dest), ["a/x"]);
}

#[test]
fn what_the_destination_cannot_hold_is_named_and_the_rest_goes_on() {
    let options = MemoryOptions { represents: |key: &Key| !key.to_string().contains("//"), ..MemoryOptions::local() };
    let fixture = Fixture::new(MemoryStore::remote(), MemoryStore::new(options));
    fixture.source.put("a//b", "content");
    fixture.source.put("c", "content");
    let summary = fixture.run().unwrap();
    assert_eq!((summary.unrepresentable, summary.created), (1, 1));
    assert!(!summary.complete());
    assert!(matches!(outcome(&fixture, "a//b"), Outcome::Unrepresentable { .. }));
}

#[test]
fn a_cancelled_run_says_so_and_starts_nothing() {
    let fixture = Fixture::up();
    fixture.source.put("a", "content");
    fixture.cancel.cancel();
    let error = fixture.run().unwrap_err();
    assert!(matches!(error.why, Why::Interrupted));
    assert_eq!(keys(&fixture.dest), [""; 0]);
}

#[test]
fn a_run_that_is_cancelled_in_the_middle_ends_however_much_is_waiting() {
    let mut fixture = Fixture::up();
    fixture.options.jobs = AtOnce::Exactly(1);
    for n in 0..5000 {
        fixture.source.put(format!("{n}"), "content");
    }
    *fixture.log.cancel_at_first.lock().unwrap() = Some(fixture.cancel.clone());
    let error = fixture.run().unwrap_err();
    assert!(matches!(error.why, Why::Interrupted));
    assert!(error.summary.created < 5000);
    assert_eq!(keys(&fixture.dest).len() as u64, error.summary.created);
}

/// Cancels the run when it looks into a part of the store.
struct CancelsWithin(CancellationToken);

impl Fates for CancelsWithin {
    fn befalls(&self, _: Call, _: &Key) -> Fate {
        Fate::default()
    }

    fn reached(&self, call: Call, _: &Key, _: Option<&Key>, _: &Strike) {
        if call == Call::ListRange {
            self.0.cancel();
        }
    }

    fn changed(&self, _: Change<'_>) {}
}

#[test]
fn a_dry_run_that_is_cancelled_foresees_no_further() {
    let mut fixture = Fixture::down().deleting();
    fixture.options.dry_run = true;
    fixture.source.put("a", "a file");
    for n in 0..50 {
        fixture.dest.put(format!("a/{n}"), "in its way");
    }
    fixture.dest.set_fates(Some(Arc::new(CancelsWithin(fixture.cancel.clone()))));
    let error = fixture.run().unwrap_err();
    assert!(matches!(error.why, Why::Interrupted));
    assert_eq!((error.summary.deleted, error.summary.failed), (50, 0));
    // Once for each deletion that was shown.
    assert_eq!(fixture.source.count(Call::Look), 50);
}

#[test]
fn a_pattern_that_matches_nothing_is_warned_about() {
    let fixture = Fixture::up().excluding("*.tpm");
    fixture.source.put("a.tmp", "content");
    fixture.run().unwrap();
    assert_eq!(*fixture.log.warnings.lock().unwrap(), ["the pattern \"*.tpm\" matches no key"]);
}

#[test]
fn what_failed_in_passing_is_tried_once_more_before_anything_is_deleted() {
    use FailureKind::{Changed, Corrupt, Denied, Failed};
    // How often it fails, for which reason; what comes of it, and how often it is written.
    let table = [
        (1, Failed, (2, 0, 1), 2),
        (1, Corrupt, (2, 0, 1), 2),
        (9, Changed, (1, 1, 0), 1),
        (9, Failed, (1, 1, 0), 2),
        (1, Denied, (1, 1, 0), 1),
    ];
    for (times, kind, expected, writes) in table {
        let mut fixture = Fixture::up().deleting();
        fixture.ledger = Some(MemoryLedger::default());
        for key in ["a", "b"] {
            fixture.source.put(key, "content");
        }
        fixture.dest.put("old", "old");
        fixture.dest.fail(Call::Write, "a", times, Failure::new(kind, "not now"));
        let summary = fixture.run().unwrap();
        let row = format!("{kind:?}, {times} times: {summary:?}");
        assert_eq!((summary.created, summary.failed, summary.deleted), expected, "{row}");
        assert_eq!(fixture.outcomes().iter().filter(|(key, _)| key == "a").count(), 1, "{row}");
        assert_eq!(
            fixture.dest.calls().iter().filter(|call| **call == (Call::Write, "a".into())).count(),
            writes,
            "{row}"
        );
    }
}
