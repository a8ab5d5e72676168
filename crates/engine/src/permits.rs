//! Permits: what bounds a run, in requests in flight and in bytes of memory.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{MissedTickBehavior, interval};

use crate::growth::Growth;
use crate::job::AtOnce;

/// How often it is looked whether more requests in flight would help.
const LOOK: Duration = Duration::from_millis(50);

/// Bytes of memory that one permit stands for.
const MEMORY_UNIT: u64 = 4096;

/// The permits of a run.
///
/// They are taken in one order: an object's place, then memory, then a
/// request. None is held while one that comes before it is waited for, so
/// there can be no deadlock.
#[derive(Clone, Debug)]
pub(crate) struct Permits {
    objects: Arc<Pool>,
    requests: Arc<Pool>,
    memory: Arc<Semaphore>,
    memory_units: u32,
    growth: Arc<Mutex<Growth>>,
    /// How many permits for requests were given so far.
    given: Arc<AtomicU64>,
}

/// Permits of which there may be more or fewer as it goes.
#[derive(Debug)]
struct Pool {
    semaphore: Arc<Semaphore>,
    /// How many are to be taken out, by those who get them next.
    too_many: AtomicUsize,
}

impl Pool {
    fn of(permits: usize) -> Self {
        Self { semaphore: Arc::new(Semaphore::new(permits)), too_many: AtomicUsize::new(0) }
    }

    async fn take(&self) -> Permit {
        loop {
            let permit = self.semaphore.clone().acquire_owned().await.ok()?;
            let one_less = |too_many: usize| too_many.checked_sub(1);
            if self.too_many.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_err() {
                return Some(permit);
            }
            permit.forget();
        }
    }

    /// There were so many, and are to be so many. One at a time changes it.
    fn change(&self, before: usize, now: usize) {
        let more = now.saturating_sub(before);
        let stay = self.too_many.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |too_many| {
            Some(too_many.saturating_sub(more) + before.saturating_sub(now))
        });
        self.semaphore.add_permits(more.saturating_sub(stay.unwrap_or(0)));
    }
}

/// A permit, given back when it is dropped. A semaphore of ours is never
/// closed, so there always is one.
pub(crate) type Permit = Option<OwnedSemaphorePermit>;

impl Permits {
    /// So many objects, and requests, at once, with so many bytes of content in memory.
    pub(crate) fn new(jobs: AtOnce, memory: u64) -> Self {
        let growth = Growth::new(jobs.within(Semaphore::MAX_PERMITS));
        let jobs = growth.wanted();
        let memory_units = units(memory);
        Self {
            objects: Arc::new(Pool::of(jobs)),
            requests: Arc::new(Pool::of(jobs)),
            memory: Arc::new(Semaphore::new(memory_units as usize)),
            memory_units,
            growth: Arc::new(Mutex::new(growth)),
            given: Arc::default(),
        }
    }

    /// Gives more permits, or fewer, as it turns out to help. Never ends; any number may be at it.
    pub(crate) async fn adapt(&self) -> std::convert::Infallible {
        if !self.growth.lock().unwrap_or_else(PoisonError::into_inner).may_change() {
            return std::future::pending().await;
        }
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let mut growth = self.growth.lock().unwrap_or_else(PoisonError::into_inner);
            let before = growth.wanted();
            let all = [&self.objects, &self.requests];
            let are_all_taken = all.iter().any(|permits| permits.semaphore.available_permits() == 0);
            // Those in flight are not done.
            let in_flight = before.saturating_sub(self.requests.semaphore.available_permits()) as u64;
            let done = self.given.load(Ordering::Relaxed).saturating_sub(in_flight);
            growth.look(done, if are_all_taken { before } else { 0 });
            for permits in all {
                permits.change(before, growth.wanted());
            }
        }
    }

    /// Gives no more than so many from now on, unless their number was said.
    pub(crate) fn keep_within(&self, most: usize) {
        let mut growth = self.growth.lock().unwrap_or_else(PoisonError::into_inner);
        let before = growth.wanted();
        growth.keep_within(most);
        for permits in [&self.objects, &self.requests] {
            permits.change(before, growth.wanted());
        }
    }

    /// Whether no request is in flight.
    pub(crate) fn are_idle(&self) -> bool {
        let growth = self.growth.lock().unwrap_or_else(PoisonError::into_inner);
        let all = growth.wanted() + self.requests.too_many.load(Ordering::Relaxed);
        self.requests.semaphore.available_permits() >= all
    }

    /// Waits for a place for one more object.
    pub(crate) async fn object(&self) -> Permit {
        self.objects.take().await
    }

    /// Waits for memory for so many bytes; for more than there is, it waits for all of it.
    pub(crate) async fn memory(&self, bytes: u64) -> Permit {
        let wanted = units(bytes).min(self.memory_units);
        self.memory.clone().acquire_many_owned(wanted).await.ok()
    }

    /// Waits until one more request may be in flight.
    pub(crate) async fn request(&self) -> Permit {
        let permit = self.requests.take().await;
        self.given.fetch_add(1, Ordering::Relaxed);
        permit
    }
}

fn units(bytes: u64) -> u32 {
    let most = u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX);
    u32::try_from(bytes.div_ceil(MEMORY_UNIT)).unwrap_or(most).clamp(1, most)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn no_more_is_given_than_there_is() {
        let permits = Permits::new(AtOnce::Exactly(2), 3 * MEMORY_UNIT);
        assert!(permits.are_idle());
        let held: Vec<Permit> = (0..2).filter_map(|_| permits.request().now_or_never()).collect();
        assert_eq!(held.len(), 2);
        assert!(!permits.are_idle());
        assert!(permits.request().now_or_never().is_none(), "a third request waits");
        let held = permits.memory(2 * MEMORY_UNIT).now_or_never();
        assert!(held.is_some());
        assert!(permits.memory(MEMORY_UNIT + 1).now_or_never().is_none(), "two units are more than is left");
        assert!(permits.memory(MEMORY_UNIT).now_or_never().is_some());
    }

    #[test]
    fn what_needs_more_than_there_is_gets_all_of_it() {
        let permits = Permits::new(AtOnce::Exactly(0), 0);
        assert!(permits.request().now_or_never().is_some(), "there is always one");
        let held = permits.memory(u64::MAX).now_or_never();
        assert!(held.is_some());
        assert!(permits.memory(1).now_or_never().is_none());
        drop(held);
        assert!(permits.memory(1).now_or_never().is_some());
    }

    /// What takes as long with many at once as with few is done by more and more.
    #[tokio::test(start_paused = true)]
    async fn there_are_more_while_that_helps_and_fewer_when_it_does_not() {
        for (helps, expected) in [(true, 32), (false, 4)] {
            let permits = Permits::new(AtOnce::Growing { from: 4, to: 32 }, 0);
            let one_by_one = Arc::new(tokio::sync::Mutex::new(()));
            let mut workers = tokio::task::JoinSet::new();
            for _ in 0..64 {
                let (permits, one_by_one) = (permits.clone(), one_by_one.clone());
                workers.spawn(async move {
                    loop {
                        let _place = permits.object().await;
                        let _request = permits.request().await;
                        let _turn = if helps { None } else { Some(one_by_one.lock().await) };
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                });
            }
            let _ = tokio::time::timeout(Duration::from_secs(5), permits.adapt()).await;
            workers.shutdown().await;
            let left = [&permits.objects, &permits.requests].map(|pool| pool.semaphore.available_permits());
            assert_eq!(left, [expected; 2], "helps: {helps}");
        }
    }
}
