//! `brigade cleanup`.

use std::ffi::OsString;

use clap::Args;

use super::{Format, S3Arguments};
use crate::resolve::duration::Span;

/// Arguments of `brigade cleanup`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
A large object is sent in parts. What was sent of one that nobody finishes (the program was killed, the machine went \
away) stays in the bucket, is paid for, and is in no listing of objects. This finds such uploads below URL, whoever began \
them, and aborts those that were begun long enough ago, by the service's clock. An upload that is still being written is \
aborted too if it is that old: choose a DURATION longer than any upload takes.

Examples:
  brigade cleanup s3://bucket --older-than 7d --dry-run
  brigade cleanup s3://bucket/backup --older-than 36h

Standard output has a line for each upload that is aborted, and the summary; standard error has what could not be \
aborted, each with its reason.

Exit status: 0 all that are old enough are aborted, 1 could not run, 2 usage, 3 some could not be aborted, 130 or 143 \
interrupted.")]
pub(crate) struct Cleanup {
    /// Where to look: s3://bucket[/prefix]
    #[arg(value_name = "URL")]
    pub(crate) location: OsString,

    /// Abort uploads that were begun at least this long ago: 90s, 15m, 36h, 7d
    #[arg(long, value_name = "DURATION", help_heading = "Safety")]
    pub(crate) older_than: Span,

    /// Say what would be aborted, and abort nothing
    #[arg(long, short = 'n', help_heading = "Safety")]
    pub(crate) dry_run: bool,

    /// How results are written to standard output
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = "Output")]
    pub(crate) output: Format,

    /// Give each upload's id, and name those that are left alone too
    #[arg(long, short, help_heading = "Output")]
    pub(crate) verbose: bool,

    #[command(flatten)]
    pub(crate) s3: S3Arguments,
}
