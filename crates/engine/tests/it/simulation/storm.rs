//! What goes wrong in a run, and when: drawn from the seed, call by call.
//!
//! A call's fate depends on the seed and on which call it is (of its kind, at
//! its key, for the how many-th time), never on what else is under way.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use brigade_engine::events::Side;
use brigade_store::memory::{Call, Change, Fate, Fates, MemoryStore, Step, Strike};
use brigade_store::{Failure, FailureKind, Key};
use fastrand::Rng;
use tokio_util::sync::CancellationToken;

use super::chronicle::{Chronicle, Happened};
use super::crash::Crash;
use super::scenario::{self, Scenario};

/// How bad it gets.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weather {
    pub(crate) seed: u64,
    /// How many calls in a thousand are refused.
    pub(crate) refused: u64,
    /// How many answers in a thousand are lost.
    pub(crate) lost: u64,
    /// How many pages of listings in a thousand don't come.
    pub(crate) broken_pages: u64,
    /// How often somebody else writes or removes something.
    pub(crate) passers_by: u64,
    /// Stopped when so many calls have been made.
    pub(crate) cancelled_at: Option<u64>,
    /// Killed at this step: a call that arrives or is answered, or a commit before or after it is made.
    pub(crate) crashed_at: Option<u64>,
    /// Whether requests that were on their way to the bucket then arrive there all the same, now and then.
    pub(crate) stragglers: bool,
    /// Whether the power is cut with the crash, for a tree that writes later.
    pub(crate) power_cut: bool,
}

impl Weather {
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let mut rate = |rates: &[u64]| *rng.choice(rates).unwrap();
        let (refused, lost) = (rate(&[0, 0, 5, 30, 150]), rate(&[0, 0, 5, 30, 150]));
        let (broken_pages, passers_by) = (rate(&[0, 0, 0, 30, 200]), rate(&[0, 0, 2, 6, 15]));
        let cancelled_at = (rng.u64(..5) == 0).then(|| rng.u64(1..80));
        let seed = rng.u64(..);
        let calm = Self { seed, ..Self::default() };
        let storm = Self { refused, lost, broken_pages, passers_by, cancelled_at, ..calm.clone() };
        match rng.u64(..5) {
            0 | 1 => storm,
            2 | 3 => Self { crashed_at: Some(rng.u64(1..120)), ..storm }.with_luck(rng),
            _ => Self { crashed_at: Some(rng.u64(1..200)), ..calm }.with_luck(rng),
        }
    }

    /// A calm run that is killed at this step.
    pub(crate) fn crash(rng: &mut Rng, step: u64) -> Self {
        Self { seed: rng.u64(..), crashed_at: Some(step), ..Self::default() }.with_luck(rng)
    }

    /// A calm run.
    pub(crate) fn calm(rng: &mut Rng) -> Self {
        Self { seed: rng.u64(..), ..Self::default() }
    }

    fn with_luck(self, rng: &mut Rng) -> Self {
        Self { stragglers: rng.bool(), power_cut: rng.bool(), ..self }
    }

    /// Whether nothing goes wrong before the run ends or is killed.
    pub(crate) fn is_calm(&self) -> bool {
        let Self { refused, lost, broken_pages, passers_by, .. } = self;
        refused + lost + broken_pages + passers_by == 0 && self.cancelled_at.is_none()
    }
}

/// The fates of both stores' calls in one run.
pub(crate) struct Storm {
    weather: Weather,
    chronicle: Chronicle,
    cancel: CancellationToken,
    calls: AtomicU64,
    crash: Arc<Crash>,
}

impl Storm {
    /// Lets it befall both stores.
    pub(crate) fn over(
        scenario: &Scenario,
        weather: Weather,
        chronicle: &Chronicle,
        cancel: &CancellationToken,
        crash: &Arc<Crash>,
    ) {
        let (chronicle, cancel, crash) = (chronicle.clone(), cancel.clone(), Arc::clone(crash));
        let storm = Arc::new(Self { weather, chronicle, cancel, calls: AtomicU64::new(0), crash });
        for (side, store) in [(Side::Source, &scenario.source), (Side::Dest, &scenario.dest)] {
            let at = AtSide { side, storm: Arc::clone(&storm), made: Mutex::default() };
            store.set_fates(Some(Arc::new(at)));
        }
    }

    fn strike(&self, call: Call, rng: &mut Rng) -> Strike {
        let lot = rng.u64(..1000);
        let failure = |kind| Failure::new(kind, "the storm");
        let Weather { refused, lost, broken_pages, .. } = self.weather;
        match call {
            // An upload that can't be given up is the store's to clean up.
            Call::Abandon => Strike::None,
            Call::List | Call::ListMore | Call::ListRange | Call::ListRangeMore if lot >= broken_pages => Strike::None,
            Call::List | Call::ListMore | Call::ListRange | Call::ListRangeMore => {
                Strike::Refused(failure(FailureKind::Failed))
            }
            _ if lot < refused => {
                let kinds = [FailureKind::Failed, FailureKind::Denied, FailureKind::Corrupt];
                Strike::Refused(failure(*rng.choice(&kinds).unwrap()))
            }
            // Asked again after a lost answer, a store finds what it wrote itself.
            Call::Write | Call::Finish if lot < refused + lost && rng.bool() => {
                Strike::AnswerLost(failure(FailureKind::Changed))
            }
            _ if lot < refused + lost => Strike::AnswerLost(failure(FailureKind::Failed)),
            _ => Strike::None,
        }
    }
}

/// The storm as one store meets it.
struct AtSide {
    side: Side,
    storm: Arc<Storm>,
    made: Mutex<BTreeMap<(u8, Key), u64>>,
}

impl Fates for AtSide {
    fn befalls(&self, call: Call, key: &Key) -> Fate {
        let mut made = self.made.lock().unwrap();
        let nth = made.entry((call as u8, key.clone())).or_default();
        *nth += 1;
        let mut rng =
            lot(self.storm.weather.seed, &[&[self.side as u8, call as u8], key.as_bytes(), &nth.to_le_bytes()]);
        let mut delay = || Duration::from_millis(rng.u64(1..2000));
        let (to_store, from_store) = (delay(), delay());
        Fate { to_store, strike: self.storm.strike(call, &mut rng), from_store }
    }

    fn reached(&self, call: Call, key: &Key, range_start: Option<&Key>, strike: &Strike) {
        let Storm { weather, chronicle, cancel, calls, .. } = self.storm.as_ref();
        let (side, key, range_start, strike) = (self.side, key.clone(), range_start.cloned(), strike.clone());
        chronicle.record(Happened::Call { side, call, key, range_start, strike });
        if weather.cancelled_at == Some(calls.fetch_add(1, Ordering::Relaxed) + 1) {
            chronicle.record(Happened::Cancelled);
            cancel.cancel();
        }
    }

    fn changed(&self, change: Change<'_>) {
        self.storm.chronicle.record_change(self.side, change);
    }

    fn goes_on(&self, call: Call, key: &Key, step: Step) -> bool {
        self.storm.crash.goes_on(|| format!("{step:?} of {call:?} {key}"))
    }

    fn arrives_all_the_same(&self, call: Call, key: &Key) -> bool {
        let Storm { weather, crash, .. } = self.storm.as_ref();
        weather.stragglers
            && crash.has_come()
            && lot(weather.seed, &[b"straggler", &[call as u8], key.as_bytes()]).bool()
    }
}

/// What is drawn for these bytes: the same whenever they are (FNV-1a).
pub(crate) fn lot(seed: u64, parts: &[&[u8]]) -> Rng {
    let bytes = parts.iter().flat_map(|part| part.iter().chain(&[0xff]));
    Rng::with_seed(
        bytes.fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)),
    )
}

/// Somebody else, who writes and removes at either side while the run is on.
pub(crate) async fn pass_by(source: MemoryStore, dest: MemoryStore, weather: Weather) {
    let mut rng = Rng::with_seed(weather.seed ^ 0x5eed);
    for _ in 0..weather.passers_by {
        tokio::time::sleep(Duration::from_millis(rng.u64(1..4000))).await;
        let (store, other) = if rng.u64(..3) > 0 { (&source, &dest) } else { (&dest, &source) };
        let key = scenario::meddled_key(&mut rng, store, other);
        let there = store.contents().get(&key).cloned();
        match (rng.u64(..4), there) {
            (0, _) => store.take(key),
            // The same length, as an edit in place leaves it.
            (1, Some(content)) => drop(store.put(key, content.iter().map(|byte| byte ^ 1).collect::<Vec<_>>())),
            _ if scenario::has_room(store, &key) => drop(store.put(key, scenario::content(&mut rng))),
            _ => {}
        }
    }
}
