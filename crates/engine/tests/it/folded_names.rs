//! File systems that take two names for one, in another case or another normal form: no file is lost for it, and none
//! is taken for another.

use brigade_engine::events::Outcome;
use brigade_engine::job::DeleteLimit;
use brigade_engine::ledger::memory::MemoryLedger;
use brigade_store::Key;
use brigade_store::memory::{MemoryOptions, MemoryStore};

use crate::fixture::{Fixture, keys};

/// As a file system does that ignores case, and whether an accent is a character of its own.
fn folded(key: &Key) -> Key {
    Key::from(key.as_text().unwrap().to_lowercase().replace("e\u{301}", "\u{e9}"))
}

fn folding_tree() -> MemoryStore {
    MemoryStore::new(MemoryOptions { folds: Some(folded), ..MemoryOptions::local() })
}

/// Two names that are one there.
const PAIRS: [[&str; 2]; 3] = [["README", "readme"], ["cafe\u{301}", "caf\u{e9}"], ["Docs/a", "docs/a"]];

/// Why the key failed, in the last run in which it did.
fn reason(fixture: &Fixture, key: &str) -> Option<String> {
    fixture.outcomes().into_iter().rev().find_map(|(found, outcome)| match outcome {
        Outcome::Failed(failure) if found == Key::from(key).to_string() => Some(failure.reason),
        _ => None,
    })
}

#[test]
fn of_two_objects_one_is_there_and_the_other_fails_in_each_run() {
    for [one, other] in PAIRS {
        for contents in [["one", "two"], ["same", "same"]] {
            let mut fixture = Fixture::new(MemoryStore::remote(), folding_tree());
            fixture.ledger = Some(MemoryLedger::default());
            fixture.options.jobs = brigade_engine::job::AtOnce::Exactly(1);
            fixture.source.put(one, contents[0]);
            fixture.source.put(other, contents[1]);
            for (run, counts) in [(1, (1, 0)), (2, (0, 1)), (3, (0, 1))] {
                let summary = fixture.run().unwrap();
                assert_eq!((summary.created, summary.in_step), counts, "{one}, run {run}");
                assert_eq!((summary.failed, summary.complete()), (1, false), "{one}, run {run}");
            }
            let there = fixture.dest.contents();
            let (name, content) = there.iter().next().unwrap();
            let own = fixture.source.contents();
            assert_eq!(
                (there.len(), content),
                (1, &own[name]),
                "it has the content of the object that it is called after"
            );
            let failed = if *name == Key::from(one) { other } else { one };
            let reason = reason(&fixture, failed).unwrap_or_default();
            assert!(reason.contains("takes its name for that of another file"), "{failed}: {reason}");
        }
    }
}

/// An object that was renamed in its case alone: the file of the old name is the new one's, too, and stays.
#[test]
fn nothing_is_deleted_that_stands_for_something_else() {
    let mut fixture = Fixture::new(MemoryStore::remote(), folding_tree());
    fixture.job.delete = Some(DeleteLimit::Unlimited);
    fixture.source.put("readme", "content");
    fixture.dest.put("README", "content");
    let summary = fixture.run().unwrap();
    assert_eq!((summary.failed, summary.deleted, summary.deletions_held_back), (1, 0, 1));
    assert_eq!(keys(&fixture.dest), ["README"]);
}

/// Up, a file is found by the old name of the bucket's object. Whether it is another one's, a name can't prove.
#[test]
fn what_a_file_is_found_for_by_another_name_stays_in_a_bucket() {
    let mut fixture = Fixture::new(folding_tree(), MemoryStore::remote());
    fixture.job.delete = Some(DeleteLimit::Unlimited);
    fixture.source.put("readme", "content");
    for key in ["README", "Readme"] {
        fixture.dest.put(key, "content");
    }
    let summary = fixture.run().unwrap();
    assert_eq!((summary.created, summary.deleted, summary.withdrawn), (1, 0, 2));
    assert_eq!(keys(&fixture.dest), ["README", "Readme", "readme"]);
}
