//! What follows a sync that is complete: old versions are removed from the destination (`--prune-older-than`).

use std::sync::Arc;

use brigade_engine::filters::Filters;
use brigade_engine::prune::{self, JudgedVersion, Prune, PruneError, check_versions};
use brigade_store::Store;

use super::{Ending, interrupted};
use crate::exit::Exit;
use crate::output::Reporter;
use crate::signals::Stop;

/// Makes sure, before anything is done, that there is something to prune.
pub(super) async fn check(prune: Option<&Prune>, dest: &dyn Store) -> Result<(), PruneError> {
    match prune {
        Some(_) => check_versions(dest).await.map(drop),
        None => Ok(()),
    }
}

/// Prunes what takes part of the destination, if that was asked for and the sync is complete. The ending of the whole.
pub(super) async fn after(
    sync: Ending,
    prune: Option<(Prune, Filters)>,
    [source, dest]: [Arc<dyn Store>; 2],
    reporter: &Reporter,
    stop: &Stop,
) -> Ending {
    let Some((prune, filters)) = prune else { return sync };
    let is_whole = sync.summary.as_ref().is_some_and(|summary| summary.over_limit == 0);
    if sync.exit != Exit::InStep || !is_whole {
        reporter.note("no versions were removed, because the sync is not complete");
        return sync;
    }
    let mut telling = reporter.telling(prune);
    let tell = |judged: JudgedVersion| reporter.tell_of_version(&mut telling, &judged);
    let (counts, ended) = prune::prune(&*dest, &prune, Some(&filters), &stop.token, tell).await;
    reporter.tell_of_failed_versions(&telling);
    let mut ending = Ending { pruned: Some(counts), ..sync };
    if let Some(summary) = &mut ending.summary {
        summary.requests = [source.requests(), dest.requests()].concat();
    }
    match ended {
        _ if stop.token.is_cancelled() => {
            (ending.exit, ending.error) = (Exit::Interrupted(stop.signal()), interrupted(stop, None).error);
        }
        Err(error) => (ending.exit, ending.error) = (Exit::CouldNotRun, Some(error.to_string())),
        Ok(()) if counts.failed > 0 => ending.exit = Exit::Incomplete,
        Ok(()) => {}
    }
    ending
}
