//! Why a ledger could not be opened, read or written.

use std::path::PathBuf;

/// Why a ledger could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It belongs to other locations.
    #[error(
        "{path} is the ledger of {source_location} -> {dest}, and not of {wanted_source} -> {wanted_dest}; \
         give each pair of locations a --ledger of its own"
    )]
    OtherLocations {
        /// The file.
        path: PathBuf,
        /// Where it was made to read from.
        source_location: String,
        /// Where it was made to write to.
        dest: String,
        /// What was asked for.
        wanted_source: String,
        /// What was asked for.
        wanted_dest: String,
    },
    /// A newer version of the program wrote it.
    #[error(
        "{path} was written by a newer brigade (format {found}; this one reads up to {known}); \
         use that one, or --no-ledger"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// It is no ledger.
    #[error("{0} is no ledger; choose another file")]
    NoLedger(PathBuf),
    /// It does not read as it was written.
    #[error(
        "the ledger {path} is damaged ({reason}); remove it with `brigade ledger forget {path}`, and the next run \
         compares everything anew"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The system refused.
    #[error("could not {doing} the ledger {path}: {reason}; give another place with --ledger, or use --no-ledger")]
    Refused {
        /// What was tried: `open`, `use`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// What was written to a side could not be made durable.
    #[error("could not make what was written to {location} durable: {reason}; check the disk")]
    NotDurable {
        /// The side's location.
        location: String,
        /// What the system says.
        reason: String,
    },
    /// Something before this could not be written.
    #[error("the ledger is not written any more, because something before this could not be")]
    GivenUp,
    /// A task of ours ended abnormally: a defect of the program.
    #[error("the ledger's work ended abnormally, which is a defect: {0}")]
    Task(#[from] tokio::task::JoinError),
}
