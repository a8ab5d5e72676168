//! `brigade rm`.

use std::ffi::OsString;

use clap::Args;

use super::{CostArguments, FilterArguments, OutputArguments, S3Arguments};
use crate::resolve::at_once::{Jobs, Listers};
use crate::resolve::max_delete::MaxDelete;

/// Arguments of `brigade rm`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
A prefix is a directory: s3://bucket/site and s3://bucket/site/ are the same, and neither touches s3://bucket/site2. All \
below it is deleted, markers of directories as well; where nothing is below it, but an object of that very name, that \
object is. Everything is listed and counted before anything is deleted, and what somebody replaces in the meantime stays, \
where the service can tell.

In a bucket that keeps versions nothing is gone for good: each object gets a delete marker, under which its versions stay, \
and are paid for. Where versioning is suspended, versions stay as well, but what was written while the bucket kept none \
is gone for good. Uploads that nobody finished are left as well: see `brigade cleanup`.

Nobody is asked before. Look first:
  brigade rm s3://bucket/site --dry-run
  brigade rm s3://bucket/site --exclude '*.html' --max-delete 1000
  brigade rm s3://bucket --whole-bucket

Nothing is remembered: an interrupted run has deleted some, and the same command deletes the rest.

Exit status: 0 all is deleted, 1 could not run, 2 usage, 3 some could not be deleted, 4 refused for safety, 130 or 143 \
interrupted.")]
pub(crate) struct Rm {
    /// What to delete: s3://bucket/prefix, and all below it
    #[arg(value_name = "URL")]
    pub(crate) location: OsString,

    /// Agree that URL is a whole bucket
    ///
    /// The bucket itself stays, empty.
    #[arg(long, help_heading = "Safety")]
    pub(crate) whole_bucket: bool,

    /// Say what would be deleted, and delete nothing
    #[arg(long, short = 'n', help_heading = "Safety")]
    pub(crate) dry_run: bool,

    /// Delete nothing if more than this many would be deleted: 100, or 10% of what takes part
    #[arg(long, value_name = "N|P%", help_heading = "Safety")]
    pub(crate) max_delete: Option<MaxDelete>,

    /// How many requests are in flight at once: a number, or auto
    #[arg(long, short, value_name = "N|auto", default_value = "auto", help_heading = "Speed")]
    pub(crate) jobs: Jobs,

    /// How many ranges of keys are listed at once: a number, or auto
    #[arg(long, value_name = "N|auto", default_value = "auto", help_heading = "Speed")]
    pub(crate) listers: Listers,

    #[command(flatten)]
    pub(crate) output: OutputArguments,

    #[command(flatten)]
    pub(crate) costs: CostArguments,

    #[command(flatten)]
    pub(crate) filters: FilterArguments,

    #[command(flatten)]
    pub(crate) s3: S3Arguments,
}
