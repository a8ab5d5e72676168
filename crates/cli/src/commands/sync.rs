//! `brigade sync`: opens both stores, runs the engine once, shows how it ended.

mod pruning;

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use brigade_engine::error::{RunError, Why};
use brigade_engine::events::{Observer, Summary};
use brigade_engine::job::{Indexing, JobSpec};
use brigade_engine::ledger::lock::LockError;
use brigade_engine::prune::VersionCounts;
use brigade_engine::run::{self, Run};
use brigade_store::s3::Provider;
use brigade_store::{Nothing, OpenError, Reported, Role, Store, View, open_both, open_whole};

use super::rm;
use crate::arguments;
use crate::exit::Exit;
use crate::limits;
use crate::output::{self, Report, ReportFile, Reporter, Streams};
use crate::prices::PriceList;
use crate::resolve::UsageError;
use crate::resolve::sync::{Source, Sync, resolve};
use crate::signals::{CLEANING_UP, Stop};
use crate::state::{self, Reach, State, StateError};

/// Runs the command.
pub(crate) async fn run(arguments: &arguments::Sync, streams: Streams, stop: &Stop) -> Exit {
    let resolved = resolve(arguments, streams.can_draw);
    Box::pin(run_resolved(resolved, streams, stop)).await
}

/// Runs a sync that was decided in everything, for whatever command it is.
pub(super) async fn run_resolved(resolved: Result<Sync, UsageError>, mut streams: Streams, stop: &Stop) -> Exit {
    let mut sync = match resolved {
        Ok(sync) => sync,
        Err(error) => return output::usage_error(&mut streams, &error),
    };
    let jobs = match limits::jobs(sync.options.jobs) {
        Ok(jobs) => jobs,
        Err(reason) => {
            output::error(&mut streams, &reason);
            return Exit::CouldNotRun;
        }
    };
    let file = match sync.report.as_deref().map(ReportFile::open).transpose() {
        Ok(file) => file,
        Err(error) => {
            output::error(&mut streams, &error.to_string());
            return Exit::CouldNotRun;
        }
    };
    let streams = Arc::new(Mutex::new(streams));
    let reporter = Arc::new(Reporter::new(sync.show, Arc::clone(&streams), file));
    let log = Arc::clone(&reporter);
    output::log::listen(sync.show.wording.verbosity.log_level(), move |level, text| log.log(level, text));
    let (most, wanted) = (jobs.most(), sync.options.jobs);
    limits::tell_of_fewer(jobs, wanted);
    sync.options.jobs = jobs;
    for config in [&mut sync.s3, &mut sync.sides.source, &mut sync.sides.dest] {
        config.max_idle_connections = most;
    }
    sync.options.listers = limits::listers(sync.options.listers, most);
    let (dry_run, task) = (sync.options.dry_run, sync.task);
    let ending = tokio::select! {
        biased;
        ending = carry_out(sync, &reporter, stop) => ending,
        never = reporter.show_progress() => never,
        ending = give_up_when_stopping(&reporter, stop) => ending,
    };
    let mut report = Report {
        exit: ending.exit,
        task,
        dry_run,
        elapsed: reporter.elapsed(),
        summary: ending.summary.as_ref(),
        error: ending.error.as_deref(),
        prices: ending.prices.as_ref(),
        pruned: ending.pruned.as_ref(),
    };
    let unwritten = reporter.finish_file(&report).err().map(|error| error.to_string());
    if let Some(reason) = &unwritten {
        (report.exit, report.error) = (Exit::CouldNotRun, report.error.or(Some(reason)));
    }
    reporter.finish(&report);
    output::unless_unwritten(&mut output::lock(&streams), report.exit)
}

/// How a run ended: the exit code, what was done, what to say.
#[derive(Debug, PartialEq)]
struct Ending {
    exit: Exit,
    summary: Option<Summary>,
    error: Option<String>,
    /// What its requests cost, where that is known.
    prices: Option<PriceList>,
    /// What came of the versions at the destination, if it was pruned.
    pruned: Option<VersionCounts>,
}

async fn carry_out(sync: Sync, reporter: &Arc<Reporter>, stop: &Stop) -> Ending {
    let opened = tokio::select! {
        biased;
        () = stop.token.cancelled() => return interrupted(stop, None),
        opened = open_stores(&sync, stop) => opened,
    };
    let [source, dest] = match opened {
        Ok(stores) => stores,
        Err(error) => return Ending { exit: Exit::from(&error), ..could_not_run(&error) },
    };
    let state = match remember(&sync, source.as_ref(), dest.as_ref(), stop).await {
        Ok(state) => state,
        Err(StateError::Interrupted) => return interrupted(stop, None),
        Err(error @ StateError::Lock(LockError::Held { .. })) => {
            return Ending { exit: Exit::Locked, ..could_not_run(&error) };
        }
        Err(error) => return could_not_run(&error),
    };
    if sync.job.indexing != Indexing::Off && !sync.options.dry_run && state.ledger().is_none() {
        return could_not_run(&StateError::NoIndex);
    }
    if let Some(bucket) = sync.bucket.as_ref().filter(|_| !sync.options.dry_run) {
        match bucket.prepare(dest.as_ref()).await {
            Ok(done) => done.iter().for_each(|done| reporter.note(done)),
            Err(error) => return could_not_run(&error),
        }
    }
    let checked = tokio::select! {
        biased;
        () = stop.token.cancelled() => return interrupted(stop, None),
        checked = pruning::check(sync.prune.as_ref(), dest.as_ref()) => checked,
    };
    if let Err(error) = checked {
        return could_not_run(&error);
    }
    if let Source::Nothing = sync.source
        && let Some(text) = rm::what_stays(dest.as_ref()).await
    {
        reporter.note(&text);
    }
    reporter.begin_file();
    let (s3, dry_run) = (sync.s3, sync.options.dry_run);
    let prices = sync.prices.or_else(|| prices_of([&source, &dest]));
    let ledgers = state.files_below(sync.source.location().into_iter().chain([&sync.dest]), sync.locks.file.as_deref());
    let job = JobSpec { filters: sync.job.filters.leaving_out(ledgers), ..sync.job };
    let prune = sync.prune.map(|prune| (prune, job.filters.clone()));
    let ended = run::run(Run {
        job,
        options: sync.options,
        source: Arc::clone(&source),
        dest: Arc::clone(&dest),
        ledger: state.ledger(),
        clock: Arc::new(SystemTime::now),
        observer: Arc::clone(reporter) as Arc<dyn Observer>,
        cancel: stop.token.clone(),
    });
    let ending = ending(ended.await, stop);
    let ending = pruning::after(ending, prune, [source, dest], reporter, stop).await;
    if !dry_run {
        state.close(Reach { s3: &s3, cancel: &stop.token, abandon: &stop.abandon }).await;
    }
    Ending { prices, ..ending }
}

/// Amazon's prices, where it is Amazon that is asked: nobody else takes them.
fn prices_of(stores: [&Arc<dyn Store>; 2]) -> Option<PriceList> {
    stores.iter().any(|store| store.provider() == Some(Provider::Aws)).then(PriceList::of_s3)
}

fn could_not_run(error: &dyn std::error::Error) -> Ending {
    Ending { exit: Exit::CouldNotRun, summary: None, error: Some(error.to_string()), prices: None, pruned: None }
}

async fn remember(sync: &Sync, source: &dyn Store, dest: &dyn Store, stop: &Stop) -> Result<State, StateError> {
    let binding = state::binding(source, dest);
    let reach = Reach { s3: &sync.s3, cancel: &stop.token, abandon: &stop.abandon };
    if sync.options.dry_run {
        return State::look(&sync.memory, &binding, reach).await;
    }
    State::open(&sync.memory, &sync.locks, &binding, reach).await
}

async fn open_stores(sync: &Sync, stop: &Stop) -> Result<[Arc<dyn Store>; 2], OpenError> {
    let (location, inventory) = match &sync.source {
        Source::Place { location, inventory } => (location, inventory.as_ref()),
        Source::View { location, .. } => (location, None),
        Source::Nothing => {
            let dest = open_whole(&sync.dest, &sync.sides.dest, &stop.abandon).await?;
            return Ok([Arc::new(Nothing), dest]);
        }
    };
    let dest = if sync.options.dry_run { Role::Preview } else { Role::Destination };
    let roles = [Role::Source { symlinks: sync.job.symlinks }, dest];
    let sides = [&sync.sides.source, &sync.sides.dest];
    let deletes = sync.job.delete.is_some();
    let reported = inventory.map(|manifest| Reported { manifest, deletes });
    let [source, dest] = open_both([location, &sync.dest], roles, reported, sides, &stop.abandon).await?;
    match &sync.source {
        Source::View { wanted, .. } => {
            let view = View::open(source, wanted.clone(), SystemTime::now()).await?;
            Ok([Arc::new(view), dest])
        }
        Source::Place { .. } | Source::Nothing => Ok([source, dest]),
    }
}

fn interrupted(stop: &Stop, summary: Option<Summary>) -> Ending {
    let error = "interrupted; the same command goes on from here".to_owned();
    Ending { exit: Exit::Interrupted(stop.signal()), summary, error: Some(error), prices: None, pruned: None }
}

/// What the end of a run means to whoever started the program.
fn ending(ended: Result<Summary, RunError>, stop: &Stop) -> Ending {
    let RunError { why, summary } = match ended {
        Ok(summary) => {
            let exit = if summary.complete() { Exit::InStep } else { Exit::Incomplete };
            return Ending { exit, summary: Some(summary), error: None, prices: None, pruned: None };
        }
        Err(error) => error,
    };
    let (exit, error) = match why {
        Why::Refused(reason) => (Exit::Refused, reason),
        Why::Interrupted => return interrupted(stop, Some(*summary)),
        why @ (Why::Listing(_)
        | Why::IndexUnchecked { .. }
        | Why::TemporaryFile(_)
        | Why::Ledger(_)
        | Why::LockedOut(_)
        | Why::Defect(_)) => (Exit::CouldNotRun, why.to_string()),
    };
    Ending { exit, summary: Some(*summary), error: Some(error), prices: None, pruned: None }
}

/// Answers the first Ctrl-C, because what is in flight takes a moment to finish, and ends the wait where even
/// giving it up takes too long: on a disk that doesn't answer.
async fn give_up_when_stopping(reporter: &Reporter, stop: &Stop) -> Ending {
    stop.token.cancelled().await;
    reporter.note("stopping; what is in flight has a second to finish (once more to stop at once)");
    stop.abandon.cancelled().await;
    tokio::time::sleep(CLEANING_UP).await;
    let error = "interrupted; something in flight could not be given up in time, and parts of an upload may remain in \
                 the bucket; the same command goes on from here";
    Ending {
        exit: Exit::Interrupted(stop.signal()),
        summary: None,
        error: Some(error.to_owned()),
        prices: None,
        pruned: None,
    }
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
