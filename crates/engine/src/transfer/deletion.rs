//! Deleting: each object looked up again at the source just before it is removed.

use brigade_store::{Entry, Failure, FailureKind, Work};
use futures_util::StreamExt;
use futures_util::stream::{FuturesOrdered, FuturesUnordered};

use super::Transfers;
use crate::events::Outcome;
use crate::ledger::Change;
use crate::plan::Phase;

impl Transfers {
    /// Removes these versions from the destination, except those that the
    /// source has after all, or can't tell of.
    pub(crate) async fn delete(&self, planned: Vec<Entry>) {
        let confirmed = self.proven(self.confirm_absence(planned).await).await;
        if confirmed.is_empty() || self.cancel.is_cancelled() {
            return;
        }
        let at_once = self.dest.capabilities().removal_batch.max(1);
        let removals: FuturesUnordered<_> = confirmed.chunks(at_once).map(|entries| self.remove(entries)).collect();
        removals.collect::<()>().await;
    }

    async fn remove(&self, entries: &[Entry]) {
        let _request = self.permits.request().await;
        if self.cancel.is_cancelled() {
            return;
        }
        let results = if self.dry_run {
            self.tally.foresee(&self.dest, Work::Remove(entries));
            vec![Ok(()); entries.len()]
        } else {
            self.dest.remove(entries).await
        };
        for (entry, result) in entries.iter().zip(results) {
            if let Err(failure) = &result {
                self.heed(self.dest.as_ref(), failure);
                self.doubt(&entry.key);
            }
            // As it may have below, it failed because the person asked to stop.
            if result.is_err() && self.cancel.is_cancelled() {
                continue;
            }
            let outcome = result.map_or_else(Outcome::Failed, |()| Outcome::Deleted);
            if outcome == Outcome::Deleted {
                self.recorder.note([Change::Unsettle(entry.key.clone()), unspooled(entry)]);
            }
            self.conclude(Phase::Deletions, &entry.key, &outcome);
        }
    }

    async fn confirm_absence(&self, planned: Vec<Entry>) -> Vec<Entry> {
        let mut looks: FuturesOrdered<_> = planned
            .into_iter()
            .map(|entry| async move {
                let found = self.look_at_source(&entry).await;
                (entry, found)
            })
            .collect();
        let mut confirmed = Vec::new();
        while let Some((entry, found)) = looks.next().await {
            if let Err(failure) = &found {
                self.heed(self.source.as_ref(), failure);
            }
            let outcome = match found {
                // It may have failed because the person asked to stop.
                Err(_) if self.cancel.is_cancelled() => continue,
                Ok(None) => {
                    confirmed.push(entry);
                    continue;
                }
                Ok(Some(_)) => {
                    Outcome::Withdrawn { reason: "it is at the source again, and was not deleted".to_owned() }
                }
                Err(Failure { kind: FailureKind::Unrepresentable, reason }) => Outcome::Unrepresentable { reason },
                Err(failure) => Outcome::Failed(failure),
            };
            if matches!(outcome, Outcome::Withdrawn { .. }) {
                self.recorder.note([unspooled(&entry)]);
            }
            self.conclude(Phase::Deletions, &entry.key, &outcome);
        }
        confirmed
    }

    /// Looks for what is to be deleted. That the source lacks what it could not
    /// hold if it wanted to, such as a marker with content in a tree, says nothing.
    async fn look_at_source(&self, entry: &Entry) -> Result<Option<Entry>, Failure> {
        self.source.could_hold(entry)?;
        let _request = self.permits.request().await;
        if self.cancel.is_cancelled() {
            // Nobody hears of it.
            return Err(Failure::new(FailureKind::Failed, "interrupted"));
        }
        self.source.look(&entry.key).await
    }
}

fn unspooled(entry: &Entry) -> Change {
    Change::Unspool(Phase::Deletions, entry.key.clone())
}
