use brigade_store::memory::MemoryStore;

use super::*;
use crate::job::JobDigest;
use crate::ledger::Progress;
use crate::ledger::memory::MemoryLedger;

fn through(key: &str) -> Cursor {
    Cursor { through: Some(Key::from(key)), ..Cursor::default() }
}

/// Where the cursor stands when as many keys as can be remembered have failed, and then this one:
/// in a run that was taken up from `m`, and had come to `p`.
async fn cursor_after_one_too_many(key: &str) -> Option<Cursor> {
    let ledger = Arc::new(MemoryLedger::default());
    let recorder = Recorder::new(ledger.clone(), Arc::new(SystemTime::now));
    let (source, dest) = (MemoryStore::local(), MemoryStore::remote());
    let begun = SystemTime::now();
    recorder.note([Change::Begin { job: JobDigest([0; 16]), begun }, Change::Cursor(through("m"))]);
    recorder.take_up(&[through("m")], &[]);
    let range = recorder.follow(Some(&Key::from("m"))).unwrap();
    recorder.planned(range, Some(&Key::from("p")), 0, Unseen::default());
    let number = recorder.planned(range, Some(&Key::from("z")), 1, Unseen::default());
    for failed in 0..MOST_FAILED {
        recorder.fail(&Key::from(format!("q{failed:04}")));
    }
    recorder.fail(&Key::from(key));
    recorder.done(number);
    recorder.flush([&source, &dest]).await.unwrap();
    ledger.progress().await.unwrap().run.unwrap().cursors.first().cloned()
}

#[tokio::test]
async fn with_more_failures_than_can_be_remembered_all_that_failed_is_listed_again() {
    assert_eq!(cursor_after_one_too_many("x").await, Some(through("p")), "ahead of where the run was taken up");
    assert_eq!(cursor_after_one_too_many("m").await, None, "behind it");
    assert_eq!(cursor_after_one_too_many("q0007").await, Some(through("z")), "once more");
}

#[tokio::test]
async fn a_key_that_is_looked_at_again_keeps_its_place_among_those_that_failed() {
    let ledger = Arc::new(MemoryLedger::default());
    let recorder = Recorder::new(ledger.clone(), Arc::new(SystemTime::now));
    let key = Key::from("a");
    recorder.note([Change::Begin { job: JobDigest([0; 16]), begun: SystemTime::now() }, Change::Cursor(through("m"))]);
    recorder.note([Change::Failed(key.clone())]);
    recorder.take_up(&[through("m")], std::slice::from_ref(&key));
    recorder.try_again(&key);
    for failed in 0..MOST_FAILED {
        recorder.fail(&Key::from(format!("q{failed:04}")));
    }
    recorder.fail(&key);
    recorder.tried_again(&key);
    recorder.flush([&MemoryStore::local(), &MemoryStore::remote()]).await.unwrap();
    let run = ledger.progress().await.unwrap().run.unwrap();
    assert_eq!(run.cursors, [through("m")]);
    assert_eq!((run.failed.len(), &run.failed[0]), (MOST_FAILED + 1, &key));
}
