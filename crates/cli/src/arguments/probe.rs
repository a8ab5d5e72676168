//! `brigade probe`.

use std::ffi::OsString;

use clap::Args;

use super::{Format, S3Arguments};

/// Arguments of `brigade probe`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Says where the credentials come from, how far the clocks are apart, how long requests take, and what is known of the \
provider. With --write it also tries what a sync could count on: the order of listings, conditional writes and deletes, \
bulk deletion, checksums, multipart uploads. Each is tried several times, over a new connection each time, to each of the \
name's addresses in turn, because several servers may stand behind one name; what is not right each time is not counted on. \
Servers behind a proxy that keeps its own connections, or behind a balancer that leads a client to one of them, are not told apart.

What is found out is remembered for the bucket at this endpoint for 30 days, in the directory in which ledgers are \
(BRIGADE_STATE_DIR, STATE_DIRECTORY, XDG_STATE_HOME/brigade or ~/.local/state/brigade). From then on all other commands \
count on it where nothing is known of the provider, and no longer count on what turned out otherwise. With --provider, or \
--no-ledger, they don't look at it, and a probe remembers nothing.

--write sends some 600 requests and 5 MiB, and more to a name of several addresses. It writes only objects and uploads of its own, with random names below \
URL/.brigade-probe-..., which no sync looks at, and removes them all, also when it is interrupted. In a bucket with \
versions, their old versions remain.

Examples:
  brigade probe s3://bucket
  brigade probe s3://bucket/scratch --write --endpoint-url https://storage.example.org

Exit status: 0 all that was to be tried was tried, whatever came of it, 1 could not run, or not remove what it wrote, 2 \
usage, 130 or 143 interrupted.")]
pub(crate) struct Probe {
    /// What to try: s3://bucket[/prefix]
    #[arg(value_name = "URL")]
    pub(crate) location: OsString,

    /// Try what takes writing: write, overwrite and delete objects of its own below URL
    #[arg(long, help_heading = "Safety")]
    pub(crate) write: bool,

    /// Remember nothing of what is found out, and look at nothing that is remembered
    #[arg(long, help_heading = "Memory")]
    pub(crate) no_ledger: bool,

    /// How results are written to standard output
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = "Output")]
    pub(crate) output: Format,

    #[command(flatten)]
    pub(crate) s3: S3Arguments,
}
