//! What a person and other programs see. Nothing outside this module writes
//! to standard output or standard error.
//!
//! Standard output has results and events, standard error everything else.

pub(crate) mod checking;
#[cfg(test)]
mod contract;
pub(crate) mod explanation;
pub(crate) mod figures;
mod folding;
mod json;
pub(crate) mod kept;
pub(crate) mod ledgers;
pub(crate) mod listing;
pub(crate) mod log;
mod outlet;
pub(crate) mod probe;
pub(crate) mod progress;
pub(crate) mod pruned;
mod report;
mod report_file;
mod reporter;
mod streams;
mod tally;
mod task;
pub(crate) mod text;
pub(crate) mod uploads;
pub(crate) mod usage;
#[cfg(test)]
mod written;

pub(crate) use report::Report;
pub(crate) use report_file::ReportFile;
pub(crate) use reporter::{Reporter, Show};
pub(crate) use streams::{Streams, To, Tone};
pub(crate) use task::Task;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::exit::Exit;
use crate::resolve::UsageError;

/// Locks streams that several tasks write to. A panic elsewhere leaves at most
/// a line unfinished.
pub(crate) fn lock(streams: &Mutex<Streams>) -> MutexGuard<'_, Streams> {
    streams.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes the line that says why a command could not do what it was asked to.
pub(crate) fn error(streams: &mut Streams, reason: &str) {
    streams.line(To::Err, Tone::Failure, "error:", reason);
}

/// Writes what is wrong with what was asked for, each reason on a line of its own.
pub(crate) fn usage_error(streams: &mut Streams, wrong: &UsageError) -> Exit {
    for reason in wrong.reasons() {
        error(streams, &reason);
    }
    Exit::Usage
}

/// Writes what the command line alone decides: the help and the version that
/// it asks for, or what is wrong with it.
pub(crate) fn of_command_line(streams: &mut Streams, answer: &clap::Error) -> Exit {
    let (to, exit) = if answer.use_stderr() { (To::Err, Exit::Usage) } else { (To::Out, Exit::InStep) };
    let answer = answer.render();
    let text = if streams.has_colour(to) { answer.ansi().to_string() } else { answer.to_string() };
    streams.text(to, &text);
    unless_unwritten(streams, exit)
}

/// Sends on what is still buffered. The exit code stands unless results were
/// lost; a reader that went away wanted no more of them.
pub(crate) fn unless_unwritten(streams: &mut Streams, exit: Exit) -> Exit {
    streams.flush();
    let Some(reason) = streams.write_error().map(ToString::to_string) else { return exit };
    error(streams, &format!("could not write to standard output: {reason}; results are missing there"));
    Exit::CouldNotRun
}
