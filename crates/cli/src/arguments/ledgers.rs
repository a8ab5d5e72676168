//! `brigade ledger`.

use std::ffi::OsString;

use clap::{Args, Subcommand};

use super::Format;

/// Arguments of `brigade ledger`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
A ledger is what `brigade sync` remembers of two locations: what both sides were when they were last in step, and how far \
a run came that did not come to its end. Without one, everything is compared anew, and nothing is lost.

LEDGER is a file, or a name that `brigade ledger list` shows.

Examples:
  brigade ledger list
  brigade ledger show 1f0c9a7745e2b613
  brigade ledger export 1f0c9a7745e2b613 > pairs.jsonl

Exit status: 0 done, 1 could not, 2 usage, 5 a run holds the ledger.")]
pub(crate) struct Ledgers {
    /// What to do.
    #[command(subcommand)]
    pub(crate) action: LedgerAction,
}

/// What to do with ledgers.
#[derive(Debug, Subcommand)]
pub(crate) enum LedgerAction {
    /// List the ledgers that there are
    List {
        /// How results are written
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
        output: Format,
    },
    /// Say what a ledger remembers
    Show {
        /// Which one: a file, or a name from the list
        #[arg(value_name = "LEDGER")]
        ledger: OsString,

        /// How results are written
        #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
        output: Format,
    },
    /// Remove a ledger: the next run compares everything anew
    Forget {
        /// Which one: a file, or a name from the list
        #[arg(value_name = "LEDGER")]
        ledger: OsString,
    },
    /// Write every settled pair as JSON, one a line
    Export {
        /// Which one: a file, or a name from the list
        #[arg(value_name = "LEDGER")]
        ledger: OsString,
    },
}
