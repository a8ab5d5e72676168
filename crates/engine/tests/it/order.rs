//! Stores that list in another order: noticed, told, and right in the end.

use brigade_engine::events::Outcome;
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
    // With pages of two, `a!` is compared and sent before `a/x` comes out of order.
    let fixture = up_to(slash_first(Order::ByBytes));
    fixture.source.put("A", "new");
    let summary = fixture.run().unwrap();
    assert_eq!((summary.created, summary.in_step, summary.source_objects), (1, 6, 7));
    let sent = fixture.outcomes().into_iter().filter(|(_, outcome)| matches!(outcome, Outcome::Sent { .. })).count();
    assert_eq!(sent, 1);
}

#[test]
fn a_key_that_is_listed_twice_is_noticed_as_disorder() {
    let fixture = up_to(slash_first(Order::ByBytes));
    assert!(fixture.run().is_ok());
    assert_eq!(fixture.run().unwrap().in_step, 6);
}
