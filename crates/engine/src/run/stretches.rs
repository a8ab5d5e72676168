//! The stretches of a job: what lies behind the cursor of a run that is taken
//! up, and what lies ahead of it. Both are gone over at once.

use std::sync::Arc;

use brigade_store::{Key, KeyRange, Kind, Listing, ListingError};

use super::Pass;
use crate::events::{Event, Side};
use crate::ledger::{SettledSource, UnfinishedRun};
use crate::nesting::may_be_above_what_follows;
use crate::plan::Planner;
use crate::range::{Orderings, RangeError, Stretch, run_range};
use crate::transfer::{Halt, Transfers};

impl Pass {
    /// Goes over the job once, from where an earlier run came to.
    pub(super) async fn once(
        &self,
        transfers: &Arc<Transfers>,
        orderings: Orderings,
        taken_up: Option<&UnfinishedRun>,
    ) -> Result<(), RangeError> {
        let stretches = Stretches { pass: self, transfers, orderings };
        let planner = match taken_up {
            Some(run) => stretches.go_on(run).await?,
            None => stretches.go_ahead(None).await?,
        };
        for pattern in planner.unmatched_patterns() {
            transfers.tally.tell(Event::Warning { text: format!("the pattern {pattern:?} matches no key") });
        }
        Ok(())
    }
}

/// The stretches of one pass. Each gives its planner back, which knows what patterns have matched there.
struct Stretches<'a> {
    pass: &'a Pass,
    transfers: &'a Arc<Transfers>,
    orderings: Orderings,
}

impl Stretches<'_> {
    fn planner(&self) -> Planner {
        Planner::new(&self.pass.job, self.transfers.dest.capabilities().kind)
    }

    /// Takes a run up: on both sides of its cursor.
    async fn go_on(&self, run: &UnfinishedRun) -> Result<Planner, RangeError> {
        let (first, later): (Vec<_>, Vec<_>) = run.failed.iter().partition(|key| self.may_be_above(run, key));
        let first = self.look_again(&first).await?;
        let (behind, ahead) = tokio::join!(self.go_behind(run, &later), self.go_ahead(Some(run)));
        let mut planner = first_cause(behind, ahead)?;
        planner.add_matched(&first);
        Ok(planner)
    }

    /// Walks what lies behind the cursor, and then looks at these keys there, which had failed.
    async fn go_behind(&self, run: &UnfinishedRun, failed: &[&Key]) -> Result<Planner, RangeError> {
        let mut planner = self.planner();
        if let Some(cursor) = &run.cursor {
            self.transfers.tally.count(|summary| *summary += cursor.unseen.into());
            let range = KeyRange { after: None, through: cursor.through.clone() };
            run_range(self.transfers, &mut planner, &range, Stretch::Behind(&run.failed), self.orderings).await?;
        }
        planner.add_matched(&self.look_again(failed).await?);
        Ok(planner)
    }

    /// Looks at keys behind the cursor that had failed. Each is judged by
    /// itself: what comes before it in order is not shown to its planner.
    async fn look_again(&self, failed: &[&Key]) -> Result<Planner, RangeError> {
        let Self { transfers, orderings, .. } = *self;
        let mut planner = self.planner();
        for key in failed {
            let mut alone = self.planner();
            transfers.recorder.try_again(key);
            run_range(transfers, &mut alone, &KeyRange::around(key), Stretch::Again, orderings).await?;
            // Cut short, it has yet to be looked at.
            if !transfers.cancel.is_cancelled() {
                transfers.recorder.tried_again(key);
            }
            planner.add_matched(&alone);
        }
        Ok(planner)
    }

    /// Lists what lies ahead of the cursor, or everything, and moves it on.
    async fn go_ahead(&self, taken_up: Option<&UnfinishedRun>) -> Result<Planner, RangeError> {
        let Self { pass, transfers, orderings } = *self;
        let mut planner = self.planner();
        let cursor = taken_up.and_then(|run| run.cursor.as_ref());
        if cursor.is_some_and(|cursor| cursor.through.is_none()) {
            return Ok(planner);
        }
        let cursor = cursor.cloned().unwrap_or_default();
        if let Some(run) = taken_up {
            self.show_what_is_above(&mut planner, run).await.inspect_err(|_| transfers.listing.cancel())?;
        }
        let range = KeyRange { after: cursor.through.clone(), through: None };
        let is_followed = pass.keeps_progress() && orderings.are_by_bytes();
        if !is_followed {
            transfers.recorder.stop_following();
        }
        let stretch = Stretch::Ahead(is_followed.then_some(cursor));
        run_range(transfers, &mut planner, &range, stretch, orderings).await?;
        Ok(planner)
    }

    /// Objects behind the cursor that those ahead of it may have to lie below:
    /// only a bucket can have both, and only a tree can't.
    fn above(&self, run: &UnfinishedRun) -> impl Iterator<Item = Key> {
        let matters = self.transfers.kinds() == [Kind::Remote, Kind::Local];
        let through = run.cursor.as_ref().filter(|_| matters).and_then(|cursor| cursor.through.clone());
        through.into_iter().flat_map(|through| may_be_above_what_follows(&through).collect::<Vec<_>>())
    }

    /// Whether the key is one of those: if it had failed, its turn comes before that of what lies ahead.
    fn may_be_above(&self, run: &UnfinishedRun, key: &Key) -> bool {
        self.above(run).any(|above| above == *key)
    }

    /// Shows the planner of what lies ahead those that the source has.
    async fn show_what_is_above(&self, planner: &mut Planner, run: &UnfinishedRun) -> Result<(), RangeError> {
        let Transfers { settled, source, recorder, .. } = self.transfers.as_ref();
        let Some(ledger) = settled else { return Ok(()) };
        recorder.flush(self.transfers.sides()).await.map_err(Halt::from)?;
        for key in self.above(run) {
            let range = KeyRange::around(&key);
            let mut settled = SettledSource::new(Arc::clone(ledger), source.location(), &range);
            let broken = |error: ListingError| RangeError::Listing(Side::Source, error.into());
            while let Some(page) = settled.next_page().await.map_err(broken)? {
                if page.iter().any(|listed| *listed.key() == key) {
                    planner.show(&key);
                }
            }
        }
        Ok(())
    }
}

/// What both came to. One that can't go on interrupts the other: its reason is the reason.
fn first_cause(behind: Result<Planner, RangeError>, ahead: Result<Planner, RangeError>) -> Result<Planner, RangeError> {
    match (behind, ahead) {
        (Err(RangeError::Interrupted) | Ok(_), Err(cause)) | (Err(cause), _) => Err(cause),
        (Ok(behind), Ok(mut ahead)) => {
            ahead.add_matched(&behind);
            Ok(ahead)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use brigade_store::Symlinks;

    use super::*;
    use crate::filters::Filters;
    use crate::job::{Comparison, JobSpec};
    use crate::listing::Broken;

    #[test]
    fn the_reason_is_that_of_whichever_was_not_interrupted() {
        let job = JobSpec {
            filters: Filters::default(),
            comparison: Comparison::Auto,
            clock_fudge_factor: Duration::ZERO,
            delete: None,
            symlinks: Symlinks::Follow,
        };
        let ok = || Ok(Planner::new(&job, Kind::Remote));
        let broken = |location: &str| {
            let error = ListingError { location: location.into(), reason: String::new() };
            Err(RangeError::Listing(Side::Source, error.into()))
        };
        let interrupted = || Err(RangeError::Interrupted);
        let table = [
            (ok(), ok(), None),
            (broken("behind"), ok(), Some("behind")),
            (ok(), broken("ahead"), Some("ahead")),
            (broken("behind"), interrupted(), Some("behind")),
            (interrupted(), broken("ahead"), Some("ahead")),
            (interrupted(), ok(), Some("interrupted")),
            (interrupted(), interrupted(), Some("interrupted")),
        ];
        for (behind, ahead, expected) in table {
            let cause = first_cause(behind, ahead).err().map(|cause| match cause {
                RangeError::Listing(_, Broken::Store(error)) => error.location,
                other => other.to_string(),
            });
            assert_eq!(cause.as_deref(), expected);
        }
    }
}
