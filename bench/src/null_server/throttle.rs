//! How many requests a second are taken: a token bucket.

use std::time::Instant;

/// The part of a second's requests that may come at once.
const AT_ONCE: f64 = 0.1;

/// Takes so many requests a second, and refuses the others.
#[derive(Debug)]
pub(super) struct Throttle {
    a_second: f64,
    /// Requests that may come now.
    tokens: f64,
    /// When they were last reckoned.
    at: Instant,
}

impl Throttle {
    pub(super) fn new(a_second: u32, now: Instant) -> Self {
        let a_second = f64::from(a_second);
        Self { a_second, tokens: a_second * AT_ONCE, at: now }
    }

    /// Whether a request that comes now is taken.
    pub(super) fn takes(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.tokens = (self.tokens + since * self.a_second).min(self.a_second * AT_ONCE);
        self.at = now;
        let is_taken = self.tokens >= 1.0;
        if is_taken {
            self.tokens -= 1.0;
        }
        is_taken
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// How many are taken of so many a second, evenly, for ten seconds.
    fn taken(throttle: &mut Throttle, start: Instant, a_second: u32) -> u32 {
        let times = (0..a_second * 10).map(|number| start + Duration::from_secs(1) * number / a_second);
        times.map(|now| u32::from(throttle.takes(now))).sum()
    }

    #[test]
    fn no_more_are_taken_than_was_said_however_many_come() {
        for (comes, expected) in [(400, 4000..=4000), (499, 4990..=4990), (1000, 4990..=5050), (20_000, 4990..=5050)] {
            let start = Instant::now();
            let taken = taken(&mut Throttle::new(500, start), start, comes);
            assert!(expected.contains(&taken), "{taken} of {comes} a second");
        }
    }

    #[test]
    fn who_waits_may_send_no_more_than_a_few_at_once() {
        let start = Instant::now();
        let mut throttle = Throttle::new(500, start);
        let later = start + Duration::from_hours(1);
        assert_eq!((0..1000).filter(|_| throttle.takes(later)).count(), 50);
    }
}
