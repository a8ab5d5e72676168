//! `brigade versions`.

use std::ffi::OsString;

use clap::Args;

use super::{Format, S3Arguments};

/// Arguments of `brigade versions`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Each line has when the version was written (UTC), its size in bytes (DELETED for a delete marker), whether it is what the key \
holds now (current) or until when it was, its id, and the key. Of each key the newest version comes first. URL is a key, or a \
prefix with all keys below it.

Examples:
  brigade versions s3://bucket/site/index.html
  brigade versions s3://bucket --output json")]
pub(crate) struct Versions {
    /// What to look at: s3://bucket[/prefix or key]
    #[arg(value_name = "URL")]
    pub(crate) location: OsString,

    /// How results are written
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = "Output")]
    pub(crate) output: Format,

    #[command(flatten)]
    pub(crate) s3: S3Arguments,
}
