//! `brigade prune`.

use std::ffi::OsString;

use clap::Args;

use super::{Format, S3Arguments};
use crate::resolve::duration::Span;

/// Arguments of `brigade prune`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
A bucket with versioning keeps what is replaced and deleted, and it is paid for. This removes, below URL and for good, the \
versions that were superseded long enough ago, by the service's clock: a version's age counts from when the next one took its \
place, so that what was overwritten yesterday is one day old, however long it was there before. What a key holds now is never \
removed. A delete marker goes when nothing lies under it any more, and it is old enough itself. What is locked stays, and is named.

Examples:
  brigade prune s3://bucket --older-than 30d --dry-run
  brigade prune s3://bucket/backup --older-than 30d --keep 3

It can be interrupted and run again at any time: what is gone is not found any more.

Standard output has the summary, and with -v or --dry-run a line for each version that is removed; standard error has what could \
not be removed, with its reason.

Exit status: 0 all that are old enough are removed, 1 could not run, 2 usage, 3 some could not be removed, 130 or 143 \
interrupted.")]
pub(crate) struct Prune {
    /// Where to look: s3://bucket[/prefix]
    #[arg(value_name = "URL")]
    pub(crate) location: OsString,

    /// Remove versions that were superseded at least this long ago: 36h, 30d
    #[arg(long, value_name = "DURATION", help_heading = "Safety")]
    pub(crate) older_than: Span,

    /// Of each key, keep the N newest versions that are not current, whatever their age
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Safety")]
    pub(crate) keep: u64,

    /// Say what would be removed, and remove nothing
    #[arg(long, short = 'n', help_heading = "Safety")]
    pub(crate) dry_run: bool,

    /// How results are written to standard output
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = "Output")]
    pub(crate) output: Format,

    /// Name each version that is removed, and each that is left alone
    #[arg(long, short, help_heading = "Output")]
    pub(crate) verbose: bool,

    #[command(flatten)]
    pub(crate) s3: S3Arguments,
}
