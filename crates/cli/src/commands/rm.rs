//! `brigade rm`: a sync from nothing, of which only the deletions are left.

use brigade_store::{Store, Versioning};

use super::sync;
use crate::arguments;
use crate::exit::Exit;
use crate::output::Streams;
use crate::resolve::rm::resolve;
use crate::signals::Stop;

/// Runs the command.
pub(crate) async fn run(arguments: &arguments::Rm, streams: Streams, stop: &Stop) -> Exit {
    let resolved = resolve(arguments, streams.can_draw);
    Box::pin(sync::run_resolved(resolved, streams, stop)).await
}

/// What whoever deletes from this bucket should know, if it keeps versions.
pub(super) async fn what_stays(dest: &dyn Store) -> Option<String> {
    let location = dest.location();
    match dest.versioning().await {
        Ok(Versioning::Enabled) => Some(format!(
            "{location} keeps versions: what is deleted gets delete markers, and its versions stay (`brigade prune` removes them)"
        )),
        Ok(Versioning::Suspended) => Some(format!(
            "{location} kept versions once: those stay, under delete markers; what was written while it kept none is gone for good"
        )),
        // Whoever may delete need not be allowed to ask.
        Ok(Versioning::Never | Versioning::Unsaid) | Err(_) => None,
    }
}
