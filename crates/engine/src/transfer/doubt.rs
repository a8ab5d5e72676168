//! Proof and doubt, where the destination is not listed but known from the
//! ledger: what is changed there is proven to be what is known, and what failed there is in doubt.

use brigade_store::{Condition, Conditions, Entry, Failure, FailureKind, Key, Kind, Work};
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesOrdered;

use super::Transfers;
use super::sending::Stopped;
use crate::events::Outcome;
use crate::ledger::{Apart, Change, Held, Known, SettledPair};
use crate::plan::Phase;

impl Transfers {
    /// Looks at the keys among these where something failed in an earlier run, and it isn't known what came of it.
    pub(crate) async fn look_into_doubts(&self, known: &mut Known) {
        let looks = std::mem::take(&mut known.apart).into_iter().map(async |apart| {
            if apart.dest != Held::InDoubt || self.listing.is_cancelled() {
                return apart;
            }
            let _request = self.permits.request().await;
            match self.dest.look(&apart.key).await {
                Ok(found) => Apart::found(&apart.key, found.as_ref()),
                // It stays in doubt, and nothing is done about it.
                Err(failure) => {
                    self.heed(self.dest.as_ref(), &failure);
                    apart
                }
            }
        });
        let looks: Vec<_> = looks.collect();
        for apart in join_all(looks).await {
            let Apart { key, dest } = &apart;
            match (dest, known.pair(key)) {
                (Held::InDoubt, _) => known.apart.push(apart),
                (Held::Nothing, None) => self.recorder.note([Change::Unsettle(key.clone())]),
                (Held::Version(found), Some(pair)) if pair.right == *found => {
                    self.recorder.note([Change::Settle(pair.clone())]);
                }
                _ => {
                    self.recorder.note([Change::Apart(apart.clone())]);
                    known.apart.push(apart);
                }
            }
        }
    }

    /// Takes note that something failed at this key of the destination: what is there is to be looked at.
    pub(super) fn doubt(&self, key: &Key) {
        if self.index.is_kept() {
            self.recorder.note([Change::Apart(Apart::in_doubt(key))]);
        }
    }

    /// The same where a transfer was stopped by something that could have happened after it was carried out.
    pub(super) fn doubt_after(&self, source: &Entry, stopped: &Stopped) {
        let failure = match stopped {
            Stopped::Dest(failure) => failure,
            // A copy whose answer was lost may have been made, whatever has become of its source since.
            Stopped::Source(Failure { kind, .. }) if self.between.was_to_copy => {
                if matches!(kind, FailureKind::Changed | FailureKind::Absent | FailureKind::Failed) {
                    self.doubt(&source.key);
                }
                return;
            }
            _ => return,
        };
        if failure.kind == FailureKind::Corrupt && self.dest.capabilities().kind == Kind::Remote {
            // It may have been stored all the same: that is not to be taken for the file by its size and time.
            self.recorder.note([Change::Settle(SettledPair::in_name_only(source))]);
        }
        if !matches!(failure.kind, FailureKind::Unrepresentable | FailureKind::Obstructed) {
            self.doubt(&source.key);
        }
    }

    /// That the destination still holds what the object is to replace, where
    /// nothing was listed and the store itself would not look.
    pub(super) async fn prove(
        &self,
        key: &Key,
        condition: &Condition,
        looks: fn(Conditions) -> bool,
    ) -> Result<(), Stopped> {
        if !self.index.is_trusted() {
            return Ok(());
        }
        let can_look = match condition {
            Condition::Absent => true,
            Condition::Replaces(known) => has_etag(known),
        };
        if can_look && looks(self.dest.capabilities().conditions) {
            return Ok(());
        }
        let there = self.dest.look(key).await.map_err(Stopped::Dest)?;
        let is_as_known = match (condition, &there) {
            (Condition::Absent, None) => true,
            (Condition::Replaces(known), Some(there)) => known.same_version(there),
            _ => false,
        };
        if is_as_known { Ok(()) } else { Err(Stopped::Dest(not_as_known())) }
    }

    /// Leaves out of what is to be removed what is not as it is known, where the store itself would not look.
    pub(super) async fn proven(&self, planned: Vec<Entry>) -> Vec<Entry> {
        let store_looks = self.dest.capabilities().conditions.removal && planned.iter().all(has_etag);
        if !self.index.is_trusted() || store_looks {
            return planned;
        }
        if self.dry_run {
            self.tally.foresee(&self.dest, Work::Look(planned.len() as u64));
            return planned;
        }
        let looks = planned.into_iter().map(async |entry| {
            let _request = self.permits.request().await;
            let found = self.dest.look(&entry.key).await;
            (entry, found)
        });
        let mut looks: FuturesOrdered<_> = looks.collect();
        let mut proven = Vec::new();
        while let Some((entry, found)) = looks.next().await {
            let failure = match found {
                Ok(None) => None,
                Ok(Some(found)) if found.same_version(&entry) => None,
                Ok(Some(_)) => Some(not_as_known()),
                Err(failure) => {
                    self.heed(self.dest.as_ref(), &failure);
                    Some(failure)
                }
            };
            match failure {
                None => proven.push(entry),
                Some(_) if self.cancel.is_cancelled() => {}
                Some(failure) => {
                    self.doubt(&entry.key);
                    self.conclude(Phase::Deletions, &entry.key, &Outcome::Failed(failure));
                }
            }
        }
        proven
    }
}

/// Whether a store that honours conditions has something to judge by.
fn has_etag(entry: &Entry) -> bool {
    entry.etag().is_some_and(|etag| !etag.is_empty())
}

fn not_as_known() -> Failure {
    let reason = "the destination holds another version than the index knows; run again, or with --rebuild-index if \
                  others write there";
    Failure::new(FailureKind::Changed, reason)
}
