//! Ranges that are listed at once: each key is seen once, however they are cut, given up and taken up again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use brigade_engine::error::Why;
use brigade_engine::events::Outcome;
use brigade_engine::job::AtOnce;
use brigade_engine::ledger::memory::MemoryLedger;
use brigade_store::memory::{self, Call, Fate, Fates, MemoryOptions, MemoryStore, Sequence, Strike};
use brigade_store::{Key, Order};
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, keys};

/// Every page, and every answer to a question, takes its time.
struct Slow;

impl Fates for Slow {
    fn befalls(&self, call: Call, _: &Key) -> Fate {
        let is_slow =
            matches!(call, Call::List | Call::ListMore | Call::ListRange | Call::ListRangeMore | Call::FirstAfter);
        Fate { to_store: Duration::from_millis(if is_slow { 50 } else { 0 }), ..Fate::default() }
    }

    fn reached(&self, _: Call, _: &Key, _: Option<&Key>, _: &Strike) {}

    fn changed(&self, _: memory::Change<'_>) {}
}

fn slow(options: MemoryOptions, page_size: usize) -> MemoryStore {
    let store = MemoryStore::new(MemoryOptions { page_size, represents: |_| true, obstructs: false, ..options });
    store.set_fates(Some(Arc::new(Slow)));
    store
}

fn between(source: MemoryStore, dest: MemoryStore, listers: AtOnce) -> Fixture {
    let mut fixture = Fixture::new(source, dest).deleting();
    fixture.options.listers = listers;
    fixture.options.allow_empty_source = true;
    fixture.ledger = Some(MemoryLedger::default());
    fixture
}

/// Ranges that were begun, the first one left out.
fn further_ranges(store: &MemoryStore) -> usize {
    store.count(Call::ListRange)
}

#[test]
fn a_long_listing_is_cut_again_and_again() {
    for listers in [AtOnce::Exactly(8), AtOnce::Growing { from: 1, to: 8 }] {
        let (source, dest) = (slow(MemoryOptions::local(), 5), slow(MemoryOptions::remote(), 5));
        let fixture = between(source, dest, listers);
        for number in 0..1000 {
            fixture.source.put(format!("directory/{number:04}").as_str(), "content");
            fixture.dest.put(format!("directory/{number:04}").as_str(), "content");
        }
        let summary = fixture.run_in_still_time().unwrap();
        assert_eq!((summary.in_step, summary.source_objects, summary.dest_objects), (1000, 1000, 1000));
        let (ranges, questions) = (further_ranges(&fixture.dest), fixture.dest.count(Call::FirstAfter));
        assert!(ranges >= 7 && questions < 100, "{listers:?}: {ranges} ranges after {questions} questions");
    }
}

#[test]
fn what_is_short_or_in_an_order_that_nobody_knows_is_not_cut() {
    let table = [
        ("short", MemoryOptions::remote(), 10, AtOnce::Growing { from: 1, to: 16 }),
        ("one lister", MemoryOptions::remote(), 1000, AtOnce::Exactly(1)),
        ("a stranger", MemoryOptions { order: Order::Presumed, ..MemoryOptions::remote() }, 1000, AtOnce::Exactly(8)),
        ("known for it", MemoryOptions { order: Order::Other, ..MemoryOptions::remote() }, 1000, AtOnce::Exactly(8)),
    ];
    for (row, options, count, listers) in table {
        let fixture = between(slow(MemoryOptions::local(), 5), slow(options, 5), listers);
        for number in 0..count {
            fixture.dest.put(format!("{number:04}").as_str(), "content");
        }
        assert_eq!(fixture.run_in_still_time().unwrap().deleted, count, "{row}");
        assert_eq!((further_ranges(&fixture.dest), fixture.dest.count(Call::FirstAfter)), (0, 0), "{row}");
    }
}

/// Each half of what is cut may ascend by itself, and what the store has between them be seen by nobody.
#[test]
fn what_a_store_in_another_order_puts_between_two_ranges_is_not_lost() {
    let misleading = MemoryOptions { sequence: Sequence::IgnoringCase, ..MemoryOptions::remote() };
    for (count, listers) in (20..60).flat_map(|count| [(count, 2), (count, 4)]) {
        let (source, dest) = (slow(misleading.clone(), 5), slow(MemoryOptions::local(), 5));
        let fixture = between(source, dest, AtOnce::Exactly(listers));
        for letter in ["0", "a", "B", "c"] {
            for number in 0..count {
                fixture.source.put(format!("{letter}{number:02}").as_str(), "content");
            }
        }
        fixture.run_in_still_time().unwrap();
        assert_eq!(keys(&fixture.dest), keys(&fixture.source), "{count} of each, {listers} listers");
        assert_eq!(*fixture.log.reordered.lock().unwrap(), ["memory://bucket"]);
    }
}

#[test]
fn where_the_order_breaks_late_everything_is_listed_again_and_nothing_is_lost() {
    // Told for one that lists by bytes, by whoever runs it.
    let misleading = MemoryOptions { sequence: Sequence::SlashFirst, ..MemoryOptions::remote() };
    let fixture = between(slow(MemoryOptions::local(), 5), slow(misleading, 5), AtOnce::Exactly(4));
    let late = (0..20).flat_map(|number| [format!("z{number:02}-b"), format!("z{number:02}/b")]);
    for key in (0..200).map(|number| format!("a{number:03}")).chain(late) {
        fixture.source.put(key.as_str(), "content");
        fixture.dest.put(key.as_str(), "content");
    }
    for number in 0..50 {
        fixture.source.put(format!("a{number:03}-new").as_str(), "content");
    }
    fixture.dest.put("a000-old", "old");
    let summary = fixture.run_in_still_time().unwrap();
    assert_eq!(*fixture.log.reordered.lock().unwrap(), ["memory://bucket"]);
    assert!(further_ranges(&fixture.dest) > 0);
    assert_eq!((summary.created, summary.in_step, summary.deleted, summary.failed), (50, 240, 1, 0));
    assert_eq!(fixture.dest.contents(), fixture.source.contents());
    assert_eq!(fixture.dest.count(Call::Write), 50);
}

/// Deep common beginnings, one flat directory, runs of one letter, letters of many bytes, one key, none.
fn key_set() -> impl Strategy<Value = BTreeSet<String>> {
    let of = |pattern: &'static str, most| proptest::collection::btree_set(pattern, 0..most);
    prop_oneof![
        of("(deep/common/beginning/that/all/share/){1,2}[0-9]{1,3}", 120),
        of("[0-9a-f]{2}", 120),
        of("a{1,60}", 60),
        of("(中/)?[a中é\u{10ffff}]{2,4}", 120),
        of("[ -.0-~]{1,3}", 120),
        of("one", 2),
    ]
}

/// How often each key was sent, and how often deleted.
fn done(fixture: &Fixture, which: fn(&Outcome) -> bool) -> Vec<String> {
    fixture.outcomes().into_iter().filter(|(_, outcome)| which(outcome)).map(|(key, _)| key).collect()
}

proptest! {
    #[test]
    fn each_key_is_seen_once_however_the_ranges_are_cut_or_done_again(
        source in key_set(),
        dest in key_set(),
        both in key_set(),
        page_size in 1usize..6,
        listers in 1usize..9,
        down: bool,
        stops: bool,
    ) {
        let options = if down { [MemoryOptions::remote(), MemoryOptions::local()] }
            else { [MemoryOptions::local(), MemoryOptions::remote()] };
        let [from, to] = options.map(|options| slow(options, page_size));
        let fixture = between(from, to, AtOnce::Exactly(listers));
        for key in source.iter().chain(&both) {
            fixture.source.put(key.as_str(), "content");
        }
        for key in dest.iter().chain(&both) {
            fixture.dest.put(key.as_str(), "content");
        }
        let [had, found] = [keys(&fixture.source), keys(&fixture.dest)];
        if stops {
            // Given up as soon as anything was done, and begun again.
            *fixture.log.cancel_at_first.lock().unwrap() = Some(fixture.cancel.clone());
            let ended = fixture.run_in_still_time();
            if let Err(error) = &ended {
                prop_assert!(matches!(error.why, Why::Interrupted), "{error:?}");
            }
        }
        *fixture.log.cancel_at_first.lock().unwrap() = None;
        let fixture = Fixture { cancel: CancellationToken::default(), ..fixture };
        let summary = fixture.run_in_still_time().unwrap();
        prop_assert!(summary.complete());
        prop_assert_eq!(fixture.dest.contents(), fixture.source.contents());
        let missing: Vec<&String> = had.iter().filter(|key| !found.contains(key)).collect();
        let extra: Vec<&String> = found.iter().filter(|key| !had.contains(key)).collect();
        let sent = done(&fixture, |outcome| matches!(outcome, Outcome::Sent { .. }));
        let deleted = done(&fixture, |outcome| matches!(outcome, Outcome::Deleted));
        prop_assert_eq!(sent.iter().collect::<Vec<_>>(), missing);
        prop_assert_eq!(deleted.iter().collect::<Vec<_>>(), extra);
        prop_assert_eq!(summary.source_objects, had.len() as u64);
        let again = fixture.run_in_still_time().unwrap();
        prop_assert_eq!((again.in_step, again.created + again.replaced + again.deleted), (had.len() as u64, 0));
    }
}
