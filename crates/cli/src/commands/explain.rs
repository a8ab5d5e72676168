//! `brigade explain`: what a sync would do with one key, and why.

use brigade_engine::explain::{Explanation, explain};
use brigade_engine::job::JobSpec;
use brigade_store::{Reported, Role, open_both};
use tokio_util::sync::CancellationToken;

use crate::arguments;
use crate::exit::Exit;
use crate::output::{self, Streams, To};
use crate::resolve::explain::{Explain, resolve};
use crate::signals::Stop;
use crate::state::{self, Reach, State};

/// Runs the command.
pub(crate) async fn run(arguments: &arguments::Explain, mut streams: Streams, stop: &Stop) -> Exit {
    let asked = match resolve(arguments) {
        Ok(asked) => asked,
        Err(error) => return output::usage_error(&mut streams, &error),
    };
    let streams = output::log::with_warnings(streams);
    let found = tokio::select! {
        () = stop.token.cancelled() => return Exit::Interrupted(stop.signal()),
        found = find_out(&asked) => found,
    };
    let mut streams = output::lock(&streams);
    match found {
        Ok(found) => {
            streams.text(To::Out, &output::explanation::text(arguments.output, &asked, &found));
            output::unless_unwritten(&mut streams, Exit::InStep)
        }
        Err(Trouble { exit, reason }) => {
            output::error(&mut streams, &reason);
            exit
        }
    }
}

/// Why a key could not be explained.
struct Trouble {
    exit: Exit,
    reason: String,
}

impl Trouble {
    fn could_not_run(error: &impl ToString) -> Self {
        Self { exit: Exit::CouldNotRun, reason: error.to_string() }
    }
}

async fn find_out(asked: &Explain) -> Result<Explanation, Trouble> {
    let Explain { job, key, s3, sides, .. } = asked;
    // Nothing is begun that would have to be cleaned up: whoever stops this drops it.
    let never = CancellationToken::new();
    let roles = [Role::Source { symlinks: job.spec.symlinks }, Role::Preview];
    let deletes = job.spec.delete.is_some();
    let reported = job.source_inventory.as_ref().map(|manifest| Reported { manifest, deletes });
    let opened = open_both([&job.source, &job.dest], roles, reported, [&sides.source, &sides.dest], &never).await;
    let [source, dest] =
        opened.map_err(|error| Trouble { exit: Exit::from(&error), ..Trouble::could_not_run(&error) })?;
    let binding = state::binding(source.as_ref(), dest.as_ref());
    let reach = Reach { s3, cancel: &never, abandon: &never };
    let state = State::look(&asked.memory, &binding, reach).await.map_err(|error| Trouble::could_not_run(&error))?;
    let ledgers = state.files_below([&job.source, &job.dest], None);
    let spec = JobSpec { filters: job.spec.filters.clone().leaving_out(ledgers), ..job.spec.clone() };
    explain(&spec, source, dest, state.ledger(), key).await.map_err(|error| Trouble::could_not_run(&error))
}
