//! Two versions that turned out to be in step, and how that is known. Pure.

use std::time::SystemTime;

use brigade_store::{Digest, Entry};

use super::pair::{could_hide_an_edit, could_hide_an_edit_of_ours};
use super::{Fingerprint, SettledPair};
use crate::plan::Agreement;

/// Two versions that are in step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Agreed {
    pub(crate) source: Entry,
    pub(crate) dest: Entry,
    pub(crate) proof: Proof,
    /// A digest of the content, where one is known that the entries don't give.
    pub(crate) digest: Option<Digest>,
}

/// How it is known that two versions are in step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// It isn't: the rule that was chosen takes them to be.
    Assumed,
    /// Digests, or times that are proof, say so.
    Found,
    /// One is our copy of the other.
    Sent,
}

impl Agreed {
    /// Two versions that are in step by what is listed.
    pub(crate) fn listed(agreement: Agreement) -> Self {
        let Agreement { source, dest, assumed } = agreement;
        let proof = if assumed { Proof::Assumed } else { Proof::Found };
        Self { source, dest, proof, digest: None }
    }

    /// As a settled pair; `since` is a time after which both sides were read.
    pub(super) fn into_pair(self, since: SystemTime) -> SettledPair {
        let Self { source, dest, proof, digest } = self;
        let dest_unsure = match proof {
            Proof::Sent => could_hide_an_edit_of_ours(&dest, since),
            Proof::Assumed | Proof::Found => could_hide_an_edit(&dest, since),
        };
        SettledPair {
            unsure: could_hide_an_edit(&source, since) || dest_unsure,
            assumed: proof == Proof::Assumed,
            lost: false,
            left: Fingerprint::of(&source),
            right: Fingerprint::of(&dest),
            digest,
            key: source.key,
        }
    }
}
