//! `brigade sync`: opens both stores, runs the engine once, shows how it ended.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use brigade_engine::error::{RunError, Why};
use brigade_engine::events::Summary;
use brigade_engine::run::{self, Run};
use brigade_store::{Role, open};

use crate::arguments;
use crate::exit::Exit;
use crate::output::figures::duration;
use crate::output::{self, Report, Reporter, Streams};
use crate::resolve::sync::{Sync, resolve};
use crate::signals::Stop;

/// How long a run may take to finish what is in flight once it is asked to stop: less than service managers wait
/// before they kill (Kubernetes 30 s, systemd 90 s).
const GRACE: Duration = Duration::from_secs(10);

/// Runs the command.
pub(crate) async fn run(arguments: &arguments::Sync, mut streams: Streams, stop: &Stop) -> Exit {
    let sync = match resolve(arguments, streams.can_draw) {
        Ok(sync) => sync,
        Err(error) => {
            output::error(&mut streams, &error.to_string());
            return Exit::Usage;
        }
    };
    let streams = Arc::new(Mutex::new(streams));
    let reporter = Arc::new(Reporter::new(sync.show, Arc::clone(&streams)));
    let log = Arc::clone(&reporter);
    output::log::listen(sync.show.wording.verbosity.log_level(), move |level, text| log.log(level, text));
    let dry_run = sync.options.dry_run;
    let ending = tokio::select! {
        biased;
        ending = carry_out(sync, &reporter, stop) => ending,
        never = reporter.show_progress() => never,
        ending = give_up_when_stopping(&reporter, stop) => ending,
    };
    reporter.finish(&Report {
        exit: ending.exit,
        dry_run,
        elapsed: reporter.elapsed(),
        summary: ending.summary.as_ref(),
        error: ending.error.as_deref(),
    });
    output::unless_unwritten(&mut output::lock(&streams), ending.exit)
}

/// How a run ended: the exit code, what was done, what to say.
#[derive(Debug, PartialEq)]
struct Ending {
    exit: Exit,
    summary: Option<Summary>,
    error: Option<String>,
}

async fn carry_out(sync: Sync, reporter: &Arc<Reporter>, stop: &Stop) -> Ending {
    let source = open(&sync.source, Role::Source { symlinks: sync.symlinks }, &sync.s3).await;
    let dest = open(&sync.dest, Role::Destination, &sync.s3).await;
    let (source, dest) = match (source, dest) {
        (Ok(source), Ok(dest)) => (source, dest),
        (Err(error), _) | (_, Err(error)) => {
            return Ending { exit: Exit::CouldNotRun, summary: None, error: Some(error.to_string()) };
        }
    };
    let observer = Arc::clone(reporter);
    let cancel = stop.token.clone();
    let ended = run::run(Run { job: sync.job, options: sync.options, source, dest, observer, cancel }).await;
    ending(ended, stop)
}

/// What the end of a run means to whoever started the program.
fn ending(ended: Result<Summary, RunError>, stop: &Stop) -> Ending {
    let RunError { why, summary } = match ended {
        Ok(summary) => {
            let exit = if summary.complete() { Exit::InStep } else { Exit::Incomplete };
            return Ending { exit, summary: Some(summary), error: None };
        }
        Err(error) => error,
    };
    let (exit, error) = match why {
        Why::Refused(reason) => (Exit::Refused, reason),
        Why::Interrupted => {
            let error = "interrupted; nothing is half done, and the same command goes on from here".to_owned();
            (Exit::Interrupted(stop.signal()), error)
        }
        why @ (Why::Listing(_) | Why::TemporaryFile(_) | Why::Defect(_)) => (Exit::CouldNotRun, why.to_string()),
    };
    Ending { exit, summary: Some(*summary), error: Some(error) }
}

/// Answers the first Ctrl-C, because what is in flight takes a moment to finish, and ends the wait where it
/// doesn't: on a connection on which nothing moves.
async fn give_up_when_stopping(reporter: &Reporter, stop: &Stop) -> Ending {
    stop.token.cancelled().await;
    reporter.note("stopping; what is in flight is finished first (once more to stop at once)");
    tokio::time::sleep(GRACE).await;
    let error = format!(
        "interrupted; what was still in flight after {} was given up, and the same command does it again",
        duration(GRACE)
    );
    Ending { exit: Exit::Interrupted(stop.signal()), summary: None, error: Some(error) }
}

#[cfg(test)]
mod tests {
    use brigade_store::ListingError;

    use super::*;
    use crate::signals::Signal;

    #[test]
    fn each_end_has_its_exit_code() {
        let failed = Summary { failed: 1, ..Summary::default() };
        let unrepresentable = Summary { unrepresentable: 1, ..Summary::default() };
        let held_back = Summary { deletions_held_back: 1, ..Summary::default() };
        let extra = Summary { extra: 1, skipped: 1, excluded: 1, withdrawn: 1, ..Summary::default() };
        let error = |why| Err(RunError { why, summary: Box::default() });
        let listing = ListingError { location: "s3://bucket".to_owned(), reason: "access denied".to_owned() };
        let table = [
            (Ok(Summary::default()), Exit::InStep, None),
            (Ok(extra), Exit::InStep, None),
            (Ok(failed), Exit::Incomplete, None),
            (Ok(unrepresentable), Exit::Incomplete, None),
            (Ok(held_back), Exit::Incomplete, None),
            (error(Why::Refused("too many".to_owned())), Exit::Refused, Some("too many")),
            (error(Why::Interrupted), Exit::Interrupted(Signal::Interrupt), Some("interrupted;")),
            (error(Why::Listing(listing)), Exit::CouldNotRun, Some("could not list s3://bucket: access denied")),
            (error(Why::TemporaryFile(std::io::Error::other("full"))), Exit::CouldNotRun, Some("TMPDIR")),
            (error(Why::Defect("x".to_owned())), Exit::CouldNotRun, Some("a defect")),
        ];
        for (ended, exit, part) in table {
            let shown = format!("{ended:?}");
            let ending = ending(ended, &Stop::default());
            assert_eq!(ending.exit, exit, "{shown}");
            assert!(ending.summary.is_some(), "{shown}");
            match (part, ending.error) {
                (None, None) => {}
                (Some(part), Some(error)) if error.contains(part) => {}
                (part, error) => panic!("{shown}: expected {part:?}, got {error:?}"),
            }
        }
    }
}
