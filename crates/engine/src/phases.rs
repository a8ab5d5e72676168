//! The phases after the listing: deletions, then what they made room for.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::error::Why;
use crate::events::{Event, Summary};
use crate::job::{DeleteLimit, JobSpec, RunOptions};
use crate::plan::Phase;
use crate::transfer::{Halt, Transfers};

/// Refuses a source that lists nothing while the destination holds something,
/// unless that was allowed: it is far likelier a disk that isn't mounted than a
/// wish. (Here will stand the same judgement of a directory that has lost all of
/// a hundred children or more, once a ledger remembers them.)
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
    if summary.failed > 0 || summary.unrepresentable > 0 {
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
    let mut spooled = transfers.spool().take(phase).map_err(Halt::from)?;
    let (batches, mut receiver) = mpsc::channel(1);
    let reading = async {
        loop {
            let batch = spooled.next_batch()?;
            if batch.is_empty() || batches.send(batch).await.is_err() {
                drop(batches);
                return Ok::<(), std::io::Error>(());
            }
        }
    };
    let (read, carried) = tokio::join!(reading, transfers.carry_out(phase, &mut receiver));
    carried?;
    Ok(read.map_err(Halt::from)?)
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
