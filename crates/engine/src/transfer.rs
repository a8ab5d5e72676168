//! Transfer: carries actions out, many at once, within the permits.

mod content;
mod deletion;
mod forecast;
mod parts;
mod sending;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use brigade_store::{Entry, Store};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::events::Outcome;
use crate::filters::Filters;
use crate::job::RunOptions;
use crate::permits::Permits;
use crate::plan::{Action, Phase, Transfer};
use crate::spool::Spool;
use crate::tally::Tally;
use sending::Sent;

/// What all transfers of a run share.
pub(crate) struct Transfers {
    pub(crate) source: Arc<dyn Store>,
    pub(crate) dest: Arc<dyn Store>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) cancel: CancellationToken,
    permits: Permits,
    dry_run: bool,
    allowance: Allowance,
    spool: Mutex<Spool>,
    /// In a dry run, by what the deletions were judged, once they have been shown.
    shown_deletions: OnceLock<Filters>,
}

/// Why transfers could not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halt {
    #[error(transparent)]
    Spool(#[from] io::Error),
    #[error(transparent)]
    Task(#[from] JoinError),
}

impl Transfers {
    pub(crate) fn new(
        options: &RunOptions,
        source: Arc<dyn Store>,
        dest: Arc<dyn Store>,
        tally: Arc<Tally>,
        allowance: Allowance,
        cancel: CancellationToken,
    ) -> Self {
        Self {
            source,
            dest,
            tally,
            cancel,
            permits: Permits::new(options.jobs, options.memory),
            dry_run: options.dry_run,
            allowance,
            spool: Mutex::default(),
            shown_deletions: OnceLock::new(),
        }
    }

    /// The actions that wait for a later phase.
    pub(crate) fn spool(&self) -> MutexGuard<'_, Spool> {
        self.spool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out batches of actions until there are no more, or the run is
    /// cancelled; what is in flight then is brought to its end.
    ///
    /// A file that a directory obstructs, or the reverse, is put off until
    /// after the deletions, which may make room for it; in that phase it fails.
    pub(crate) async fn carry_out(
        self: &Arc<Self>,
        phase: Phase,
        batches: &mut mpsc::Receiver<Vec<Action>>,
    ) -> Result<(), Halt> {
        let mut in_flight = JoinSet::new();
        let mut carried = self.dispatch(phase, batches, &mut in_flight).await;
        // Whoever plans must not wait for a place that will never be free.
        batches.close();
        // Each is awaited, whatever became of the others: none is ever dropped on its way.
        while let Some(ended) = in_flight.join_next().await {
            carried = carried.and(ended.unwrap_or_else(|error| Err(error.into())));
        }
        carried
    }

    async fn dispatch(
        self: &Arc<Self>,
        phase: Phase,
        batches: &mut mpsc::Receiver<Vec<Action>>,
        in_flight: &mut JoinSet<Result<(), Halt>>,
    ) -> Result<(), Halt> {
        while let Some(batch) = batches.recv().await {
            let (transfers, deletions) = split(batch);
            for transfer in transfers {
                let place = self.permits.object().await;
                if self.cancel.is_cancelled() {
                    return Ok(());
                }
                let this = Arc::clone(self);
                in_flight.spawn(async move {
                    let _place = place;
                    this.send(phase, transfer).await
                });
            }
            if !deletions.is_empty() && !self.cancel.is_cancelled() {
                let this = Arc::clone(self);
                let place = self.permits.object().await;
                in_flight.spawn(async move {
                    let _place = place;
                    this.delete(deletions).await;
                    Ok(())
                });
            }
            while let Some(ended) = in_flight.try_join_next() {
                ended??;
            }
        }
        Ok(())
    }

    pub(crate) async fn send(&self, phase: Phase, transfer: Transfer) -> Result<(), Halt> {
        match self.bring(&transfer).await {
            Sent::Outcome(outcome) => self.tally.object(&transfer.source.key, &outcome),
            Sent::Obstructed(_) if phase < Phase::AfterDeletions => {
                self.spool().push(Phase::AfterDeletions, &Action::Send(transfer))?;
            }
            Sent::Obstructed(failure) => {
                self.tally.object(&transfer.source.key, &Outcome::Failed(failure));
            }
            Sent::OverLimit => self.tally.count(|summary| summary.over_limit += 1),
            Sent::Interrupted => {}
        }
        Ok(())
    }
}

/// How many objects may still be sent in this run, with `--limit`.
#[derive(Clone, Debug)]
pub(crate) struct Allowance(Option<Arc<AtomicU64>>);

impl Allowance {
    pub(crate) fn new(limit: Option<u64>) -> Self {
        Self(limit.map(|limit| Arc::new(AtomicU64::new(limit))))
    }

    /// Takes one object off, if there is one left.
    fn take(&self) -> bool {
        self.0.as_ref().is_none_or(|left| {
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
        })
    }

    /// Gives back an object that was taken off and not sent.
    fn give_back(&self) {
        if let Some(left) = &self.0 {
            left.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn split(batch: Vec<Action>) -> (Vec<Transfer>, Vec<Entry>) {
    let (mut transfers, mut deletions) = (Vec::new(), Vec::new());
    for action in batch {
        match action {
            Action::Send(transfer) => transfers.push(transfer),
            Action::Delete(entry) => deletions.push(entry),
        }
    }
    (transfers, deletions)
}
