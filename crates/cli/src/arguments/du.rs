//! `brigade du`.

use std::ffi::OsString;

use clap::Args;

use super::{Format, S3Arguments};

/// Arguments of `brigade du`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Counts every object below URL, markers of directories as well, and their bytes. Of what a bucket keeps besides, versions \
(`brigade versions`) and parts of unfinished uploads (`brigade cleanup`), nothing is counted. In a directory, symlinks are \
not followed.

Each line has the size, the number of objects and the directory; the last one is the whole. A directory comes after those \
that are in it.

Examples:
  brigade du s3://bucket/photos
  brigade du s3://bucket --depth 2
  brigade du s3://bucket --depth 1 --output json

Exit status: 0 all is counted, 1 could not run, 2 usage, 3 some directories could not be read, 130 or 143 interrupted.")]
pub(crate) struct Du {
    /// What to measure: s3://bucket[/prefix], or a directory
    #[arg(value_name = "URL")]
    pub(crate) location: OsString,

    /// Show also the directories that lie so deep at most: 1 is just below URL
    #[arg(long, short, value_name = "N", default_value_t = 0, hide_default_value = true, help_heading = "Output")]
    pub(crate) depth: usize,

    /// How results are written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = "Output")]
    pub(crate) output: Format,

    #[command(flatten)]
    pub(crate) s3: S3Arguments,
}
