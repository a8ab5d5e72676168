//! Failures on order: which call, at which key, how often.

use crate::{Failure, Key};

/// A call of a store, its reader or its upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// The first page of a [`crate::Store::list`] of everything.
    List,
    /// A further page of it; its key is the last one listed before.
    ListMore,
    /// The first page of a [`crate::Store::list`] of a narrower range; its key is the one that the range starts after.
    ListRange,
    /// A further page of it; its key is the last one listed before.
    ListRangeMore,
    /// A page of a [`crate::Store::list`] of the range of one key; its key is that of [`Call::List`] or
    /// [`Call::ListMore`].
    ListWithin,
    /// [`crate::Store::first_after`]; its key is the one before.
    FirstAfter,
    /// [`crate::Store::look`].
    Look,
    /// [`crate::Store::read`].
    Read,
    /// [`crate::Store::open`].
    Open,
    /// [`crate::Reader::read`].
    ReadRange,
    /// [`crate::Reader::check_unchanged`].
    CheckUnchanged,
    /// [`crate::Store::digests`].
    Digests,
    /// [`crate::Store::write`].
    Write,
    /// [`crate::Store::begin`].
    Begin,
    /// [`crate::Upload::write`].
    WritePart,
    /// [`crate::Upload::finish`].
    Finish,
    /// [`crate::Upload::abandon`]; it can't fail.
    Abandon,
    /// [`crate::Store::resume`] of a bucket.
    Resume,
    /// [`crate::Store::abandon_upload`] of a bucket.
    AbandonUpload,
    /// A page of [`crate::Store::open_uploads`] of a bucket; its key is the last one listed before.
    ListUploads,
    /// [`crate::Store::versioning`]; its key is empty.
    Versioning,
    /// A page of [`crate::Store::list_versions`]; its key is that of the last one listed before.
    ListVersions,
    /// One version of a [`crate::Store::remove_versions`]; its key is followed by a space and the version's id.
    RemoveVersion,
    /// One entry of a [`crate::Store::remove`].
    Remove,
    /// [`crate::Store::make_durable`]; its key is empty.
    MakeDurable,
}

/// What is to fail.
#[derive(Default)]
pub(super) struct Faults {
    planned: Vec<Fault>,
    pub(super) listing_breaks_after: Option<usize>,
}

struct Fault {
    call: Call,
    key: Key,
    times_left: usize,
    failure: Failure,
}

impl Faults {
    pub(super) fn add(&mut self, call: Call, key: Key, times: usize, failure: Failure) {
        self.planned.push(Fault { call, key, times_left: times, failure });
    }

    /// The failure that this call is to end with, if any; counts it as done.
    pub(super) fn strike(&mut self, call: Call, key: &Key) -> Option<Failure> {
        let fault =
            self.planned.iter_mut().find(|fault| fault.call == call && fault.key == *key && fault.times_left > 0)?;
        fault.times_left -= 1;
        Some(fault.failure.clone())
    }
}
