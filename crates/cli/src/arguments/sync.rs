//! `brigade sync`.

use std::ffi::OsString;
use std::num::NonZeroUsize;

use clap::{ArgAction, Args, ValueEnum};

use super::{FilterArguments, Format, S3Arguments};
use crate::resolve::max_delete::MaxDelete;
use crate::resolve::size::Size;

/// Arguments of `brigade sync`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
A location is a directory, or s3://bucket[/prefix]. A prefix is a directory: s3://bucket/site and s3://bucket/site/ are \
the same. One of the two locations must be a directory and the other one in S3.

Examples:
  brigade sync ./site s3://bucket/site
  brigade sync ./site s3://bucket/site --delete --max-delete 10%
  brigade sync ./site s3://bucket/site --delete --dry-run
  brigade sync s3://bucket/photos /backup/photos --exclude '*' --include '*.jpg'

Standard output has what was done: the summary, and with -v or --dry-run a line for each object. Standard error has \
what went wrong, each object named with its reason, and the progress. If whoever reads standard output goes away, the \
sync still goes on to its end. \
Ctrl-C (or SIGTERM) lets what is in flight finish, for ten seconds at most; a second one ends at once.

Exit status: 0 everything is in step, 1 could not run, 2 usage, 3 some objects failed, 4 refused for safety, 130 or 143 \
interrupted.")]
pub(crate) struct Sync {
    /// Where objects come from: a directory, or s3://bucket[/prefix]
    #[arg(value_name = "SOURCE")]
    pub(crate) source: OsString,

    /// Where they go: a directory, or s3://bucket[/prefix]
    #[arg(value_name = "DEST")]
    pub(crate) dest: OsString,

    /// Delete from DEST what SOURCE doesn't have
    ///
    /// Deletions come last, and only if both sides were listed to the end and nothing failed. If SOURCE is empty and
    /// DEST isn't, the run is refused.
    #[arg(long, help_heading = "What to sync")]
    pub(crate) delete: bool,

    /// What to do with symlinks in SOURCE
    #[arg(long, value_enum, value_name = "HOW", default_value_t, help_heading = "What to sync")]
    pub(crate) symlinks: Symlinks,

    /// Say what would be done, and change nothing
    #[arg(long, short = 'n', help_heading = "Safety")]
    pub(crate) dry_run: bool,

    /// Delete nothing if more than this many would be deleted: 100, or 10% of DEST
    #[arg(long, value_name = "N|P%", requires = "delete", help_heading = "Safety")]
    pub(crate) max_delete: Option<MaxDelete>,

    /// Send at most this many objects, delete nothing, and leave the rest for another run
    #[arg(long, value_name = "N", help_heading = "Safety")]
    pub(crate) limit: Option<u64>,

    /// How to tell whether an object has changed
    #[arg(long, value_enum, value_name = "HOW", default_value_t, help_heading = "How to compare")]
    pub(crate) compare: Compare,

    /// How many seconds clocks may run apart: times that are closer prove nothing
    #[arg(long, value_name = "SECS", default_value_t = 1200, help_heading = "How to compare")]
    pub(crate) clock_fudge_factor: u64,

    #[command(flatten)]
    pub(crate) filters: FilterArguments,

    /// How many requests, or files, are in flight at once
    #[arg(long, short, value_name = "N", default_value = "64", help_heading = "Speed")]
    pub(crate) jobs: NonZeroUsize,

    /// How much content is held in memory at once: 64M, 64MiB, 1G, 1GB, or bytes
    #[arg(long, value_name = "SIZE", default_value = "128MiB", help_heading = "Speed")]
    pub(crate) memory: Size,

    /// How results are written to standard output
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = "Output")]
    pub(crate) output: Format,

    /// How progress is shown on standard error
    #[arg(long, value_enum, value_name = "HOW", default_value_t, help_heading = "Output")]
    pub(crate) progress: Progress,

    /// Name each object and what was done with it; twice: also those found in step by their content, and each retry
    #[arg(long, short, action = ArgAction::Count, help_heading = "Output")]
    pub(crate) verbose: u8,

    /// Say only what went wrong; json is always whole
    #[arg(long, short, conflicts_with = "verbose", help_heading = "Output")]
    pub(crate) quiet: bool,

    #[command(flatten)]
    pub(crate) s3: S3Arguments,
}

/// What to do with symlinks in the source (`--symlinks`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Symlinks {
    /// Send what they point to
    #[default]
    Follow,
    /// Leave them out
    Skip,
}

/// How to tell whether an object has changed (`--compare`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compare {
    /// Size, then digests, then times where they are proof, then the content
    #[default]
    Auto,
    /// Size alone
    Size,
    /// Size, and whether the source was modified after the copy was made
    Mtime,
    /// Size and content digests, whatever the times say
    Checksum,
    /// Send everything
    Always,
}

/// How progress is shown (`--progress`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// A bar on a terminal, plain lines elsewhere
    #[default]
    Auto,
    /// A bar
    Bar,
    /// A line every 30 seconds
    Plain,
    /// Nothing
    None,
}
