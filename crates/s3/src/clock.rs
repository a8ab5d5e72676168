//! How far the service's clock runs from ours.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::timestamp::parse_http_date;

/// How far the service's clock runs from the local one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockSkew {
    /// By how much they differ; good to about a second, which is how exactly
    /// a `Date` header tells the time.
    pub by: Duration,
    /// Whether the service's clock is the one ahead.
    pub service_ahead: bool,
}

/// What a client knows of the service's clock. Both are milliseconds that the
/// service is ahead.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// The newest answer's `Date`.
    last: Mutex<String>,
    /// From the newest answer that told the time.
    measured: AtomicI64,
    /// Whether any answer did.
    is_told: AtomicBool,
    /// Signatures are made for this much later: nothing, until the service
    /// complains, since its `Date` is coarser than our clock.
    correction: AtomicI64,
}

impl Clock {
    /// Learns from an answer's `Date`, unless the one before had the same:
    /// what comes late in a second tells nothing more of it.
    pub(crate) fn read(&self, date: &str, now: SystemTime) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == date {
            return;
        }
        date.clone_into(&mut last);
        drop(last);
        if let Some(date) = parse_http_date(date) {
            self.observe(date, now);
        }
    }

    /// Learns what the service's clock showed.
    pub(crate) fn observe(&self, date: SystemTime, now: SystemTime) {
        // The header was cut to seconds: half a second is the likely rest.
        let date = date + Duration::from_millis(500);
        let ahead = match date.duration_since(now) {
            Ok(ahead) => millis(ahead),
            Err(behind) => -millis(behind.duration()),
        };
        self.measured.store(ahead, Ordering::Relaxed);
        self.is_told.store(true, Ordering::Release);
    }

    /// From now on signs for the service's time, as last seen.
    pub(crate) fn correct(&self) {
        self.correction.store(self.measured.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    /// The moment to sign for.
    pub(crate) fn signing_time(&self, now: SystemTime) -> SystemTime {
        let correction = self.correction.load(Ordering::Relaxed);
        let by = Duration::from_millis(correction.unsigned_abs());
        let corrected = if correction >= 0 { now.checked_add(by) } else { now.checked_sub(by) };
        corrected.unwrap_or(now)
    }

    /// What was measured last; `None` before any answer told the time.
    pub(crate) fn skew(&self) -> Option<ClockSkew> {
        let is_told = self.is_told.load(Ordering::Acquire);
        let ahead = self.measured.load(Ordering::Relaxed);
        is_told.then(|| ClockSkew { by: Duration::from_millis(ahead.unsigned_abs()), service_ahead: ahead > 0 })
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_follow_the_service_only_once_it_complained() {
        let clock = Clock::default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        clock.read("yesterday", now);
        assert_eq!(clock.skew(), None);
        clock.observe(now - Duration::from_mins(15), now);
        assert_eq!(clock.skew(), Some(ClockSkew { by: Duration::from_millis(899_500), service_ahead: false }));
        assert_eq!(clock.signing_time(now), now);
        clock.correct();
        assert_eq!(clock.signing_time(now), now - Duration::from_millis(899_500));
        clock.observe(now + Duration::from_secs(1), now);
        assert_eq!(clock.skew(), Some(ClockSkew { by: Duration::from_millis(1500), service_ahead: true }));
    }
}
