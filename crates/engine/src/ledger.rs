//! The ledger: what a run remembers for the next one. Two traits, and one
//! commit that writes for both at once.
//!
//! *Settled* is millions of pairs in key order: what both sides were when they
//! were last in step. *Progress* is small: how far a run of one job spec has
//! come, what waits for its later phases, and which uploads it has begun.

mod agreed;
pub mod apart;
mod checks;
pub(crate) mod cursor;
pub(crate) mod encoding;
mod error;
pub mod file;
mod known;
pub mod lock;
pub mod memory;
pub mod pair;
mod recorder;
mod settled_source;
pub mod sqlite;
mod uploads;
mod watermark;

use std::time::SystemTime;

use async_trait::async_trait;
use brigade_store::Key;

use crate::events::{Side, Summary, TakenUp};
use crate::job::JobDigest;
use crate::plan::{Action, Phase};
pub(crate) use agreed::{Agreed, Proof};
pub use apart::{Apart, Held, Index};
pub use checks::{Checked, Checks, Proven, VersionsDigest};
pub use cursor::Cursor;
pub use error::LedgerError;
pub(crate) use known::{Known, KnownStrip};
pub use pair::{Fingerprint, SettledPair};
pub(crate) use recorder::{Followed, Number, Recorder};
pub(crate) use settled_source::SettledSource;
pub(crate) use uploads::BegunUploads;

/// What both sides were when they were last in step, in key order.
#[async_trait]
pub trait Settled: Send + Sync + 'static {
    /// The next pairs after this key, at most so many, in ascending order of
    /// keys; empty at the end.
    async fn page(&self, after: Option<&Key>, most: usize) -> Result<Vec<SettledPair>, LedgerError>;

    /// The pair of this key.
    async fn pair(&self, key: &Key) -> Result<Option<SettledPair>, LedgerError>;

    /// So many pairs at most, each as likely as any other, in no particular order; of keys that are not apart.
    async fn sample(&self, most: usize) -> Result<Vec<SettledPair>, LedgerError>;

    /// The next keys after this one of which the destination is known not to
    /// hold what their pairs say, if they have any; at most so many, in ascending order; empty at the end.
    async fn apart(&self, after: Option<&Key>, most: usize) -> Result<Vec<Apart>, LedgerError>;
}

/// How far a run has come.
#[async_trait]
pub trait Progress: Send + Sync + 'static {
    /// What an earlier run left: its own progress, if it ended before its end.
    async fn progress(&self) -> Result<Remembered, LedgerError>;

    /// The next spooled actions of a phase after this key, at most so many, in
    /// ascending order of keys; empty at the end.
    async fn spooled(&self, phase: Phase, after: Option<&Key>, most: usize) -> Result<Vec<Action>, LedgerError>;
}

/// A whole ledger.
#[async_trait]
pub trait Ledger: Settled + Progress {
    /// Makes all of these changes, in their order, or none of them.
    async fn commit(&self, changes: Vec<Change>) -> Result<(), LedgerError>;

    /// What a person should know at the end of the run, if what is remembered
    /// will not be there for the next one. `None` where all is well.
    async fn check_kept(&self) -> Option<String> {
        None
    }
}

/// One change of a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Both sides of a key are in step.
    Settle(SettledPair),
    /// Nothing is to be known of the key any more: most often, neither side has it.
    Unsettle(Key),
    /// The destination does not hold what the key's pair says; until the key is settled again.
    Apart(Apart),
    /// What is known of the whole destination; without an index, nothing is known of what isn't settled. It is
    /// as durable as the disk makes it before the commit returns, with all that was committed before.
    Index(Option<Index>),
    /// A run of this job spec begins from the start; what an earlier one left of its progress is dropped.
    Begin {
        /// The job spec's digest.
        job: JobDigest,
        /// When it began, by the local clock.
        begun: SystemTime,
    },
    /// The run has come to its end: nothing of its progress is needed any more.
    End,
    /// Everything in its range up to here is settled, spooled, or recorded as failed. It takes the place of the one
    /// with the same beginning.
    Cursor(Cursor),
    /// More failed than can be remembered, and one of them behind where the run was taken up: all is listed again.
    Relist,
    /// An action waits for its phase; it takes the place of another one of the same key.
    Spool(Phase, Action),
    /// A spooled action is done.
    Unspool(Phase, Key),
    /// A key behind the cursor failed, and must be looked at again.
    Failed(Key),
    /// It has been looked at again.
    Resolved(Key),
    /// An upload in parts is about to begin to send its parts.
    UploadBegun(BegunUpload),
    /// It has ended, finished or aborted.
    UploadEnded {
        /// Its key.
        key: Key,
        /// Its id.
        upload_id: String,
    },
    /// This side's store turned out not to list in byte order: it is sorted from now on.
    Unordered(Side),
}

/// Counts of keys behind a cursor that only a remote listing shows, and no settled pair.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unseen {
    /// As in [`crate::events::Summary`].
    pub source_objects: u64,
    /// As in [`crate::events::Summary`].
    pub dest_objects: u64,
    /// As in [`crate::events::Summary`].
    pub extra: u64,
    /// As in [`crate::events::Summary`].
    pub excluded: u64,
    /// As in [`crate::events::Summary`].
    pub held: u64,
}

/// An upload in parts that was begun and whose end is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BegunUpload {
    /// The object's key.
    pub key: Key,
    /// The store's name for the upload.
    pub upload_id: String,
    /// The version of the source that its parts are of.
    pub source: Fingerprint,
    /// Whether that version had changed so shortly before it was read that an
    /// edit within the clock's tick could have gone unseen.
    pub unsure: bool,
    /// Bytes in each part but the last.
    pub part_size: u64,
    /// The digest of what it was begun with; `None` where that wasn't remembered: then it is not taken up.
    pub terms: Option<[u8; 32]>,
}

/// What an earlier run left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// How far a run came that did not come to its end.
    pub run: Option<UnfinishedRun>,
    /// Uploads whose end is not known, in key order.
    pub uploads: Vec<BegunUpload>,
    /// The sides whose stores are known not to list in byte order.
    pub unordered: Vec<Side>,
    /// Whether what the destination holds is known without a listing.
    pub index: Option<Index>,
}

/// A run that did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedRun {
    /// The digest of its job spec.
    pub job: JobDigest,
    /// When it began, by the local clock.
    pub begun: SystemTime,
    /// How far its listing came, in order; none where it settled nothing in order yet. No two of them meet.
    pub cursors: Vec<Cursor>,
    /// Keys behind the cursor that failed, in order.
    pub failed: Vec<Key>,
    /// How many actions wait for each phase.
    pub spooled: [u64; Phase::COUNT],
}

impl UnfinishedRun {
    /// What it leaves to be taken up.
    #[must_use]
    pub fn left(&self) -> TakenUp {
        let first = self.cursors.first().filter(|cursor| cursor.after.is_none());
        TakenUp {
            through: first.map(|cursor| cursor.through.clone()),
            ranges: (self.cursors.len() - usize::from(first.is_some())) as u64,
            failed: self.failed.len() as u64,
            spooled: self.spooled.iter().sum(),
        }
    }
}

/// How many failed keys a run remembers; one that had failed before and is looked at again has its place besides.
/// With more, the cursor stays where it is, or, where one fails behind the cursor that was taken up, is dropped.
pub(crate) const MOST_FAILED: usize = 1000;

/// As the counts of a summary.
impl From<Unseen> for Summary {
    fn from(counts: Unseen) -> Self {
        let Unseen { source_objects, dest_objects, extra, excluded, held } = counts;
        Self { source_objects, dest_objects, extra, excluded, held, ..Self::default() }
    }
}

impl std::ops::AddAssign for Unseen {
    fn add_assign(&mut self, more: Self) {
        self.source_objects += more.source_objects;
        self.dest_objects += more.dest_objects;
        self.extra += more.extra;
        self.excluded += more.excluded;
        self.held += more.held;
    }
}
