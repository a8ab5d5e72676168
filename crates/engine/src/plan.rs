//! The planners: from triples to actions, each with its phase. Pure.

/// When an action runs. Only [`Phase::Now`] runs while listing; all others go
/// through the spool and run, in this order, when every range is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// As soon as it is planned.
    Now,
    /// Destination keys that the source lacks.
    Deletions,
    /// What a deletion must make room for: a file in the place of a directory, or the reverse.
    AfterDeletions,
}
