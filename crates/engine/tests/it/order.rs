//! Stores that list in another order: noticed, told, and right in the end.

use brigade_store::Order;
use brigade_store::memory::{Call, MemoryOptions, MemoryStore, Sequence};

use crate::fixture::{Fixture, keys};

const KEYS: [&str; 6] = ["a+b", "a-b", "a.b", "a/x", "a0", "b"];

fn slash_first(order: Order) -> MemoryStore {
    let options = MemoryOptions { order, sequence: Sequence::SlashFirst, page_size: 2, ..MemoryOptions::remote() };
    MemoryStore::new(options)
}

fn up_to(dest: MemoryStore) -> Fixture {
    let fixture = Fixture::new(MemoryStore::local(), dest).deleting();
    for key in KEYS {
        fixture.source.put(key, key.as_bytes());
        fixture.dest.put(key, key.as_bytes());
    }
    fixture
}

#[test]
fn a_store_that_breaks_the_order_is_listed_again_sorted_and_nothing_is_lost() {
    let fixture = up_to(slash_first(Order::ByBytes));
    let summary = fixture.run().unwrap();
    assert_eq!(*fixture.log.reordered.lock().unwrap(), ["memory://bucket"]);
    assert_eq!((summary.in_step, summary.deleted, summary.failed), (6, 0, 0));
    assert_eq!(keys(&fixture.dest), KEYS);
    assert_eq!(fixture.dest.count(Call::List), 2);
}

#[test]
fn a_store_known_to_be_out_of_order_is_sorted_from_the_start() {
    let fixture = up_to(slash_first(Order::Other));
    let summary = fixture.run().unwrap();
    assert!(fixture.log.reordered.lock().unwrap().is_empty());
    assert_eq!((summary.in_step, fixture.dest.count(Call::List)), (6, 1));
}

#[test]
fn what_was_sent_before_the_order_broke_is_counted_once() {
    let fixture = up_to(slash_first(Order::ByBytes));
    for key in ["0", "1"] {
        fixture.source.put(key, key);
        fixture.dest.put(key, key);
    }
    // It lies within the first page of two keys, after which the order breaks.
    fixture.source.put("00", "new");
    let summary = fixture.run().unwrap();
    assert_eq!(fixture.dest.count(Call::List), 2);
    assert_eq!((summary.created, summary.in_step, summary.source_objects), (1, 8, 9));
    assert_eq!(fixture.dest.count(Call::Write), 1);
}

#[test]
fn a_dry_run_counts_its_limit_anew_when_the_order_broke() {
    let mut fixture = up_to(slash_first(Order::ByBytes));
    for key in ["0", "1"] {
        fixture.source.put(key, key);
        fixture.dest.put(key, key);
    }
    fixture.source.put("00", "new");
    fixture.options.limit = Some(1);
    fixture.options.dry_run = true;
    let summary = fixture.run().unwrap();
    assert_eq!(fixture.dest.count(Call::List), 2);
    assert_eq!((summary.created, summary.over_limit), (1, 0));
}
