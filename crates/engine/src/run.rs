//! A run: one execution of a job, the whole pipe.

use std::sync::Arc;

use brigade_store::{ListingError, Store};
use tokio_util::sync::CancellationToken;

use crate::events::{Observer, Summary};
use crate::job::{JobSpec, RunOptions};

/// What a run works on and reports to.
pub struct Run {
    /// What is to be in step.
    pub job: JobSpec,
    /// How.
    pub options: RunOptions,
    /// Where objects come from.
    pub source: Arc<dyn Store>,
    /// Where they go.
    pub dest: Arc<dyn Store>,
    /// Who watches.
    pub observer: Arc<dyn Observer>,
    /// Cancelled when the person asks to stop.
    pub cancel: CancellationToken,
}

/// Why a run could not go on to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A listing broke off. Nothing was deleted.
    #[error(transparent)]
    Listing(#[from] ListingError),
    /// The spool could not be written or read.
    #[error("could not use the temporary file for deferred work: {0}; set TMPDIR to a directory with room")]
    Spool(#[from] std::io::Error),
    /// A safety limit was hit: nothing was deleted. The summary says what was done before.
    #[error("{reason}")]
    Refused {
        /// What was refused, why, and what to do.
        reason: String,
        /// What was done until then.
        summary: Box<Summary>,
    },
    /// The person asked to stop.
    #[error("interrupted")]
    Interrupted {
        /// What was done until then.
        summary: Box<Summary>,
    },
}

/// Carries out the job once.
pub async fn run(_run: Run) -> Result<Summary, RunError> {
    Ok(Summary::default())
}
