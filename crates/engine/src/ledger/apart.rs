//! What is known of a destination beside its settled pairs: together with them,
//! this stands for a listing of it (`--index`).

use brigade_store::{Entry, Extent, Key, Listed, Unknown, UnknownReason};

use super::Fingerprint;
use crate::job::JobDigest;

/// Why it can't be told what is at a key.
const DOUBT: &str = "it failed in an earlier run, and could not be looked at since";

/// What is known of the whole destination, as everything which is done to it is in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Index {
    /// The digest of the filters by which it was listed: what they left out isn't known.
    pub filters: JobDigest,
    /// Whether it was listed to its end; else only what lies behind the cursors of the run that began to.
    pub is_whole: bool,
    /// Whether a run is using it: one that doesn't come to say that it no longer does was
    /// killed, and what it wrote last isn't in the ledger.
    pub in_use: bool,
}

/// A key of which the destination does not hold what its pair says, or that has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apart {
    /// The key.
    pub key: Key,
    /// What the destination holds there.
    pub dest: Held,
}

/// What a destination holds at a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// This version.
    Version(Fingerprint),
    /// Nothing.
    Nothing,
    /// Something failed there, and it isn't known what came of it.
    InDoubt,
}

impl Apart {
    /// What was found at the key.
    pub(crate) fn found(key: &Key, found: Option<&Entry>) -> Self {
        let dest = found.map_or(Held::Nothing, |entry| Held::Version(Fingerprint::of(entry)));
        Self { key: key.clone(), dest }
    }

    /// That something failed at the key.
    pub(crate) fn in_doubt(key: &Key) -> Self {
        Self { key: key.clone(), dest: Held::InDoubt }
    }

    /// What a listing of the destination says of the key, as far as is known.
    pub(crate) fn listed(&self) -> Option<Listed> {
        let key = self.key.clone();
        match &self.dest {
            Held::Version(version) => version.listed_at(key).map(Listed::Present),
            Held::Nothing => None,
            Held::InDoubt => {
                let reason = UnknownReason::Unreadable(DOUBT.to_owned());
                Some(Listed::Unknown(Unknown { key, extent: Extent::Key, reason }))
            }
        }
    }
}
