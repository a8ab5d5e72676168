use std::collections::BTreeSet;
use std::time::UNIX_EPOCH;

use brigade_store::memory::{Call, MemoryOptions, MemoryStore};
use brigade_store::{FailureKind, KeptContent};

use super::*;
use crate::filters::{LedgerFiles, Rule};

const NOW: u64 = 1000;

/// A version of the key `a` of time 5 is `a5`; `a5!` is the current one, `a5-` a delete marker.
fn version(word: &str) -> KeptVersion {
    let time: String = word.chars().filter(char::is_ascii_digit).collect();
    KeptVersion {
        key: word[..1].into(),
        id: word.into(),
        modified: UNIX_EPOCH + Duration::from_secs(time.parse().unwrap()),
        is_current: word.contains('!'),
        is_placed: true,
        is_cut_off: false,
        content: (!word.contains('-')).then(|| KeptContent { size: 10, etag: String::new(), storage_class: None }),
    }
}

/// A store with these versions, that lists two in a page and removes two at once.
fn store(written: &str) -> MemoryStore {
    let store = MemoryStore::new(MemoryOptions {
        page_size: 2,
        removal_batch: 2,
        versioning: Versioning::Enabled,
        ..MemoryOptions::remote()
    });
    for word in written.split_whitespace() {
        store.add_version(version(word));
    }
    store
}

fn options(older_than: u64) -> Prune {
    let older_than = Duration::from_secs(older_than);
    Prune { older_than, keep: 0, dry_run: false, jobs: 3, local_clock: || UNIX_EPOCH + Duration::from_secs(NOW) }
}

fn left(store: &MemoryStore) -> String {
    store.kept_versions().iter().map(|kept| kept.id.as_str().to_owned()).collect::<Vec<_>>().join(" ")
}

async fn pruned(store: &MemoryStore, options: Prune) -> VersionCounts {
    let (counts, ended) = prune(store, &options, None, &CancellationToken::new(), drop).await;
    ended.unwrap();
    counts
}

#[tokio::test]
async fn what_is_old_enough_goes_and_each_version_is_told_of() {
    let store = store("a900! a800 a700- a600 b990! b100 c900-! c800 d900-! e1!");
    let mut told = BTreeSet::new();
    let tell = |judged: JudgedVersion| {
        let age = judged.age.unwrap().as_secs();
        assert!(told.insert(format!("{} {age} {:?}", judged.version.id.as_str(), judged.outcome)));
    };
    let (counts, ended) = prune(&store, &options(100), None, &CancellationToken::new(), tell).await;
    ended.unwrap();
    assert_eq!(left(&store), "a900! b990! b100 e1!");
    let expected = [
        "a600 300 Removed",
        "a700- 200 Removed",
        "a800 100 Removed",
        "a900! 100 Current",
        "b100 10 Young",
        "b990! 10 Current",
        "c800 100 Removed",
        "c900-! 100 Removed",
        "d900-! 100 Removed",
        "e1! 999 Current",
    ];
    assert_eq!(told.iter().collect::<Vec<_>>(), expected);
    let expected = VersionCounts { removed: 6, removed_bytes: 30, current: 3, young: 1, ..VersionCounts::default() };
    assert_eq!((counts, counts.found()), (expected, 10));
    let again = pruned(&store, options(100)).await;
    assert_eq!((again.removed, again.found()), (0, 4));
}

#[tokio::test]
async fn a_dry_run_removes_nothing_and_tells_the_same() {
    let versions = "a900-! a800 a700- a600 b1!";
    let (dry, really) = (store(versions), store(versions));
    let foreseen = pruned(&dry, Prune { dry_run: true, ..options(100) }).await;
    assert_eq!((left(&dry), dry.count(Call::RemoveVersion)), (versions.to_owned(), 0));
    assert_eq!(foreseen, pruned(&really, options(100)).await);
    assert_eq!(left(&really), "b1!");
}

/// However the versions fall into pages and batches: the marker would bring back what it covers.
#[tokio::test]
async fn a_marker_stays_over_what_could_not_be_removed() {
    for (page_size, removal_batch) in [(1, 1), (2, 2), (3, 1), (1000, 2), (1000, 1000)] {
        for failing in 0..4 {
            let options_of =
                MemoryOptions { page_size, removal_batch, versioning: Versioning::Enabled, ..MemoryOptions::remote() };
            let store = MemoryStore::new(options_of);
            for word in "a9-! a8 a7 a6 a5 b9-! b8".split(' ') {
                store.add_version(version(word));
            }
            let locked = format!("a{}", 8 - failing);
            let name = format!("a {locked}");
            store.fail(Call::RemoveVersion, name.as_str(), 1, Failure::new(FailureKind::Denied, "locked"));
            let counts = pruned(&store, options(0)).await;
            assert_eq!(left(&store), format!("a9-! {locked}"), "{page_size} {removal_batch}");
            assert_eq!((counts.failed, counts.covering, counts.removed), (1, 1, 5));
            assert_eq!(pruned(&store, options(0)).await.removed, 2, "the next run has it all");
            assert_eq!(left(&store), "");
        }
    }
}

#[tokio::test]
async fn markers_go_after_all_objects_under_them() {
    let store = store("a9-! a8 a7- a6 a5 b9-! c9-! c8");
    pruned(&store, options(0)).await;
    let calls = store.calls().into_iter().filter(|(call, _)| *call == Call::RemoveVersion);
    let removed: Vec<String> = calls.map(|(_, name)| name.to_string()).collect();
    let place = |name: &str| removed.iter().position(|it| it == name).unwrap();
    for (marker, object) in [("a a9-!", "a a8"), ("a a9-!", "a a5"), ("a a7-", "a a5"), ("c c9-!", "c c8")] {
        assert!(place(marker) > place(object), "{removed:?}");
    }
    assert_eq!((left(&store), removed.len()), (String::new(), 8));
}

#[tokio::test]
async fn a_listing_that_breaks_off_proves_nothing_of_its_last_page() {
    let store = store("a9! a8 a7 a6 b9-! b8 b7");
    store.fail(Call::ListVersions, "a", 1, Failure::new(FailureKind::Denied, "no"));
    let (counts, ended) = prune(&store, &options(0), None, &CancellationToken::new(), drop).await;
    assert!(ended.unwrap_err().to_string().ends_with("could not list memory://bucket: no"));
    assert_eq!((counts.found(), left(&store).as_str()), (0, "a9! a8 a7 a6 b9-! b8 b7"));
}

#[tokio::test]
async fn nothing_begins_any_more_once_it_is_cancelled() {
    let store = store("a9! a8 a7 a6 a5 a4 a3 a2");
    let cancel = CancellationToken::new();
    let (counts, ended) = prune(&store, &options(0), None, &cancel, |_| cancel.cancel()).await;
    assert!(ended.is_ok() && counts.found() < 8, "{counts:?}");
    assert!(left(&store).ends_with("a5 a4 a3 a2"), "{}", left(&store));
}

#[tokio::test]
async fn who_is_locked_out_stops() {
    let store = store("a9! a8 b9! b8 c9! c8 d9! d8 e9! e8");
    store.fail(Call::RemoveVersion, "a a8", 1, Failure::new(FailureKind::LockedOut, "expired"));
    let (_, ended) = prune(&store, &Prune { jobs: 1, ..options(0) }, None, &CancellationToken::new(), drop).await;
    assert_eq!(ended.unwrap_err().to_string(), "nothing more is removed from memory://bucket: expired");
    assert!(left(&store).ends_with("e9! e8"));
}

#[tokio::test]
async fn a_store_without_versions_is_told_of() {
    let (_, ended) = prune(&MemoryStore::remote(), &options(0), None, &CancellationToken::new(), drop).await;
    assert!(ended.unwrap_err().to_string().starts_with("memory://bucket keeps no versions: there is nothing to prune"));
}

#[tokio::test]
async fn nothing_goes_by_another_clock_than_the_stores() {
    let options_of = MemoryOptions { tells_time: false, versioning: Versioning::Enabled, ..MemoryOptions::remote() };
    let store = MemoryStore::new(options_of);
    for word in ["a9!", "a8"] {
        store.add_version(version(word));
    }
    let (counts, ended) = prune(&store, &options(0), None, &CancellationToken::new(), drop).await;
    assert!(ended.unwrap_err().to_string().contains("don't tell the time"));
    assert_eq!((counts.found(), left(&store).as_str()), (0, "a9! a8"));
}

#[tokio::test]
async fn what_takes_no_part_is_left_alone() {
    let keys = ["kept", "out", ".brigade-locks", "ledger", "z/.brigade-x"];
    let store = MemoryStore::new(MemoryOptions { versioning: Versioning::Enabled, ..MemoryOptions::remote() });
    for key in keys {
        for word in ["a9!", "a8"] {
            store.add_version(KeptVersion { key: key.into(), ..version(word) });
        }
    }
    let ledger = LedgerFiles { directory: "".into(), name: Some(b"ledger".to_vec()) };
    let filters = Filters::new(&[Rule::Exclude("out".into())]).unwrap().leaving_out(vec![ledger]);
    let (counts, ended) = prune(&store, &options(0), Some(&filters), &CancellationToken::new(), drop).await;
    ended.unwrap();
    assert_eq!((counts.removed, counts.found()), (1, 2));
    let gone: Vec<String> = keys
        .into_iter()
        .filter(|key| store.kept_versions().iter().filter(|kept| kept.key == (*key).into()).count() == 1)
        .map(str::to_owned)
        .collect();
    assert_eq!(gone, ["kept"]);
}

/// A page takes a minute: what is decided of one is gathered when the next has come.
#[tokio::test(start_paused = true)]
async fn what_is_gathered_does_not_wait_for_more_for_long() {
    let store = MemoryStore::new(MemoryOptions {
        page_size: 2,
        removal_batch: 1000,
        page_of_versions_takes: Duration::from_mins(1),
        versioning: Versioning::Enabled,
        ..MemoryOptions::remote()
    });
    for word in "a9! a8 b9! c9-! d9! e9!".split(' ') {
        store.add_version(version(word));
    }
    let (began, mut removed) = (Instant::now(), Vec::new());
    let tell = |judged: JudgedVersion| {
        if judged.outcome == VersionOutcome::Removed {
            removed.push(format!("{} {}", judged.version.id.as_str(), began.elapsed().as_secs()));
        }
    };
    let (_, ended) = prune(&store, &options(0), None, &CancellationToken::new(), tell).await;
    ended.unwrap();
    assert_eq!(removed, ["a8 130", "c9-! 240"], "the last ones go at the end");
}

#[tokio::test]
async fn whether_an_id_is_given_again_is_asked_before_it_is_removed() {
    let store = store("a9!");
    store.add_version(KeptVersion { id: "null".into(), ..version("a8") });
    store.add_version(version("a7"));
    let suspend = |judged: JudgedVersion| {
        if judged.outcome == VersionOutcome::Current {
            store.set_versioning(Versioning::Suspended);
        }
    };
    let (counts, ended) = prune(&store, &options(0), None, &CancellationToken::new(), suspend).await;
    ended.unwrap();
    assert_eq!((counts.failed, counts.removed, left(&store).as_str()), (1, 1, "a9! null"));
}

/// Whatever else goes, and why the question failed is what whoever runs it is told.
#[tokio::test]
async fn an_id_that_may_be_given_again_stays_where_nobody_says_whether_it_is() {
    let store = store("a9!");
    store.add_version(KeptVersion { id: "null".into(), ..version("a8") });
    store.add_version(version("a7"));
    let failure = Failure::new(FailureKind::Denied, "nobody may ask");
    let mut failed = Vec::new();
    let tell = |judged: JudgedVersion| match judged.outcome {
        // It was asked once before the run began, and is asked again before anything goes.
        VersionOutcome::Current => store.fail(Call::Versioning, "", 1, failure.clone()),
        VersionOutcome::Failed(why) => failed.push((judged.version.id.as_str().to_owned(), why)),
        _ => {}
    };
    let (counts, ended) = prune(&store, &options(0), None, &CancellationToken::new(), tell).await;
    ended.unwrap();
    assert_eq!(failed, [("null".to_owned(), failure)]);
    assert_eq!((counts.failed, counts.removed, left(&store).as_str()), (1, 1, "a9! null"));
}
