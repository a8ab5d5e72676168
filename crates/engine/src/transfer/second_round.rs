//! The second round: what failed for a reason that may have passed is tried once
//! more when everything else was sent, before anything is deleted.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use brigade_store::{Capabilities, Failure, FailureKind, Key, Kind};
use futures_util::future::join_all;
use tokio::sync::mpsc;

use super::{Actions, Halt, Transfers};
use crate::events::Outcome;
use crate::plan::{Action, Phase, Transfer};

/// How many wait for it at most; what fails beside them has failed.
const MOST: usize = 1000;

/// Actions that are handed on at once.
const BATCH: usize = 256;

impl Transfers {
    /// Puts a transfer off to the second round, if it may end better there.
    pub(super) fn put_off(&self, transfer: &Transfer, outcome: &Outcome) -> bool {
        let Outcome::Failed(failure) = outcome else { return false };
        // What somebody else has written meanwhile is left as it is: another run lists it.
        let may_pass = matches!(failure.kind, FailureKind::Failed | FailureKind::Corrupt);
        // What was sent of an upload in parts is kept for the next run, and would be sent again here.
        let Capabilities { kind, whole_limit, .. } = self.dest.capabilities();
        let is_in_parts = transfer.source.size > whole_limit && !self.is_copied_whole(&transfer.source);
        let leaves_parts = kind == Kind::Remote && is_in_parts;
        if !may_pass
            || leaves_parts
            || self.dry_run
            || self.allowance.is_limited()
            || self.is_second_round.load(Ordering::Relaxed)
        {
            return false;
        }
        let mut put_off = self.put_off.lock().unwrap_or_else(PoisonError::into_inner);
        if put_off.len() >= MOST {
            return false;
        }
        // A run that is killed until then looks at it again.
        self.recorder.fail(&transfer.source.key);
        put_off.push((transfer.clone(), failure.clone()));
        true
    }

    /// Tries once more what was put off.
    pub(crate) async fn try_put_off(self: &Arc<Self>) -> Result<(), Halt> {
        self.is_second_round.store(true, Ordering::Relaxed);
        let put_off = self.take_put_off();
        if put_off.is_empty() || self.cancel.is_cancelled() {
            self.tell_failed(put_off);
            return Ok(());
        }
        tracing::info!("trying once more what has failed: {}", put_off.len());
        let (batches, mut receiver) = mpsc::channel(1);
        let handing_on = async move {
            for batch in put_off.chunks(BATCH) {
                let actions = join_all(batch.iter().map(|failed| self.again(failed))).await;
                let actions: Vec<Action> = actions.into_iter().flatten().collect();
                if batches.send(Actions { number: None, actions }).await.is_err() {
                    break;
                }
            }
        };
        let ((), carried) = tokio::join!(handing_on, self.carry_out(Phase::Now, &mut receiver));
        // What was cut short had failed all the same.
        for (key, failure) in std::mem::take(&mut *self.first_failures()) {
            self.conclude(Phase::Now, &key, &Outcome::Failed(failure));
        }
        carried
    }

    /// The transfer, if the destination still has what it was to replace: whatever
    /// else is there, somebody may have written meanwhile, and another run compares it.
    async fn again(&self, (transfer, failure): &(Transfer, Failure)) -> Option<Action> {
        let _request = self.permits.request().await;
        let is_as_before = match (self.dest.look(&transfer.source.key).await, &transfer.replaces) {
            (Ok(None), None) => true,
            (Ok(Some(there)), Some(listed)) => there.same_version(listed),
            (Ok(_), _) => false,
            (Err(unseen), _) => {
                self.heed(self.dest.as_ref(), &unseen);
                false
            }
        };
        if !is_as_before {
            self.conclude(Phase::Now, &transfer.source.key, &Outcome::Failed(failure.clone()));
            return None;
        }
        self.first_failures().insert(transfer.source.key.clone(), failure.clone());
        Some(Action::Send(transfer.clone()))
    }

    /// What is told of an object, in either round: where it turns out to have been
    /// changed since it first failed, that first failure may be why.
    pub(super) fn in_the_end(&self, key: &Key, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Failed(failure) => {
                let first = self.first_failures().remove(key).filter(|_| failure.kind == FailureKind::Changed);
                Outcome::Failed(first.unwrap_or(failure))
            }
            Outcome::Unrepresentable { .. } => {
                self.first_failures().remove(key);
                outcome
            }
            _ => {
                self.ends_better(key);
                outcome
            }
        }
    }

    /// What failed in the first round does so no more. Most objects are sent in that one: then there is nothing to do.
    pub(super) fn ends_better(&self, key: &Key) {
        if self.is_second_round.load(Ordering::Relaxed) && self.first_failures().remove(key).is_some() {
            self.recorder.resolve(key);
        }
    }

    fn first_failures(&self) -> MutexGuard<'_, BTreeMap<Key, Failure>> {
        self.first_failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of what was put off as having failed: there is no second round.
    pub(crate) fn give_up_put_off(&self) {
        self.tell_failed(self.take_put_off());
    }

    fn tell_failed(&self, put_off: Vec<(Transfer, Failure)>) {
        for (transfer, failure) in put_off {
            self.conclude(Phase::Now, &transfer.source.key, &Outcome::Failed(failure));
        }
    }

    fn take_put_off(&self) -> Vec<(Transfer, Failure)> {
        std::mem::take(&mut self.put_off.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
