//! A run: one execution of a job, the whole pipe.

use std::sync::Arc;

use brigade_store::{KeyRange, Store};
use tokio_util::sync::CancellationToken;

use crate::error::{RunError, Why};
use crate::events::{Event, Observer, Side, Summary};
use crate::job::{Comparison, JobSpec, RunOptions};
use crate::listing::{Broken, Ordering};
use crate::phases;
use crate::plan::Planner;
use crate::range::{Orderings, RangeError, run_range};
use crate::tally::Tally;
use crate::transfer::{Allowance, Transfers};

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
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// Cancelled when the person asks to stop.
    pub cancel: CancellationToken,
}

/// Carries out the job once.
///
/// What fails for one object is counted, and told to the observer; an error
/// means that the run could not go on.
pub async fn run(run: Run) -> Result<Summary, RunError> {
    let Run { job, options, source, dest, observer, cancel } = run;
    observer.event(Event::Started { source: source.location(), dest: dest.location(), dry_run: options.dry_run });
    let tally = Arc::new(Tally::new(observer));
    let pass = Pass { job, options, source, dest, tally, cancel };
    let ended = pass.until_in_order().await;
    let mut summary = pass.tally.summary();
    summary.requests = pass.source.requests();
    summary.requests.extend(pass.dest.requests());
    match ended {
        Ok(()) => Ok(summary),
        Err(why) => Err(RunError { why, summary: Box::new(summary) }),
    }
}

/// What every pass over the whole job uses.
struct Pass {
    job: JobSpec,
    options: RunOptions,
    source: Arc<dyn Store>,
    dest: Arc<dyn Store>,
    tally: Arc<Tally>,
    cancel: CancellationToken,
}

impl Pass {
    /// Goes over the job, and again from the beginning, sorted, where a store
    /// turned out not to list in byte order. Each side can do so once.
    async fn until_in_order(&self) -> Result<(), Why> {
        let mut orderings = Orderings::of(self.source.as_ref(), self.dest.as_ref());
        let mut allowance = Allowance::new(self.options.limit);
        loop {
            // The transfers' spool is dropped with them: what was concluded from
            // a listing out of order is forgotten.
            let transfers = Arc::new(Transfers::new(
                &self.options,
                Arc::clone(&self.source),
                Arc::clone(&self.dest),
                Arc::clone(&self.tally),
                allowance.clone(),
                self.cancel.clone(),
            ));
            match self.once(&transfers, orderings).await {
                Err(RangeError::Listing(side, Broken::OutOfOrder { key })) => {
                    let (store, ordering) = match side {
                        Side::Source => (&self.source, &mut orderings.source),
                        Side::Dest => (&self.dest, &mut orderings.dest),
                    };
                    *ordering = Ordering::Sorted;
                    // What was sent is found in step by the second listing, unless nothing can be.
                    let stays_sent = !self.options.dry_run && self.job.comparison != Comparison::Always;
                    self.tally.restart(stays_sent);
                    if self.options.dry_run {
                        allowance = Allowance::new(self.options.limit);
                    }
                    self.tally.tell(Event::Reordered { location: store.location(), key: key.as_ref() });
                }
                Err(error) => return Err(error.into()),
                Ok(()) => return self.finish(&transfers).await,
            }
        }
    }

    async fn once(&self, transfers: &Arc<Transfers>, orderings: Orderings) -> Result<(), RangeError> {
        let mut planner = Planner::new(&self.job, self.dest.capabilities().kind);
        run_range(transfers, &mut planner, &KeyRange::everything(), orderings).await?;
        for pattern in planner.unmatched_patterns() {
            self.tally.tell(Event::Warning { text: format!("the pattern {pattern:?} matches no key") });
        }
        Ok(())
    }

    async fn finish(&self, transfers: &Arc<Transfers>) -> Result<(), Why> {
        if self.cancel.is_cancelled() {
            return Err(Why::Interrupted);
        }
        phases::refuse_empty_source(&self.tally.summary(), self.source.location(), &self.options)?;
        phases::run(transfers, &self.job, &self.options).await?;
        if self.cancel.is_cancelled() { Err(Why::Interrupted) } else { Ok(()) }
    }
}
