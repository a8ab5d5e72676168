//! Any pair of trees comes into step, and a second run has nothing to do.

use std::collections::BTreeMap;

use brigade_engine::events::Summary;
use brigade_store::Order;
use brigade_store::memory::{Call, MemoryOptions, MemoryStore, Sequence};
use proptest::prelude::*;

use crate::fixture::Fixture;

/// Small trees over few names, so that both sides often share keys, and files
/// often stand where the other side has directories.
fn tree() -> impl Strategy<Value = BTreeMap<String, Vec<u8>>> {
    let key = proptest::collection::vec("[ab][-.]?", 1..4).prop_map(|names| names.join("/"));
    let content =
        prop_oneof![Just(vec![]), Just(vec![1]), Just(vec![2]), proptest::collection::vec(any::<u8>(), 0..40)];
    proptest::collection::btree_map(key, content, 0..12).prop_map(without_conflicts)
}

/// A file system can't hold `a` and `a/b`: the deeper one goes.
fn without_conflicts(mut tree: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let files: Vec<String> = tree.keys().cloned().collect();
    tree.retain(|key, _| {
        !files.iter().any(|file| key.strip_prefix(file.as_str()).is_some_and(|rest| rest.starts_with('/')))
    });
    tree
}

fn fill(store: &MemoryStore, tree: &BTreeMap<String, Vec<u8>>) {
    for (key, content) in tree {
        store.put(key.as_str(), content.clone());
    }
}

/// Small limits, so that several pages and parts come about.
fn small(options: MemoryOptions, sequence: Sequence) -> MemoryStore {
    MemoryStore::new(MemoryOptions { page_size: 3, whole_limit: 16, sequence, ..options })
}

/// Runs until in step; `None` where that is refused because the source is empty.
fn bring_in_step(fixture: &Fixture) -> Result<Option<Summary>, TestCaseError> {
    match fixture.run() {
        Ok(summary) => {
            prop_assert_eq!(summary.failed, 0);
            prop_assert_eq!(fixture.dest.contents(), fixture.source.contents());
            prop_assert_eq!(fixture.dest.unfinished_uploads(), 0);
            Ok(Some(summary))
        }
        Err(error) => {
            prop_assert!(fixture.source.contents().is_empty(), "{error}");
            Ok(None)
        }
    }
}

/// Runs until in step, and once more to see that nothing is left to do.
fn check_in_step(fixture: &Fixture) -> Result<Option<Summary>, TestCaseError> {
    let Some(first) = bring_in_step(fixture)? else { return Ok(None) };
    let writes = |store: &MemoryStore| {
        [Call::Write, Call::Begin, Call::Remove].map(|call| store.count(call)).iter().sum::<usize>()
    };
    let before = writes(&fixture.dest);
    let second = fixture.run().unwrap();
    prop_assert_eq!(writes(&fixture.dest), before, "a second run writes nothing");
    prop_assert_eq!(second.created + second.replaced + second.deleted, 0);
    prop_assert_eq!(second.in_step, second.source_objects);
    Ok(Some(first))
}

/// Every key present at either side is counted exactly once.
fn check_sums(summary: &Summary, keys: usize) -> Result<(), TestCaseError> {
    let counted = summary.in_step + summary.created + summary.replaced + summary.deleted + summary.extra;
    prop_assert_eq!(counted, keys as u64);
    Ok(())
}

fn union(left: &BTreeMap<String, Vec<u8>>, right: &BTreeMap<String, Vec<u8>>) -> usize {
    left.keys().chain(right.keys()).collect::<std::collections::BTreeSet<_>>().len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn the_destination_becomes_what_the_source_is_up_and_down(source in tree(), dest in tree()) {
        let local = || small(MemoryOptions::local(), Sequence::ByBytes);
        let bucket = || small(MemoryOptions::remote(), Sequence::ByBytes);
        for fixture in [Fixture::new(local(), bucket()), Fixture::new(bucket(), local())] {
            let fixture = fixture.deleting();
            fill(&fixture.source, &source);
            fill(&fixture.dest, &dest);
            if let Some(first) = check_in_step(&fixture)? {
                check_sums(&first, union(&source, &dest))?;
            }
        }
    }

    #[test]
    fn a_store_out_of_order_comes_into_step_too(
        source in tree(),
        dest in tree(),
        up in any::<bool>(),
        order in prop_oneof![Just(Order::ByBytes), Just(Order::Other)],
    ) {
        let bucket =
            || small(MemoryOptions { order, ..MemoryOptions::remote() }, Sequence::SlashFirst);
        let local = || small(MemoryOptions::local(), Sequence::ByBytes);
        let fixture = if up { Fixture::new(local(), bucket()) } else { Fixture::new(bucket(), local()) }.deleting();
        fill(&fixture.source, &source);
        fill(&fixture.dest, &dest);
        match order {
            Order::Other => check_in_step(&fixture)?,
            // A store that claims an order and breaks it late may be sent what it
            // has already: that is waste, and no harm.
            Order::ByBytes | Order::Presumed => bring_in_step(&fixture)?,
        };
    }
}
