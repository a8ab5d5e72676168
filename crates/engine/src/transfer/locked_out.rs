//! A store that doesn't accept who asks any more: nothing else would go better, so that the run stops where it is.

use brigade_store::{Failure, FailureKind, Store};

use super::Transfers;
use super::sending::Stopped;

/// A store that doesn't accept who asks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{location} does not accept the credentials any more: {reason}. Then the same command goes on from here")]
pub struct LockedOut {
    /// The store, as the user wrote it.
    pub location: String,
    /// What it said, and what to do about it.
    pub reason: String,
}

impl Transfers {
    /// Ends the run if that is why an object was stopped.
    pub(super) fn heed_stop(&self, stopped: &Stopped) {
        match stopped {
            Stopped::Source(failure) => self.heed(self.source.as_ref(), failure),
            Stopped::Dest(failure) => self.heed(self.dest.as_ref(), failure),
            Stopped::Interrupted | Stopped::NotCopied | Stopped::Ledger(_) => {}
        }
    }

    /// Ends the run if that is what a store's failure means: as if the person
    /// had asked to stop, so that nothing that is in flight counts as failed.
    pub(super) fn heed(&self, store: &dyn Store, failure: &Failure) {
        if failure.kind == FailureKind::LockedOut && !self.cancel.is_cancelled() {
            let (location, reason) = (store.location().to_owned(), failure.reason.clone());
            // The first reason stands.
            let _ = self.locked_out.set(LockedOut { location, reason });
            self.cancel.cancel();
        }
    }
}
