//! The command line as it was typed: what `clap` parses, and nothing decided yet.
//!
//! Each command has a file here. [`crate::resolve`] makes plain data of it.

#![expect(clippy::doc_markdown, reason = "the comments on arguments are the help, which is plain text")]

mod cat;
mod check;
mod cleanup;
mod completions;
mod config;
mod du;
mod explain;
mod filters;
mod job;
mod ledger;
mod ledgers;
mod ls;
mod man;
mod output;
mod probe;
mod prune;
mod restore;
mod rm;
mod s3;
#[cfg(feature = "devserver")]
mod serve;
mod sides;
mod sync;
mod versions;
mod writing;

use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use cat::Cat;
pub(crate) use check::Check;
pub(crate) use cleanup::Cleanup;
pub(crate) use completions::Completions;
pub(crate) use config::{Config, ConfigAction};
pub(crate) use du::Du;
pub(crate) use explain::Explain;
pub(crate) use filters::{FilterArgument, FilterArguments};
pub(crate) use job::{Compare, JobArguments, Symlinks};
pub(crate) use ledger::{LedgerArguments, LockArguments};
pub(crate) use ledgers::{LedgerAction, Ledgers};
pub(crate) use ls::Ls;
pub(crate) use man::Man;
pub(crate) use output::{CostArguments, OutputArguments, Progress};
pub(crate) use probe::Probe;
pub(crate) use prune::Prune;
pub(crate) use restore::{Restore, Tier};
pub(crate) use rm::Rm;
pub(crate) use s3::{Addressing, KeyArguments, S3Arguments};
#[cfg(feature = "devserver")]
pub(crate) use serve::Serve;
pub(crate) use sides::SideArguments;
pub(crate) use sync::Sync;
pub(crate) use versions::Versions;
pub(crate) use writing::{BucketArguments, WritingArguments};

/// What to type first, where the server for it is built in.
const TRY_IT: &str = if cfg!(feature = "devserver") {
    "\n\nTry it without an account and without a network:\n  brigade demo"
} else {
    ""
};

/// Keeps directories and buckets in step.
#[derive(Debug, Parser)]
#[command(name = "brigade", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = "`brigade help COMMAND` says all about one command.")]
#[command(after_long_help = format!("\
`brigade help COMMAND` says all about one command.{TRY_IT}

Exit status:
  0    everything is in step
  1    could not run: the reason is on standard error
  2    the command line is wrong
  3    some objects failed; each is named, with its reason
  4    refused for safety; nothing was deleted
  5    another run holds the lock
  130  interrupted by SIGINT (143: by SIGTERM); the same command goes on from there"))]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make DEST the same as SOURCE
    Sync(Box<Sync>),
    /// Say what a sync would do with one key, and why
    Explain(Box<Explain>),
    /// Prove that a copy is good: read it, all or a sample
    Check(Box<Check>),
    /// List what is in a bucket or a directory
    Ls(Ls),
    /// Count objects and bytes, by directory on request
    Du(Du),
    /// Write an object's content to standard output
    Cat(Cat),
    /// Bring back what a bucket holds, or held at a time
    Restore(Box<Restore>),
    /// Delete what is below a prefix of a bucket
    Rm(Box<Rm>),
    /// Abort uploads that nobody finishes
    Cleanup(Cleanup),
    /// Remove versions that were superseded long ago
    Prune(Prune),
    /// List versions and delete markers
    Versions(Versions),
    /// Find out what a bucket's service can be counted on for
    Probe(Probe),
    /// List, show, export or forget what `brigade sync` remembers
    Ledger(Ledgers),
    /// Check the file that gives names to stores
    Config(Config),
    /// Serve a directory as an S3 server, for development
    #[cfg(feature = "devserver")]
    Serve(Serve),
    /// Show what brigade does, with no account and no network
    ///
    /// Makes a small site in a temporary directory, starts the development server inside this process, and runs real
    /// commands: sync up, change a few files, sync again, bring everything back, compare. Everything is removed at the
    /// end.
    #[cfg(feature = "devserver")]
    Demo,
    /// Print the completions for a shell
    Completions(Completions),
    /// Write the manual pages into a directory
    Man(Man),
}

/// How results are written to standard output (`--output`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: one JSON object a line
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_help_sends_nobody_to_a_command_that_is_not_there() {
        let mut command = Arguments::command();
        let help = command.render_long_help().to_string();
        assert_eq!(help.contains("brigade demo"), command.find_subcommand("demo").is_some(), "{help}");
    }
}
