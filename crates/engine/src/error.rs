//! Errors: why a run could not go on. What fails for one object is an outcome, and no error.

use brigade_store::{Key, ListingError};

use crate::events::Summary;
use crate::ledger::LedgerError;
use crate::listing::Broken;
use crate::range::RangeError;
use crate::transfer::Halt;
pub use crate::transfer::LockedOut;

/// Why a run could not go on to its end, and what was done until then.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct RunError {
    /// Why.
    pub why: Why,
    /// What was done until then.
    pub summary: Box<Summary>,
}

/// Why a run could not go on to its end.
#[derive(Debug, thiserror::Error)]
pub enum Why {
    /// A listing broke off. Nothing was deleted.
    #[error(transparent)]
    Listing(ListingError),
    /// A temporary file could not be written or read.
    #[error("could not use a temporary file: {0}; set TMPDIR to a directory with room")]
    TemporaryFile(std::io::Error),
    /// Going on was refused for safety. Nothing was deleted.
    #[error("{0}")]
    Refused(String),
    /// What the index says of the destination could not be checked.
    #[error("could not look at {key} in {location}, to see whether the index holds: {reason}")]
    IndexUnchecked {
        /// The destination.
        location: String,
        /// The key.
        key: Key,
        /// Why.
        reason: String,
    },
    /// A store no longer accepts who asks. What was done until then stays done; nothing was deleted after it.
    #[error(transparent)]
    LockedOut(LockedOut),
    /// The person asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// The ledger could not be read or written.
    #[error(transparent)]
    Ledger(Box<LedgerError>),
    /// A task of ours ended abnormally.
    #[error("a part of the program ended abnormally, which is a defect: {0}")]
    Defect(String),
}

impl From<RangeError> for Why {
    fn from(error: RangeError) -> Self {
        match error {
            RangeError::Listing(_, Broken::Store(error)) => Self::Listing(error),
            RangeError::Listing(_, Broken::Spill(error)) => Self::TemporaryFile(error),
            RangeError::Listing(_, broken @ (Broken::OutOfOrder { .. } | Broken::Task(_))) => {
                Self::Defect(broken.to_string())
            }
            RangeError::Halt(halt) => halt.into(),
            RangeError::Interrupted => Self::Interrupted,
        }
    }
}

impl From<Halt> for Why {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Spool(error) => Self::TemporaryFile(error),
            Halt::Task(error) => Self::Defect(error.to_string()),
            Halt::Ledger(error) => error.into(),
        }
    }
}

impl From<LedgerError> for Why {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(Box::new(error))
    }
}
