//! The commands. Each makes one call into the rooms below and shows what came of it.

mod cat;
mod check;
mod cleanup;
mod completions;
mod config;
#[cfg(feature = "devserver")]
mod demo;
mod du;
mod explain;
mod ledger;
mod ls;
mod man;
mod probe;
mod prune;
mod restore;
mod rm;
#[cfg(feature = "devserver")]
mod serve;
mod sync;
mod versions;

use std::io;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Runtime};

use crate::arguments::{Arguments, Command};
use crate::exit::Exit;
use crate::output::{self, Streams};
use crate::signals::Stop;

/// Runs the command that was asked for.
pub(crate) fn run(arguments: Arguments, mut streams: Streams) -> Exit {
    match start() {
        Ok((runtime, stop)) => {
            let exit = runtime.block_on(run_command(arguments.command, streams, &stop));
            // What is still on its way was given up: the process ends without it.
            runtime.shutdown_background();
            brigade_store::remove_temporary_files();
            exit
        }
        Err(reason) => {
            output::error(&mut streams, &format!("the system refused to let the program start: {reason}"));
            Exit::CouldNotRun
        }
    }
}

/// Makes what the commands run on.
fn start() -> io::Result<(Runtime, Stop)> {
    let runtime = builder().enable_all().build()?;
    let stop = runtime.block_on(async { Stop::on_signals() })?;
    Ok((runtime, stop))
}

/// Half of the cores serve the network, and hash what is short; files are read
/// and written, and what is long is hashed, on the other half. On two cores that
/// is the thread that waits for the command itself: work that no other thread
/// can take needs nobody woken, and a small object costs 5 us less.
fn builder() -> Builder {
    match available_parallelism().map_or(1, NonZeroUsize::get) / 2 {
        0 | 1 => Builder::new_current_thread(),
        half => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(half);
            builder
        }
    }
}

async fn run_command(command: Command, streams: Streams, stop: &Stop) -> Exit {
    match command {
        Command::Sync(arguments) => sync::run(&arguments, streams, stop).await,
        Command::Explain(arguments) => Box::pin(explain::run(&arguments, streams, stop)).await,
        Command::Ledger(arguments) => ledger::run(&arguments, streams, stop).await,
        Command::Check(arguments) => Box::pin(check::run(&arguments, streams, stop)).await,
        Command::Ls(arguments) => ls::run(&arguments, streams, stop).await,
        Command::Du(arguments) => du::run(&arguments, streams, stop).await,
        Command::Cat(arguments) => cat::run(&arguments, streams, stop).await,
        Command::Restore(arguments) => restore::run(&arguments, streams, stop).await,
        Command::Rm(arguments) => rm::run(&arguments, streams, stop).await,
        Command::Cleanup(arguments) => cleanup::run(&arguments, streams, stop).await,
        Command::Prune(arguments) => Box::pin(prune::run(&arguments, streams, stop)).await,
        Command::Versions(arguments) => versions::run(&arguments, streams, stop).await,
        Command::Probe(arguments) => Box::pin(probe::run(&arguments, streams, stop)).await,
        #[cfg(feature = "devserver")]
        Command::Serve(arguments) => serve::run(&arguments, streams, stop).await,
        #[cfg(feature = "devserver")]
        Command::Demo => demo::run(streams, stop).await,
        Command::Config(arguments) => config::run(&arguments, streams),
        Command::Completions(arguments) => completions::run(&arguments, streams),
        Command::Man(arguments) => man::run(&arguments, streams),
    }
}
