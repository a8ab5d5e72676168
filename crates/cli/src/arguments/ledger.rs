//! The options of every command that remembers, or looks at what is remembered.

use std::ffi::OsString;

use clap::Args;

use crate::resolve::duration::Span;

/// Where what is remembered is kept.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct LedgerArguments {
    /// Remember in this file, and take up from it what an earlier run left
    ///
    /// Without it, each pair of locations has a file of its own in BRIGADE_STATE_DIR, STATE_DIRECTORY,
    /// XDG_STATE_HOME/brigade or ~/.local/state/brigade, the first of them that can be written.
    #[arg(long, value_name = "FILE", help_heading = "Memory")]
    pub(crate) ledger: Option<OsString>,

    /// Remember nothing, and look at nothing that is remembered
    #[arg(long, conflicts_with = "ledger", help_heading = "Memory")]
    pub(crate) no_ledger: bool,
}

/// What keeps runs apart.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct LockArguments {
    /// Hold a lock on this file while running, besides that of the ledger
    #[arg(long, value_name = "FILE", help_heading = "Memory")]
    pub(crate) lock_file: Option<OsString>,

    /// If another run holds a lock, wait so long for it: 90s, 15m, 36h, 7d
    #[arg(long, value_name = "DURATION", help_heading = "Memory")]
    pub(crate) wait_lock: Option<Span>,
}
