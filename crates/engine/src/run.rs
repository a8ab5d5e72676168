//! A run: one execution of a job, the whole pipe, taken up where an earlier one left it.

mod indexing;
mod listers;
mod stretches;
mod taking_up;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use brigade_store::{Forecast, Store};
use tokio_util::sync::CancellationToken;

use crate::error::{RunError, Why};
use crate::events::{Event, Observer, Side, Summary};
use crate::index::IndexUse;
use crate::job::{Clock, Comparison, JobSpec, RunOptions};
use crate::ledger::{Change, Cursor, Ledger, LedgerError, Recorder, UnfinishedRun};
use crate::listing::{Broken, Ordering};
use crate::phases;
use crate::range::{Orderings, RangeError};
use crate::spool::Spool;
use crate::tally::Tally;
use crate::transfer::between::Between;
use crate::transfer::{Allowance, Left, Surroundings, Transfers};
use taking_up::Memory;

/// What a run works on and reports to.
pub struct Run {
    /// What is to be in step.
    pub job: JobSpec,
    /// How.
    pub options: RunOptions,
    /// Where objects come from.
    pub source: Arc<dyn Store>,
    /// Where they go.
    pub dest: Arc<dyn Store>,
    /// What earlier runs remembered, and this one will; a run without it
    /// starts from nothing. In a dry run it is only read.
    pub ledger: Option<Arc<dyn Ledger>>,
    /// Tells the local time.
    pub clock: Clock,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// Cancelled when the person asks to stop.
    pub cancel: CancellationToken,
}

/// Carries out the job once.
///
/// What fails for one object is counted, and told to the observer; an error
/// means that the run could not go on. After any end, and after none, the same
/// run may be started again: with a ledger it goes on from where this one came to.
pub async fn run(run: Run) -> Result<Summary, RunError> {
    let Run { job, options, source, dest, ledger, clock, observer, cancel } = run;
    observer.event(Event::Started { source: source.location(), dest: dest.location(), dry_run: options.dry_run });
    let tally = Arc::new(Tally::new(observer));
    let recorder = match &ledger {
        Some(ledger) if !options.dry_run => Recorder::new(Arc::clone(ledger), Arc::clone(&clock)),
        _ => Recorder::none(),
    };
    let between = Arc::new(Between::of(&job, &options, source.as_ref(), dest.as_ref()));
    let around = Surroundings {
        source,
        dest,
        tally,
        recorder: Arc::new(recorder),
        settled: ledger,
        cancel: cancel.child_token(),
        locked_out: Arc::default(),
        between,
    };
    let dry_run = options.dry_run;
    let pass = Pass { job, options, around, clock, stop: cancel, index_left: Mutex::default() };
    let ended = pass.recorded().await;
    let mut summary = pass.around.tally.summary();
    summary.requests = pass.around.source.requests();
    summary.requests.extend(pass.around.dest.requests());
    if dry_run {
        // To compare takes the same requests again.
        let mut forecast = Forecast::default();
        forecast.add_sent(&summary.requests);
        forecast.add_all(&summary.forecast);
        summary.forecast = forecast;
    }
    match ended {
        Ok(()) => Ok(summary),
        Err(why) => Err(RunError { why, summary: Box::new(summary) }),
    }
}

/// What every pass over the whole job uses.
struct Pass {
    job: JobSpec,
    options: RunOptions,
    around: Surroundings,
    clock: Clock,
    /// Cancelled by the person alone, not by a ledger that fails.
    stop: CancellationToken,
    /// What is said of the index when the run has ended, if it keeps one.
    index_left: Mutex<Option<Change>>,
}

impl Pass {
    /// Runs, while what it settles is committed beside it.
    async fn recorded(&self) -> Result<(), Why> {
        let Surroundings { source, dest, recorder, cancel, .. } = &self.around;
        let sides = [source.as_ref(), dest.as_ref()];
        let running = async {
            let ended = self.until_in_order().await;
            // Whatever else it ended with, the next run has to take it up.
            if matches!(ended, Ok(()) | Err(Why::Refused(_))) && self.keeps_progress() {
                recorder.note([Change::End]);
            }
            // Whatever else it ended with, all that was done was noted before this, or else it is never committed.
            if !matches!(ended, Err(Why::Defect(_))) {
                recorder.note(self.index_left().take());
            }
            recorder.end();
            ended
        };
        let keeping = async {
            let kept = recorder.keep(sides).await;
            if kept.is_err() {
                cancel.cancel();
            }
            kept
        };
        let (ended, kept) = tokio::join!(running, keeping);
        if let Err(error) = kept {
            // What was cut short because the person asked to stop is done by the next run.
            return Err(if self.stop.is_cancelled() { Why::Interrupted } else { error.into() });
        }
        if let (Some(ledger), false) = (recorder.ledger(), self.options.dry_run)
            && let Some(text) = ledger.check_kept().await
        {
            self.around.tally.tell(Event::Warning { text });
        }
        match self.around.locked_out.get() {
            Some(locked_out) if !self.stop.is_cancelled() => Err(Why::LockedOut(locked_out.clone())),
            _ => ended,
        }
    }

    fn index_left(&self) -> MutexGuard<'_, Option<Change>> {
        self.index_left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the run leaves its progress to the next one.
    fn keeps_progress(&self) -> bool {
        self.options.limit.is_none() && !self.options.dry_run
    }

    /// Goes over the job, and again from the beginning, sorted, where a store
    /// turned out not to list in byte order. Each side can do so once.
    async fn until_in_order(&self) -> Result<(), Why> {
        let Surroundings { source, dest, tally, recorder, .. } = &self.around;
        let mut orderings = Orderings::of(source.as_ref(), dest.as_ref());
        let mut memory = self.remember(&mut orderings).await?;
        let index = memory.index;
        *self.index_left() = index.is_kept().then(|| self.index(index.is_trusted(), false));
        let mut allowance = Allowance::new(self.options.limit);
        loop {
            let spool =
                if self.keeps_progress() { Spool::in_ledger(recorder, memory.spooled()) } else { Spool::in_files() };
            // The transfers' spool is dropped with them, or emptied with the progress:
            // what was concluded from a listing out of order is forgotten.
            let left = Left { spool, uploads: std::mem::take(&mut memory.uploads), index };
            let transfers = Arc::new(Transfers::new(&self.options, self.around.clone(), allowance.clone(), left));
            match self.once(&transfers, orderings, memory.run.as_ref()).await {
                Err(RangeError::Listing(side, Broken::OutOfOrder { key })) => {
                    let (store, ordering) = match side {
                        Side::Source => (source, &mut orderings.source),
                        Side::Dest => (dest, &mut orderings.dest),
                    };
                    *ordering = Ordering::Sorted;
                    memory = Memory { run: None, uploads: transfers.take_uploads(), index };
                    if self.keeps_progress() {
                        recorder.note([self.beginning(), Change::Unordered(side)]);
                        recorder.take_up(&[], &[]);
                        // The second pass reads what the first one has taken note of.
                        recorder.flush([source.as_ref(), dest.as_ref()]).await?;
                    }
                    // What was sent is found in step by the second listing, unless nothing can be.
                    let stays_sent = !self.options.dry_run && self.job.comparison != Comparison::Always;
                    tally.restart(stays_sent);
                    if self.options.dry_run {
                        allowance = Allowance::new(self.options.limit);
                    }
                    tally.tell(Event::Reordered { location: store.location(), key: key.as_ref() });
                }
                Err(error) => {
                    transfers.give_up_put_off();
                    return Err(error.into());
                }
                Ok(()) => {
                    if index == IndexUse::Made {
                        recorder.note([self.index(true, true)]);
                        *self.index_left() = Some(self.index(true, false));
                    }
                    transfers.try_put_off().await?;
                    return self.finish(&transfers).await;
                }
            }
        }
    }

    async fn finish(&self, transfers: &Arc<Transfers>) -> Result<(), Why> {
        let cancel = &self.around.cancel;
        if cancel.is_cancelled() {
            return Err(Why::Interrupted);
        }
        phases::refuse_empty_source(&transfers.tally.summary(), transfers.source.location(), &self.options)?;
        if self.keeps_progress() {
            transfers.abort_left_uploads().await;
        }
        phases::run(transfers, &self.job, &self.options).await?;
        if cancel.is_cancelled() { Err(Why::Interrupted) } else { Ok(()) }
    }
}
