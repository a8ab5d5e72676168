//! What happens in a run, as typed events for whoever watches.

use std::ops::AddAssign;

use brigade_store::{Failure, Forecast, Key, RequestCount, Restoring, Unknown, Verified};

/// Watches a run. Called from many tasks at once, so it must be quick and
/// must not block on the run.
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn event(&self, event: Event<'_>);
}

/// Something that happened in a run.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// The run begins.
    Started {
        /// The source, as the user wrote it.
        source: &'a str,
        /// The destination, as the user wrote it.
        dest: &'a str,
        /// Whether nothing will be changed.
        dry_run: bool,
    },
    /// The run goes on from where an earlier one of the same job came to.
    TakenUp(&'a TakenUp),
    /// This many more keys were compared, of which so many need an action.
    Planned {
        /// Keys compared.
        keys: u64,
        /// Objects to send (some of them only if their content turns out to differ).
        objects: u64,
        /// Bytes of those objects.
        bytes: u64,
    },
    /// Some bytes of an object that is being sent arrived.
    Progress {
        /// How many more.
        bytes: u64,
    },
    /// One object is done with.
    Object {
        /// Its key.
        key: &'a Key,
        /// What came of it.
        outcome: &'a Outcome,
    },
    /// A key, or all keys below one, that a store could not tell of.
    Unknown {
        /// On which side.
        side: Side,
        /// What and why.
        unknown: &'a Unknown,
    },
    /// A store lists in another order than by bytes: the listing starts again, sorted.
    Reordered {
        /// The store.
        location: &'a str,
        /// The key that came out of order; `None` where the store is known for it.
        key: Option<&'a Key>,
    },
    /// Something that the person should know, that is no failure.
    Warning {
        /// In a sentence.
        text: String,
    },
    /// A phase after the listing begins.
    Phase {
        /// Which.
        phase: crate::plan::Phase,
        /// How many actions it has.
        actions: u64,
    },
}

/// One of the two sides of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Where objects come from.
    Source,
    /// Where they go.
    Dest,
}

/// What came of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was sent (in a dry run: would be).
    Sent {
        /// Its length in bytes.
        bytes: u64,
        /// Whether it was there before, in another version.
        replaced: bool,
        /// Whether the copy was checked end to end.
        verified: Verified,
    },
    /// Its content was compared and is the same.
    InStep,
    /// It was deleted from the destination (in a dry run: would be).
    Deleted,
    /// It was gone from the source when its turn came, or a deletion was found to be wrong just before it was done.
    Withdrawn {
        /// Why nothing was done.
        reason: String,
    },
    /// The destination can't hold this key; nothing was done.
    Unrepresentable {
        /// Why.
        reason: String,
    },
    /// It lies in an archive, and was asked for (in a dry run: would be): it can be read later.
    Restoring(Restoring),
    /// It failed.
    Failed(Failure),
}

/// What a run takes up of an earlier one that did not come to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenUp {
    /// The last key, from the first on, that is not listed again: `Some(None)` where nothing is, `None` where the
    /// first one is.
    pub through: Option<Option<Key>>,
    /// Ranges further on that are not listed again either.
    pub ranges: u64,
    /// Keys that had failed.
    pub failed: u64,
    /// Actions that wait for a later phase.
    pub spooled: u64,
}

/// What a run did, in figures that add up. Nothing is in two of the counts of keys, but for what is `ready`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Objects at the source that take part; markers of directories and what
    /// the filters leave out are not counted.
    pub source_objects: u64,
    /// Objects at the destination that take part.
    pub dest_objects: u64,
    /// Found in step, by the listing or by content.
    pub in_step: u64,
    /// Sent where nothing was.
    pub created: u64,
    /// Sent over another version.
    pub replaced: u64,
    /// Bytes of what was sent.
    pub bytes: u64,
    /// Sent, but neither side had a digest to check the copy with.
    pub unverified: u64,
    /// Deleted from the destination.
    pub deleted: u64,
    /// At the destination only, and left there: deletions were not asked for,
    /// or it stands for a directory.
    pub extra: u64,
    /// Deletions that were planned and not done, because something failed.
    pub deletions_held_back: u64,
    /// Left out by the filters.
    pub excluded: u64,
    /// At the destination, and left alone because the source could not tell
    /// whether it has them.
    pub held: u64,
    /// Left undone by `--limit`.
    pub over_limit: u64,
    /// Gone from the source when their turn came.
    pub withdrawn: u64,
    /// FIFOs, sockets, devices, and symlinks that were left out.
    pub skipped: u64,
    /// Keys that the destination can't hold.
    pub unrepresentable: u64,
    /// In an archive, and not asked for: they can't be read.
    pub archived: u64,
    /// In an archive, and asked for: they can be read later.
    pub restoring: u64,
    /// How many of those were asked for before, and can be read by now.
    pub ready: u64,
    /// Objects that failed otherwise, and places that could not be read.
    pub failed: u64,
    /// What was taken up of an earlier run, if anything was.
    pub taken_up: Option<TakenUp>,
    /// Parts of uploads that an earlier run had sent, and were not sent again.
    pub parts_taken_up: u64,
    /// Requests sent, by side and operation.
    pub requests: Vec<RequestCount>,
    /// In a dry run, the requests that the run itself would take if nothing
    /// failed: what the dry run sent, and what it only said would be done.
    pub forecast: Forecast,
}

impl AddAssign for Summary {
    fn add_assign(&mut self, more: Self) {
        // Every field is named, so that a new one can't be forgotten.
        let Self {
            source_objects,
            dest_objects,
            in_step,
            created,
            replaced,
            bytes,
            unverified,
            deleted,
            extra,
            deletions_held_back,
            excluded,
            held,
            over_limit,
            withdrawn,
            skipped,
            unrepresentable,
            archived,
            restoring,
            ready,
            failed,
            taken_up,
            parts_taken_up,
            requests,
            forecast,
        } = more;
        self.source_objects += source_objects;
        self.dest_objects += dest_objects;
        self.in_step += in_step;
        self.created += created;
        self.replaced += replaced;
        self.bytes += bytes;
        self.unverified += unverified;
        self.deleted += deleted;
        self.extra += extra;
        self.deletions_held_back += deletions_held_back;
        self.excluded += excluded;
        self.held += held;
        self.over_limit += over_limit;
        self.withdrawn += withdrawn;
        self.skipped += skipped;
        self.unrepresentable += unrepresentable;
        self.archived += archived;
        self.restoring += restoring;
        self.ready += ready;
        self.failed += failed;
        self.taken_up = self.taken_up.take().or(taken_up);
        self.parts_taken_up += parts_taken_up;
        self.requests.extend(requests);
        self.forecast.add_all(&forecast);
    }
}

impl Summary {
    /// Whether everything that takes part is in step (or, in a dry run, would be).
    #[must_use]
    pub fn complete(&self) -> bool {
        self.brought() && self.deletions_held_back == 0
    }

    /// Whether nothing failed that was to be brought over: only then is anything deleted.
    pub(crate) fn brought(&self) -> bool {
        self.failed == 0 && self.unrepresentable == 0 && self.archived == 0 && self.restoring == 0
    }
}
