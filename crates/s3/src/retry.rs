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
/// So many attempts are as many as it takes: what may pass is waited for, even where nothing has ever answered.
pub(crate) const FOR_EVER: u32 = u32::MAX;
/// Attempts where nothing has ever answered: the address is likely wrong, and
/// the person should hear of it soon.
const ATTEMPTS_WITHOUT_CONTACT: u32 = 3;
/// Attempts whose answers are wrong, of all attempts: it may be on the way, or stay so.
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
    /// How many were begun.
    pub(crate) attempts: u32,
    /// How many had a wrong answer.
    wrong_answers: u32,
    max_attempts: u32,
    first_pause: Duration,
    tried: Vec<Remedy>,
    /// Whether an attempt, the last one too, may have been carried out without our knowing.
    pub(crate) lost_reply: bool,
}

impl Course {
    pub(crate) fn new(max_attempts: u32, first_pause: Duration) -> Self {
        Self { attempts: 0, wrong_answers: 0, max_attempts, first_pause, tried: Vec::new(), lost_reply: false }
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
        self.lost_reply |= failure.may_be_done;
        let is_wrong = matches!(failure.kind, ErrorKind::Corrupt | ErrorKind::BadAnswer);
        self.wrong_answers += u32::from(is_wrong);
        if self.attempts >= self.attempts_for(operation, failure, reached) || self.wrong_answers >= ATTEMPTS_AT_NONSENSE
        {
            return Next::GiveUp;
        }
        let pause = self.pause(budget.spend());
        Next::Again(match failure.retry_after {
            Some(asked) => pause.max(asked.min(LONGEST_RETRY_AFTER)),
            None => pause,
        })
    }

    fn attempts_for(&self, operation: Operation, failure: &Failure, reached: bool) -> u32 {
        match failure.kind {
            ErrorKind::Unreachable | ErrorKind::TimedOut if !reached && self.max_attempts < FOR_EVER => {
                self.max_attempts.min(ATTEMPTS_WITHOUT_CONTACT)
            }
            // After a conflict the parts are gone
            // (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html).
            ErrorKind::Conflict if operation == Operation::CompleteMultipartUpload => 1,
            // It was written, and wrong: what stands there now would be in the way of its own condition.
            ErrorKind::Corrupt if failure.refusal.is_none() && operation.makes_visible() => 1,
            ErrorKind::Throttled
            | ErrorKind::ServerFault
            | ErrorKind::TimedOut
            | ErrorKind::Unreachable
            | ErrorKind::Conflict
            | ErrorKind::Corrupt
            | ErrorKind::BadAnswer => self.max_attempts,
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
        (ErrorKind::Credentials, Some(code)) if says_they_ended(code) => Some(Remedy::Credentials),
        // A HEAD's refusal has no code, and only a token gets this one.
        (ErrorKind::Credentials, None) if failure.is_unauthorized() => Some(Remedy::Credentials),
        _ => None,
    }
}

/// Whether a code says of credentials, which may have been good, that they are so no more, whatever they are used for.
/// A wrong signature is of one request: some services and proxies get it wrong for some keys.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>. The last one is Google's, of a token
/// (<https://github.com/googleapis/google-cloud-go/issues/8764>).
pub(crate) fn says_they_ended(code: &str) -> bool {
    matches!(
        code,
        "ExpiredToken" | "TokenRefreshRequired" | "InvalidToken" | "InvalidAccessKeyId" | "AuthenticationRequired"
    )
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

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::error::Refusal;

    fn failure(kind: ErrorKind) -> Failure {
        Failure { kind, refusal: None, message: String::new(), region: None, retry_after: None, may_be_done: false }
    }

    fn refused(kind: ErrorKind, code: &str) -> Failure {
        let refusal = Refusal { status: StatusCode::FORBIDDEN, code: Some(code.to_owned()), request_id: None };
        Failure { refusal: Some(Box::new(refusal)), ..failure(kind) }
    }

    /// How often a request that fails like this is sent.
    fn attempts(operation: Operation, failure: &Failure, reached: bool) -> u32 {
        let mut course = Course::new(10, Duration::from_millis(1));
        loop {
            course.begin();
            if course.next(operation, failure, &Budget::default(), reached) == Next::GiveUp {
                return course.attempts;
            }
        }
    }

    #[test]
    fn attempts_depend_on_what_failed() {
        let put = Operation::PutObject;
        let table = [
            (put, ErrorKind::Throttled, true, 10),
            (put, ErrorKind::ServerFault, true, 10),
            (put, ErrorKind::TimedOut, true, 10),
            (put, ErrorKind::Unreachable, true, 10),
            (put, ErrorKind::Unreachable, false, 3),
            (put, ErrorKind::TimedOut, false, 3),
            (put, ErrorKind::Corrupt, true, 1),
            (Operation::UploadPart, ErrorKind::Corrupt, true, 3),
            (Operation::GetObject, ErrorKind::Corrupt, true, 3),
            (put, ErrorKind::Conflict, true, 10),
            (Operation::CompleteMultipartUpload, ErrorKind::Conflict, true, 1),
            (put, ErrorKind::BadAnswer, true, 3),
            (put, ErrorKind::AccessDenied, true, 1),
            (put, ErrorKind::PreconditionFailed, true, 1),
            (put, ErrorKind::NotFound, true, 1),
        ];
        for (operation, kind, reached, expected) in table {
            assert_eq!(attempts(operation, &failure(kind), reached), expected, "{kind:?}");
        }
    }

    #[test]
    fn only_wrong_answers_count_against_what_is_wrong() {
        let mut course = Course::new(10, Duration::ZERO);
        let kinds = [ErrorKind::Throttled, ErrorKind::ServerFault, ErrorKind::Corrupt, ErrorKind::BadAnswer];
        for kind in kinds {
            course.begin();
            let next = course.next(Operation::UploadPart, &failure(kind), &Budget::default(), true);
            assert_eq!(next, Next::Again(Duration::ZERO), "{kind:?}");
        }
        course.begin();
        let next = course.next(Operation::UploadPart, &failure(ErrorKind::Corrupt), &Budget::default(), true);
        assert_eq!(next, Next::GiveUp);
    }

    #[test]
    fn what_may_pass_is_waited_for_as_long_as_it_takes() {
        let table = [
            (ErrorKind::Throttled, true),
            (ErrorKind::ServerFault, true),
            (ErrorKind::TimedOut, true),
            (ErrorKind::Unreachable, true),
            (ErrorKind::AccessDenied, false),
            (ErrorKind::NotFound, false),
            (ErrorKind::BadAnswer, false),
        ];
        for (kind, goes_on) in table {
            for reached in [false, true] {
                let mut course = Course::new(FOR_EVER, Duration::ZERO);
                (course.attempts, course.wrong_answers) = (1_000_000, ATTEMPTS_AT_NONSENSE - 1);
                let next = course.next(Operation::PutObject, &failure(kind), &Budget::default(), reached);
                assert_eq!(next != Next::GiveUp, goes_on, "{kind:?}");
            }
        }
    }

    #[test]
    fn each_remedy_is_tried_once() {
        let elsewhere = Failure { region: Some("eu-west-1".to_owned()), ..failure(ErrorKind::Other) };
        let table = [
            (elsewhere, Remedy::Region),
            (failure(ErrorKind::Clock), Remedy::Clock),
            (refused(ErrorKind::Credentials, "ExpiredToken"), Remedy::Credentials),
        ];
        for (failure, remedy) in table {
            let mut course = Course::new(10, Duration::ZERO);
            course.begin();
            let budget = Budget::default();
            assert_eq!(course.next(Operation::GetObject, &failure, &budget, true), Next::Mend(remedy));
            course.begin();
            assert_eq!(course.next(Operation::GetObject, &failure, &budget, true), Next::GiveUp);
        }
        let wrong = refused(ErrorKind::Credentials, "SignatureDoesNotMatch");
        assert_eq!(attempts(Operation::GetObject, &wrong, true), 1);
    }

    #[test]
    fn a_body_that_the_service_found_damaged_is_sent_again() {
        assert_eq!(attempts(Operation::PutObject, &refused(ErrorKind::Corrupt, "BadDigest"), true), 3);
    }

    #[test]
    fn pauses_grow_but_not_without_end() {
        let first = Duration::from_millis(100);
        let mut course = Course::new(u32::MAX, first);
        for attempt in 1..40 {
            course.begin();
            let bound = first.saturating_mul(1 << (attempt - 1).min(16)).min(LONGEST_PAUSE);
            assert!(course.pause(true) <= bound, "{attempt}");
            assert!(course.pause(false) <= LONGEST_PAUSE);
        }
    }

    #[test]
    fn the_service_may_ask_for_more_within_reason() {
        let table = [(5, Duration::from_secs(5)), (86_400, LONGEST_RETRY_AFTER)];
        for (asked, pause) in table {
            let mut course = Course::new(10, Duration::ZERO);
            course.begin();
            let asking = Failure { retry_after: Some(Duration::from_secs(asked)), ..failure(ErrorKind::Throttled) };
            assert_eq!(course.next(Operation::GetObject, &asking, &Budget::default(), true), Next::Again(pause));
        }
    }

    #[test]
    fn a_spent_budget_slows_and_never_fails() {
        let budget = Budget::default();
        for _ in 0..Budget::FULL / Budget::RETRY {
            assert!(budget.spend());
        }
        assert!(!budget.spend());
        let mut course = Course::new(10, Duration::ZERO);
        course.begin();
        let next = course.next(Operation::GetObject, &failure(ErrorKind::Throttled), &budget, true);
        assert_eq!(next, Next::Again(Duration::ZERO));
        for _ in 0..Budget::RETRY {
            budget.earn();
        }
        assert!(budget.spend());
    }

    #[test]
    fn only_a_reply_that_was_lost_is_remembered_as_such() {
        let mut course = Course::new(10, Duration::ZERO);
        course.begin();
        course.next(Operation::PutObject, &failure(ErrorKind::Throttled), &Budget::default(), true);
        assert!(!course.lost_reply);
        course.begin();
        let lost = Failure { may_be_done: true, ..failure(ErrorKind::Unreachable) };
        course.next(Operation::PutObject, &lost, &Budget::default(), true);
        assert!(course.lost_reply);
    }
}
