//! `brigade sync`.

use clap::Args;

use super::{
    BucketArguments, CostArguments, JobArguments, LedgerArguments, LockArguments, OutputArguments, S3Arguments,
    SideArguments, WritingArguments,
};
use crate::resolve::at_once::{Jobs, Listers};
use crate::resolve::duration::Span;
use crate::resolve::max_delete::MaxDelete;
use crate::resolve::size::Size;

/// Arguments of `brigade sync`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_long_help = "\
A location is a directory, s3://bucket[/prefix], gs://bucket[/prefix], or NAME:bucket[/prefix] of a store that has a name \
(docs/config.md). A prefix is a directory: s3://bucket/site and s3://bucket/site/ are \
the same. Between two buckets of one service with the same credentials the service copies by itself; between others \
what is copied passes through here, and never to a disk.

Examples:
  brigade sync ./site s3://bucket/site
  brigade sync ./site s3://bucket/site --delete --max-delete 10%
  brigade sync ./site s3://bucket/site --delete --dry-run
  brigade sync s3://bucket/photos /backup/photos --exclude '*' --include '*.jpg'
  brigade sync s3://bucket s3://copy --source-profile work --dest-profile nas

Standard output has what was done: the summary, and with -v or --dry-run a line for each object. Standard error has \
what went wrong, each object named with its reason, and the progress. If whoever reads standard output goes away, the \
sync still goes on to its end. \
Ctrl-C (or SIGTERM) gives what is in flight a second to finish; the program has ended within two. A second Ctrl-C ends it \
at once.

Exit status: 0 everything is in step, 1 could not run, 2 usage, 3 some objects failed, 4 refused for safety, 5 another \
run holds the lock, 130 or 143 interrupted.")]
pub(crate) struct Sync {
    #[command(flatten)]
    pub(crate) job: JobArguments,

    /// Say what would be done, and change nothing
    #[arg(long, short = 'n', help_heading = "Safety")]
    pub(crate) dry_run: bool,

    /// Delete nothing if more than this many would be deleted: 100, or 10% of DEST
    #[arg(long, value_name = "N|P%", requires = "delete", help_heading = "Safety")]
    pub(crate) max_delete: Option<MaxDelete>,

    /// Go on although SOURCE holds nothing and DEST does
    ///
    /// Otherwise that is refused: a disk that isn't mounted looks the same. With --delete, all of DEST is deleted then,
    /// within --max-delete.
    #[arg(long, help_heading = "Safety")]
    pub(crate) allow_empty_source: bool,

    /// When all is in step, remove from DEST what was superseded at least this long ago: 30d
    ///
    /// As `brigade prune DEST --older-than` does it: old versions and delete markers go for good, never a current
    /// version. DEST is a bucket with versioning.
    #[arg(long, value_name = "DURATION", help_heading = "Safety")]
    pub(crate) prune_older_than: Option<Span>,

    /// Send at most this many objects, delete nothing, and leave the rest for another run
    #[arg(long, value_name = "N", help_heading = "Safety")]
    pub(crate) limit: Option<u64>,

    /// How many requests, or files, are in flight at once: a number, or auto
    ///
    /// auto: 64, and more and more, up to 512 (not from a bucket), while that helps.
    #[arg(long, short, value_name = "N|auto", default_value = "auto", help_heading = "Speed")]
    pub(crate) jobs: Jobs,

    /// How many ranges of keys are listed at once: a number, or auto
    ///
    /// Only between stores that are known to list in byte order (--provider may say that one does). auto: more and
    /// more, up to 16, while that helps.
    #[arg(long, value_name = "N|auto", default_value = "auto", help_heading = "Speed")]
    pub(crate) listers: Listers,

    /// How much content is held in memory at once: 64M, 64MiB, 1G, 1GB, or bytes
    #[arg(long, value_name = "SIZE", default_value = "256MiB", help_heading = "Speed")]
    pub(crate) memory: Size,

    /// Don't list DEST, a bucket: take what it holds from what earlier runs remembered
    ///
    /// A change to a huge site takes the time of walking it. The first run with it lists DEST, and so does one after
    /// other filters, or after a run without --index or one that was killed. Some objects are looked at before anything
    /// is done, and each that is replaced or deleted is proven to be as remembered. Only for a DEST that nobody else
    /// writes.
    #[arg(long, conflicts_with = "no_ledger", help_heading = "Speed")]
    pub(crate) index: bool,

    /// As --index, but list DEST once more
    #[arg(long, conflicts_with = "no_ledger", help_heading = "Speed")]
    pub(crate) rebuild_index: bool,

    /// From bucket to bucket, read and write what the service could copy by itself
    #[arg(long, help_heading = "Speed")]
    pub(crate) no_server_side_copy: bool,

    #[command(flatten)]
    pub(crate) output: OutputArguments,

    #[command(flatten)]
    pub(crate) costs: CostArguments,

    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,

    #[command(flatten)]
    pub(crate) locks: LockArguments,

    #[command(flatten)]
    pub(crate) s3: S3Arguments,

    #[command(flatten)]
    pub(crate) sides: SideArguments,

    #[command(flatten)]
    pub(crate) writing: WritingArguments,

    #[command(flatten)]
    pub(crate) bucket: BucketArguments,
}
