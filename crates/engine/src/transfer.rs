//! Transfer: carries actions out, many at once, within the permits.

mod archive;
pub(crate) mod between;
mod content;
mod deletion;
mod doubt;
mod forecast;
mod inside;
mod locked_out;
mod parts;
mod resuming;
mod second_round;
mod sending;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use brigade_store::{Entry, Failure, FailureKind, Key, Kind, Order, RestoreRequest, Store};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::events::{Outcome, Side};
use crate::filters::Filters;
use crate::index::IndexUse;
use crate::job::{AtOnce, RunOptions};
use crate::ledger::{BegunUpload, BegunUploads, Change, Ledger, LedgerError, Number, Recorder};
use crate::losses::Losses;
use crate::permits::Permits;
use crate::plan::{Action, Phase, Transfer};
use crate::spool::Spool;
use crate::tally::Tally;
use between::Between;
pub(crate) use content::{fitting_part_sizes, same_content};
pub use locked_out::LockedOut;
pub(crate) use parts::part_size;
use sending::Sent;
pub(crate) use sending::Stopped;

/// What all transfers of a run share.
pub(crate) struct Transfers {
    pub(crate) source: Arc<dyn Store>,
    pub(crate) dest: Arc<dyn Store>,
    between: Arc<Between>,
    /// Bytes of content held at once.
    memory: u64,
    /// Of both: asked for of each key.
    kinds: [Kind; 2],
    pub(crate) tally: Arc<Tally>,
    pub(crate) cancel: CancellationToken,
    /// Cancelled with the run, and as soon as the listing of one range, or the
    /// transfers planned from it, can't go on: nothing is listed in vain.
    pub(crate) listing: CancellationToken,
    pub(crate) permits: Permits,
    /// Where what is settled goes.
    pub(crate) recorder: Arc<Recorder>,
    /// What was settled before.
    pub(crate) settled: Option<Arc<dyn Ledger>>,
    /// Whether the destination is listed, and what of it is remembered.
    pub(crate) index: IndexUse,
    /// Uploads that an earlier run began.
    uploads: BegunUploads,
    dry_run: bool,
    /// How what lies in an archive is asked for, if it is.
    restore_request: Option<RestoreRequest>,
    allowance: Allowance,
    spool: Mutex<Spool>,
    losses: Mutex<Losses>,
    /// What failed, and why, and waits for the second round.
    put_off: Mutex<Vec<(Transfer, Failure)>>,
    is_second_round: AtomicBool,
    /// Why those of the second round had failed in the first.
    first_failures: Mutex<BTreeMap<Key, Failure>>,
    /// In a dry run, by what the deletions were judged, once they have been shown.
    shown_deletions: OnceLock<Filters>,
    /// Why the run was ended, if a store no longer accepts who asks.
    locked_out: Arc<OnceLock<LockedOut>>,
}

/// Why transfers could not go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halt {
    #[error(transparent)]
    Spool(#[from] io::Error),
    #[error(transparent)]
    Task(#[from] JoinError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Actions that were planned together.
pub(crate) struct Actions {
    /// What they are called by where the cursor waits for them.
    pub(crate) number: Option<Number>,
    pub(crate) actions: Vec<Action>,
}

/// The two sides of a run, and what it tells and remembers.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) source: Arc<dyn Store>,
    pub(crate) dest: Arc<dyn Store>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) settled: Option<Arc<dyn Ledger>>,
    pub(crate) cancel: CancellationToken,
    /// Why it was cancelled, if a store no longer accepts who asks.
    pub(crate) locked_out: Arc<OnceLock<LockedOut>>,
    /// What the two sides are to each other.
    pub(crate) between: Arc<Between>,
}

impl Transfers {
    pub(crate) fn new(options: &RunOptions, around: Surroundings, allowance: Allowance, left: Left) -> Self {
        let Surroundings { source, dest, tally, recorder, settled, cancel, locked_out, between } = around;
        // Of what a service copies by itself, nothing comes here.
        let jobs = if between.copies_inside() { options.jobs } else { at_once(options.jobs, source.as_ref()) };
        let kinds = [&source, &dest].map(|store| store.capabilities().kind);
        Self {
            source,
            dest,
            between,
            memory: options.memory,
            kinds,
            tally,
            listing: cancel.child_token(),
            cancel,
            permits: Permits::new(jobs, options.memory),
            recorder,
            settled,
            index: left.index,
            uploads: BegunUploads::new(left.uploads),
            dry_run: options.dry_run,
            restore_request: options.restore_request,
            allowance,
            spool: Mutex::new(left.spool),
            losses: Mutex::default(),
            put_off: Mutex::default(),
            first_failures: Mutex::default(),
            is_second_round: AtomicBool::new(false),
            shown_deletions: OnceLock::new(),
            locked_out,
        }
    }

    /// The directories that the source has lost.
    pub(crate) fn losses(&self) -> MutexGuard<'_, Losses> {
        self.losses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Of source and destination.
    pub(crate) fn kinds(&self) -> [Kind; 2] {
        self.kinds
    }

    /// Whether what is listed is known to be listed in byte order: only then does a place in it say what was.
    pub(crate) fn list_by_bytes(&self) -> bool {
        let sides = self.sides().into_iter().zip([Side::Source, Side::Dest]);
        sides.filter(|(_, side)| self.lists(*side)).all(|(store, _)| store.capabilities().order == Order::ByBytes)
    }

    /// Whether this side is listed; a destination of which there is an index is not.
    pub(crate) fn lists(&self, side: Side) -> bool {
        side == Side::Source || !self.index.is_trusted()
    }

    /// Both sides, as the recorder needs them.
    pub(crate) fn sides(&self) -> [&dyn Store; 2] {
        [self.source.as_ref(), self.dest.as_ref()]
    }

    /// Counts and tells what came of one object, and remembers it if it failed:
    /// by itself, or, in a later phase, because it stays in the spool.
    pub(crate) fn conclude(&self, phase: Phase, key: &Key, outcome: &Outcome) {
        if phase == Phase::Now && has_failed(outcome) {
            self.recorder.fail(key);
        }
        self.tally.object(key, outcome);
    }

    /// Takes out the uploads of an earlier run that were not taken up.
    pub(crate) fn take_uploads(&self) -> Vec<BegunUpload> {
        self.uploads.take_rest()
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
        batches: &mut mpsc::Receiver<Actions>,
    ) -> Result<(), Halt> {
        let mut in_flight = JoinSet::new();
        let mut carried = tokio::select! {
            biased;
            carried = self.dispatch(phase, batches, &mut in_flight) => carried,
            never = self.permits.adapt() => match never {},
        };
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
        batches: &mut mpsc::Receiver<Actions>,
        in_flight: &mut JoinSet<Result<(), Halt>>,
    ) -> Result<(), Halt> {
        while let Some(Actions { number, actions }) = batches.recv().await {
            let (transfers, deletions) = split(actions);
            for transfer in transfers {
                let place = self.permits.object().await;
                if self.cancel.is_cancelled() {
                    return Ok(());
                }
                let this = Arc::clone(self);
                in_flight.spawn(async move {
                    let _place = place;
                    if this.send(phase, transfer).await? == Concluded::Yes {
                        this.recorder.done(number);
                    }
                    this.recorder.keep_pace().await;
                    Ok(())
                });
            }
            if !deletions.is_empty() && !self.cancel.is_cancelled() {
                let this = Arc::clone(self);
                let place = self.permits.object().await;
                in_flight.spawn(async move {
                    let _place = place;
                    this.delete(deletions).await;
                    this.recorder.keep_pace().await;
                    Ok(())
                });
            }
            while let Some(ended) = in_flight.try_join_next() {
                ended??;
            }
        }
        Ok(())
    }

    /// Brings one object over, by itself; what came of it.
    pub(crate) async fn carry(&self, transfer: &Transfer) -> Result<Outcome, Halt> {
        match self.bring(transfer).await {
            Sent::Outcome(outcome, _) => Ok(outcome),
            Sent::Obstructed(failure) => Ok(Outcome::Failed(failure)),
            Sent::OverLimit | Sent::Interrupted => Ok(Outcome::Failed(match self.locked_out.get() {
                Some(locked_out) => Failure::new(FailureKind::LockedOut, locked_out.reason.clone()),
                None => Failure::new(FailureKind::Failed, "it was interrupted"),
            })),
            Sent::Halted(halt) => Err(halt),
        }
    }

    pub(crate) async fn send(&self, phase: Phase, transfer: Transfer) -> Result<Concluded, Halt> {
        let since = self.recorder.now();
        let key = transfer.source.key.clone();
        if phase == Phase::AfterDeletions && self.has_come(&transfer).await? {
            self.recorder.note([Change::Unspool(phase, key)]);
            return Ok(Concluded::Yes);
        }
        let outcome = match self.bring(&transfer).await {
            Sent::Outcome(outcome, agreed) => {
                if let Some(agreed) = agreed {
                    self.recorder.settle(*agreed, since);
                }
                outcome
            }
            Sent::Obstructed(_) if phase < Phase::AfterDeletions => {
                self.spool().push(Phase::AfterDeletions, Action::Send(transfer))?;
                self.ends_better(&key);
                return Ok(Concluded::Yes);
            }
            Sent::Obstructed(failure) => Outcome::Failed(failure),
            Sent::OverLimit => {
                self.tally.count(|summary| summary.over_limit += 1);
                return Ok(Concluded::No);
            }
            Sent::Interrupted => return Ok(Concluded::No),
            Sent::Halted(halt) => return Err(halt),
        };
        if phase == Phase::Now && self.put_off(&transfer, &outcome) {
            return Ok(Concluded::Yes);
        }
        let outcome = self.in_the_end(&key, outcome);
        let outcome = self.ask_if_archived(&transfer.source, outcome).await;
        if phase != Phase::Now && !has_failed(&outcome) {
            self.recorder.note([Change::Unspool(phase, key.clone())]);
        }
        self.conclude(phase, &key, &outcome);
        Ok(Concluded::Yes)
    }
}

/// Each connection that objects come from has a buffer for what comes: growing
/// beyond this would take more memory than it is worth.
const MOST_FETCHED_AT_ONCE: usize = 64;

pub(crate) fn at_once(jobs: AtOnce, store: &dyn Store) -> AtOnce {
    match (jobs, store.capabilities().kind) {
        (AtOnce::Growing { .. }, Kind::Remote) => jobs.within(MOST_FETCHED_AT_ONCE),
        _ => jobs,
    }
}

fn has_failed(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(_) | Outcome::Unrepresentable { .. } | Outcome::Restoring(_))
}

/// Whether an action is done with in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Concluded {
    Yes,
    /// It was left undone, for another run.
    No,
}

/// What an earlier run left to this one.
pub(crate) struct Left {
    pub(crate) spool: Spool,
    pub(crate) uploads: Vec<BegunUpload>,
    pub(crate) index: IndexUse,
}

impl Left {
    /// Nothing, and nothing will be left to the next.
    pub(crate) fn nothing() -> Self {
        Self { spool: Spool::in_files(), uploads: vec![], index: IndexUse::None }
    }
}

/// How many objects may still be sent in this run, with `--limit`.
#[derive(Clone, Debug)]
pub(crate) struct Allowance(Option<Arc<AtomicU64>>);

impl Allowance {
    pub(crate) fn new(limit: Option<u64>) -> Self {
        Self(limit.map(|limit| Arc::new(AtomicU64::new(limit))))
    }

    fn is_limited(&self) -> bool {
        self.0.is_some()
    }

    /// Whether there is none left.
    fn is_used_up(&self) -> bool {
        self.0.as_ref().is_some_and(|left| left.load(Ordering::Relaxed) == 0)
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
