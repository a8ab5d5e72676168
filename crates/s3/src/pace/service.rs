//! What one part of a service takes, as far as its refusals show.
//!
//! Where it is asked too often, requests go out evenly, at a little less than it has
//! just been taking, and faster again along a cubic curve, as TCP's CUBIC does (RFC 9438) and AWS's adaptive
//! retries (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>): steeply at first,
//! hardly at all where the last refusal was, then steeply again.

use std::time::Duration;

use tokio::time::Instant;

use super::Turns;

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

/// What the service takes, as far as it has shown.
#[derive(Debug)]
pub(super) struct Service {
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

impl Service {
    pub(super) fn new(now: Instant) -> Self {
        let [taken, refused] = [Lately::starting_at(now), Lately::starting_at(now)];
        Self { taken, refused, held_back: None, unheeded_until: now }
    }

    /// When the next request may go out; `None` where nobody is held back.
    pub(super) fn turn(&mut self) -> Option<Instant> {
        let a_second = self.held_back.as_ref()?.a_second(Instant::now());
        if a_second.is_none() {
            self.held_back = None;
        }
        Some(self.held_back.as_mut()?.turns.take(a_second?))
    }

    /// It has taken a request.
    pub(super) fn take(&mut self, now: Instant) {
        self.taken.count(now);
    }

    /// Whether it is known by now that it is this part which refuses.
    pub(super) fn deals_with_refusals(&self, now: Instant) -> bool {
        self.held_back.is_some() || now < self.unheeded_until
    }

    /// It has refused a request because there were too many; whether that is why requests are held back from now on.
    pub(super) fn refuse(&mut self, now: Instant) -> bool {
        self.refused.count(now);
        if now < self.unheeded_until || self.held_back.as_ref().is_some_and(|held_back| now < held_back.since + ROUND) {
            return false;
        }
        let [taken, refused] = [&mut self.taken, &mut self.refused].map(|lately| lately.in_the_last_second(now));
        let share = refused / (taken + refused);
        // By more than chance: twice the deviation of so many that come at random.
        let for_sure = (refused - 2.0 * refused.sqrt()) / (taken + refused);
        if for_sure < NOTICED || taken + refused < LEAST {
            return false;
        }
        // Never next to nothing: who waits has had a turn given, and waits for it even if all is well by then.
        let refused_at = (taken / self.taken.watched(now)).max(LEAST);
        let begins = self.held_back.is_none();
        let mut in_vain = 0;
        let mut turns = Turns::default();
        if let Some(before) = self.held_back.take() {
            // Where it had come back to the old pace, it was that.
            let at_once = now < before.since + RECOVERY / 2;
            in_vain = if at_once && share >= before.share * 0.8 { before.in_vain + 1 } else { 0 };
            turns = before.turns;
        }
        if in_vain >= IN_VAIN {
            self.unheeded_until = now + UNHEEDED;
        } else {
            self.held_back = Some(HeldBack { refused_at, since: now, share, in_vain, turns });
        }
        begins
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
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn after_a_while_without_refusals_it_is_as_fast_as_before() {
        let mut service = Service::new(Instant::now());
        tokio::time::advance(Duration::from_secs(1)).await;
        for _ in 0..100 {
            service.take(Instant::now());
        }
        let begun = (0..20).filter(|_| service.refuse(Instant::now())).count();
        assert_eq!((begun, service.turn().is_some()), (1, true));
        let at = |seconds| {
            let held_back = service.held_back.as_ref().unwrap();
            held_back.a_second(held_back.since + Duration::from_secs(seconds)).map(f64::round)
        };
        assert_eq!([0, 5, 10].map(at), [Some(85.0), Some(100.0), Some(115.0)]);
        assert_eq!(at(20), None);
        tokio::time::advance(Duration::from_secs(21)).await;
        assert!(service.turn().is_none());
    }
}
