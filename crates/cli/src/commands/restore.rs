//! `brigade restore`: a sync down, from a bucket that may be seen as it was.

use super::sync;
use crate::arguments;
use crate::exit::Exit;
use crate::output::Streams;
use crate::resolve::restore::resolve;
use crate::signals::Stop;

/// Runs the command.
pub(crate) async fn run(arguments: &arguments::Restore, streams: Streams, stop: &Stop) -> Exit {
    let resolved = resolve(arguments, streams.can_draw);
    Box::pin(sync::run_resolved(resolved, streams, stop)).await
}
