//! `brigade cat`.

use std::ffi::OsString;

use clap::Args;

use super::{KeyArguments, S3Arguments};
use crate::resolve::byte_range::ByteRange;

/// Arguments of `brigade cat`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
What is written is of one version, whatever is written to the bucket meanwhile. The content is checked against what the \
service has stored of it; where that is known only at the end, and it is wrong, all was written by then, and the exit \
code is 1. Of a part nothing can be checked.

Examples:
  brigade cat s3://bucket/logs/today.gz | zcat
  brigade cat s3://bucket/big.iso --range 0-511 | xxd
  brigade cat s3://bucket/page.html --version-id 3sL4kqtJlcpXroDTDmJ

Exit status: 0 all is written, 1 it is not, or could not be checked to be right, 2 usage, 130 or 143 interrupted.")]
pub(crate) struct Cat {
    /// Which object: s3://bucket/key
    #[arg(value_name = "URL")]
    pub(crate) location: OsString,

    /// Only these bytes, counted from 0: 0-511, 512- or -512 for the last ones
    #[arg(long, value_name = "RANGE", allow_hyphen_values = true, help_heading = "What to show")]
    pub(crate) range: Option<ByteRange>,

    /// This version, as `brigade versions` lists it
    #[arg(long, value_name = "ID", help_heading = "What to show")]
    pub(crate) version_id: Option<String>,

    #[command(flatten)]
    pub(crate) s3: S3Arguments,

    #[command(flatten)]
    pub(crate) key: KeyArguments,
}
