//! What is decided about a key: an action in its phase, or why there is none.

use brigade_store::{Digest, Entry, Key};

use crate::ledger::SettledPair;

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

impl Phase {
    /// How many phases there are.
    pub const COUNT: usize = 3;
}

/// Something to be done to the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Bring the source's version over.
    Send(Transfer),
    /// Remove this version, which the source lacks.
    Delete(Entry),
}

/// An object to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The version that the source lists.
    pub source: Entry,
    /// The version that the destination lists, which this one replaces.
    pub replaces: Option<Entry>,
    /// Whether to send it only if the contents turn out to differ. Where nothing
    /// is listed that it would replace, what is there is looked at first.
    pub if_content_differs: bool,
    /// A digest that the content of both sides had when they were last in
    /// step, where the destination has not changed since.
    pub settled: Option<Digest>,
    /// What was settled with this very version of the source, where the destination's
    /// listing doesn't show it: it may be there all the same, since listings may lag behind.
    pub unlisted: Option<Box<SettledPair>>,
}

impl Action {
    /// The key that it is about.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Send(transfer) => &transfer.source.key,
            Self::Delete(entry) => &entry.key,
        }
    }
}

/// What is to be done about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: both sides are the same. With the versions, where they are not yet remembered as such.
    InStep(Option<Box<Agreement>>),
    /// This, in its phase.
    Act(Phase, Action),
    /// Nothing: it is at the destination only, and deleting was not asked for.
    Extra,
    /// Nothing: the filters leave it out.
    Excluded,
    /// Nothing: one side can't tell what is there, and said so when it was listed.
    Held,
    /// Nothing, though the source has this: the destination can't tell what
    /// stands in its place.
    Blocked(Entry),
    /// Nothing, though the source has this: it also has an object whose name
    /// the directory would need that this one belongs in.
    Shadowed {
        /// The object.
        source: Entry,
        /// The other one's key.
        above: Key,
    },
    /// Nothing: neither side has it now.
    Gone,
}

/// Two versions that are in step by what is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The source's.
    pub source: Entry,
    /// The destination's.
    pub dest: Entry,
    /// Whether the rule that was chosen only takes them to be.
    pub assumed: bool,
}
