//! Checking: proves that a copy is good, by itself and not from the ledger.
//! Both sides are listed and merged as in a run; what both have is verified by
//! its content, and each difference is looked at once more before it is told.

pub mod bound;
mod contents;
mod judging;
mod metadata;
mod remembering;
pub mod sampling;
mod tally;
mod verifying;
mod walking;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};

use brigade_store::{Failure, Key, Store, Unknown};
use tokio_util::sync::CancellationToken;

use crate::error::Why;
use crate::events::Side;
use crate::filters::Filters;
use crate::job::{AtOnce, Clock};
use crate::ledger::Checks;
use crate::listing::{Broken, Ordering};
use crate::permits::Permits;
use crate::range::{Orderings, RangeError};
use crate::transfer::{LockedOut, at_once};
use remembering::Remembering;
use sampling::Sampling;
use tally::Tally;
pub use tally::{CheckSummary, Share};

/// What a check works on and reports to.
pub struct Check {
    /// What is checked, and how.
    pub options: CheckOptions,
    /// What the copy was made of.
    pub source: Arc<dyn Store>,
    /// The copy.
    pub dest: Arc<dyn Store>,
    /// When objects were last checked: those never or least recently checked
    /// have their turn first, and it is remembered which were good. Nothing else of a ledger is read or written.
    pub checks: Option<Arc<dyn Checks>>,
    /// Tells the local time.
    pub clock: Clock,
    /// Who watches.
    pub watcher: Arc<dyn Watcher>,
    /// Cancelled when the person asks to stop.
    pub cancel: CancellationToken,
}

/// What is checked, and how.
#[derive(Clone, Debug)]
pub struct CheckOptions {
    /// Which keys take part.
    pub filters: Filters,
    /// What it takes to prove that contents are the same.
    pub proof: Proof,
    /// Whether the headers are compared as well of what is verified.
    pub metadata: bool,
    /// Which objects are verified.
    pub sampling: Sampling,
    /// What the sample is drawn by: the same one draws the same sample.
    pub seed: u64,
    /// Requests, or files, in flight at once.
    pub jobs: AtOnce,
    /// Bytes of content held in memory at once.
    pub memory: u64,
}

/// What it takes to prove that contents are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The copy's content is read.
    Content,
    /// The checksums that both stores keep are believed; only what they leave open is read.
    StoredChecksums,
}

/// Watches a check. Called from many tasks at once, so it must be quick.
pub trait Watcher: Send + Sync + 'static {
    /// Something happened.
    fn event(&self, event: CheckEvent<'_>);
}

/// Something that happened in a check.
#[derive(Clone, Debug)]
pub enum CheckEvent<'a> {
    /// So many more keys were compared by the listings, and so many more objects are to be verified.
    Listed {
        /// Keys.
        keys: u64,
        /// Objects.
        to_verify: u64,
    },
    /// So many more bytes of content were read, on either side.
    Read {
        /// Bytes.
        bytes: u64,
    },
    /// What was found of one key. Objects that the listings compare, and no sample takes, are not told of.
    Object {
        /// Its key.
        key: &'a Key,
        /// What was found.
        found: &'a Found,
    },
    /// A key, or all keys below one, that a store could not tell of.
    Unknown {
        /// On which side.
        side: Side,
        /// What and why.
        unknown: &'a Unknown,
    },
    /// A store lists in another order than by bytes: everything starts again, and may be told of again.
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
}

/// What was found of one key.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Both sides have the same.
    Same(Evidence),
    /// They don't.
    Different(Difference),
    /// The source has it, and the copy doesn't.
    Missing,
    /// The copy has it, and the source doesn't.
    Extra,
    /// It was written or deleted on one side while it was checked: nothing is known of it.
    Changed,
    /// It was deleted on both sides before it had its turn.
    Gone,
    /// It could not be read.
    Unchecked {
        /// Where.
        side: Side,
        /// Why.
        failure: Failure,
    },
}

/// What proves that the contents are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Both were read, and don't differ in any byte.
    Bytes,
    /// The copy was read, and has the digest that the source's store keeps.
    Read(DigestName),
    /// Both stores keep the same digest; of a bucket, nothing was read.
    Stored(DigestName),
    /// Both stand for a directory, and have no content.
    Directory,
}

/// Kinds of digests, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestName {
    /// MD5 of the whole content.
    Md5,
    /// The `ETag` of a multipart upload.
    MultipartEtag,
    /// CRC-64/NVME of the whole content.
    Crc64Nvme,
    /// CRC-32C of the whole content.
    Crc32c,
}

/// How two versions differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// In their length, in bytes.
    Size {
        /// The source's.
        source: u64,
        /// The copy's.
        dest: u64,
    },
    /// In their content: how that was seen, in words.
    Content(String),
    /// Only in what goes with the content.
    Metadata(Vec<HeaderDifference>),
}

/// A header that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderDifference {
    /// Its name, as S3 has it.
    pub name: String,
    /// The source's value, if it has one.
    pub source: Option<String>,
    /// The copy's value, if it has one.
    pub dest: Option<String>,
}

/// Why a check could not go on to its end, and what was found until then.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct CheckError {
    /// Why.
    pub why: Why,
    /// What was found until then.
    pub summary: Box<CheckSummary>,
}

/// Checks the copy once. It only reads.
///
/// What is wrong with one object is counted, and told to the watcher; an error
/// means that the check could not go on.
pub async fn check(check: Check) -> Result<CheckSummary, CheckError> {
    let Check { options, source, dest, checks, clock, watcher, cancel } = check;
    let jobs = at_once(at_once(options.jobs, source.as_ref()), dest.as_ref());
    let checking = Arc::new(Checking {
        permits: Permits::new(jobs, options.memory),
        tally: Tally::new(watcher),
        remembering: checks.map(Remembering::new),
        clock,
        cancel: cancel.child_token(),
        locked_out: OnceLock::new(),
        etags_are_opaque: AtomicBool::new(false),
        options,
        source,
        dest,
    });
    let mut ended = checking.until_in_order().await;
    if let Some(remembering) = &checking.remembering {
        // Whatever else it ended with: what was found good counts.
        let kept = remembering.finish().await.map_err(Why::from);
        ended = ended.and(kept);
    }
    if let Some(locked_out) = checking.locked_out.get().filter(|_| !cancel.is_cancelled()) {
        ended = Err(Why::LockedOut(locked_out.clone()));
    }
    let mut summary = checking.tally.summary();
    summary.requests = checking.source.requests();
    summary.requests.extend(checking.dest.requests());
    match ended {
        Ok(()) => Ok(summary),
        Err(why) => Err(CheckError { why, summary: Box::new(summary) }),
    }
}

/// A check under way.
struct Checking {
    options: CheckOptions,
    source: Arc<dyn Store>,
    dest: Arc<dyn Store>,
    permits: Permits,
    tally: Tally,
    remembering: Option<Remembering>,
    clock: Clock,
    cancel: CancellationToken,
    /// Why it was cancelled, if a store no longer accepts who asks.
    locked_out: OnceLock<LockedOut>,
    /// Whether a plain `ETag` of the source's turned out to be no MD5 of its content (SSE-KMS): none is believed then.
    etags_are_opaque: AtomicBool,
}

impl Checking {
    fn store(&self, side: Side) -> &Arc<dyn Store> {
        match side {
            Side::Source => &self.source,
            Side::Dest => &self.dest,
        }
    }

    /// Goes over both sides, and again from the beginning, sorted, where a store
    /// turns out not to list in byte order. Each side can do so once.
    async fn until_in_order(self: &Arc<Self>) -> Result<(), Why> {
        let mut orderings = Orderings::of(self.source.as_ref(), self.dest.as_ref());
        loop {
            match self.once(orderings).await {
                Err(RangeError::Listing(side, Broken::OutOfOrder { key })) => {
                    *match side {
                        Side::Source => &mut orderings.source,
                        Side::Dest => &mut orderings.dest,
                    } = Ordering::Sorted;
                    self.tally.restart();
                    let location = self.store(side).location();
                    self.tally.tell(CheckEvent::Reordered { location, key: key.as_ref() });
                }
                Err(error) => return Err(error.into()),
                Ok(()) if self.cancel.is_cancelled() => return Err(Why::Interrupted),
                Ok(()) => return Ok(()),
            }
        }
    }
}
