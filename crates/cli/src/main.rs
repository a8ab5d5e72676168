//! `brigade`: keeps directories and buckets in step.
//!
//! The program around the engine: the command line ([`arguments`]) is made
//! plain data ([`resolve`]), a command runs on it ([`commands`]), and what
//! happens is shown ([`output`]). Only this crate knows of `clap`, the
//! environment, the standard streams and exit codes.

mod arguments;
mod commands;
mod exit;
mod limits;
mod output;
mod prices;
mod remembered;
mod resolve;
mod signals;
mod state;
mod stores;

use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;
use crate::output::Streams;
use crate::resolve::environment::Environment;

/// A request takes some sixty small pieces of memory, and gives many of them
/// back on another thread: the system's allocator takes 4 us for that, of 30
/// for a small object, and keeps more of the large pieces.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let mut streams = Streams::of_process(Environment::of_process());
    match Arguments::try_parse() {
        Ok(arguments) => {
            limits::raise();
            commands::run(arguments, streams)
        }
        Err(answer) => output::of_command_line(&mut streams, &answer),
    }
    .into()
}
