//! `brigade ls`.

use std::ffi::OsString;

use clap::Args;

use super::{Format, S3Arguments};

/// Arguments of `brigade ls`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Each line has the modification time (UTC), the size in bytes and the key. Without --recursive, all that lies below a \
directory is one line, with DIR in place of the size. s3:// lists the buckets.

Examples:
  brigade ls s3://
  brigade ls s3://bucket/photos
  brigade ls s3://bucket --recursive --output json")]
pub(crate) struct Ls {
    /// What to list: s3://bucket[/prefix], a directory, or s3:// for the buckets
    #[arg(value_name = "URL")]
    pub(crate) location: OsString,

    /// List everything below, not just one level
    #[arg(long, short, help_heading = "Output")]
    pub(crate) recursive: bool,

    /// How results are written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = "Output")]
    pub(crate) output: Format,

    #[command(flatten)]
    pub(crate) s3: S3Arguments,
}
