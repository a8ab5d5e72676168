//! The phases after the listing: deletions, then what they made room for.

use std::sync::Arc;

use brigade_store::Key;
use tokio::sync::mpsc;

use crate::error::Why;
use crate::events::{Event, Summary};
use crate::job::{DeleteLimit, JobSpec, RunOptions};
use crate::ledger::LedgerError;
use crate::plan::Phase;
use crate::transfer::{Actions, Halt, Transfers};

/// Refuses a source that lists nothing while the destination holds something,
/// unless that was allowed: it is far likelier a disk that isn't mounted than a
/// wish.
pub(crate) fn refuse_empty_source(summary: &Summary, source: &str, options: &RunOptions) -> Result<(), Why> {
    if summary.source_objects == 0 && summary.dest_objects > 0 && !options.allow_empty_source {
        return Err(Why::Refused(format!(
            "the source {source} holds nothing that takes part, while the destination holds {} objects; \
             nothing was changed. Is it the right place, and mounted? If it is meant to be empty, \
             give --allow-empty-source",
            summary.dest_objects
        )));
    }
    Ok(())
}

/// Runs the spooled phases in their order.
pub(crate) async fn run(transfers: &Arc<Transfers>, job: &JobSpec, options: &RunOptions) -> Result<(), Why> {
    count_spooled(transfers).await?;
    let deletions = judge_deletions(transfers, job, options);
    let shown = options.dry_run && matches!(deletions, Deletions::Refused(_));
    if shown || matches!(deletions, Deletions::Allowed) {
        run_phase(transfers, Phase::Deletions).await?;
    }
    if options.dry_run && matches!(deletions, Deletions::Allowed) {
        transfers.count_deletions_as_done(&job.filters);
    }
    run_phase(transfers, Phase::AfterDeletions).await?;
    match deletions {
        Deletions::Refused(reason) => Err(Why::Refused(reason)),
        Deletions::Allowed | Deletions::HeldBack => Ok(()),
    }
}

/// Commits what was planned, and counts what waits.
async fn count_spooled(transfers: &Transfers) -> Result<(), LedgerError> {
    transfers.recorder.flush(transfers.sides()).await?;
    if let Some(ledger) = transfers.recorder.ledger()
        && let Some(run) = ledger.progress().await?.run
    {
        transfers.spool().recount(run.spooled);
    }
    Ok(())
}

/// What becomes of the planned deletions. They are all done, or none.
enum Deletions {
    Allowed,
    HeldBack,
    /// They are too many; with the reason. A dry run shows them all the same.
    Refused(String),
}

fn judge_deletions(transfers: &Transfers, job: &JobSpec, options: &RunOptions) -> Deletions {
    let planned = transfers.spool().waiting(Phase::Deletions);
    let Some(limit) = job.delete.filter(|_| planned > 0) else {
        return Deletions::HeldBack;
    };
    if options.limit.is_some() {
        transfers.tally.count(|summary| summary.over_limit += planned);
        return Deletions::HeldBack;
    }
    let summary = transfers.tally.summary();
    if !within(limit, planned, summary.dest_objects) {
        if !options.dry_run {
            transfers.tally.count(|summary| summary.deletions_held_back = planned);
        }
        return Deletions::Refused(format!(
            "{planned} of {} objects at the destination would be deleted, more than --max-delete {limit} allows; \
             none was. Look at them with --dry-run, then raise the limit",
            summary.dest_objects
        ));
    }
    if let Some((directory, lost)) = transfers.losses().largest().filter(|_| !options.allow_empty_source) {
        if !options.dry_run {
            transfers.tally.count(|summary| summary.deletions_held_back = planned);
        }
        return Deletions::Refused(lost_directory(transfers.source.location(), &directory, lost));
    }
    if !summary.brought() {
        transfers.tally.count(|summary| summary.deletions_held_back = planned);
        let text = match planned {
            1 => "1 deletion was held back, because something failed before it".to_owned(),
            _ => format!("{planned} deletions were held back, because something failed before them"),
        };
        transfers.tally.tell(Event::Warning { text });
        return Deletions::HeldBack;
    }
    Deletions::Allowed
}

fn lost_directory(source: &str, directory: &Key, lost: u64) -> String {
    let place = if directory.as_bytes().is_empty() { source.to_owned() } else { format!("{directory} in {source}") };
    format!(
        "all {lost} objects that {place} had when both sides were last in step are gone, and would be deleted at the \
         destination; none was. Is it the right place, and mounted? If they are meant to be gone, give \
         --allow-empty-source"
    )
}

/// Whether so many deletions, of so many objects, are within the limit.
fn within(limit: DeleteLimit, planned: u64, objects: u64) -> bool {
    match limit {
        DeleteLimit::Unlimited => true,
        DeleteLimit::Objects(most) => planned <= most,
        DeleteLimit::Percent(share) => {
            // Exact enough: a count is rounded only above 2^53 objects.
            #[expect(clippy::cast_precision_loss)]
            let (planned, objects) = (planned as f64, objects as f64);
            planned * 100.0 <= share * objects
        }
    }
}

async fn run_phase(transfers: &Arc<Transfers>, phase: Phase) -> Result<(), Why> {
    let waiting = transfers.spool().waiting(phase);
    if waiting == 0 {
        return Ok(());
    }
    transfers.tally.tell(Event::Phase { phase, actions: waiting });
    transfers.recorder.flush(transfers.sides()).await?;
    let mut spooled = transfers.spool().take(phase).map_err(Halt::from)?;
    let (batches, mut receiver) = mpsc::channel(1);
    let reading = async {
        loop {
            let actions = spooled.next_batch().await?;
            if actions.is_empty() || batches.send(Actions { number: None, actions }).await.is_err() {
                drop(batches);
                return Ok::<(), Halt>(());
            }
        }
    };
    let (read, carried) = tokio::join!(reading, transfers.carry_out(phase, &mut receiver));
    carried?;
    Ok(read?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_destination_is_counted_exactly() {
        use DeleteLimit::{Objects, Percent, Unlimited};
        let table = [
            (Unlimited, u64::MAX, 0, true),
            (Objects(3), 3, 100, true),
            (Objects(3), 4, 100, false),
            (Objects(0), 1, 100, false),
            (Percent(10.0), 10, 100, true),
            (Percent(10.0), 11, 100, false),
            (Percent(0.0), 1, 1_000_000, false),
            (Percent(100.0), 7, 7, true),
            (Percent(33.3), 1, 3, false),
        ];
        for (limit, planned, objects, expected) in table {
            assert_eq!(within(limit, planned, objects), expected, "{limit:?}: {planned} of {objects}");
        }
    }
}
