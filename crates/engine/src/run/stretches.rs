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
use crate::transfer::Transfers;

impl Pass {
    /// Goes over the job once, from where an earlier run came to.
    pub(super) async fn once(
        &self,
        transfers: &Arc<Transfers>,
        orderings: Orderings,
        taken_up: Option<&UnfinishedRun>,
    ) -> Result<(), RangeError> {
        let mut ahead = self.planner(transfers);
        if let Some(run) = taken_up {
            let (behind, went_ahead) = tokio::join!(
                self.go_behind(transfers, orderings, run),
                self.go_ahead(transfers, orderings, Some(run), &mut ahead)
            );
            ahead.add_matched(&first_cause(behind, went_ahead)?);
        } else {
            self.go_ahead(transfers, orderings, None, &mut ahead).await?;
        }
        for pattern in ahead.unmatched_patterns() {
            transfers.tally.tell(Event::Warning { text: format!("the pattern {pattern:?} matches no key") });
        }
        Ok(())
    }

    fn planner(&self, transfers: &Transfers) -> Planner {
        Planner::new(&self.job, transfers.dest.capabilities().kind)
    }

    /// Walks what lies behind the cursor, and then looks at each key there that had failed.
    async fn go_behind(
        &self,
        transfers: &Arc<Transfers>,
        orderings: Orderings,
        run: &UnfinishedRun,
    ) -> Result<Planner, RangeError> {
        let mut planner = self.planner(transfers);
        if let Some(cursor) = &run.cursor {
            transfers.tally.count(|summary| *summary += cursor.unseen.into());
            let range = KeyRange { after: None, through: cursor.through.clone() };
            run_range(transfers, &mut planner, &range, Stretch::Behind(&run.failed), orderings).await?;
        }
        for key in &run.failed {
            let range = KeyRange::around(key);
            transfers.recorder.try_again(key);
            // It is judged by itself: what comes before it in order is not shown to this planner.
            run_range(transfers, &mut self.planner(transfers), &range, Stretch::Again, orderings).await?;
            // Cut short, it has yet to be looked at.
            if !transfers.cancel.is_cancelled() {
                transfers.recorder.tried_again(key);
            }
        }
        Ok(planner)
    }

    /// Lists what lies ahead of the cursor, or everything, and moves it on.
    async fn go_ahead(
        &self,
        transfers: &Arc<Transfers>,
        orderings: Orderings,
        taken_up: Option<&UnfinishedRun>,
        planner: &mut Planner,
    ) -> Result<(), RangeError> {
        let cursor = taken_up.and_then(|run| run.cursor.as_ref());
        if cursor.is_some_and(|cursor| cursor.through.is_none()) {
            return Ok(());
        }
        let cursor = cursor.cloned().unwrap_or_default();
        if let (Some(run), Some(through)) = (taken_up, &cursor.through)
            && let Err(error) = show_what_is_above(transfers, planner, run, through).await
        {
            transfers.listing.cancel();
            return Err(RangeError::Listing(Side::Source, error.into()));
        }
        let range = KeyRange { after: cursor.through.clone(), through: None };
        let is_followed = self.keeps_progress() && orderings.are_by_bytes();
        if !is_followed {
            transfers.recorder.stop_following();
        }
        run_range(transfers, planner, &range, Stretch::Ahead(is_followed.then_some(cursor)), orderings).await
    }
}

/// What both came to. One that can't go on interrupts the other: its reason is the reason.
fn first_cause<T>(behind: Result<T, RangeError>, ahead: Result<(), RangeError>) -> Result<T, RangeError> {
    match (behind, ahead) {
        (Err(RangeError::Interrupted) | Ok(_), Err(cause)) | (Err(cause), _) => Err(cause),
        (Ok(behind), Ok(())) => Ok(behind),
    }
}

/// Shows the planner of what lies ahead which objects behind the cursor those
/// may have to lie below: only a bucket can have both, and only a tree can't.
async fn show_what_is_above(
    transfers: &Transfers,
    planner: &mut Planner,
    run: &UnfinishedRun,
    through: &Key,
) -> Result<(), ListingError> {
    let Some(ledger) = transfers.settled.as_ref().filter(|_| transfers.kinds() == [Kind::Remote, Kind::Local]) else {
        return Ok(());
    };
    for key in may_be_above_what_follows(through).filter(|key| run.failed.binary_search(key).is_err()) {
        let range = KeyRange::around(&key);
        let mut source = SettledSource::new(Arc::clone(ledger), transfers.source.location(), &range);
        while let Some(page) = source.next_page().await? {
            if page.iter().any(|listed| *listed.key() == key) {
                planner.show(&key);
            }
        }
    }
    Ok(())
}
