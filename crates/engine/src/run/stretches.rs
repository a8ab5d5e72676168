//! The stretches of a job: what lies behind the cursors of a run that is taken
//! up, and what lies ahead of them. Both are gone over at once.

use std::sync::Arc;

use brigade_store::{Key, KeyRange, Kind, ListingError, Store};
use futures_util::future::join_all;

use super::Pass;
use crate::events::Event;
use crate::ledger::UnfinishedRun;
use crate::ledger::cursor::gaps;
use crate::nesting::{directories_of, may_be_above_what_follows};
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
    /// A planner of keys from the first one on.
    pub(super) fn planner(&self) -> Planner {
        let mut planner = Planner::new(&self.pass.job, self.transfers.dest.capabilities().kind);
        planner.set_source_nothing(self.transfers.source.holds_nothing());
        planner.set_dest_timeless(self.transfers.index.is_trusted());
        planner
    }

    /// A planner of the keys after this one.
    pub(super) async fn planner_after(&self, after: Option<&Key>) -> Planner {
        let above = after.into_iter().flat_map(may_be_above_what_follows);
        self.planner_below(above.collect()).await
    }

    /// A planner that was shown which of these objects the source has, below
    /// which those in its range may have to lie: only a bucket can have both, and
    /// only a tree can't.
    async fn planner_below(&self, above: Vec<Key>) -> Planner {
        let Transfers { source, permits, listing, .. } = self.transfers.as_ref();
        let mut planner = self.planner();
        if self.transfers.kinds() != [Kind::Remote, Kind::Local] {
            return planner;
        }
        let looks = above.into_iter().filter(|key| planner.includes(key)).map(async |key| {
            let _request = permits.request().await;
            // What can't be listed may be there: who needs its name for a directory waits for another run.
            let is_there = !listing.is_cancelled() && lists(source.as_ref(), &key).await.unwrap_or(true);
            is_there.then_some(key)
        });
        let looks: Vec<_> = looks.collect();
        for key in join_all(looks).await.into_iter().flatten() {
            planner.show(&key);
        }
        planner
    }

    /// Walks what lies behind the cursors, and then looks at the keys there that
    /// had failed: each by itself, whatever comes before it in order.
    async fn go_behind(&self, run: &UnfinishedRun) -> Result<Planner, RangeError> {
        let Self { transfers, orderings, .. } = *self;
        let mut all = self.planner();
        for cursor in &run.cursors {
            let mut planner = self.planner_after(cursor.after.as_ref()).await;
            transfers.tally.count(|summary| *summary += cursor.unseen.into());
            let extent = Extent::of(cursor.range());
            run_range(transfers, &mut planner, &extent, Stretch::Behind(&run.failed), orderings).await?;
            all.add_matched(&planner);
        }
        for key in &run.failed {
            let mut planner = self.planner_below(directories_of(key).collect()).await;
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
}

/// Whether the store lists this key. To list is what whoever syncs may do; to
/// look at an object takes the permission to read it.
async fn lists(store: &dyn Store, key: &Key) -> Result<bool, ListingError> {
    let mut before = KeyRange::around(key).after.unwrap_or_else(|| Key::from(""));
    loop {
        match store.first_after(&before).await? {
            // Next to no other key lies between the two.
            Some(next) if next > before && next < *key => before = next,
            next => return Ok(next.as_ref() == Some(key)),
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

    use brigade_store::Symlinks;

    use super::*;
    use crate::events::Side;
    use crate::filters::Filters;
    use crate::job::{Comparison, Indexing, JobSpec};
    use crate::listing::Broken;

    #[test]
    fn the_reason_is_that_of_whichever_was_not_interrupted() {
        let job = JobSpec {
            filters: Filters::default(),
            comparison: Comparison::Auto,
            clock_fudge_factor: Duration::ZERO,
            delete: None,
            symlinks: Symlinks::Follow,
            indexing: Indexing::Off,
            carries_tags: true,
            carries_grants: false,
            source_inventory: None,
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
