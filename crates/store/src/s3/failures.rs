//! What the service's refusals mean to the engine.

use brigade_s3::{Error, ErrorKind};

use crate::{Failure, FailureKind};

pub(super) fn failure(error: &Error) -> Failure {
    let kind = match error.kind() {
        ErrorKind::PreconditionFailed | ErrorKind::Conflict => return changed(),
        ErrorKind::NotFound => return absent(),
        ErrorKind::Archived => return archived(),
        ErrorKind::NoSuchUpload => FailureKind::Absent,
        _ if error.is_locked_out() => FailureKind::LockedOut,
        ErrorKind::AccessDenied | ErrorKind::Credentials => FailureKind::Denied,
        ErrorKind::KeyTooLong => FailureKind::Unrepresentable,
        ErrorKind::Corrupt => FailureKind::Corrupt,
        _ => FailureKind::Failed,
    };
    Failure::new(kind, error.reason())
}

/// What a refusal to write means: only what is to be replaced can be missing.
pub(super) fn unwritten(error: &Error) -> Failure {
    match error.kind() {
        ErrorKind::NotFound => Failure::new(FailureKind::Changed, "the object to replace is gone; run again"),
        _ => failure(error),
    }
}

pub(super) fn changed() -> Failure {
    Failure::new(FailureKind::Changed, "somebody else wrote this key since it was listed; run again")
}

pub(super) fn absent() -> Failure {
    Failure::new(FailureKind::Absent, "it is not there any more")
}

pub(super) fn archived() -> Failure {
    Failure::new(FailureKind::Archived, "it lies in an archive, and can't be read before the service has restored it")
}

pub(super) fn unanswered() -> Failure {
    Failure::new(FailureKind::Failed, "the service did not say what became of it; run again")
}
