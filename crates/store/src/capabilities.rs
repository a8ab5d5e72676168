//! What a store tells of itself: what the engine may count on, its clock, and the requests that it sent.

use std::time::Duration;

/// What the engine may count on in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Local tree or remote bucket.
    pub kind: Kind,
    /// The order in which it lists.
    pub order: Order,
    /// Bytes up to which an object is best written whole.
    pub whole_limit: u64,
    /// Bytes in a part of a larger object, where the number of parts allows it.
    pub part_size: u64,
    /// How many objects it removes at once: those that one call of
    /// [`crate::Store::remove`] should be given; at least 1.
    pub removal_batch: usize,
    /// Which of its calls look at the key themselves, and do nothing if what is there is not what was said.
    pub conditions: Conditions,
}

/// Which calls of a store see to their condition themselves: the service does at the very moment, or the store looks
/// just before each attempt. Whoever calls need not look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is of a call of its own")]
pub struct Conditions {
    /// [`crate::Store::write`].
    pub writing: bool,
    /// [`crate::Upload::finish`]: at some services a look.
    pub finishing: bool,
    /// [`crate::Store::copy`]: at some services a look.
    pub copying: bool,
    /// [`crate::Store::remove`].
    pub removal: bool,
}

impl Conditions {
    /// All of them.
    pub const ALL: Self = Self { writing: true, finishing: true, copying: true, removal: true };
}

/// Where a store's objects live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Files on this machine.
    Local,
    /// Objects in a bucket.
    Remote,
}

/// The order in which a store lists its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Known to be by bytes: used as it comes, and checked.
    ByBytes,
    /// By bytes, as far as nobody knows better: used as it comes, and checked.
    /// How far such a listing has come says nothing of what it has yet to list.
    Presumed,
    /// Known to be another one: sorted through a spill file first.
    Other,
}

/// How far a store's clock runs from the local one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockSkew {
    /// By how much they differ.
    pub by: Duration,
    /// Whether the store's clock is the one ahead.
    pub store_ahead: bool,
}

/// How often one kind of request was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestCount {
    /// S3's name of the operation.
    pub operation: &'static str,
    /// How many requests, retries included.
    pub sent: u64,
    /// How many of them were retries.
    pub retries: u64,
}
