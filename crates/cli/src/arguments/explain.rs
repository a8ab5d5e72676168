//! `brigade explain`.

use std::ffi::OsString;

use clap::Args;

use super::{Format, JobArguments, LedgerArguments, S3Arguments, SideArguments};

/// Arguments of `brigade explain`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Give the same options as to `brigade sync`. Only requests that read are sent, and nothing is changed.

KEY is relative to SOURCE and DEST, as every message of brigade has it. It may also be a whole URL below the one that \
is in S3 (s3://bucket/site/index.html) or an absolute path below the one that is a directory. A key that is no text is \
written as the shell has it: $'caf\\xe9'.

Examples:
  brigade explain ./site s3://bucket/site index.html
  brigade explain ./site s3://bucket/site --delete --exclude '*.tmp' old/page.html
  brigade explain s3://bucket/photos /backup/photos s3://bucket/photos/2024/1.jpg --output json

Exit status: 0 explained, 1 could not look, 2 usage, 130 or 143 interrupted.")]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) job: JobArguments,

    /// The key that is asked about
    #[arg(value_name = "KEY")]
    pub(crate) key: OsString,

    /// How the explanation is written to standard output
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = "Output")]
    pub(crate) output: Format,

    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,

    #[command(flatten)]
    pub(crate) s3: S3Arguments,

    #[command(flatten)]
    pub(crate) sides: SideArguments,
}
