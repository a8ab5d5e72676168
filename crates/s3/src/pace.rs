//! The pace of requests: no more a second than was said, and no more than the
//! service takes.
//!
//! A service that is asked too often refuses (503 `SlowDown`, 429), all of it, or, where
//! it is known to be so, the part of it that holds the keys of one prefix. A refusal now and then is
//! none of that, and where as much is refused however slowly it goes, it isn't the pace that is objected to.

mod prefixes;
mod service;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use prefixes::Prefixes;
use service::Service;

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
    /// Where the service is known to refuse by prefix.
    prefixes: Option<Mutex<Prefixes>>,
}

impl Pace {
    /// Of a service that refuses as a whole, or by prefix.
    pub(crate) fn new(limit: Option<RequestLimit>, is_by_prefix: bool) -> Self {
        let prefixes = is_by_prefix.then(Mutex::default);
        Self { limit, service: Mutex::new(Service::new(Instant::now())), prefixes }
    }

    /// Waits until the next request, about this key if it is about one, may be sent.
    pub(crate) async fn turn(&self, key: Option<&str>) {
        let held_back = self.of_prefix(key, Service::turn).flatten();
        if let Some(turn) = held_back {
            sleep_until(turn).await;
        }
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
    pub(crate) fn taken(&self, key: Option<&str>) {
        let now = Instant::now();
        self.of_prefix(key, |service| service.take(now));
        self.service().take(now);
    }

    /// The service has refused a request because there were too many. Only what is
    /// not known to be one prefix's doing holds back the others.
    pub(crate) fn refused(&self, key: Option<&str>) {
        let now = Instant::now();
        let of_prefix = self.of_prefix(key, |service| (service.refuse(now), service.deals_with_refusals(now)));
        let (begins, is_dealt_with) = of_prefix.unwrap_or_default();
        let begins = begins || (!is_dealt_with && self.service().refuse(now));
        if begins {
            tracing::info!("the service asks to slow down: requests go out more slowly for a while");
        }
    }

    fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does this with what is known of the key's prefix, if that counts.
    fn of_prefix<T>(&self, key: Option<&str>, does: impl FnOnce(&mut Service) -> T) -> Option<T> {
        let (prefixes, key) = self.prefixes.as_ref().zip(key)?;
        Some(prefixes.lock().unwrap_or_else(PoisonError::into_inner).with(key, does))
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
        fn new(most: u32, whims: f64) -> Arc<Self> {
            Arc::new(Self { start: Instant::now(), most, whims, seconds: Mutex::default() })
        }

        fn takes(&self) -> bool {
            let second = usize::try_from(self.start.elapsed().as_secs()).unwrap();
            let mut seconds = self.seconds.lock().unwrap();
            let length = seconds.len().max(second + 1);
            seconds.resize(length, [0, 0]);
            let is_taken = seconds[second][0] < self.most && fastrand::f64() >= self.whims;
            seconds[second][usize::from(!is_taken)] += 1;
            is_taken
        }

        /// How many it took, and refused, in these seconds.
        fn totals(&self, seconds: std::ops::Range<usize>) -> [u32; 2] {
            let counts = self.seconds.lock().unwrap();
            [0, 1].map(|which| counts[seconds.clone()].iter().map(|second| second[which]).sum())
        }
    }

    /// Asks there, about keys that this makes, until so many seconds have passed.
    async fn work(pace: Arc<Pace>, fake: Arc<Fake>, seconds: u64, key: impl Fn() -> Option<String>) {
        while fake.start.elapsed() < Duration::from_secs(seconds) {
            let key = key();
            pace.turn(key.as_deref()).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
            if fake.takes() {
                pace.taken(key.as_deref());
            } else {
                pace.refused(key.as_deref());
                tokio::time::sleep(Duration::from_millis(fastrand::u64(..100))).await;
            }
        }
    }

    /// What 64 workers bring about there in so many seconds.
    async fn worked(pace: Pace, most: u32, whims: f64, seconds: u64) -> Vec<[u32; 2]> {
        let (pace, fake) = (Arc::new(pace), Fake::new(most, whims));
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..64 {
            workers.spawn(work(Arc::clone(&pace), Arc::clone(&fake), seconds, || None));
        }
        workers.join_all().await;
        let counts = fake.seconds.lock().unwrap().clone();
        counts[..usize::try_from(seconds).unwrap()].to_vec()
    }

    #[tokio::test(start_paused = true)]
    async fn a_prefix_that_is_asked_too_often_does_not_hold_back_the_others() {
        let pace = Arc::new(Pace::new(None, true));
        let (hot, cool) = (Fake::new(300, 0.0), Fake::new(u32::MAX, 0.0));
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..32 {
            workers.spawn(work(Arc::clone(&pace), Arc::clone(&hot), 40, || Some("hot/key".to_owned())));
            workers.spawn(work(Arc::clone(&pace), Arc::clone(&cool), 40, || Some("cool/key".to_owned())));
        }
        workers.join_all().await;
        let [taken, refused] = hot.totals(5..40);
        assert!((270..=300).contains(&(taken / 35)) && refused * 20 < taken + refused, "{taken} {refused}");
        // 32 at once, 5 ms each.
        let [taken, _] = cool.totals(1..40);
        assert!(taken > 39 * 5000, "{taken}");
    }

    #[tokio::test(start_paused = true)]
    async fn where_no_prefix_refuses_much_by_itself_all_are_held_back() {
        let (pace, all) = (Arc::new(Pace::new(None, true)), Fake::new(500, 0.0));
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..64 {
            let key = || Some(format!("{}/key", fastrand::u32(..10_000)));
            workers.spawn(work(Arc::clone(&pace), Arc::clone(&all), 40, key));
        }
        workers.join_all().await;
        let [taken, refused] = all.totals(5..40);
        assert!((450..=500).contains(&(taken / 35)) && refused * 20 < taken + refused, "{taken} {refused}");
    }

    #[tokio::test(start_paused = true)]
    async fn it_settles_at_what_the_service_takes() {
        let seconds = worked(Pace::new(None, false), 500, 0.0, 60).await;
        let totals = |seconds: &[[u32; 2]]| [0, 1].map(|which| seconds.iter().map(|second| second[which]).sum::<u32>());
        let [taken, refused] = totals(&seconds[5..]);
        assert!((450..=500).contains(&(taken / 55)), "{taken}: {seconds:?}");
        assert!(refused * 20 < taken + refused, "{refused} were refused of {taken}: {seconds:?}");
        let [taken, refused] = totals(&seconds[..5]);
        assert!(refused < taken, "{refused} were refused at first, and {taken} taken: {seconds:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn where_nothing_is_refused_nobody_waits() {
        let seconds = worked(Pace::new(None, false), u32::MAX, 0.0, 5).await;
        // 64 at once, 5 ms each.
        assert!(seconds.iter().all(|[taken, _]| *taken > 10_000), "{seconds:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_refused_at_any_pace_does_not_slow_it_down() {
        let alone = worked(Pace::new(None, false), u32::MAX, 0.0, 30).await;
        for whims in [0.01, 0.03, 0.1, 0.3] {
            let seconds = worked(Pace::new(None, false), u32::MAX, whims, 30).await;
            let total = |seconds: &[[u32; 2]]| seconds.iter().map(|[taken, _]| f64::from(*taken)).sum::<f64>();
            // Who is refused waits for a moment before the next request.
            let possible = total(&alone) * 5.0 / (5.0 + 50.0 * whims / (1.0 - whims));
            assert!(total(&seconds) > possible * 0.7, "{whims}: {} of {possible}: {seconds:?}", total(&seconds));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_holds_for_all_who_share_it() {
        for a_second in [3, 100, 5000] {
            let limit = RequestLimit::a_second(NonZeroU32::new(a_second).unwrap());
            let (start, count) = (Instant::now(), Arc::new(AtomicU32::new(0)));
            let mut workers = tokio::task::JoinSet::new();
            for _ in 0..50 {
                let (pace, count) = (Pace::new(Some(limit.clone()), false), count.clone());
                workers.spawn(async move {
                    loop {
                        pace.turn(None).await;
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
