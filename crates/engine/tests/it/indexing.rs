//! The index: a destination that is not listed, and what becomes of it when things go wrong.

mod forgotten;
mod storms;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brigade_engine::error::Why;
use brigade_engine::events::{Outcome, Summary};
use brigade_engine::filters::{Filters, Rule};
use brigade_engine::job::{Comparison, Indexing};
use brigade_engine::ledger::memory::MemoryLedger;
use brigade_store::memory::{Call, MemoryStore};
use brigade_store::{Failure, FailureKind};

use crate::fixture::{Fixture, Log, keys};

/// Long after the times of all files, so that none could be edited unseen.
fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

/// An upload with an index, of a source with twenty files.
fn indexed() -> Fixture {
    let mut fixture = Fixture::up();
    fixture.ledger = Some(MemoryLedger::default());
    fixture.clock = Arc::new(|| at(0));
    fixture.job.indexing = Indexing::Use;
    for number in 0..20 {
        fixture.source.put(format!("d{}/{number:02}", number % 3).as_str(), "content");
    }
    fixture
}

/// Runs until all is in step.
fn run(fixture: &Fixture) -> Summary {
    let summary = fixture.run().unwrap();
    assert!(summary.complete(), "{summary:?} {:?}", fixture.outcomes());
    summary
}

/// How often the destination was listed.
fn listings(dest: &MemoryStore) -> usize {
    [Call::List, Call::ListMore, Call::ListRange, Call::ListRangeMore, Call::FirstAfter]
        .iter()
        .map(|call| dest.count(*call))
        .sum()
}

fn assert_equal(fixture: &Fixture) {
    assert_eq!(fixture.source.contents(), fixture.dest.contents());
}

/// What a run says of itself that had to list although there was to be an index.
fn warnings(fixture: &Fixture) -> Vec<String> {
    fixture.log.warnings.lock().unwrap().drain(..).collect()
}

/// The same with another log.
fn afresh(fixture: Fixture) -> Fixture {
    Fixture { log: Arc::<Log>::default(), ..fixture }
}

fn failure() -> Failure {
    Failure::new(FailureKind::Failed, "the service is busy")
}

#[test]
fn only_the_first_run_lists_the_destination_and_the_others_do_what_changed() {
    let fixture = indexed().deleting();
    fixture.dest.put("extra", "it is deleted");
    assert_eq!(run(&fixture).created, 20);
    assert_eq!(warnings(&fixture), ["the destination is listed this time: there is no index of it yet"]);
    assert_equal(&fixture);
    let listed = listings(&fixture.dest);
    assert!(listed > 0);

    fixture.source.put("d0/00", "another content");
    fixture.source.put("new", "new");
    fixture.source.take("d1/01");
    let looks = fixture.dest.count(Call::Look);
    let summary = run(&fixture);
    assert_eq!((summary.created, summary.replaced, summary.deleted, summary.in_step), (1, 1, 1, 18));
    assert_eq!((summary.source_objects, summary.dest_objects), (20, 20));
    assert_equal(&fixture);
    assert_eq!((listings(&fixture.dest), fixture.dest.count(Call::Look) - looks), (listed, 16));
    assert_eq!(warnings(&fixture), [""; 0]);
}

#[test]
fn what_is_at_the_destination_only_is_known_and_deleted_once_deletions_are_asked_for() {
    let mut fixture = indexed();
    for number in 0..300 {
        fixture.dest.put(format!("extra/{number:03}").as_str(), "never at the source");
    }
    assert_eq!(run(&fixture).extra, 300);
    // Removed while nothing is deleted: that is not forgotten.
    fixture.source.take("d1/01");
    let summary = run(&fixture);
    assert_eq!((summary.extra, summary.deleted), (301, 0));
    let listed = listings(&fixture.dest);
    fixture = fixture.deleting();
    assert_eq!(run(&fixture).deleted, 301);
    assert_equal(&fixture);
    assert_eq!(listings(&fixture.dest), listed);
}

#[test]
fn a_destination_that_was_emptied_or_written_by_others_stops_the_run() {
    let changes: [fn(&Fixture); 2] = [
        |fixture| fixture.dest.contents().into_keys().for_each(|key| fixture.dest.take(key)),
        |fixture| fixture.dest.contents().into_keys().for_each(|key| drop(fixture.dest.put(key, "theirs"))),
    ];
    for change in changes {
        let mut fixture = indexed().deleting();
        run(&fixture);
        change(&fixture);
        fixture.source.put("new", "new");
        fixture.source.take("d1/01");
        let (before, calls) = (fixture.dest.contents(), fixture.dest.calls().len());
        for dry_run in [true, false] {
            fixture.options.dry_run = dry_run;
            let error = fixture.run().unwrap_err();
            let Why::Refused(reason) = &error.why else { panic!("{error}") };
            assert!(reason.contains("--rebuild-index") && reason.contains("memory://bucket"), "{reason}");
        }
        assert_eq!(fixture.dest.contents(), before, "nothing is done");
        assert_eq!(fixture.dest.calls().len() - calls, 32, "but for the looks");

        fixture.job.indexing = Indexing::Rebuild;
        fixture.job.comparison = Comparison::Checksum;
        run(&fixture);
        assert_equal(&fixture);
        fixture.job.indexing = Indexing::Use;
        let listed = listings(&fixture.dest);
        assert_eq!(run(&fixture).in_step, 20);
        assert_eq!(listings(&fixture.dest), listed);
    }
}

#[test]
fn what_cannot_be_looked_at_stops_the_run_too() {
    let fixture = indexed();
    run(&fixture);
    for key in fixture.dest.contents().into_keys() {
        fixture.dest.fail(Call::Look, key, 1, Failure::new(FailureKind::Denied, "access denied"));
    }
    let error = fixture.run().unwrap_err();
    assert!(matches!(&error.why, Why::IndexUnchecked { reason, .. } if reason == "access denied"), "{error}");
    run(&fixture);
}

#[test]
fn what_others_wrote_behind_the_index_is_not_overwritten_but_named_and_the_next_run_sees_it() {
    let fixture = indexed();
    run(&fixture);
    fixture.dest.put("d0/00", "theirs");
    fixture.dest.put("new", "theirs, too");
    fixture.source.put("d0/00", "ours, and another one");
    fixture.source.put("new", "ours");
    // The sample may find it out before anything is done; then the person has the word.
    let fixture = afresh(fixture);
    match fixture.run() {
        Err(error) => assert!(matches!(error.why, Why::Refused(_)), "{error}"),
        Ok(summary) => {
            assert_eq!((summary.failed, summary.replaced, summary.created), (2, 0, 0));
            assert!(fixture.outcomes().iter().all(|(_, outcome)| matches!(outcome, Outcome::Failed(_))));
        }
    }
    for (key, theirs) in [("d0/00", "theirs"), ("new", "theirs, too")] {
        assert_eq!(fixture.dest.contents()[key.as_bytes()], theirs);
    }
}

#[test]
fn what_failed_is_looked_at_and_tried_again_by_the_next_run() {
    let fixture = indexed().deleting();
    run(&fixture);
    fixture.source.put("d0/00", "another content");
    fixture.source.put("new", "new");
    fixture.source.take("d1/01");
    // Writes are tried once more at the end of the run.
    for (call, key, times) in [(Call::Write, "d0/00", 2), (Call::Write, "new", 2), (Call::Remove, "d1/01", 1)] {
        fixture.dest.fail(call, key, times, failure());
    }
    let summary = fixture.run().unwrap();
    assert_eq!((summary.failed, summary.deletions_held_back), (2, 1));
    let listed = listings(&fixture.dest);
    let summary = fixture.run().unwrap();
    assert_eq!((summary.created, summary.replaced, summary.failed), (1, 1, 1), "the deletion fails now");
    assert_eq!(listings(&fixture.dest), listed);
    let summary = run(&fixture);
    assert_eq!((summary.created, summary.replaced, summary.deleted), (0, 0, 1));
    assert_equal(&fixture);
}

#[test]
fn another_selection_or_a_run_without_it_makes_the_next_one_list() {
    let mut fixture = indexed();
    run(&fixture);
    let listed = |fixture: &Fixture| {
        let before = listings(&fixture.dest);
        run(fixture);
        listings(&fixture.dest) > before
    };
    assert!(!listed(&fixture));
    fixture.job.filters = Filters::new(&[Rule::Exclude("d1".into())]).unwrap();
    assert!(listed(&fixture) && !listed(&fixture));
    fixture.job.indexing = Indexing::Off;
    assert!(listed(&fixture));
    fixture.job.indexing = Indexing::Use;
    assert!(listed(&fixture) && !listed(&fixture));
    fixture.options.limit = Some(100);
    assert!(!listed(&fixture));
    // It comes to no end that could be relied upon.
    fixture.job.indexing = Indexing::Rebuild;
    assert!(listed(&fixture));
    (fixture.job.indexing, fixture.options.limit) = (Indexing::Use, None);
    assert!(listed(&fixture) && !listed(&fixture));
}

#[test]
fn an_mtime_that_was_settled_is_no_newer_than_an_object_without_a_time() {
    let mut fixture = indexed();
    fixture.job.comparison = Comparison::Mtime;
    run(&fixture);
    assert_eq!(run(&fixture).in_step, 20);
    // An older file counts too: what is remembered is exact.
    fixture.source.put_modified("d0/00", "content", SystemTime::UNIX_EPOCH + Duration::from_secs(7));
    assert_eq!(run(&fixture).replaced, 1);
    assert_eq!(keys(&fixture.dest).len(), 20);
}
