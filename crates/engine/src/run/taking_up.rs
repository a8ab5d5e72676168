//! Taking up what an earlier run left: what of it still holds, and what doesn't.

use std::time::{Duration, SystemTime};

use brigade_store::{Key, Kind, Order, Store};

use super::{Change, Cursor, Ledger, LedgerError, Ordering, Orderings, Pass, Surroundings, UnfinishedRun, Why};
use crate::events::{Event, Side, TakenUp};
use crate::index::IndexUse;
use crate::job::JobDigest;
use crate::ledger::cursor::gaps;
use crate::ledger::{BegunUpload, Remembered};
use crate::plan::{Action, Phase};
use crate::spool;

/// How long what was listed in a bucket holds: then all of it is listed again.
const LISTING_HOLDS: Duration = Duration::from_hours(24);

/// What an earlier run left that this one goes on with.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) run: Option<UnfinishedRun>,
    pub(super) uploads: Vec<BegunUpload>,
    pub(super) index: IndexUse,
}

impl Memory {
    /// How many actions wait for each phase.
    pub(super) fn spooled(&self) -> [u64; Phase::COUNT] {
        self.run.as_ref().map_or([0; Phase::COUNT], |run| run.spooled)
    }
}

impl Pass {
    /// What of an earlier run this one goes on with. If it can't, its progress is dropped.
    pub(super) async fn remember(&self, orderings: &mut Orderings) -> Result<Memory, Why> {
        let Surroundings { source, dest, recorder, .. } = &self.around;
        let Some(ledger) = self.around.settled.as_ref() else { return Ok(Memory::default()) };
        let Remembered { run, uploads, unordered, index: found } = ledger.progress().await?;
        for side in unordered {
            *orderings.of_side(side) = Ordering::Sorted;
        }
        let index = self.index_use(found);
        if index.is_trusted() {
            self.check_index(ledger.as_ref()).await?;
            orderings.dest = Ordering::AsListed;
        }
        if let Some(text) = IndexUse::why_listed(self.job.indexing, found, self.job.filters_digest()) {
            self.around.tally.tell(Event::Warning { text: text.to_owned() });
        }
        if self.options.dry_run {
            return Ok(Memory { index, ..Memory::default() });
        }
        let sides = [source.as_ref(), dest.as_ref()];
        if !self.keeps_progress() {
            recorder.commit_now(self.opening(index, found, false), sides).await?;
            // It may send what an earlier run began to.
            return Ok(Memory { run: None, uploads, index });
        }
        let now = (self.clock)();
        let job = self.job.digest();
        let mut run = run.filter(|run| orderings.are_by_bytes() && still_holds(run, job, now));
        if let Some(held) = &run
            && !(self.has_passed_well(index, found)
                && self.shows_what_was_settled(ledger.as_ref(), held, index).await?)
        {
            run = None;
        }
        let mut opening = self.opening(index, found, run.is_some());
        opening.extend(run.is_none().then(|| self.beginning()));
        recorder.commit_now(opening, sides).await?;
        match &mut run {
            None => {}
            Some(run) => {
                recorder.note(take_failed_ahead(run).into_iter().map(Change::Resolved));
                self.unspool_ahead(ledger.as_ref(), run).await?;
                recorder.take_up(&run.cursors, &run.failed);
                let taken_up = run.left();
                if taken_up != TakenUp::default() {
                    self.around.tally.tell(Event::TakenUp(&taken_up));
                    self.around.tally.count(|summary| summary.taken_up = Some(taken_up));
                }
            }
        }
        Ok(Memory { run, uploads, index })
    }

    /// Whether buckets still show what was settled, as far as two looks at each
    /// tell: at the first key behind a cursor, and at the last one. One that was
    /// emptied or made anew meanwhile, or is another one, is listed from the start. And whether they
    /// are known to list in byte order, which their answer may tell.
    async fn shows_what_was_settled(
        &self,
        ledger: &dyn Ledger,
        run: &UnfinishedRun,
        index: IndexUse,
    ) -> Result<bool, LedgerError> {
        let begins_after = run.cursors.first().and_then(|cursor| cursor.after.as_ref());
        let mut pairs = ledger.page(begins_after, 1).await?;
        pairs.retain(|pair| run.cursors.iter().any(|cursor| cursor.has_passed(&pair.key)));
        if let Some(Cursor { through: Some(through), .. }) = run.cursors.last() {
            pairs.extend(ledger.pair(through).await?);
        }
        let Surroundings { source, dest, .. } = &self.around;
        for pair in pairs.iter().filter(|pair| !pair.lost) {
            // What was settled at a destination of which there is an index was looked at already.
            let sides = [(source, &pair.left), (dest, &pair.right)];
            for (store, side) in sides.into_iter().take(if index.is_trusted() { 1 } else { 2 }) {
                // What can't be looked at now tells nothing.
                if let (Kind::Remote, Ok(found)) = (store.capabilities().kind, store.look(&pair.key).await)
                    && !found.is_some_and(|found| side.shows_in(&found))
                {
                    return Ok(false);
                }
            }
        }
        let is_by_bytes = |store: &dyn Store| store.capabilities().order == Order::ByBytes;
        Ok(is_by_bytes(source.as_ref()) && (index.is_trusted() || is_by_bytes(dest.as_ref())))
    }

    /// Drops what waits for keys that no cursor has passed: they are planned
    /// again, and not always in the same way.
    async fn unspool_ahead(&self, ledger: &dyn Ledger, run: &mut UnfinishedRun) -> Result<(), LedgerError> {
        let recorder = &self.around.recorder;
        for gap in gaps(&run.cursors) {
            for phase in [Phase::Deletions, Phase::AfterDeletions] {
                let mut after = gap.after.clone();
                loop {
                    let batch = ledger.spooled(phase, after.as_ref(), spool::BATCH).await?;
                    let ahead = batch.iter().map(Action::key).take_while(|key| gap.contains(key));
                    let ahead: Vec<Change> = ahead.map(|key| Change::Unspool(phase, key.clone())).collect();
                    let waiting = &mut run.spooled[phase as usize];
                    *waiting = waiting.saturating_sub(ahead.len() as u64);
                    let goes_on = ahead.len() == batch.len();
                    recorder.note(ahead);
                    recorder.keep_pace().await;
                    let Some(last) = batch.last().filter(|_| goes_on) else { break };
                    after = Some(last.key().clone());
                }
            }
        }
        Ok(())
    }

    /// That a run begins from the start.
    pub(super) fn beginning(&self) -> Change {
        Change::Begin { job: self.job.digest(), begun: (self.clock)() }
    }
}

/// Whether the run was of this very job, came anywhere, and began so recently that what it
/// listed still holds. A clock that was set back tells nothing of that.
fn still_holds(run: &UnfinishedRun, job: JobDigest, now: SystemTime) -> bool {
    !run.cursors.is_empty() && run.job == job && now.duration_since(run.begun).is_ok_and(|age| age < LISTING_HOLDS)
}

/// Takes out the failed keys that the cursor has not passed: they are listed
/// again with all that come after it, and are not to be looked at twice.
fn take_failed_ahead(run: &mut UnfinishedRun) -> Vec<Key> {
    let is_behind = |key: &Key| run.cursors.iter().any(|cursor| cursor.has_passed(key));
    let (behind, ahead) = std::mem::take(&mut run.failed).into_iter().partition(is_behind);
    run.failed = behind;
    ahead
}

impl Orderings {
    /// Whether both sides are listed in byte order: only then does a place in it say what was listed.
    pub(super) fn are_by_bytes(self) -> bool {
        self.source == Ordering::AsListed && self.dest == Ordering::AsListed
    }

    fn of_side(&mut self, side: Side) -> &mut Ordering {
        match side {
            Side::Source => &mut self.source,
            Side::Dest => &mut self.dest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_job_of_the_last_day_is_taken_up() {
        let at = |hours: u64| SystemTime::UNIX_EPOCH + Duration::from_hours(hours);
        let cursors = vec![Cursor::default()];
        let mut run =
            UnfinishedRun { job: JobDigest([1; 16]), begun: at(100), cursors, failed: vec![], spooled: [0; 3] };
        let table = [
            ("at once", [1; 16], 100, true),
            ("within a day", [1; 16], 123, true),
            ("after a day", [1; 16], 124, false),
            ("years ahead", [1; 16], 100_000, false),
            ("set back", [1; 16], 99, false),
            ("another job", [2; 16], 100, false),
        ];
        for (row, job, now, expected) in table {
            assert_eq!(still_holds(&run, JobDigest(job), at(now)), expected, "{row}");
        }
        run.cursors.clear();
        assert!(!still_holds(&run, run.job, at(100)), "it came nowhere");
    }

    #[test]
    fn only_what_failed_behind_the_cursor_is_looked_at_by_itself() {
        let failed: Vec<Key> = ["a", "b", "c"].map(Key::from).into();
        let cursor = |after: Option<&str>, through: Option<&str>| {
            let [after, through] = [after, through].map(|key| key.map(Key::from));
            Cursor { after, through, ..Cursor::default() }
        };
        let table = [
            ("none", vec![], 0),
            ("at b", vec![cursor(None, Some("b"))], 2),
            ("the end", vec![cursor(None, None)], 3),
            ("all but b", vec![cursor(None, Some("a")), cursor(Some("b"), None)], 2),
        ];
        for (row, cursors, behind) in table {
            let (begun, failed) = (SystemTime::UNIX_EPOCH, failed.clone());
            let mut run = UnfinishedRun { job: JobDigest([1; 16]), begun, cursors, failed, spooled: [0; 3] };
            let ahead = take_failed_ahead(&mut run);
            assert_eq!((run.failed.len(), ahead.len()), (behind, 3 - behind), "{row}");
            assert!(run.failed.is_sorted() && ahead.is_sorted(), "{row}");
        }
    }
}
