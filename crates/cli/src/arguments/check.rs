//! `brigade check`.

use std::ffi::OsString;

use clap::Args;

use super::{FilterArguments, LedgerArguments, LockArguments, OutputArguments, S3Arguments, SideArguments, Symlinks};
use crate::resolve::at_once::Jobs;
use crate::resolve::percent::{Confidence, Percent};
use crate::resolve::size::Size;

/// Arguments of `brigade check`.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_long_help = "\
Both sides are listed, and what they list is compared: objects that are missing, extra or of another size are found among \
all of them. Of those that both sides have with one size, all are verified, or a sample: the content of DEST is read, and \
hashed on its way. It is compared with what the service at SOURCE keeps of its object (an MD5 that is its ETag, a \
CRC64NVME, the ETag of an upload in parts), or, where that proves nothing and where SOURCE is a directory, byte by byte with \
the content of SOURCE. Nothing is taken from what earlier runs remember, and nothing is changed.

A sample says how much can be bad among what it left out: the last line gives the largest share of SOURCE's objects that \
can be, with the confidence that is asked for.

Examples:
  brigade check ./site s3://bucket/site
  brigade check s3://bucket/photos s3://backup/photos --dest-profile nas --percent 1
  brigade check s3://bucket s3://copy --sample 1000 --since-last --report checked.jsonl
  brigade check ./site s3://bucket/site --trust-checksums --metadata

Standard output has what differs, each object named, and the summary; standard error has what could not be checked, each \
with its reason, and the progress.

Exit status: 0 no difference was found, 1 something could not be checked, and nothing else differs, 2 usage, 3 something \
differs, is missing or extra, 5 another run holds the lock, 130 or 143 interrupted.")]
pub(crate) struct Check {
    /// What the copy was made of: a directory, s3://bucket[/prefix], or gs://bucket[/prefix]
    #[arg(value_name = "SOURCE")]
    pub(crate) source: OsString,

    /// The copy: a directory, s3://bucket[/prefix], or gs://bucket[/prefix]
    #[arg(value_name = "DEST")]
    pub(crate) dest: OsString,

    /// Verify N objects, drawn at random, each as likely as any other
    ///
    /// At most 100000: they are held in memory. For more, use --percent.
    #[arg(long, value_name = "N", value_parser = sample_size, conflicts_with = "percent", help_heading = "What to verify")]
    pub(crate) sample: Option<usize>,

    /// Verify each object with this chance: 1, 0.5, 10%
    #[arg(long, value_name = "P", help_heading = "What to verify")]
    pub(crate) percent: Option<Percent>,

    /// Draw the sample by this number: the same one draws the same objects again
    ///
    /// Otherwise it is another one each time, and the summary tells it.
    #[arg(long, value_name = "SEED", help_heading = "What to verify")]
    pub(crate) seed: Option<u64>,

    /// Take those first that were never checked, or longest ago
    ///
    /// What was found good is remembered in the ledger, so that each check of N objects takes others than the one
    /// before. An object that has changed since counts as never checked. A check without this remembers nothing.
    #[arg(long, conflicts_with_all = ["percent", "no_ledger"], help_heading = "What to verify")]
    pub(crate) since_last: bool,

    /// Compare the checksums that both sides keep, and read only what they leave open
    ///
    /// That is no proof that what is stored is still what the checksum says. A directory keeps none: its files are
    /// read.
    #[arg(long, help_heading = "What to verify")]
    pub(crate) trust_checksums: bool,

    /// Compare headers and metadata too, of what is verified
    ///
    /// Between two buckets: the standard headers and all user metadata. Of a file: its modification time, to the
    /// second, with the x-amz-meta-mtime of an object that has one.
    #[arg(long, help_heading = "What to verify")]
    pub(crate) metadata: bool,

    /// Objects that only DEST has are no difference
    #[arg(long, help_heading = "What to verify")]
    pub(crate) ignore_extra: bool,

    /// What to do with symlinks in directories
    #[arg(long, value_enum, value_name = "HOW", default_value_t, help_heading = "What to verify")]
    pub(crate) symlinks: Symlinks,

    /// The confidence of the share that can be bad: 95, 99.9%
    #[arg(long, value_name = "P", default_value = "95", help_heading = "What to verify")]
    pub(crate) confidence: Confidence,

    #[command(flatten)]
    pub(crate) filters: FilterArguments,

    /// How many requests, or files, are in flight at once: a number, or auto
    ///
    /// auto: 64, or between two directories more and more, up to 512, while that helps.
    #[arg(long, short, value_name = "N|auto", default_value = "auto", help_heading = "Speed")]
    pub(crate) jobs: Jobs,

    /// How much content is held in memory at once: 64M, 64MiB, 1G, 1GB, or bytes
    #[arg(long, value_name = "SIZE", default_value = "256MiB", help_heading = "Speed")]
    pub(crate) memory: Size,

    #[command(flatten)]
    pub(crate) output: OutputArguments,

    #[command(flatten)]
    pub(crate) ledger: LedgerArguments,

    #[command(flatten)]
    pub(crate) locks: LockArguments,

    #[command(flatten)]
    pub(crate) s3: S3Arguments,

    #[command(flatten)]
    pub(crate) sides: SideArguments,
}

/// How many objects a sample has.
fn sample_size(text: &str) -> Result<usize, String> {
    use brigade_engine::check::sampling::MOST_SAMPLED;
    match text.parse() {
        Ok(most) if (1..=MOST_SAMPLED).contains(&most) => Ok(most),
        _ => Err(format!("it is a number from 1 to {MOST_SAMPLED}; for more, use --percent")),
    }
}
