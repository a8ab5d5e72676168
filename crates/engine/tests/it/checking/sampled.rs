//! Samples: what is drawn, what it says of the rest, and whose turn is next.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brigade_engine::check::bound::most_bad;
use brigade_engine::check::sampling::Sampling;
use brigade_engine::check::{Proof, Share};
use brigade_engine::ledger::memory::MemoryLedger;
use brigade_engine::ledger::{Change, Checks, Ledger};
use brigade_engine::plan::{Action, Phase};
use brigade_store::Key;
use brigade_store::memory::{Call, MemoryStore};

use super::fixture::Checked;

fn hundred() -> Checked {
    let checked = Checked::new(MemoryStore::remote(), MemoryStore::remote());
    for number in 0..100 {
        checked.source.put(format!("{number:02}"), format!("content {number}"));
        checked.dest.put(format!("{number:02}"), format!("content {number}"));
    }
    checked
}

#[tokio::test]
async fn a_sample_is_read_and_the_rest_is_bounded() {
    let mut checked = hundred();
    checked.source.put("missing", "1");
    checked.options.sampling = Sampling::Number(10);
    let summary = checked.run().await.unwrap();
    assert_eq!((summary.same, summary.sampled, summary.comparable, summary.missing), (10, 10, 100, 1));
    assert_eq!((checked.dest.count(Call::Read), checked.count()), (10, 11));
    // One of 101 is known to be bad, and of the hundred that the sample is of, so large a share may be.
    let Share::AtMost(share) = summary.share(0.95) else { panic!("{summary:?}") };
    assert!((share - (1.0 + 100.0 * most_bad(10, 0, 0.95)) / 101.0).abs() < 1e-12, "{share}");
    let drawn = checked.keys();
    checked.run().await.unwrap();
    assert_eq!(checked.keys(), drawn, "the same seed draws the same sample");
    checked.options.seed += 1;
    checked.run().await.unwrap();
    assert_ne!(checked.keys(), drawn);
    checked.options.sampling = Sampling::Number(1000);
    let summary = checked.run().await.unwrap();
    assert_eq!((summary.same, summary.share(0.95)), (100, Share::Exactly(1)));
}

#[tokio::test]
async fn a_percentage_draws_about_that_many_and_the_same_ones_again() {
    let mut checked = hundred();
    checked.options.sampling = Sampling::Percent(30.0);
    let summary = checked.run().await.unwrap();
    assert!((12..=48).contains(&summary.sampled), "{}", summary.sampled);
    let drawn = checked.keys();
    // Others that come or go change nothing for those that stay.
    checked.source.put("0000", "1");
    checked.dest.put("0000", "1");
    checked.run().await.unwrap();
    assert!(drawn.iter().all(|key| checked.found(key).is_some()));
}

/// Each check takes those that were never checked, then those that were longest ago, until all have been.
#[tokio::test]
async fn certainty_grows_from_check_to_check() {
    let mut checked = hundred();
    let ledger = MemoryLedger::default();
    checked.ledger = Some(ledger.clone());
    checked.options.sampling = Sampling::Number(30);
    let day = |number: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + number * 86_400);
    let mut seen: Vec<String> = Vec::new();
    for (number, earlier) in [(0, 0), (1, 30), (2, 60)] {
        checked.clock = Arc::new(move || day(number));
        checked.options.seed = number;
        let summary = checked.run().await.unwrap();
        assert_eq!((summary.same, summary.earlier), (30, earlier));
        assert_eq!(summary.earliest, (earlier > 0).then(|| day(0)));
        assert!(checked.keys().iter().all(|key| !seen.contains(key)), "day {number}: none is checked twice");
        seen.extend(checked.keys());
    }
    let unseen: Vec<String> = (0..100).map(|number| format!("{number:02}")).filter(|key| !seen.contains(key)).collect();
    // One is written anew, and counts as never checked; a bad one is not taken for checked.
    checked.source.put(seen[45].as_str(), "changed");
    checked.dest.put(seen[45].as_str(), "changed");
    checked.dest.edit_unseen(unseen[0].as_str(), "CONTENT 1");
    checked.clock = Arc::new(move || day(3));
    let summary = checked.run().await.unwrap();
    assert_eq!((summary.same, summary.contents, summary.earlier), (29, 1, 70));
    assert!(unseen.iter().chain([&seen[45]]).all(|key| checked.found(key).is_some()));
    assert!(checked.keys().iter().all(|key| unseen.contains(key) || seen[..30].contains(key) || *key == seen[45]));
    assert_eq!(summary.share(0.95), Share::Exactly(1), "all but one were found good by now");
    // The bad one comes first again.
    checked.options.sampling = Sampling::Number(1);
    checked.run().await.unwrap();
    assert_eq!(checked.keys(), [unseen[0].clone()]);
    // What is gone is forgotten.
    for key in &seen {
        checked.source.take(key.as_str());
        checked.dest.take(key.as_str());
    }
    checked.run().await.unwrap();
    let remembered = ledger.checked(None, 1000).await.unwrap();
    assert_eq!(remembered.len(), unseen.len() - 1);
}

/// A ledger of a sync under way: a check leaves its cursor, spool and pairs alone.
#[tokio::test]
async fn nothing_else_of_a_ledger_is_touched() {
    let mut checked = hundred();
    let ledger = MemoryLedger::default();
    let entry = checked.dest.put("spooled", "x");
    let begun = Change::Begin { job: brigade_engine::job::JobDigest([7; 16]), begun: SystemTime::UNIX_EPOCH };
    let spool = Change::Spool(Phase::Deletions, Action::Delete(entry));
    ledger.commit(vec![begun, spool, Change::Failed(Key::from("f"))]).await.unwrap();
    ledger.watch(|changes| panic!("{changes:?}"));
    checked.ledger = Some(ledger.clone());
    checked.run().await.unwrap();
    assert_eq!(ledger.checked(None, 1000).await.unwrap().len(), 100);
    assert!(ledger.pairs().is_empty());
}

/// How many objects earlier checks found good, as a check sees it that takes none.
async fn known_good(checked: &Checked) -> u64 {
    let mut checked = checked.clone();
    checked.options.sampling = Sampling::Number(0);
    checked.run().await.unwrap().earlier
}

/// What earlier checks proved counts where no more is asked for, and otherwise as never checked.
#[tokio::test]
async fn a_weaker_proof_is_none_where_more_is_asked_for() {
    let proofs = [
        (Proof::StoredChecksums, false),
        (Proof::StoredChecksums, true),
        (Proof::Content, false),
        (Proof::Content, true),
    ];
    // Of each proof that is remembered, whether it is enough for each that is asked for.
    let table =
        [[true, false, false, false], [true, true, false, false], [true, false, true, false], [true, true, true, true]];
    for (remembered, row) in proofs.into_iter().zip(table) {
        for (asked, is_enough) in proofs.into_iter().zip(row) {
            let mut checked = hundred();
            checked.ledger = Some(MemoryLedger::default());
            (checked.options.proof, checked.options.metadata) = remembered;
            assert_eq!(checked.run().await.unwrap().same, 100);
            (checked.options.proof, checked.options.metadata) = asked;
            assert_eq!(known_good(&checked).await, if is_enough { 100 } else { 0 }, "{remembered:?} {asked:?}");
        }
    }
}

#[tokio::test]
async fn what_was_good_and_has_rotten_is_never_taken_for_good_again() {
    let mut checked = hundred();
    checked.ledger = Some(MemoryLedger::default());
    checked.run().await.unwrap();
    assert_eq!(known_good(&checked).await, 100);
    checked.dest.edit_unseen("07", "CONTENT 7");
    assert_eq!(checked.run().await.unwrap().contents, 1);
    assert_eq!(known_good(&checked).await, 99);
}

/// A file could have been edited within the tick in which it was read, and bear the same times.
#[tokio::test]
async fn a_file_that_is_too_new_is_not_remembered_and_a_newer_version_is_what_was_checked() {
    let mut checked = Checked::new(MemoryStore::local(), MemoryStore::remote());
    let entry = checked.source.put("k", "content");
    checked.dest.put("k", "content");
    checked.ledger = Some(MemoryLedger::default());
    for (after, remembered) in [(1, 0), (3, 1)] {
        let now = entry.modified + Duration::from_secs(after);
        checked.clock = Arc::new(move || now);
        assert_eq!(checked.run().await.unwrap().same, 1);
        assert_eq!(known_good(&checked).await, remembered, "{after} s later");
    }
    let source = checked.source.clone();
    checked.clock = Arc::new(SystemTime::now);
    checked.when_listed(move || drop(source.put("k", "content")));
    assert_eq!(checked.run().await.unwrap().same, 1);
    assert_eq!(known_good(&checked).await, 1);
}
