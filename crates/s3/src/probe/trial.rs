//! A trial: something that was tried several times, and what follows from it.

use std::borrow::Cow;

use crate::dialect::{Fact, Support};
use crate::error::{Error, ErrorKind};

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Listings in the order of bytes.
    Order,
    /// `PutObject` with `If-None-Match: *`.
    PutIfAbsent,
    /// `PutObject` with `If-Match`.
    PutIfMatch,
    /// `CompleteMultipartUpload` with both.
    CompleteConditions,
    /// `DeleteObject` with `If-Match`.
    DeleteIfMatch,
    /// `DeleteObjects`.
    BulkDelete,
    /// `DeleteObjects` with an `ETag` for each key.
    BulkDeleteIfMatch,
    /// `x-amz-checksum-crc64nvme`.
    Crc64Nvme,
    /// An object of two parts.
    TwoParts,
    /// A part of less than 5 MiB that isn't the last one.
    ShortPart,
    /// A part of a number above 10,000.
    PartNumber,
}

impl Subject {
    /// Everything that is tried, in this order.
    pub const ALL: [Self; 11] = [
        Self::Order,
        Self::PutIfAbsent,
        Self::PutIfMatch,
        Self::CompleteConditions,
        Self::DeleteIfMatch,
        Self::BulkDelete,
        Self::BulkDeleteIfMatch,
        Self::Crc64Nvme,
        Self::TwoParts,
        Self::ShortPart,
        Self::PartNumber,
    ];

    /// What a dialect says of it, if it does.
    #[must_use]
    pub const fn fact(self) -> Option<Fact> {
        match self {
            Self::Order => Some(Fact::ListsByBytes),
            Self::PutIfAbsent => Some(Fact::PutIfAbsent),
            Self::PutIfMatch => Some(Fact::PutIfMatch),
            Self::CompleteConditions => Some(Fact::CompleteConditions),
            Self::DeleteIfMatch | Self::BulkDeleteIfMatch => Some(Fact::DeleteIfMatch),
            Self::BulkDelete => Some(Fact::BulkDelete),
            Self::Crc64Nvme => Some(Fact::Crc64Nvme),
            Self::TwoParts | Self::ShortPart | Self::PartNumber => None,
        }
    }
}

/// What follows from a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is as S3 has it, each time.
    Yes,
    /// It is refused, or done otherwise.
    No,
    /// It is answered as if it were done, and isn't.
    Ignored,
    /// The same request is answered so and otherwise: it can't be counted on.
    Differs,
    /// Nothing follows.
    Unknown,
}

impl Verdict {
    /// What a dialect may say after it.
    #[must_use]
    pub const fn support(self) -> Support {
        match self {
            Self::Yes => Support::Yes,
            Self::No | Self::Ignored | Self::Differs => Support::No,
            Self::Unknown => Support::Unknown,
        }
    }
}

/// What came of trying something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// What was tried.
    pub subject: Subject,
    /// What follows.
    pub verdict: Verdict,
    /// Why, for people.
    pub reason: String,
}

/// One request of a trial, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Try {
    /// What was asked, for people: requests of one name should have one outcome.
    pub(super) what: Cow<'static, str>,
    pub(super) outcome: Outcome,
}

impl Try {
    pub(super) fn of(what: impl Into<Cow<'static, str>>, outcome: Outcome) -> Self {
        Self { what: what.into(), outcome }
    }
}

/// What came of a request, beside what should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// As it should be.
    Right,
    /// Answered with success, and not what was asked for.
    Ignored(String),
    /// Refused where it should have been done, or done otherwise.
    Wrong(String),
    /// It tells nothing.
    Undecided(String),
}

impl Outcome {
    /// Of a request that must be refused in one of these ways.
    pub(super) fn of_refusal<T>(answer: Result<T, Error>, as_it_should: &[ErrorKind], done: &str) -> Self {
        match answer {
            Ok(_) => Self::Ignored(done.to_owned()),
            Err(error) if as_it_should.contains(&error.kind()) => Self::Right,
            Err(error) => Self::of_error(&error),
        }
    }

    /// Of a request that must be done.
    pub(super) fn of_success<T>(answer: Result<T, Error>) -> Self {
        match answer {
            Ok(_) => Self::Right,
            // What it refuses now it may have done before, with an answer that was lost.
            Err(error) if error.kind() == ErrorKind::PreconditionFailed && !error.is_after_lost_reply() => {
                Self::Wrong(error.reason())
            }
            Err(error) => Self::of_error(&error),
        }
    }

    /// Of an error that a condition doesn't explain. What may pass, and what the
    /// credentials may not do, says nothing of what the service can.
    pub(super) fn of_error(error: &Error) -> Self {
        let is_objection = error.kind() == ErrorKind::Other && error.status() == Some(400);
        if error.kind() == ErrorKind::NotImplemented || is_objection {
            Self::Wrong(error.reason())
        } else {
            Self::Undecided(error.reason())
        }
    }
}

impl Trial {
    /// What follows from the requests of a trial that was not made to its end:
    /// what is wrong already stays so, and nothing is right yet.
    pub(super) fn broken_off(subject: Subject, tries: &[Try], why: String) -> Self {
        let trial = Self::judge(subject, tries);
        match trial.verdict {
            Verdict::Yes | Verdict::Unknown => Self { verdict: Verdict::Unknown, reason: why, ..trial },
            Verdict::No | Verdict::Ignored | Verdict::Differs => trial,
        }
    }

    /// What follows from these requests: the worst that happened counts.
    pub(super) fn judge(subject: Subject, tries: &[Try]) -> Self {
        let (verdict, reason) = differing(tries)
            .or_else(|| first(tries, |outcome| matches!(outcome, Outcome::Ignored(_)), Verdict::Ignored))
            .or_else(|| first(tries, |outcome| matches!(outcome, Outcome::Wrong(_)), Verdict::No))
            .or_else(|| first(tries, |outcome| matches!(outcome, Outcome::Undecided(_)), Verdict::Unknown))
            .unwrap_or_else(|| (Verdict::Yes, all_right(tries.len())));
        Self { subject, verdict, reason }
    }
}

fn all_right(requests: usize) -> String {
    match requests {
        1 => "one request, answered as it should be".to_owned(),
        _ => format!("{requests} requests, each answered as it should be"),
    }
}

/// What was answered as it should be, and otherwise too.
fn differing(tries: &[Try]) -> Option<(Verdict, String)> {
    let bad = |outcome: &Outcome| matches!(outcome, Outcome::Ignored(_) | Outcome::Wrong(_));
    tries.iter().filter(|one| bad(&one.outcome)).find_map(|one| {
        let same = || tries.iter().filter(|other| other.what == one.what);
        let right = same().filter(|other| other.outcome == Outcome::Right).count();
        let reason = || {
            format!("{}: {right} of {} times as it should be, else {}", one.what, same().count(), said(&one.outcome))
        };
        (right > 0).then(|| (Verdict::Differs, reason()))
    })
}

fn first(tries: &[Try], is_it: impl Fn(&Outcome) -> bool, verdict: Verdict) -> Option<(Verdict, String)> {
    let found = tries.iter().find(|one| is_it(&one.outcome))?;
    Some((verdict, format!("{}: {}", found.what, said(&found.outcome))))
}

fn said(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Right => "as it should be",
        Outcome::Ignored(reason) | Outcome::Wrong(reason) | Outcome::Undecided(reason) => reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_that_happened_counts() {
        let [right, ignored, wrong, undecided] = [
            Outcome::Right,
            Outcome::Ignored("done".to_owned()),
            Outcome::Wrong("501".to_owned()),
            Outcome::Undecided("403".to_owned()),
        ];
        let table = [
            (vec![("a", &right), ("b", &right)], Verdict::Yes, "2 requests"),
            (vec![("a", &right), ("b", &ignored)], Verdict::Ignored, "b: done"),
            (vec![("a", &right), ("b", &wrong)], Verdict::No, "b: 501"),
            (vec![("a", &right), ("b", &undecided)], Verdict::Unknown, "b: 403"),
            (vec![("a", &undecided), ("b", &ignored)], Verdict::Ignored, "b: done"),
            (
                vec![("a", &ignored), ("a", &right), ("b", &right)],
                Verdict::Differs,
                "a: 1 of 2 times as it should be, else done",
            ),
            (vec![("a", &right), ("a", &wrong)], Verdict::Differs, "else 501"),
            (vec![("a", &right), ("a", &undecided)], Verdict::Unknown, "a: 403"),
        ];
        for (tries, verdict, reason) in table {
            let tries: Vec<Try> = tries.into_iter().map(|(what, outcome)| Try::of(what, outcome.clone())).collect();
            let trial = Trial::judge(Subject::PutIfMatch, &tries);
            assert_eq!(trial.verdict, verdict, "{tries:?}");
            assert!(trial.reason.contains(reason), "{}", trial.reason);
        }
    }

    #[test]
    fn what_was_met_before_a_trial_broke_off_counts() {
        let [right, ignored, wrong, undecided] = [
            Outcome::Right,
            Outcome::Ignored("done".to_owned()),
            Outcome::Wrong("501".to_owned()),
            Outcome::Undecided("403".to_owned()),
        ];
        let table = [
            (vec![], Verdict::Unknown, "503"),
            (vec![&right, &right], Verdict::Unknown, "503"),
            (vec![&undecided], Verdict::Unknown, "503"),
            (vec![&ignored], Verdict::Ignored, "done"),
            (vec![&wrong], Verdict::No, "501"),
            (vec![&right, &ignored], Verdict::Differs, "1 of 2 times"),
        ];
        for (outcomes, verdict, reason) in table {
            let tries: Vec<Try> = outcomes.into_iter().map(|outcome| Try::of("a", outcome.clone())).collect();
            let trial = Trial::broken_off(Subject::PutIfMatch, &tries, "503".to_owned());
            assert_eq!(trial.verdict, verdict, "{tries:?}");
            assert!(trial.reason.contains(reason), "{}", trial.reason);
        }
    }

    #[test]
    fn only_what_is_right_each_time_is_counted_on() {
        let table = [
            (Verdict::Yes, Support::Yes),
            (Verdict::No, Support::No),
            (Verdict::Ignored, Support::No),
            (Verdict::Differs, Support::No),
            (Verdict::Unknown, Support::Unknown),
        ];
        for (verdict, support) in table {
            assert_eq!(verdict.support(), support);
        }
    }
}
