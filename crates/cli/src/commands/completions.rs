//! `brigade completions`: the completions for a shell, on standard output.

use clap::CommandFactory;

use crate::arguments::{Arguments, Completions};
use crate::exit::Exit;
use crate::output::{self, Streams, To};

/// Runs the command.
pub(crate) fn run(arguments: &Completions, mut streams: Streams) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "brigade", &mut script);
    streams.text(To::Out, &String::from_utf8_lossy(&script));
    output::unless_unwritten(&mut streams, Exit::InStep)
}
