//! The stretches of a job: what lies behind the cursors of a run that is taken
//! up, and what lies ahead of them. Both are gone over at once.

use std::sync::Arc;

use brigade_store::{Key, KeyRange, Kind};

use super::Pass;
use crate::events::Event;
use crate::ledger::UnfinishedRun;
use crate::ledger::cursor::gaps;
use crate::nesting::may_be_above_what_follows;
use crate::plan::Planner;
use crate::range::{Extent, Orderings, RangeError, Stretch, run_range};
use crate::transfer::Transfers;

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
            Some(run) => {
                let (behind, ahead) = tokio::join!(stretches.go_behind(run), stretches.go_ahead(gaps(&run.cursors)));
                first_cause(behind, ahead)?
            }
            None => stretches.go_ahead(vec![KeyRange::everything()]).await?,
        };
        for pattern in planner.unmatched_patterns() {
            transfers.tally.tell(Event::Warning { text: format!("the pattern {pattern:?} matches no key") });
        }
        Ok(())
    }
}

/// The stretches of one pass. Each gives its planner back, which knows what patterns have matched there.
#[derive(Clone, Copy)]
pub(super) struct Stretches<'a> {
    pub(super) pass: &'a Pass,
    pub(super) transfers: &'a Arc<Transfers>,
    pub(super) orderings: Orderings,
}

impl Stretches<'_> {
    /// A planner of all keys, or of those after this one.
    pub(super) async fn planner(&self, after: Option<&Key>) -> Planner {
        let mut planner = Planner::new(&self.pass.job, self.transfers.dest.capabilities().kind);
        if let Some(after) = after {
            self.show_what_is_above(&mut planner, after).await;
        }
        planner
    }

    /// Walks what lies behind the cursors, and then looks at the keys there that
    /// had failed: each by itself, whatever comes before it in order.
    async fn go_behind(&self, run: &UnfinishedRun) -> Result<Planner, RangeError> {
        let Self { transfers, orderings, .. } = *self;
        let mut all = self.planner(None).await;
        for cursor in &run.cursors {
            let mut planner = self.planner(cursor.after.as_ref()).await;
            transfers.tally.count(|summary| *summary += cursor.unseen.into());
            let extent = Extent::of(cursor.range());
            run_range(transfers, &mut planner, &extent, Stretch::Behind(&run.failed), orderings).await?;
            all.add_matched(&planner);
        }
        for key in &run.failed {
            let mut planner = self.planner(Some(key)).await;
            transfers.recorder.try_again(key);
            let extent = Extent::of(KeyRange::around(key));
            run_range(transfers, &mut planner, &extent, Stretch::Again, orderings).await?;
            // Cut short, it has yet to be looked at.
            if !transfers.cancel.is_cancelled() {
                transfers.recorder.tried_again(key);
            }
            all.add_matched(&planner);
        }
        Ok(all)
    }

    /// Shows the planner which objects that come before its range those in it
    /// may have to lie below: only a bucket can have both, and only a tree can't.
    async fn show_what_is_above(&self, planner: &mut Planner, after: &Key) {
        let Transfers { source, permits, .. } = self.transfers.as_ref();
        if self.transfers.kinds() != [Kind::Remote, Kind::Local] {
            return;
        }
        for key in may_be_above_what_follows(after) {
            let _request = permits.request().await;
            // What can't be looked at is in nobody's way before it is known to be there.
            if planner.includes(&key) && matches!(source.look(&key).await, Ok(Some(_))) {
                planner.show(&key);
            }
        }
    }
}

/// What both came to. One that can't go on interrupts the other: its reason is the reason.
pub(super) fn first_cause(
    one: Result<Planner, RangeError>,
    other: Result<Planner, RangeError>,
) -> Result<Planner, RangeError> {
    match (one, other) {
        (Err(RangeError::Interrupted) | Ok(_), Err(cause)) | (Err(cause), _) => Err(cause),
        (Ok(mut one), Ok(other)) => {
            one.add_matched(&other);
            Ok(one)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use brigade_store::{ListingError, Symlinks};

    use super::*;
    use crate::events::Side;
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
