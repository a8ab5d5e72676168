//! `brigade prune`: removes versions that were superseded long ago.

use std::sync::{Arc, Mutex};

use brigade_engine::prune::{self, Prune, VersionCounts};
use brigade_store::{RequestCount, Role, Store, open};

use crate::arguments;
use crate::exit::Exit;
use crate::output::pruned::{Pruned, Telling};
use crate::output::{self, Streams, To};
use crate::resolve::prune::{Asked, resolve};
use crate::signals::Stop;

/// Runs the command.
pub(crate) async fn run(arguments: &arguments::Prune, mut streams: Streams, stop: &Stop) -> Exit {
    let Asked { location, s3, prune } = match resolve(arguments) {
        Ok(asked) => asked,
        Err(error) => return output::usage_error(&mut streams, &error),
    };
    let streams = output::log::with_warnings(streams);
    let mut telling = Telling::new(arguments.output, arguments.verbose, prune);
    let (counts, error, requests) = match open(&location, Role::Destination, &s3, &stop.abandon).await {
        Ok(store) => {
            let (counts, error) = carry_out(&*store, &prune, stop, &mut telling, &streams).await;
            (counts, error, store.requests())
        }
        Err(error) => (VersionCounts::default(), Some(error.to_string()), Vec::<RequestCount>::new()),
    };
    let exit = Exit::of_removal(stop, error.is_some(), counts.failed);
    let mut streams = output::lock(&streams);
    if let Some(reason) = &error {
        output::error(&mut streams, reason);
    }
    telling.reasons(&mut streams);
    let pruned = Pruned { exit, error: error.as_deref(), counts, requests: &requests };
    streams.text(To::Out, &telling.summary(&pruned));
    output::unless_unwritten(&mut streams, exit)
}

/// Removes what is old enough; what was counted, and why that may not be all.
async fn carry_out(
    store: &dyn Store,
    prune: &Prune,
    stop: &Stop,
    telling: &mut Telling,
    streams: &Arc<Mutex<Streams>>,
) -> (VersionCounts, Option<String>) {
    let tell = |judged| telling.tell(&mut output::lock(streams), &judged);
    let (counts, ended) = prune::prune(store, prune, None, &stop.token, tell).await;
    (counts, ended.err().map(|error| error.to_string()))
}
