//! Nothing is forgotten: sequences of runs, each of which had once left something
//! behind that no later run with an index came to know of.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use brigade_engine::error::Why;
use brigade_engine::filters::{Filters, Rule};
use brigade_engine::job::{Comparison, Indexing};
use brigade_store::memory::{Call, Change, Fate, Fates, MemoryOptions, MemoryStore, Sequence, Step, Strike};
use brigade_store::{Key, Order};
use tokio_util::sync::CancellationToken;

use super::{assert_equal, failure, indexed, run};
use crate::fixture::{Fixture, keys};

/// Kills whoever writes this key; what was written arrives.
struct Kill {
    key: Key,
    has_come: AtomicBool,
}

impl Fates for Kill {
    fn befalls(&self, _: Call, _: &Key) -> Fate {
        Fate { to_store: Duration::from_millis(1), strike: Strike::None, from_store: Duration::from_millis(1) }
    }

    fn reached(&self, _: Call, _: &Key, _: Option<&Key>, _: &Strike) {}

    fn changed(&self, _: Change<'_>) {}

    fn goes_on(&self, call: Call, key: &Key, _: Step) -> bool {
        let comes = call == Call::Write && *key == self.key;
        !(self.has_come.fetch_or(comes, Ordering::Relaxed) || comes)
    }

    fn arrives_all_the_same(&self, _: Call, key: &Key) -> bool {
        *key == self.key
    }
}

/// A run that is killed when it has written this key, and before it says so to the ledger.
fn killed_at(fixture: &Fixture, key: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    fixture.dest.set_fates(Some(Arc::new(Kill { key: key.into(), has_come: AtomicBool::new(false) })));
    let running = fixture.running(CancellationToken::new());
    let ended = runtime.block_on(async { tokio::time::timeout(Duration::from_millis(500), running).await });
    drop(runtime);
    fixture.dest.set_fates(None);
    assert!(ended.is_err() && fixture.dest.contents().contains_key(&Key::from(key)));
}

/// All in step; then a run that makes the index breaks off when a part of the keys is behind its cursor.
fn broken_off() -> Fixture {
    let mut fixture = indexed().deleting();
    fixture.dest = MemoryStore::new(MemoryOptions { page_size: 7, ..MemoryOptions::remote() });
    fixture.job.indexing = Indexing::Off;
    run(&fixture);
    fixture.job.indexing = Indexing::Use;
    fixture.dest.break_listings_after(Some(14));
    assert!(fixture.run().is_err());
    fixture.dest.break_listings_after(None);
    fixture
}

#[test]
fn what_a_run_wrote_that_was_killed_while_it_went_on_with_the_making_of_an_index() {
    for limit in [None, Some(5)] {
        let mut fixture = broken_off();
        fixture.source.put("d0/new", "new");
        fixture.options.limit = limit;
        killed_at(&fixture, "d0/new");
        fixture.options.limit = None;
        fixture.source.take("d0/new");
        run(&fixture);
        run(&fixture);
        assert_eq!(keys(&fixture.source), keys(&fixture.dest), "{limit:?}");

        let fixture = broken_off();
        fixture.source.put("d0/03", "CONTENT");
        killed_at(&fixture, "d0/03");
        fixture.source.put("d0/03", "content");
        run(&fixture);
        assert_equal(&fixture);
    }
}

#[test]
fn what_the_first_pass_took_note_of_before_the_order_broke() {
    let mut fixture = indexed();
    for key in keys(&fixture.source) {
        fixture.source.take(key.as_str());
    }
    let (order, sequence) = (Order::Presumed, Sequence::IgnoringCase);
    fixture.dest = MemoryStore::new(MemoryOptions { page_size: 1, order, sequence, ..MemoryOptions::remote() });
    fixture.job.indexing = Indexing::Off;
    fixture.source.put("B", "content");
    fixture.source.put("c", "content");
    run(&fixture);
    fixture.source.take("B");
    run(&fixture);
    fixture.source.put("a", "content");
    run(&fixture);
    fixture.job.indexing = Indexing::Use;
    run(&fixture);
    assert!(!fixture.log.reordered.lock().unwrap().is_empty());
    let fixture = fixture.deleting();
    run(&fixture);
    assert_eq!(keys(&fixture.source), keys(&fixture.dest));
}

#[test]
fn what_is_left_out_is_neither_looked_at_nor_refused() {
    let mut fixture = indexed();
    fixture.job.indexing = Indexing::Off;
    run(&fixture);
    fixture.job.indexing = Indexing::Use;
    fixture.job.filters = Filters::new(&[Rule::Exclude("d1".into())]).unwrap();
    keys(&fixture.dest).iter().filter(|key| key.starts_with("d1")).for_each(|key| fixture.dest.take(key.as_str()));
    run(&fixture);
    assert_eq!(run(&fixture).in_step, 13);
}

#[test]
fn an_mtime_decides_nothing_where_an_edit_could_hide_or_a_size_had_decided() {
    for indexing in [Indexing::Off, Indexing::Use] {
        let mut fixture = indexed();
        fixture.job.indexing = indexing;
        fixture.job.comparison = Comparison::Mtime;
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        fixture.clock = Arc::new(move || now);
        run(&fixture);
        fixture.source.edit_unseen("d0/00", "CONTENT");
        run(&fixture);
        assert_equal(&fixture);

        let mut fixture = indexed();
        fixture.job.indexing = indexing;
        fixture.dest.put("d0/00", "theirs.");
        fixture.source.put_modified("d0/00", "content", SystemTime::UNIX_EPOCH + Duration::from_secs(1_750_000_000));
        fixture.job.comparison = Comparison::Size;
        run(&fixture);
        fixture.job.comparison = Comparison::Mtime;
        run(&fixture);
        assert_equal(&fixture);
    }
}

#[test]
fn that_a_directory_was_in_step_before_all_of_it_failed_and_was_lost() {
    for indexing in [Indexing::Off, Indexing::Use] {
        let mut fixture = indexed().deleting();
        fixture.job.indexing = indexing;
        let photos: Vec<String> = (0..120).map(|number| format!("photos/{number:03}")).collect();
        for key in &photos {
            fixture.source.put(key.as_str(), "photo");
        }
        run(&fixture);
        for key in &photos {
            fixture.source.put(key.as_str(), "edited photo");
            fixture.dest.fail(Call::Write, key.as_str(), 2, failure());
        }
        assert_eq!(fixture.run().unwrap().failed, 120);
        for key in &photos {
            fixture.source.take(key.as_str());
        }
        let error = fixture.run().unwrap_err();
        assert!(matches!(&error.why, Why::Refused(reason) if reason.contains("photos/")), "{indexing:?}: {error}");
    }
}

#[test]
fn what_is_at_the_destination_only_is_read_a_page_at_a_time() {
    let mut fixture = indexed();
    for number in 0..5000 {
        fixture.dest.put(format!("d0/extra/{number:04}").as_str(), "never at the source");
    }
    assert_eq!(run(&fixture).extra, 5000);
    let summary = run(&fixture);
    assert_eq!((summary.extra, summary.in_step), (5000, 20));
    fixture = fixture.deleting();
    assert_eq!(run(&fixture).deleted, 5000);
    assert_equal(&fixture);
}
