//! The options of every command that keeps two places in step: all that
//! decides *what* is to be in step.

use std::ffi::OsString;

use clap::{Args, ValueEnum};

use super::FilterArguments;

/// Two places, and what it means that they are in step.
#[derive(Debug, Args)]
pub(crate) struct JobArguments {
    /// Where objects come from: a directory, s3://bucket[/prefix], or gs://bucket[/prefix]
    #[arg(value_name = "SOURCE")]
    pub(crate) source: OsString,

    /// Where they go: a directory, s3://bucket[/prefix], or gs://bucket[/prefix]
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

    /// List SOURCE, a bucket, from a report of S3 Inventory, by its manifest.json: a path, or s3://bucket/key
    ///
    /// For a bucket that takes hours to list. Its files, CSV or Parquet, are read as SOURCE is, or from beside a local
    /// manifest. What has changed or gone since is noticed when its turn comes; what is newer is left to another run
    /// (docs/inventory.md).
    #[arg(long, value_name = "MANIFEST", help_heading = "What to sync")]
    pub(crate) source_inventory: Option<OsString>,

    /// How to tell whether an object has changed
    #[arg(long, value_enum, value_name = "HOW", default_value_t, help_heading = "How to compare")]
    pub(crate) compare: Compare,

    /// How many seconds clocks may run apart: times that are closer prove nothing
    #[arg(long, value_name = "SECS", default_value_t = 1200, help_heading = "How to compare")]
    pub(crate) clock_fudge_factor: u64,

    /// From bucket to bucket, leave out the tags of objects
    ///
    /// To read them takes permissions of its own, without which an object that may have tags is not copied.
    #[arg(long, help_heading = "What to sync")]
    pub(crate) ignore_tags: bool,

    #[command(flatten)]
    pub(crate) filters: FilterArguments,
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
