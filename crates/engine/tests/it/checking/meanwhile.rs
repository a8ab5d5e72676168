//! What is written or deleted while it is checked is looked at again, and is no difference.

use brigade_engine::check::{Evidence, Found};
use brigade_store::memory::{Call, MemoryStore};
use brigade_store::{Failure, FailureKind};

use super::fixture::Checked;

#[tokio::test]
async fn what_changes_after_it_was_listed_is_told_as_changed_unless_it_turns_out_the_same() {
    let checked = Checked::new(MemoryStore::local(), MemoryStore::remote());
    let (source, dest) = (checked.source.clone(), checked.dest.clone());
    for key in ["edited", "rewritten", "deleted", "removed", "both-gone", "size", "caught-up"] {
        source.put(key, "1");
        dest.put(key, if key == "size" || key == "caught-up" { "10" } else { "1" });
    }
    source.put("missing-then-there", "2");
    source.put("missing-then-gone", "2");
    source.put("missing", "2");
    dest.put("extra-then-gone", "3");
    checked.when_listed(move || {
        source.put("edited", "2");
        dest.put("rewritten", "1");
        source.take("deleted");
        dest.take("removed");
        source.take("both-gone");
        dest.take("both-gone");
        source.put("size", "100");
        source.put("caught-up", "10");
        dest.put("missing-then-there", "2");
        source.take("missing-then-gone");
        dest.take("extra-then-gone");
    });
    let summary = checked.run().await.unwrap();
    let table = [
        ("edited", Found::Changed),
        ("rewritten", Found::Same(Evidence::Bytes)),
        ("deleted", Found::Changed),
        ("removed", Found::Changed),
        ("both-gone", Found::Gone),
        ("size", Found::Changed),
        ("caught-up", Found::Same(Evidence::Bytes)),
        ("missing-then-there", Found::Same(Evidence::Bytes)),
        ("missing-then-gone", Found::Gone),
        ("missing", Found::Missing),
        ("extra-then-gone", Found::Gone),
    ];
    for (key, expected) in &table {
        assert_eq!(checked.found(key).as_ref(), Some(expected), "{key}");
    }
    assert_eq!(checked.count(), table.len());
    assert_eq!((summary.bad(), summary.extra, summary.changed, summary.gone), (1, 0, 4, 3));
}

#[tokio::test]
async fn what_a_listing_shows_late_is_not_missing() {
    let checked = Checked::new(MemoryStore::local(), MemoryStore::remote());
    for key in ["late", "there"] {
        checked.source.put(key, "1");
        checked.dest.put(key, "1");
    }
    checked.dest.hide_from_listings("late");
    let summary = checked.run().await.unwrap();
    assert_eq!((summary.same, summary.bad()), (2, 0));
}

/// As on a file system that folds names: the copy has `readme`, and finds it where `README` is looked for.
#[tokio::test]
async fn a_file_that_is_found_by_another_name_is_missing() {
    let checked = Checked::new(MemoryStore::remote(), MemoryStore::local());
    for key in ["README", "a"] {
        checked.source.put(key, "1");
        checked.dest.put(key, "1");
    }
    checked.dest.put("readme", "1");
    checked.dest.hide_from_listings("README");
    let summary = checked.run().await.unwrap();
    assert_eq!((checked.found("README"), checked.found("readme")), (Some(Found::Missing), Some(Found::Extra)));
    assert_eq!((summary.same, summary.missing, summary.changed), (1, 1, 0));
    // One that has come since it was listed is there by its name.
    let (late, other) = (checked.dest.clone(), checked.source.clone());
    other.put("late", "1");
    checked.when_listed(move || drop(late.put("late", "1")));
    checked.run().await.unwrap();
    assert!(matches!(checked.found("late"), Some(Found::Same(_))), "{:?}", checked.found("late"));
}

#[tokio::test]
async fn a_second_look_that_fails_leaves_what_was_listed() {
    let checked = Checked::new(MemoryStore::local(), MemoryStore::remote());
    checked.source.put("missing", "1");
    checked.dest.fail(Call::Look, "missing", 1, Failure::new(FailureKind::Denied, "no HEAD for you"));
    // One that says time and again that it changed did.
    checked.source.put("restless", "1");
    checked.dest.put("restless", "1");
    checked.dest.fail(Call::Read, "restless", 2, Failure::new(FailureKind::Changed, "412"));
    let summary = checked.run().await.unwrap();
    assert_eq!(checked.found("missing"), Some(Found::Missing));
    assert_eq!(checked.found("restless"), Some(Found::Changed));
    assert_eq!((summary.bad(), summary.changed), (1, 1));
}

#[tokio::test]
async fn an_interrupted_check_tells_nothing_that_is_not_so() {
    let checked = Checked::new(MemoryStore::local(), MemoryStore::remote());
    for number in 0..2000 {
        checked.source.put(format!("{number}"), "1");
    }
    let cancel = checked.cancel.clone();
    checked.when_listed(move || cancel.cancel());
    let error = checked.run().await.unwrap_err();
    assert_eq!(error.to_string(), "interrupted");
    assert_eq!((checked.count(), error.summary.missing), (0, 0));
}
