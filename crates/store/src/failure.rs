//! Why one object could not be read, written or removed.

use std::fmt;

/// Why one object could not be read, written or removed. It is data: the run
/// goes on with the others, and the reason is shown with the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What the engine decides on.
    pub kind: FailureKind,
    /// What went wrong and what to do about it, in a sentence for a person,
    /// without the key.
    pub reason: String,
}

/// What the engine needs to know of a [`Failure`] to go on rightly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The object isn't there (any more).
    Absent,
    /// It isn't the version that was listed: it changed while it was read, or
    /// somebody else wrote it (a precondition failed).
    Changed,
    /// A directory stands where a file must go, or a file where a directory must.
    Obstructed,
    /// The store can't hold a key like this one.
    Unrepresentable,
    /// The store doesn't permit it.
    Denied,
    /// The store doesn't accept who asks (any more): credentials that have
    /// ended, or are unknown. Whatever else is asked will go no better.
    LockedOut,
    /// It lies in an archive, from which it has to be restored before it can be read ([`crate::Store::restore`]).
    Archived,
    /// What arrived isn't what was sent: a checksum or a length differs.
    Corrupt,
    /// Everything else: the request was refused, or the disk was full.
    Failed,
}

/// Why a service could not copy an object by itself, and whose object is why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CopyFailure {
    /// Nobody's: the service does no such thing.
    NotDone,
    /// What was to be copied.
    Source(Failure),
    /// The copy.
    Dest(Failure),
}

impl Failure {
    /// A failure of this kind, with its reason.
    pub fn new(kind: FailureKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Failure {}
