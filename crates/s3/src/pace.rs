//! The pace of requests: no more a second than was said, and no more than the
//! service takes.
//!
//! A service that is asked too often refuses (503 `SlowDown`, 429). Then requests
//! go out evenly, at a little less than it has just been taking, and faster again
//! along a cubic curve, as TCP's CUBIC does (RFC 9438) and AWS's adaptive retries
//! (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>):
//! steeply at first, hardly at all where the last refusal was, then steeply again.
//! A refusal now and then is none of that, and where as much is refused however
//! slowly it goes, it isn't the pace that is objected to.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// What is left of the pace at which the service refused.
const LEFT: f64 = 0.85;

/// How long it takes to come back to that pace.
const RECOVERY: Duration = Duration::from_secs(5);

/// Refusals within this time are of requests that were under way when the first one came: they count as one.
const ROUND: Duration = Duration::from_millis(250);

/// After so many recoveries without a refusal, nobody is held back any more.
const FORGOTTEN_AFTER: f64 = 4.0;

/// The share of refusals in a second that is noticed, of how many requests at least: fewer are few enough.
const NOTICED: f64 = 0.04;
const LEAST: f64 = 50.0;

/// After so many times that the pace was slowed and hardly less was refused, it is no longer, for a while.
const IN_VAIN: u32 = 6;
const UNHEEDED: Duration = Duration::from_secs(30);

/// How far whoever is late may catch up: timers are only exact to a millisecond or two.
const CATCHING_UP: Duration = Duration::from_millis(50);

/// A limit of requests a second, for all clients that share it.
#[derive(Clone)]
pub struct RequestLimit {
    a_second: NonZeroU32,
    turns: Arc<Mutex<Turns>>,
}

impl RequestLimit {
    /// So many a second.
    #[must_use]
    pub fn a_second(requests: NonZeroU32) -> Self {
        Self { a_second: requests, turns: Arc::default() }
    }
}

impl fmt::Debug for RequestLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} a second", self.a_second)
    }
}

/// Gives turns, evenly.
#[derive(Debug, Default)]
struct Turns {
    next: Option<Instant>,
}

impl Turns {
    /// When the next turn is, where so many are given a second.
    fn take(&mut self, a_second: f64) -> Instant {
        let now = Instant::now();
        let earliest = now.checked_sub(CATCHING_UP).unwrap_or(now);
        let turn = self.next.map_or(now, |next| next.max(earliest));
        self.next = Some(turn + Duration::from_secs_f64(1.0 / a_second));
        turn
    }
}

/// The pace of one client's requests.
#[derive(Debug)]
pub(crate) struct Pace {
    limit: Option<RequestLimit>,
    service: Mutex<Service>,
}

/// What the service takes, as far as it has shown.
#[derive(Debug)]
struct Service {
    taken: Lately,
    refused: Lately,
    /// `None` while it takes everything.
    held_back: Option<HeldBack>,
    /// Until then, refusals are not heeded.
    unheeded_until: Instant,
}

/// How requests are held back.
#[derive(Debug)]
struct HeldBack {
    /// Requests a second at which it refused.
    refused_at: f64,
    since: Instant,
    /// Which share it refused then, and how often that was hardly less than before.
    share: f64,
    in_vain: u32,
    turns: Turns,
}

impl Pace {
    pub(crate) fn new(limit: Option<RequestLimit>) -> Self {
        let now = Instant::now();
        let [taken, refused] = [Lately::starting_at(now), Lately::starting_at(now)];
        let service = Service { taken, refused, held_back: None, unheeded_until: now };
        Self { limit, service: Mutex::new(service) }
    }

    /// Waits until the next request may be sent.
    pub(crate) async fn turn(&self) {
        let held_back = self.service().turn();
        if let Some(turn) = held_back {
            sleep_until(turn).await;
        }
        if let Some(RequestLimit { a_second, turns }) = &self.limit {
            let turn = turns.lock().unwrap_or_else(PoisonError::into_inner).take(a_second.get().into());
            sleep_until(turn).await;
        }
    }

    /// The service has taken a request.
    pub(crate) fn taken(&self) {
        self.service().taken.count(Instant::now());
    }

    /// The service has refused a request because there were too many.
    pub(crate) fn refused(&self) {
        self.service().refuse(Instant::now());
    }

    fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    fn turn(&mut self) -> Option<Instant> {
        let a_second = self.held_back.as_ref()?.a_second(Instant::now());
        if a_second.is_none() {
            self.held_back = None;
        }
        Some(self.held_back.as_mut()?.turns.take(a_second?))
    }

    fn refuse(&mut self, now: Instant) {
        self.refused.count(now);
        if now < self.unheeded_until || self.held_back.as_ref().is_some_and(|held_back| now < held_back.since + ROUND) {
            return;
        }
        let [taken, refused] = [&mut self.taken, &mut self.refused].map(|lately| lately.in_the_last_second(now));
        let share = refused / (taken + refused);
        // By more than chance: twice the deviation of so many that come at random.
        let for_sure = (refused - 2.0 * refused.sqrt()) / (taken + refused);
        if for_sure < NOTICED || taken + refused < LEAST {
            return;
        }
        // Never next to nothing: who waits has had a turn given, and waits for it even if all is well by then.
        let refused_at = (taken / self.taken.watched(now)).max(LEAST);
        let mut in_vain = 0;
        let mut turns = Turns::default();
        if let Some(before) = self.held_back.take() {
            // Where it had come back to the old pace, it was that.
            let at_once = now < before.since + RECOVERY / 2;
            in_vain = if at_once && share >= before.share * 0.8 { before.in_vain + 1 } else { 0 };
            turns = before.turns;
        } else {
            tracing::info!("the service asks to slow down: requests go out more slowly for a while");
        }
        if in_vain >= IN_VAIN {
            self.unheeded_until = now + UNHEEDED;
        } else {
            self.held_back = Some(HeldBack { refused_at, since: now, share, in_vain, turns });
        }
    }
}

impl HeldBack {
    /// How many requests may go out a second now; `None` where that need not be bounded any more.
    fn a_second(&self, now: Instant) -> Option<f64> {
        let recoveries = now.saturating_duration_since(self.since).as_secs_f64() / RECOVERY.as_secs_f64();
        let share = 1.0 + (1.0 - LEFT) * (recoveries - 1.0).powi(3);
        (recoveries < FORGOTTEN_AFTER).then_some(self.refused_at * share)
    }
}

/// How many there were in the last second, by tenths of it.
#[derive(Debug)]
struct Lately {
    start: Instant,
    /// The tenth since the start that the last of the counts is of.
    tenth: u64,
    counts: [u32; 10],
}

impl Lately {
    fn starting_at(start: Instant) -> Self {
        Self { start, tenth: 0, counts: [0; 10] }
    }

    fn count(&mut self, now: Instant) {
        self.move_to(now);
        self.counts[9] += 1;
    }

    fn in_the_last_second(&mut self, now: Instant) -> f64 {
        self.move_to(now);
        f64::from(self.counts.iter().sum::<u32>())
    }

    /// How much of the last second was seen, in seconds.
    fn watched(&self, now: Instant) -> f64 {
        now.saturating_duration_since(self.start).as_secs_f64().clamp(0.05, 1.0)
    }

    fn move_to(&mut self, now: Instant) {
        let tenth = u64::try_from(now.saturating_duration_since(self.start).as_millis() / 100).unwrap_or(u64::MAX);
        let passed = usize::try_from(tenth.saturating_sub(self.tenth)).unwrap_or(usize::MAX).min(10);
        self.counts.copy_within(passed.., 0);
        self.counts[10 - passed..].fill(0);
        self.tenth = self.tenth.max(tenth);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A service that takes so many requests in each second, counted from the
    /// start, and refuses some of them all the same.
    struct Fake {
        start: Instant,
        most: u32,
        whims: f64,
        /// For each second, how many it took, and refused.
        seconds: Mutex<Vec<[u32; 2]>>,
    }

    impl Fake {
        fn takes(&self) -> bool {
            let second = usize::try_from(self.start.elapsed().as_secs()).unwrap();
            let mut seconds = self.seconds.lock().unwrap();
            let length = seconds.len().max(second + 1);
            seconds.resize(length, [0, 0]);
            let is_taken = seconds[second][0] < self.most && fastrand::f64() >= self.whims;
            seconds[second][usize::from(!is_taken)] += 1;
            is_taken
        }
    }

    /// What 64 workers bring about there in so many seconds.
    async fn worked(pace: Pace, most: u32, whims: f64, seconds: u64) -> Vec<[u32; 2]> {
        let (pace, start) = (Arc::new(pace), Instant::now());
        let fake = Arc::new(Fake { start, most, whims, seconds: Mutex::default() });
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let (pace, fake) = (pace.clone(), fake.clone());
            workers.spawn(async move {
                while start.elapsed() < Duration::from_secs(seconds) {
                    pace.turn().await;
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    if fake.takes() {
                        pace.taken();
                    } else {
                        pace.refused();
                        tokio::time::sleep(Duration::from_millis(fastrand::u64(..100))).await;
                    }
                }
            });
        }
        while workers.join_next().await.is_some() {}
        let counts = fake.seconds.lock().unwrap().clone();
        counts[..usize::try_from(seconds).unwrap()].to_vec()
    }

    #[tokio::test(start_paused = true)]
    async fn it_settles_at_what_the_service_takes() {
        let seconds = worked(Pace::new(None), 500, 0.0, 60).await;
        let totals = |seconds: &[[u32; 2]]| [0, 1].map(|which| seconds.iter().map(|second| second[which]).sum::<u32>());
        let [taken, refused] = totals(&seconds[5..]);
        assert!((450..=500).contains(&(taken / 55)), "{taken}: {seconds:?}");
        assert!(refused * 20 < taken + refused, "{refused} were refused of {taken}: {seconds:?}");
        let [taken, refused] = totals(&seconds[..5]);
        assert!(refused < taken, "{refused} were refused at first, and {taken} taken: {seconds:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn where_nothing_is_refused_nobody_waits() {
        let seconds = worked(Pace::new(None), u32::MAX, 0.0, 5).await;
        // 64 at once, 5 ms each.
        assert!(seconds.iter().all(|[taken, _]| *taken > 10_000), "{seconds:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_at_any_pace_does_not_slow_it_down() {
        let alone = worked(Pace::new(None), u32::MAX, 0.0, 30).await;
        for whims in [0.01, 0.03, 0.1, 0.3] {
            let seconds = worked(Pace::new(None), u32::MAX, whims, 30).await;
            let total = |seconds: &[[u32; 2]]| seconds.iter().map(|[taken, _]| f64::from(*taken)).sum::<f64>();
            // Who is refused waits for a moment before the next request.
            let possible = total(&alone) * 5.0 / (5.0 + 50.0 * whims / (1.0 - whims));
            assert!(total(&seconds) > possible * 0.7, "{whims}: {} of {possible}: {seconds:?}", total(&seconds));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_while_without_refusals_it_is_as_fast_as_before() {
        let pace = Pace::new(None);
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..100 {
            pace.taken();
        }
        for _ in 0..20 {
            pace.refused();
        }
        let held_back = |pace: &Pace| pace.service().turn().is_some();
        assert!(held_back(&pace));
        let at = |seconds| {
            let service = pace.service();
            let held_back = service.held_back.as_ref().unwrap();
            held_back.a_second(held_back.since + Duration::from_secs(seconds)).map(f64::round)
        };
        assert_eq!([0, 5, 10].map(at), [Some(85.0), Some(100.0), Some(115.0)]);
        assert_eq!(at(20), None);
        tokio::time::advance(Duration::from_secs(21)).await;
        assert!(!held_back(&pace));
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_holds_for_all_who_share_it() {
        for a_second in [3, 100, 5000] {
            let limit = RequestLimit::a_second(NonZeroU32::new(a_second).unwrap());
            let (start, count) = (Instant::now(), Arc::new(AtomicU32::new(0)));
            let mut workers = tokio::task::JoinSet::new();
            for _ in 0..50 {
                let (pace, count) = (Pace::new(Some(limit.clone())), count.clone());
                workers.spawn(async move {
                    loop {
                        pace.turn().await;
                        if start.elapsed() >= Duration::from_secs(20) {
                            return;
                        }
                        count.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(3)).await;
                    }
                });
            }
            while workers.join_next().await.is_some() {}
            let (count, wanted) = (count.load(Ordering::Relaxed), a_second * 20);
            assert!(count.abs_diff(wanted) * 20 <= wanted, "{count} in place of {wanted}");
        }
    }
}
