//! What happens between two runs: somebody else works at either side, the job
//! is changed, the clock is set.

use std::time::Duration;

use brigade_engine::job::DeleteLimit;
use brigade_store::Kind;
use brigade_store::memory::MemoryStore;
use fastrand::Rng;

use super::model::Selection;
use super::scenario::{self, Scenario, kind};

/// Draws some of it, or nothing.
pub(crate) fn pass(scenario: &mut Scenario, rng: &mut Rng) {
    for _ in 0..*rng.choice(&[0, 0, 1, 2, 4]).unwrap() {
        let (store, other) =
            if rng.u64(..3) > 0 { (&scenario.source, &scenario.dest) } else { (&scenario.dest, &scenario.source) };
        meddle(scenario, store, other, rng);
    }
    match rng.u64(..8) {
        0 => scenario.select(rng.choice(Selection::ALL).unwrap()),
        1 => scenario.job.delete = None,
        2 => scenario.job.delete = Some(DeleteLimit::Unlimited),
        _ => {}
    }
    set_clock(scenario, rng);
}

/// Sets the clock a day ahead, or back, now and then.
pub(crate) fn set_clock(scenario: &Scenario, rng: &mut Rng) {
    match rng.u64(..12) {
        0 => scenario.set_clock(24 * 3600),
        1 => scenario.set_clock(-4000),
        2 => scenario.set_clock(20),
        _ => {}
    }
}

fn meddle(scenario: &Scenario, store: &MemoryStore, other: &MemoryStore, rng: &mut Rng) {
    let key = scenario::meddled_key(rng, store, other);
    let there = store.contents().get(&key).cloned();
    let now = (scenario.clock)();
    match (rng.u64(..5), there) {
        (0, _) => store.take(key),
        // The same length, as an edit in place leaves it.
        (1, Some(content)) => drop(store.put(key, content.iter().map(|byte| byte ^ 1).collect::<Vec<_>>())),
        // Restored with an old time; an object's is always that of its writing.
        (2, Some(_)) if kind(store) == Kind::Local => {
            drop(store.put_modified(key, scenario::content(rng), now - Duration::from_secs(100_000)));
        }
        // Re-created as it was.
        (3, Some(content)) => {
            store.take(key.clone());
            store.put(key, content);
        }
        _ if scenario::has_room(store, &key) => drop(store.put(key, scenario::content(rng))),
        _ => {}
    }
}
