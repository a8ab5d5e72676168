//! Runs with an index through storms and kills, drawn from seeds: whatever
//! became of them, a run that says that all is in step speaks the truth.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use brigade_engine::events::Summary;
use brigade_store::memory::{Call, Change, Fate, Fates, MemoryOptions, MemoryStore, Step, Strike};
use brigade_store::{Key, Order};
use fastrand::Rng;
use tokio_util::sync::CancellationToken;

use super::{failure, indexed};
use crate::fixture::Fixture;

const SEEDS: u64 = 600;

/// Strikes some calls of the destination, and kills the run at one of them.
struct Storm {
    seed: u64,
    /// Of a hundred calls, so many are struck.
    strikes: u64,
    dies_at: Option<u64>,
    steps: AtomicU64,
}

impl Fates for Storm {
    fn befalls(&self, call: Call, _: &Key) -> Fate {
        let step = self.steps.load(Ordering::Relaxed);
        let mut rng = Rng::with_seed(self.seed ^ (step << 20) ^ call as u64);
        let struck = rng.u64(..100) < self.strikes;
        let strike = match call {
            Call::Write | Call::Finish | Call::Remove if struck && rng.bool() => Strike::AnswerLost(failure()),
            _ if struck => Strike::Refused(failure()),
            _ => Strike::None,
        };
        let takes = |rng: &mut Rng| Duration::from_millis(rng.u64(1..40));
        Fate { to_store: takes(&mut rng), strike, from_store: takes(&mut rng) }
    }

    fn reached(&self, _: Call, _: &Key, _: Option<&Key>, _: &Strike) {}

    fn changed(&self, _: Change<'_>) {}

    fn goes_on(&self, _: Call, _: &Key, _: Step) -> bool {
        let step = self.steps.fetch_add(1, Ordering::Relaxed);
        self.dies_at.is_none_or(|dies_at| step < dies_at)
    }

    fn arrives_all_the_same(&self, _: Call, key: &Key) -> bool {
        self.dies_at.is_some() && key.as_bytes().last().is_some_and(|last| last % 2 == 0)
    }
}

/// One run under this storm; `None` where it was killed, or could not come to its end.
fn weather(fixture: &Fixture, storm: Storm, stopped_after: Option<Duration>) -> Option<Summary> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let dies = storm.dies_at.is_some();
    fixture.dest.set_fates(Some(Arc::new(storm)));
    let cancel = CancellationToken::new();
    let running = fixture.running(cancel.clone());
    let ended = runtime.block_on(async {
        let stopping = async {
            match stopped_after {
                Some(after) => tokio::time::sleep(after).await,
                None => std::future::pending().await,
            }
            cancel.cancel();
        };
        let limit = Duration::from_secs(if dies { 60 } else { 3600 });
        let (ended, ()) = tokio::join!(tokio::time::timeout(limit, running), async {
            let _ = tokio::time::timeout(limit, stopping).await;
        });
        ended
    });
    drop(runtime);
    fixture.dest.set_fates(None);
    assert!(ended.is_ok() || dies, "the run hangs");
    ended.ok()?.ok()
}

fn edit(fixture: &Fixture, rng: &mut Rng) {
    for _ in 0..rng.u64(..6) {
        let key = format!("d{}/{:02}", rng.u64(..3), rng.u64(..24));
        match rng.u64(..4) {
            0 => fixture.source.take(key.as_str()),
            // Again what it was, maybe with a version of it lost on the way.
            1 => drop(fixture.source.put(key.as_str(), "content")),
            _ => drop(fixture.source.put(key.as_str(), *rng.choice(&["x", "another content", "yet another"]).unwrap())),
        }
    }
}

#[test]
fn whatever_became_of_earlier_runs_one_that_says_it_is_in_step_is() {
    let (mut told, mut killed) = (0, 0);
    for seed in 0..SEEDS {
        let mut rng = Rng::with_seed(seed);
        let mut fixture = indexed().deleting();
        // Every other time what is longer than five bytes goes in parts.
        let whole_limit = if seed % 2 == 0 { 5 } else { 100 };
        let order = *rng.choice(&[Order::ByBytes, Order::ByBytes, Order::Presumed, Order::Other]).unwrap();
        let options = MemoryOptions { whole_limit, part_size: 4, order, page_size: 7, ..MemoryOptions::remote() };
        fixture.dest = MemoryStore::new(options);
        fixture.options.allow_empty_source = true;
        fixture.dest.put("d0/extra", "it is deleted");
        for _ in 0..rng.u64(2..8) {
            edit(&fixture, &mut rng);
            let dies_at = (rng.u64(..3) == 0).then(|| rng.u64(1..120));
            let strikes = *rng.choice(&[0, 5, 30]).unwrap();
            let stopped_after = (rng.u64(..4) == 0).then(|| Duration::from_millis(rng.u64(1..600)));
            killed += u64::from(dies_at.is_some());
            let storm = Storm { seed: rng.u64(..), strikes, dies_at, steps: AtomicU64::new(0) };
            if weather(&fixture, storm, stopped_after).is_some_and(|summary| summary.complete()) {
                told += 1;
                assert_eq!(fixture.dest.contents(), fixture.source.contents(), "seed {seed}");
            }
        }
        edit(&fixture, &mut rng);
        // What is there in doubt is looked at, and done, by the first; what a lost answer had hidden, by the second.
        let ends = [0; 3].map(|_| {
            let storm = Storm { seed, strikes: 0, dies_at: None, steps: AtomicU64::new(0) };
            weather(&fixture, storm, None).is_some_and(|summary| summary.complete())
        });
        assert!(ends[1] && ends[2], "seed {seed}: {ends:?}");
        assert_eq!(fixture.dest.contents(), fixture.source.contents(), "seed {seed}");
    }
    assert!(told > SEEDS && killed > SEEDS / 2, "{told} {killed}");
}
