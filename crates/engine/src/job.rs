//! The job spec (what is to be in step) and the run options (how): plain data.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brigade_store::{RestoreRequest, Symlinks};
use md5::{Digest, Md5};

use crate::filters::{Filters, Rule};

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// All that decides *what* is to be in step, besides the two stores.
#[derive(Clone, Debug)]
pub struct JobSpec {
    /// Which keys take part.
    pub filters: Filters,
    /// How it is decided whether two versions are the same.
    pub comparison: Comparison,
    /// How much earlier than the destination's time a source's must be to
    /// prove that it is the older: room for clocks that run apart.
    pub clock_fudge_factor: Duration,
    /// Whether destination keys that the source lacks are deleted, and how many at most.
    pub delete: Option<DeleteLimit>,
    /// What is done with symlinks in a source that is a tree.
    pub symlinks: Symlinks,
    /// Where what the destination holds is known from.
    pub indexing: Indexing,
    /// Whether an object's tags go along from bucket to bucket.
    pub carries_tags: bool,
    /// Whether an object's access control list goes along from bucket to bucket.
    pub carries_grants: bool,
    /// The report that stands for the source's listing, as the person named it, if one does: a run
    /// takes up only what another one concluded from the same.
    pub source_inventory: Option<String>,
}

/// Where what the destination, a bucket, holds is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Indexing {
    /// Its listing.
    #[default]
    Off,
    /// The ledger (`--index`), once it was listed whole by a run that was to do so.
    Use,
    /// Its listing, once more, for the ledger (`--rebuild-index`).
    Rebuild,
}

/// What tells one job spec from another between the same locations: what a run
/// has left undone is only taken up by a run of the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JobDigest(pub [u8; 16]);

impl JobSpec {
    /// The digest of everything in it.
    #[must_use]
    pub fn digest(&self) -> JobDigest {
        // Every field is named, so that a new one can't be forgotten.
        let Self {
            filters,
            comparison,
            clock_fudge_factor,
            delete,
            symlinks,
            indexing,
            carries_tags,
            carries_grants,
            source_inventory,
        } = self;
        let mut fields = Fields::of(filters);
        fields.add(match comparison {
            Comparison::Auto => "compare: auto",
            Comparison::Size => "compare: size",
            Comparison::Mtime => "compare: mtime",
            Comparison::Checksum => "compare: checksum",
            Comparison::Always => "compare: always",
        });
        fields.add(&format!("fudge: {} ns", clock_fudge_factor.as_nanos()));
        fields.add(&delete.map_or("keep".to_owned(), |most| format!("delete: {most}")));
        fields.add(match symlinks {
            Symlinks::Follow => "symlinks: follow",
            Symlinks::Skip => "symlinks: skip",
        });
        match indexing {
            Indexing::Off => {}
            Indexing::Use => fields.add("index: use"),
            Indexing::Rebuild => fields.add("index: rebuild"),
        }
        if !carries_tags {
            fields.add("tags: ignored");
        }
        if *carries_grants {
            fields.add("grants: carried");
        }
        if let Some(report) = source_inventory {
            fields.add(&format!("source inventory: {report}"));
        }
        fields.digest()
    }

    /// The digest of the filters alone: of which keys take part.
    #[must_use]
    pub fn filters_digest(&self) -> JobDigest {
        Fields::of(&self.filters).digest()
    }
}

/// Fields of a job spec, being digested.
struct Fields(Md5);

impl Fields {
    fn of(filters: &Filters) -> Self {
        let mut fields = Self(Md5::new());
        for rule in filters.rules() {
            fields.add(if matches!(rule, Rule::Include(_)) { "include" } else { "exclude" });
            fields.add(rule.pattern());
        }
        fields
    }

    fn add(&mut self, field: &str) {
        self.0.update((field.len() as u64).to_le_bytes());
        self.0.update(field);
    }

    fn digest(self) -> JobDigest {
        JobDigest(self.0.finalize().into())
    }
}

/// How it is decided whether two versions are the same (`--compare`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Comparison {
    /// Size, then digests, then time where it is proof, then the content.
    #[default]
    Auto,
    /// Size alone.
    Size,
    /// Size, and whether the source was modified after the destination was written.
    Mtime,
    /// Size and content digests, whatever the times say.
    Checksum,
    /// Always different: everything is sent.
    Always,
}

/// How many deletions a run may plan at most (`--max-delete`); with more, none is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DeleteLimit {
    /// No limit.
    Unlimited,
    /// This many objects.
    Objects(u64),
    /// This share of the destination's objects, in percent from 0 to 100.
    Percent(f64),
}

/// Written as on the command line.
impl fmt::Display for DeleteLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("100%"),
            Self::Objects(most) => write!(f, "{most}"),
            Self::Percent(share) => write!(f, "{share}%"),
        }
    }
}

/// How many of something are at work at once. At least one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtOnce {
    /// So many.
    Exactly(usize),
    /// More and more while that helps.
    Growing {
        /// So many to begin with.
        from: usize,
        /// So many in the end at most.
        to: usize,
    },
}

impl AtOnce {
    /// How many there are at first.
    #[must_use]
    pub fn at_first(self) -> usize {
        match self {
            Self::Exactly(first) | Self::Growing { from: first, .. } => first.max(1),
        }
    }

    /// How many there are in the end at most.
    #[must_use]
    pub fn most(self) -> usize {
        match self {
            Self::Exactly(most) | Self::Growing { to: most, .. } => most.max(1),
        }
    }

    /// The same, but never more than so many.
    #[must_use]
    pub fn within(self, most: usize) -> Self {
        match self {
            Self::Exactly(wanted) => Self::Exactly(wanted.min(most)),
            Self::Growing { from, to } => Self::Growing { from: from.min(most), to: to.min(most) },
        }
    }
}

/// All that decides *how* a run goes about it.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Requests, or files, in flight at once.
    pub jobs: AtOnce,
    /// Ranges that are listed at once, where both stores are known to list in byte order.
    pub listers: AtOnce,
    /// Bytes of content held in memory at once.
    pub memory: u64,
    /// Send at most this many objects, and delete nothing.
    pub limit: Option<u64>,
    /// Change nothing: say what would be done.
    pub dry_run: bool,
    /// Whether a service copies by itself what lies in two buckets of its own.
    pub server_side_copy: bool,
    /// How objects that lie in an archive are asked for, if they are.
    pub restore_request: Option<RestoreRequest>,
    /// Go on although the source lists nothing and the destination holds something.
    pub allow_empty_source: bool,
}
