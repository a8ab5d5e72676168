//! `brigade check`: proves that a copy is good, by itself.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use brigade_engine::check::{Check as Checking, CheckError, CheckOptions, CheckSummary, Watcher, check};
use brigade_engine::error::Why;
use brigade_engine::ledger::lock::LockError;
use brigade_store::{Role, Symlinks, open_both};

use crate::arguments;
use crate::exit::Exit;
use crate::limits;
use crate::output::checking::{CheckReporter, Ended};
use crate::output::{self, ReportFile, Streams};
use crate::resolve::check::{Check, resolve};
use crate::signals::{CLEANING_UP, Stop};
use crate::state::{self, Reach, State, StateError};

/// Runs the command.
pub(crate) async fn run(arguments: &arguments::Check, mut streams: Streams, stop: &Stop) -> Exit {
    let mut asked = match resolve(arguments, streams.can_draw) {
        Ok(asked) => asked,
        Err(error) => return output::usage_error(&mut streams, &error),
    };
    let file = asked.report.as_deref().map(ReportFile::open).transpose().map_err(|error| error.to_string());
    let (jobs, file) = match limits::jobs(asked.options.jobs).and_then(|jobs| Ok((jobs, file?))) {
        Ok(ready) => ready,
        Err(reason) => {
            output::error(&mut streams, &reason);
            return Exit::CouldNotRun;
        }
    };
    let wanted = std::mem::replace(&mut asked.options.jobs, jobs);
    for side in [&mut asked.sides.source, &mut asked.sides.dest] {
        side.max_idle_connections = jobs.most();
    }
    let streams = Arc::new(Mutex::new(streams));
    let reporter = Arc::new(CheckReporter::new(asked.shown, Arc::clone(&streams), file));
    let log = Arc::clone(&reporter);
    output::log::listen(asked.shown.verbosity.log_level(), move |level, text| log.log(level, text));
    limits::tell_of_fewer(jobs, wanted);
    let ignore_extra = asked.shown.ignore_extra;
    let found = tokio::select! {
        biased;
        found = carry_out(asked, &reporter, stop) => found,
        never = reporter.show_progress() => never,
        () = give_up_when_stopping(&reporter, stop) => Err(Trouble::interrupted(stop)),
    };
    let (exit, summary, error) = match found {
        Ok(summary) => (exit_of(&summary, ignore_extra), Some(summary), None),
        Err(Trouble { exit, summary, reason }) => (exit, summary, Some(reason)),
    };
    let mut ended = Ended { exit, summary: summary.as_ref(), error: error.as_deref(), elapsed: reporter.elapsed() };
    let unwritten = reporter.finish_file(&ended).err().map(|error| error.to_string());
    if let Some(reason) = &unwritten {
        (ended.exit, ended.error) = (Exit::CouldNotRun, ended.error.or(Some(reason)));
    }
    reporter.finish(&ended);
    output::unless_unwritten(&mut output::lock(&streams), ended.exit)
}

/// What a check that came to its end means: a difference that was found counts more than what could not be looked at.
fn exit_of(summary: &CheckSummary, ignore_extra: bool) -> Exit {
    if summary.bad() > 0 || (summary.extra > 0 && !ignore_extra) {
        Exit::Incomplete
    } else if summary.unknown() > 0 {
        Exit::CouldNotRun
    } else {
        Exit::InStep
    }
}

/// Why a check did not come to its end.
struct Trouble {
    exit: Exit,
    summary: Option<CheckSummary>,
    reason: String,
}

impl Trouble {
    fn could_not_run(error: &dyn std::error::Error) -> Self {
        Self { exit: Exit::CouldNotRun, summary: None, reason: error.to_string() }
    }

    fn interrupted(stop: &Stop) -> Self {
        Self { exit: Exit::Interrupted(stop.signal()), summary: None, reason: "interrupted".to_owned() }
    }
}

async fn carry_out(asked: Check, reporter: &Arc<CheckReporter>, stop: &Stop) -> Result<CheckSummary, Trouble> {
    // Both are only read, so that neither is opened to be written. In the copy a symlink is no copy: it may well
    // lead back to the source.
    let roles = [asked.symlinks, Symlinks::Skip].map(|symlinks| Role::Source { symlinks });
    let places = [&asked.source, &asked.dest];
    let opened = tokio::select! {
        biased;
        () = stop.token.cancelled() => return Err(Trouble::interrupted(stop)),
        opened = open_both(places, roles, None, [&asked.sides.source, &asked.sides.dest], &stop.abandon) => opened,
    };
    let [source, dest] =
        opened.map_err(|error| Trouble { exit: Exit::from(&error), ..Trouble::could_not_run(&error) })?;
    let binding = state::binding(source.as_ref(), dest.as_ref());
    let reach = Reach { s3: &asked.s3, cancel: &stop.token, abandon: &stop.abandon };
    let state = State::open(&asked.memory, &asked.locks, &binding, reach).await.map_err(|error| match error {
        StateError::Interrupted => Trouble::interrupted(stop),
        StateError::Lock(LockError::Held { .. }) => Trouble { exit: Exit::Locked, ..Trouble::could_not_run(&error) },
        error => Trouble::could_not_run(&error),
    })?;
    let checks = state.checks();
    if asked.since_last && checks.is_none() {
        return Err(Trouble::could_not_run(&StateError::NoChecks));
    }
    reporter.begin(source.location(), dest.location());
    let ledgers = state.files_below(places, asked.locks.file.as_deref());
    let checked = check(Checking {
        options: CheckOptions { filters: asked.options.filters.leaving_out(ledgers), ..asked.options },
        source,
        dest,
        checks,
        clock: Arc::new(SystemTime::now),
        watcher: Arc::clone(reporter) as Arc<dyn Watcher>,
        cancel: stop.token.clone(),
    })
    .await;
    state.close(reach).await;
    checked.map_err(|CheckError { why, summary }| match why {
        Why::Interrupted => Trouble { summary: Some(*summary), ..Trouble::interrupted(stop) },
        why => Trouble { summary: Some(*summary), ..Trouble::could_not_run(&why) },
    })
}

/// Answers the first Ctrl-C, and ends the wait where giving up what is in flight takes too long.
async fn give_up_when_stopping(reporter: &CheckReporter, stop: &Stop) {
    stop.token.cancelled().await;
    reporter.note("stopping (once more to stop at once)");
    stop.abandon.cancelled().await;
    tokio::time::sleep(CLEANING_UP).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_counts_more_than_what_could_not_be_checked() {
        let none = CheckSummary::default();
        let table = [
            (CheckSummary { same: 9, gone: 1, skipped: 1, excluded: 1, ..none.clone() }, Exit::InStep),
            (CheckSummary { missing: 1, ..none.clone() }, Exit::Incomplete),
            (CheckSummary { sizes: 1, ..none.clone() }, Exit::Incomplete),
            (CheckSummary { contents: 1, unchecked: 1, ..none.clone() }, Exit::Incomplete),
            (CheckSummary { metadata: 1, ..none.clone() }, Exit::Incomplete),
            (CheckSummary { extra: 1, ..none.clone() }, Exit::Incomplete),
            (CheckSummary { changed: 1, ..none.clone() }, Exit::CouldNotRun),
            (CheckSummary { unchecked: 1, ..none.clone() }, Exit::CouldNotRun),
            (CheckSummary { held: 1, ..none.clone() }, Exit::CouldNotRun),
            (CheckSummary { unlisted: 1, ..none.clone() }, Exit::CouldNotRun),
        ];
        for (summary, expected) in table {
            assert_eq!(exit_of(&summary, false), expected, "{summary:?}");
        }
        let extra = CheckSummary { extra: 1, ..none };
        assert_eq!(exit_of(&extra, true), Exit::InStep);
    }
}
