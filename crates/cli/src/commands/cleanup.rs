//! `brigade cleanup`: aborts uploads that nobody finishes.

use brigade_engine::cleanup::{Judged, UploadCounts, clean_up};
use brigade_store::{Role, Store, open};

use crate::arguments;
use crate::exit::Exit;
use crate::output::uploads::{Cleaned, Shown};
use crate::output::{self, Streams, To};
use crate::resolve::cleanup::{Asked, resolve};
use crate::signals::Stop;

/// Runs the command.
pub(crate) async fn run(arguments: &arguments::Cleanup, mut streams: Streams, stop: &Stop) -> Exit {
    let asked = match resolve(arguments) {
        Ok(asked) => asked,
        Err(error) => return output::usage_error(&mut streams, &error),
    };
    let streams = output::log::with_warnings(streams);
    let shown = Shown { format: arguments.output, verbose: arguments.verbose, dry_run: arguments.dry_run };
    let store = open(&asked.location, Role::Destination, &asked.s3, &stop.abandon).await;
    let (counts, error, requests) = match store {
        Ok(store) => {
            let tell = |judged: Judged| shown.tell(&mut output::lock(&streams), &judged);
            let (counts, error) = clean(&*store, &asked, stop, tell).await;
            (counts, error, store.requests())
        }
        Err(error) => (UploadCounts::default(), Some(error.to_string()), Vec::new()),
    };
    let exit = Exit::of_removal(stop, error.is_some(), counts.failed);
    let mut streams = output::lock(&streams);
    if let Some(reason) = &error {
        output::error(&mut streams, reason);
    }
    let older_than = asked.cleanup.older_than;
    let cleaned = Cleaned { exit, error: error.as_deref(), counts, older_than, requests: &requests };
    streams.text(To::Out, &shown.summary(&cleaned));
    output::unless_unwritten(&mut streams, exit)
}

/// Gives up what is old enough; what was counted, and why that may not be all.
async fn clean(
    store: &dyn Store,
    asked: &Asked,
    stop: &Stop,
    tell: impl FnMut(Judged),
) -> (UploadCounts, Option<String>) {
    let (counts, ended) = clean_up(store, &asked.cleanup, &stop.token, tell).await;
    (counts, ended.err().map(|error| error.to_string()))
}
