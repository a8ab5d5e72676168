//! The bandwidth of all bodies together, in and out: as much as was said.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::outgoing::Progress;

/// How far whoever is late may catch up: timers are only exact to a millisecond or two.
const CATCHING_UP: Duration = Duration::from_millis(50);

/// Steps that a second is cut into: a connection that waits for its turn must not look dead to the service.
const STEPS_A_SECOND: u64 = 64;

/// Bytes in a step.
const STEP: std::ops::RangeInclusive<u64> = 1 << 10..=64 << 10;

/// How long is waited at most without a sign of it.
const SIGN: Duration = Duration::from_secs(1);

/// A limit of bytes a second, for all clients that share it.
#[derive(Clone)]
pub struct Bandwidth(Arc<Inner>);

struct Inner {
    /// Bytes a second that may pass now; `None`: as many as can.
    now: Box<dyn Fn() -> Option<NonZeroU64> + Send + Sync>,
    next: Mutex<Option<Instant>>,
}

impl Bandwidth {
    /// As many bytes a second as this says each time that it is asked; `None`: as many as can.
    pub fn of(now: impl Fn() -> Option<NonZeroU64> + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { now: Box::new(now), next: Mutex::default() }))
    }

    /// How many bytes may be sent at once, of so many.
    pub(crate) fn step(&self, bytes: usize) -> usize {
        let Some(a_second) = (self.0.now)() else { return bytes.min(usize::try_from(*STEP.end()).unwrap_or(bytes)) };
        let step = (a_second.get() / STEPS_A_SECOND).clamp(*STEP.start(), *STEP.end());
        usize::try_from(step).map_or(bytes, |step| bytes.min(step))
    }

    /// From when on so many bytes may pass, and those of nobody else until they are through.
    pub(crate) fn reserve(&self, bytes: u64) -> Instant {
        let now = Instant::now();
        let Some(a_second) = (self.0.now)() else { return now };
        let mut next = self.0.next.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(CATCHING_UP).unwrap_or(now);
        let turn = next.map_or(now, |next| next.max(earliest));
        // Exact enough: a number is rounded only above 2^53.
        #[expect(clippy::cast_precision_loss)]
        let takes = Duration::from_secs_f64(bytes as f64 / a_second.get() as f64);
        *next = turn.checked_add(takes);
        turn
    }

    /// Waits until so many bytes that came may have passed; whoever watches the progress sees that it is not stuck.
    pub(crate) async fn pass(&self, bytes: u64, progress: &Progress) {
        let turn = self.reserve(bytes);
        while Instant::now() < turn {
            sleep_until(next_sign(turn)).await;
            progress.mark();
        }
    }
}

/// When whoever waits for this should give a sign.
pub(crate) fn next_sign(turn: Instant) -> Instant {
    turn.min(Instant::now() + SIGN)
}

impl fmt::Debug for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.now)() {
            Some(a_second) => write!(f, "{a_second} bytes a second"),
            None => f.write_str("unlimited"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn constant(a_second: u64) -> Bandwidth {
        Bandwidth::of(move || NonZeroU64::new(a_second))
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_holds_for_all_who_share_it() {
        for a_second in [20_000, 1 << 20, 100 << 20] {
            let (bandwidth, start) = (constant(a_second), Instant::now());
            let passed = Arc::new(AtomicU64::new(0));
            let mut bodies = tokio::task::JoinSet::new();
            for _ in 0..20 {
                let (bandwidth, passed) = (bandwidth.clone(), passed.clone());
                bodies.spawn(async move {
                    let progress = Progress::new();
                    loop {
                        let step = bandwidth.step(10 << 20) as u64;
                        bandwidth.pass(step, &progress).await;
                        if start.elapsed() >= Duration::from_secs(20) {
                            return;
                        }
                        passed.fetch_add(step, Ordering::Relaxed);
                        // What the network takes.
                        tokio::time::sleep(Duration::from_micros(300)).await;
                    }
                });
            }
            while bodies.join_next().await.is_some() {}
            let (passed, wanted) = (passed.load(Ordering::Relaxed), a_second * 20);
            assert!(passed.abs_diff(wanted) * 20 <= wanted, "{passed} in place of {wanted}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_long_does_not_look_stuck() {
        let (bandwidth, progress, start) = (constant(1), Progress::new(), Instant::now());
        bandwidth.pass(600, &progress).await;
        tokio::select! {
            () = progress.stalled(Duration::from_mins(1)) => panic!("it looks stuck"),
            () = bandwidth.pass(1, &progress) => {}
        }
        assert!(start.elapsed() >= Duration::from_mins(10), "600 bytes at one a second");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nobody_waits() {
        let (bandwidth, start) = (Bandwidth::of(|| None), Instant::now());
        bandwidth.pass(u64::MAX, &Progress::new()).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
}
