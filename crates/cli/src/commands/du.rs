//! `brigade du`: how much a place holds, and its directories.

use std::sync::{Arc, Mutex};

use brigade_engine::usage::{Measured, Usage, measure};
use brigade_store::s3::Config;
use brigade_store::{Location, OpenError, RequestCount, open_whole};
use tokio_util::sync::CancellationToken;

use crate::arguments::Du;
use crate::exit::Exit;
use crate::output::usage::{Shown, Total};
use crate::output::{self, Streams, To, Tone};
use crate::resolve::s3::{self, Probed};
use crate::signals::Stop;

/// Connections that are kept open: one page is fetched after the other.
const CONNECTIONS: usize = 2;

/// Runs the command.
pub(crate) async fn run(arguments: &Du, mut streams: Streams, stop: &Stop) -> Exit {
    let (location, config) = match s3::one_place(&arguments.location, &arguments.s3, CONNECTIONS, Probed::Believed) {
        Ok(place) => place,
        Err(error) => return output::usage_error(&mut streams, &error),
    };
    let streams = output::log::with_warnings(streams);
    let mut showing = Showing { shown: Shown { format: arguments.output }, streams: Arc::clone(&streams), failed: 0 };
    let (measured, requests) = tokio::select! {
        () = stop.token.cancelled() => return Exit::Interrupted(stop.signal()),
        measured = find_out(&location, &config, arguments.depth, &mut showing) => measured,
    };
    let failed = showing.failed;
    let mut streams = output::lock(&streams);
    let (exit, usage, error) = match measured {
        Ok(usage) if failed > 0 => (Exit::Incomplete, Some(usage), None),
        Ok(usage) if usage.objects == 0 && location.is_below_a_prefix() => {
            (Exit::CouldNotRun, None, Some(format!("nothing is at {location}")))
        }
        Ok(usage) => (Exit::InStep, Some(usage), None),
        Err(reason) => (Exit::CouldNotRun, None, Some(reason)),
    };
    if let Some(reason) = &error {
        output::error(&mut streams, reason);
    }
    let location = location.to_string();
    let total = Total { exit, usage, failed, error: error.as_deref(), location: &location, requests: &requests };
    streams.text(To::Out, &showing.shown.total(&total));
    output::unless_unwritten(&mut streams, exit)
}

/// What it holds, or why that is not known; and what was sent to find out.
async fn find_out(
    location: &Location,
    config: &Config,
    depth: usize,
    showing: &mut Showing,
) -> (Result<Usage, String>, Vec<RequestCount>) {
    // Nothing is begun that would have to be cleaned up: whoever stops this drops it.
    let never = CancellationToken::new();
    let store = match open_whole(location, config, &never).await {
        Ok(store) => store,
        Err(OpenError::Unlisted { reason, requests }) => return (Err(reason.to_string()), requests),
        Err(error) => return (Err(error.to_string()), Vec::new()),
    };
    let usage = measure(&store, depth, &mut |measured| showing.tell(&measured)).await;
    (usage.map_err(|error| error.to_string()), store.requests())
}

/// Where what was found out is shown.
struct Showing {
    shown: Shown,
    streams: Arc<Mutex<Streams>>,
    /// Places that could not be read.
    failed: u64,
}

impl Showing {
    fn tell(&mut self, measured: &Measured<'_>) {
        let mut streams = output::lock(&self.streams);
        match measured {
            Measured::Directory { prefix, usage } => streams.text(To::Out, &self.shown.directory(prefix, *usage)),
            Measured::Unknown(unknown) => {
                let (tone, word) =
                    if unknown.reason.is_failure() { (Tone::Failure, "failed:") } else { (Tone::Plain, "skipped:") };
                self.failed += u64::from(unknown.reason.is_failure());
                streams.line(To::Err, tone, word, &format!("{}: {}", unknown.key, unknown.reason));
            }
        }
    }
}
