//! Whether a request is sent again, and after which pause.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::error::ErrorKind;
use crate::failure::Failure;
use crate::operations::Operation;

/// The longest pause that is chosen here.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// The longest pause that the service may ask for.
const LONGEST_RETRY_AFTER: Duration = Duration::from_mins(1);
/// Attempts where nothing has ever answered: the address is likely wrong, and
/// the person should hear of it soon.
const ATTEMPTS_WITHOUT_CONTACT: u32 = 3;
/// Attempts where the answers make no sense.
const ATTEMPTS_AT_NONSENSE: u32 = 3;

/// What to do after an attempt has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Mend the cause, then send it again at once.
    Mend(Remedy),
    /// Send it again after a pause.
    Again(Duration),
    /// Tell the caller.
    GiveUp,
}

/// What mends a cause; each is tried once for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Remember the region in which the bucket is.
    Region,
    /// Sign for the service's time.
    Clock,
    /// Fetch new credentials.
    Credentials,
}

/// The course of one request through its attempts.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    attempts: u32,
    max_attempts: u32,
    first_pause: Duration,
    tried: Vec<Remedy>,
    /// Whether an attempt may have been carried out without our knowing.
    pub(crate) lost_reply: bool,
}

impl Course {
    pub(crate) fn new(max_attempts: u32, first_pause: Duration) -> Self {
        Self { attempts: 0, max_attempts, first_pause, tried: Vec::new(), lost_reply: false }
    }

    /// Begins an attempt; says whether it is a retry.
    pub(crate) fn begin(&mut self) -> bool {
        self.attempts += 1;
        self.attempts > 1
    }

    /// Decides what to do about a failure.
    pub(crate) fn next(&mut self, operation: Operation, failure: &Failure, budget: &Budget, reached: bool) -> Next {
        if let Some(remedy) = remedy_for(failure).filter(|remedy| !self.tried.contains(remedy)) {
            self.tried.push(remedy);
            return Next::Mend(remedy);
        }
        if self.attempts >= self.attempts_for(operation, failure, reached) {
            return Next::GiveUp;
        }
        self.lost_reply |= failure.may_be_done;
        let pause = self.pause(budget.spend());
        Next::Again(match failure.retry_after {
            Some(asked) => pause.max(asked.min(LONGEST_RETRY_AFTER)),
            None => pause,
        })
    }

    fn attempts_for(&self, operation: Operation, failure: &Failure, reached: bool) -> u32 {
        match failure.kind {
            ErrorKind::Unreachable if !reached => self.max_attempts.min(ATTEMPTS_WITHOUT_CONTACT),
            // After a conflict the parts are gone
            // (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html).
            ErrorKind::Conflict if operation == Operation::CompleteMultipartUpload => 1,
            ErrorKind::Throttled
            | ErrorKind::ServerFault
            | ErrorKind::TimedOut
            | ErrorKind::Unreachable
            | ErrorKind::Conflict
            | ErrorKind::Corrupt => self.max_attempts,
            ErrorKind::BadAnswer => self.max_attempts.min(ATTEMPTS_AT_NONSENSE),
            _ => 1,
        }
    }

    /// Exponential with full jitter
    /// (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
    /// With the budget spent, the whole longest pause is at stake at once.
    fn pause(&self, within_budget: bool) -> Duration {
        let doubled = self.first_pause.saturating_mul(1 << (self.attempts - 1).min(16));
        let longest =
            if within_budget { doubled.min(LONGEST_PAUSE) } else { LONGEST_PAUSE.min(self.first_pause * 200) };
        longest.mul_f64(fastrand::f64())
    }
}

fn remedy_for(failure: &Failure) -> Option<Remedy> {
    if failure.region.is_some() {
        return Some(Remedy::Region);
    }
    let code = failure.refusal.as_ref().and_then(|refusal| refusal.code.as_deref());
    match (failure.kind, code) {
        (ErrorKind::Clock, _) => Some(Remedy::Clock),
        (ErrorKind::Credentials, Some("ExpiredToken" | "TokenRefreshRequired" | "InvalidToken")) => {
            Some(Remedy::Credentials)
        }
        _ => None,
    }
}

/// What retries may cost all requests of a client together. When it is spent,
/// retries are slower; they are never refused.
#[derive(Debug)]
pub(crate) struct Budget(AtomicU32);

impl Budget {
    const FULL: u32 = 500;
    const RETRY: u32 = 5;

    /// Takes what a retry costs; says whether it was there.
    fn spend(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(Self::RETRY)).is_ok()
    }

    /// A success gives a little back.
    pub(crate) fn earn(&self) {
        if self.0.load(Ordering::Relaxed) < Self::FULL {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicU32::new(Self::FULL))
    }
}
