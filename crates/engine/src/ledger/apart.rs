//! What is known of a destination beside its settled pairs: together with them,
//! this stands for a listing of it (`--index`).

use brigade_store::{Entry, Extent, Key, Listed, Unknown, UnknownReason};

use super::Fingerprint;
use crate::job::JobDigest;

/// Why it can't be told what is at a key.
const DOUBT: &str = "it failed in an earlier run, and could not be looked at since";

/// That the destination was listed whole, and that everything which was done to
/// it since is in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    /// The digest of the filters by which it was listed: what they left out isn't known.
    pub filters: JobDigest,
    /// Whether a run is using it: one that doesn't come to say that it no longer does was
    /// killed, and what it wrote last isn't in the ledger.
    pub in_use: bool,
}

/// A key of the destination whose two sides are not in step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apart {
    /// The key.
    pub key: Key,
    /// What the destination holds; `None` where that is in doubt, because something failed there.
    pub dest: Option<Fingerprint>,
}

impl Apart {
    /// What a listing of the destination says of the key, as far as is known.
    pub(crate) fn listed(&self) -> Option<Listed> {
        let key = self.key.clone();
        let Some(dest) = &self.dest else {
            let reason = UnknownReason::Unreadable(DOUBT.to_owned());
            return Some(Listed::Unknown(Unknown { key, extent: Extent::Key, reason }));
        };
        dest.listed_at(key).map(Listed::Present)
    }

    /// What was found there.
    pub(crate) fn found(entry: &Entry) -> Self {
        Self { key: entry.key.clone(), dest: Some(Fingerprint::of(entry)) }
    }

    /// Something failed there, and it isn't known what came of it.
    pub(crate) fn in_doubt(key: &Key) -> Self {
        Self { key: key.clone(), dest: None }
    }
}
