//! `brigade restore`.

use std::ffi::OsString;
use std::num::NonZeroU32;

use clap::{Args, ValueEnum};

use super::{CostArguments, FilterArguments, KeyArguments, LockArguments, OutputArguments, S3Arguments};
use crate::resolve::at_once::{Jobs, Listers};
use crate::resolve::max_delete::MaxDelete;
use crate::resolve::moment::Instant;
use crate::resolve::size::Size;
use crate::resolve::version_of::VersionOf;

/// Arguments of `brigade restore`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_long_help = "\
Brings what is below URL into DIR, which is made if it is not there. A file that is there already and has the object's \
content stays as it is, another one is replaced, and what only DIR has stays, unless --delete is given. Whether a file \
has it is proven by its content: nothing that was remembered is believed. Files get the modification times that they had \
when they were uploaded.

With --at, the bucket is seen as it was then: of each object the newest version of that time, and none that had been \
deleted by then. That takes a bucket that kept versions at that time; what was replaced while it kept none is named, \
and left as it is in DIR. Versions that were removed for good since then, by `brigade prune` or a lifecycle rule, leave no \
trace: what only they held counts as absent, and --delete takes it from DIR. An upload in parts counts from when it was \
begun, because S3 tells no other time of it.

Examples:
  brigade restore s3://bucket/site ./site
  brigade restore s3://bucket/site ./site --at 2026-11-20T10:00:00Z --dry-run
  brigade restore s3://bucket/site ./site --at 2d --include '/docs/'
  brigade versions s3://bucket/site/index.html
  brigade restore s3://bucket/site ./site --include /index.html --version-of index.html=3sL4kqtJlcpXroDTDmJ

Exit status: 0 everything is restored, 1 could not run, 2 usage, 3 some objects failed, 4 refused for safety, 5 another \
run holds the lock, 130 or 143 interrupted; the same command goes on from there.")]
pub(crate) struct Restore {
    /// What to restore: s3://bucket[/prefix]
    #[arg(value_name = "URL")]
    pub(crate) source: OsString,

    /// Where to: a directory
    #[arg(value_name = "DIR")]
    pub(crate) dest: OsString,

    /// The bucket as it was: 2026-11-20T10:00:00Z, by local time 2026-11-20T10:00 or 2026-11-20, or 2d ago: 2d
    #[arg(long, value_name = "TIME", help_heading = "What to restore")]
    pub(crate) at: Option<Instant>,

    /// This key, as it is below URL, in this version, whatever --at says; may be repeated
    #[arg(long, value_name = "KEY=ID", help_heading = "What to restore")]
    pub(crate) version_of: Vec<VersionOf>,

    /// Leave out generated pages: objects called index.html with the metadata x-amz-meta-generated: true
    ///
    /// What is in their place in DIR stays. Each index.html is asked for its metadata.
    #[arg(long, help_heading = "What to restore")]
    pub(crate) skip_generated: bool,

    /// Ask for what lies in an archive, to be readable for so many days
    ///
    /// Objects of the classes GLACIER and DEEP_ARCHIVE, and archived ones of INTELLIGENT_TIERING, can't be read before
    /// the service has restored them, which takes its time, and its price. The same command goes on then. Without this
    /// they are only counted and named.
    #[arg(long = "request-restore", value_name = "DAYS", help_heading = "What to restore")]
    pub(crate) days: Option<NonZeroU32>,

    /// How fast what lies in an archive is to be readable
    #[arg(long, value_enum, value_name = "TIER", default_value_t, requires = "days", help_heading = "What to restore")]
    pub(crate) tier: Tier,

    /// Delete from DIR what the bucket doesn't have
    ///
    /// Deletions come last, and only if the bucket was listed to the end and nothing failed. If nothing is to be
    /// restored and DIR isn't empty, the run is refused.
    #[arg(long, help_heading = "What to restore")]
    pub(crate) delete: bool,

    /// Say what would be done, and change nothing
    #[arg(long, short = 'n', help_heading = "Safety")]
    pub(crate) dry_run: bool,

    /// Delete nothing if more than this many would be deleted: 100, or 10% of DIR
    #[arg(long, value_name = "N|P%", requires = "delete", help_heading = "Safety")]
    pub(crate) max_delete: Option<MaxDelete>,

    /// Go on although there is nothing to restore and DIR holds something
    #[arg(long, help_heading = "Safety")]
    pub(crate) allow_empty_source: bool,

    /// How many requests are in flight at once: a number, or auto
    #[arg(long, short, value_name = "N|auto", default_value = "auto", help_heading = "Speed")]
    pub(crate) jobs: Jobs,

    /// How many ranges of keys are listed at once: a number, or auto; with --at, one
    #[arg(long, value_name = "N|auto", default_value = "auto", help_heading = "Speed")]
    pub(crate) listers: Listers,

    /// How much content is held in memory at once: 64M, 64MiB, 1G, 1GB, or bytes
    #[arg(long, value_name = "SIZE", default_value = "256MiB", help_heading = "Speed")]
    pub(crate) memory: Size,

    #[command(flatten)]
    pub(crate) output: OutputArguments,

    #[command(flatten)]
    pub(crate) costs: CostArguments,

    #[command(flatten)]
    pub(crate) filters: FilterArguments,

    #[command(flatten)]
    pub(crate) locks: LockArguments,

    #[command(flatten)]
    pub(crate) s3: S3Arguments,

    #[command(flatten)]
    pub(crate) key: KeyArguments,
}

/// How fast what lies in an archive is to be readable (`--tier`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tier {
    /// In 5 to 12 hours, from a deep archive in 48: the cheapest
    Bulk,
    /// In 3 to 5 hours, from a deep archive in 12
    #[default]
    Standard,
    /// In minutes, and not from a deep archive: the dearest
    Expedited,
}
