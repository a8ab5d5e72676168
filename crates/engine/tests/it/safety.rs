//! What is never done: deletions on a guess, past a limit, or after a failure.

use brigade_engine::error::Why;
use brigade_engine::events::Outcome;
use brigade_engine::filters::{Filters, Rule};
use brigade_engine::job::{AtOnce, DeleteLimit};
use brigade_store::memory::{Call, MemoryOptions, MemoryStore};
use brigade_store::{Extent, Failure, FailureKind, Key, Unknown, UnknownReason};

use crate::fixture::{Fixture, keys};

fn changes(store: &MemoryStore) -> usize {
    [Call::Write, Call::Begin, Call::Remove].iter().map(|call| store.count(*call)).sum()
}

/// Two objects on both sides, and three that only the destination has.
fn with_extras() -> Fixture {
    let fixture = Fixture::up().deleting();
    for key in ["a", "b"] {
        fixture.source.put(key, "same");
        fixture.dest.put(key, "same");
    }
    for key in ["x", "y", "z"] {
        fixture.dest.put(key, "extra");
    }
    fixture
}

#[test]
fn what_the_source_lacks_is_deleted_only_if_asked() {
    let mut fixture = with_extras();
    fixture.job.delete = None;
    let summary = fixture.run().unwrap();
    assert_eq!((summary.extra, summary.deleted), (3, 0));
    fixture.job.delete = Some(DeleteLimit::Unlimited);
    let summary = fixture.run().unwrap();
    assert_eq!((summary.extra, summary.deleted), (0, 3));
    assert_eq!(keys(&fixture.dest), ["a", "b"]);
}

#[test]
fn an_empty_source_is_refused_however_small_the_destination() {
    for deleting in [true, false] {
        let mut fixture = Fixture::up();
        fixture.job.delete = deleting.then_some(DeleteLimit::Unlimited);
        fixture.dest.put("only", "one");
        let error = fixture.run().unwrap_err();
        assert!(matches!(error.why, Why::Refused(_)), "{error}");
        assert_eq!(keys(&fixture.dest), ["only"]);
    }
    assert_eq!(Fixture::up().deleting().run().unwrap().failed, 0, "nothing on both sides is in step");
}

#[test]
fn an_empty_source_that_is_allowed_deletes_only_on_request_and_within_the_limit() {
    for (delete, left) in
        [(None, &["a", "b"][..]), (Some(DeleteLimit::Objects(1)), &["a", "b"]), (Some(DeleteLimit::Objects(2)), &[])]
    {
        let mut fixture = Fixture::up();
        fixture.job.delete = delete;
        fixture.options.allow_empty_source = true;
        for key in ["a", "b"] {
            fixture.dest.put(key, "");
        }
        assert_eq!(fixture.run().is_err(), delete == Some(DeleteLimit::Objects(1)));
        assert_eq!(keys(&fixture.dest), left);
    }
}

#[test]
fn what_takes_no_part_does_not_vouch_for_the_source() {
    let excluded = Fixture::up().deleting().excluding("*.tmp");
    excluded.source.put("only.tmp", "left out");
    let marker = Fixture::down().deleting();
    marker.source.put("z/", "");
    for fixture in [excluded, marker] {
        fixture.dest.put("a", "kept");
        let error = fixture.run().unwrap_err();
        assert!(matches!(error.why, Why::Refused(_)), "{error}");
        assert_eq!(keys(&fixture.dest), ["a"]);
    }
}

#[test]
fn a_share_is_taken_of_what_takes_part() {
    let mut fixture = with_extras().excluding("*.log");
    for n in 0..100 {
        fixture.dest.put(format!("{n}.log"), "left out");
    }
    fixture.job.delete = Some(DeleteLimit::Percent(10.0));
    assert!(matches!(fixture.run().unwrap_err().why, Why::Refused(_)));
}

#[test]
fn a_dry_run_shows_the_deletions_that_are_too_many() {
    let mut fixture = with_extras();
    fixture.job.delete = Some(DeleteLimit::Objects(2));
    fixture.options.dry_run = true;
    let error = fixture.run().unwrap_err();
    assert!(matches!(error.why, Why::Refused(_)), "{error}");
    let shown = fixture.outcomes().into_iter().filter(|(_, outcome)| *outcome == Outcome::Deleted);
    assert_eq!(shown.map(|(key, _)| key).collect::<Vec<_>>(), ["x", "y", "z"]);
    assert_eq!(changes(&fixture.dest), 0);
}

#[test]
fn what_one_side_cannot_hold_is_neither_deleted_nor_deleted_for() {
    let options = MemoryOptions { represents: |key: &Key| !key.to_string().contains("//"), ..MemoryOptions::local() };
    // Up: that a tree lacks what it could not hold says nothing.
    let fixture = Fixture::new(MemoryStore::new(options.clone()), MemoryStore::remote()).deleting();
    fixture.source.put("a", "same");
    for key in ["a", "x//y", "z"] {
        fixture.dest.put(key, "same");
    }
    let summary = fixture.run().unwrap();
    assert_eq!((summary.deleted, summary.unrepresentable), (1, 1));
    assert_eq!(keys(&fixture.dest), ["a", "x//y"]);
    // Down: what could not be brought holds the deletions back.
    let fixture = Fixture::new(fixture.dest.clone(), MemoryStore::new(options)).deleting();
    fixture.dest.put("local", "kept");
    let summary = fixture.run().unwrap();
    assert_eq!((summary.unrepresentable, summary.deletions_held_back, summary.deleted), (1, 1, 0));
    assert_eq!(keys(&fixture.dest), ["a", "local"]);
}

#[test]
fn a_marker_with_content_is_nothing_that_a_tree_could_hold() {
    // Whether the tree has a directory of that name, or not, proves nothing.
    for there in ["d/x", "other"] {
        let fixture = Fixture::up().deleting();
        fixture.source.put(there, "same");
        fixture.dest.put(there, "same");
        fixture.dest.put("d/", "content");
        let summary = fixture.run().unwrap();
        assert_eq!((summary.unrepresentable, summary.withdrawn, summary.deleted), (1, 0, 0), "{there}");
        assert_eq!(keys(&fixture.dest), if there == "d/x" { ["d/", "d/x"] } else { ["d/", "other"] });
    }
}

#[test]
fn more_deletions_than_allowed_are_counted_before_the_first_one() {
    for (limit, allowed) in [
        (DeleteLimit::Objects(2), false),
        (DeleteLimit::Objects(3), true),
        (DeleteLimit::Percent(59.0), false),
        (DeleteLimit::Percent(60.0), true),
    ] {
        let mut fixture = with_extras();
        fixture.job.delete = Some(limit);
        fixture.source.put("new", "sent all the same");
        let ended = fixture.run();
        assert_eq!(ended.is_ok(), allowed, "{limit:?}");
        assert_eq!(keys(&fixture.dest).len(), if allowed { 3 } else { 6 }, "{limit:?}");
        if let Err(error) = ended {
            assert!(matches!(error.why, Why::Refused(_)));
            assert_eq!((error.summary.created, error.summary.deletions_held_back), (1, 3));
        }
    }
}

#[test]
fn nothing_is_deleted_after_a_failure_or_with_a_limit() {
    let fixture = with_extras();
    fixture.source.put("bad", "content");
    fixture.dest.fail(Call::Write, "bad", 1, Failure::new(FailureKind::Denied, "no"));
    let summary = fixture.run().unwrap();
    assert_eq!((summary.failed, summary.deletions_held_back, summary.deleted), (1, 3, 0));
    assert!(!summary.complete());

    let mut fixture = with_extras();
    fixture.options.limit = Some(10);
    let summary = fixture.run().unwrap();
    assert_eq!((summary.over_limit, summary.deleted), (3, 0));
}

#[test]
fn what_could_not_be_read_is_not_deleted() {
    let fixture = with_extras();
    fixture.dest.put("d/x", "1");
    fixture.dest.put("d/y", "2");
    let reason = UnknownReason::Unreadable("permission denied".into());
    fixture.source.add_unknown(Unknown { key: Key::from("d/"), extent: Extent::Below, reason });
    let summary = fixture.run().unwrap();
    assert_eq!((summary.failed, summary.held, summary.deleted, summary.deletions_held_back), (1, 2, 0, 3));
    assert_eq!(keys(&fixture.dest).len(), 7);
}

/// `--include '*.jpg'` judges what lies in `d/`, which nobody knows, and not its name.
#[test]
fn a_directory_that_cannot_be_read_is_a_failure_unless_nothing_in_it_could_take_part() {
    for (pattern, failed) in [("*.jpg", 1), ("/e/", 0)] {
        let mut fixture = with_extras();
        fixture.job.filters = Filters::new(&[Rule::Include(pattern.into())]).unwrap();
        let reason = UnknownReason::Unreadable("permission denied".into());
        fixture.source.add_unknown(Unknown { key: Key::from("d/"), extent: Extent::Below, reason });
        assert_eq!(fixture.run().unwrap().failed, failed, "{pattern}");
    }
}

#[test]
fn what_cannot_be_sent_because_of_what_stands_there_is_a_failure_each() {
    let fixture = with_extras();
    for key in ["link", "link/a", "link/b"] {
        fixture.source.put(key, "not sent");
    }
    for (key, extent) in [("link", Extent::Key), ("link/", Extent::Below)] {
        fixture.dest.add_unknown(Unknown { key: Key::from(key), extent, reason: UnknownReason::Symlink });
    }
    let summary = fixture.run().unwrap();
    assert_eq!((summary.failed, summary.skipped, summary.created, summary.deleted), (3, 1, 0, 0));
    assert!(!summary.complete());
    let told = fixture.outcomes().into_iter().filter(|(_, outcome)| matches!(outcome, Outcome::Failed(_)));
    assert_eq!(told.map(|(key, _)| key).collect::<Vec<_>>(), ["link", "link/a", "link/b"]);
}

#[test]
fn a_listing_that_breaks_off_deletes_nothing() {
    for breaks_at_source in [true, false] {
        let fixture = with_extras();
        let store = if breaks_at_source { &fixture.source } else { &fixture.dest };
        store.break_listings_after(Some(1));
        let error = fixture.run().unwrap_err();
        assert!(matches!(error.why, Why::Listing(_)), "{error}");
        assert_eq!(fixture.dest.count(Call::Remove), 0);
    }
}

#[test]
fn excluded_keys_are_protected() {
    let fixture = with_extras().excluding("[xy]");
    fixture.source.put("x", "other");
    let summary = fixture.run().unwrap();
    assert_eq!((summary.deleted, summary.excluded), (1, 2));
    assert_eq!(keys(&fixture.dest), ["a", "b", "x", "y"]);
}

#[test]
fn a_deletion_is_looked_up_again_at_the_source_just_before() {
    let fixture = with_extras();
    fixture.source.fail(Call::Look, "x", 1, Failure::new(FailureKind::Denied, "no"));
    let summary = fixture.run().unwrap();
    assert_eq!((summary.deleted, summary.failed), (2, 1));
    assert_eq!(keys(&fixture.dest), ["a", "b", "x"]);
}

#[test]
fn a_dry_run_changes_nothing_and_says_what_it_would_do() {
    let mut fixture = with_extras();
    fixture.options.dry_run = true;
    fixture.source.put("new", "content");
    fixture.source.put("a", "diff");
    let summary = fixture.run().unwrap();
    assert_eq!((summary.created, summary.replaced, summary.deleted, summary.bytes), (1, 1, 3, 11));
    assert_eq!(changes(&fixture.dest), 0);
    let sent = fixture.outcomes();
    assert_eq!(sent.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["a", "b", "new", "x", "y", "z"]);
    assert!(matches!(sent[1].1, Outcome::InStep));
}

#[test]
fn a_limit_sends_that_many_and_counts_the_rest() {
    let mut fixture = Fixture::up();
    for n in 0..10 {
        fixture.source.put(format!("{n}"), "content");
    }
    fixture.options.limit = Some(4);
    let summary = fixture.run().unwrap();
    assert_eq!((summary.created, summary.over_limit), (4, 6));
    assert_eq!(keys(&fixture.dest).len(), 4);
}

#[test]
fn what_stands_in_the_way_is_told_within_a_limit_too() {
    let mut fixture = Fixture::down();
    fixture.source.put("a", "a file");
    fixture.dest.put("a/b", "in its way");
    fixture.options.limit = Some(1);
    let summary = fixture.run().unwrap();
    assert_eq!((summary.failed, summary.over_limit), (1, 0));
}

#[test]
fn a_dry_run_foresees_that_deletions_take_the_directory_of_a_marker() {
    for dry_run in [true, false] {
        let mut fixture = Fixture::down().deleting();
        fixture.options.dry_run = dry_run;
        for key in ["kept/", "emptied/", "k"] {
            fixture.source.put(key, "");
        }
        fixture.source.put("kept/file", "kept");
        fixture.dest.put("kept/file", "kept");
        fixture.dest.put("emptied/extra", "deleted");
        fixture.dest.put("k", "");
        let summary = fixture.run().unwrap();
        let found = (summary.deleted, summary.created, summary.in_step, summary.failed);
        assert_eq!(found, (1, 1, 3, 0), "dry run: {dry_run}");
    }
}

#[test]
fn one_job_is_enough_to_delete_in_several_batches() {
    let mut fixture = with_extras();
    fixture.options.jobs = AtOnce::Exactly(1);
    assert_eq!(fixture.run().unwrap().deleted, 3);
    assert_eq!(keys(&fixture.dest), ["a", "b"]);
}
