//! What lies in an archive: asked for, on request, when it could not be read.

use brigade_store::{Entry, Failure, FailureKind, Restoring, Work};

use super::Transfers;
use crate::events::Outcome;

impl Transfers {
    /// What came of an object: where it turned out to lie in an archive, it is asked for now, if that was wished.
    pub(super) async fn ask_if_archived(&self, entry: &Entry, outcome: Outcome) -> Outcome {
        let is_archived = matches!(outcome, Outcome::Failed(Failure { kind: FailureKind::Archived, .. }));
        let Some(request) = self.restore_request.filter(|_| is_archived) else { return outcome };
        if self.dry_run {
            self.tally.foresee(&self.source, Work::Restore);
            return Outcome::Restoring(Restoring::Begun);
        }
        let _request = self.permits.request().await;
        if self.cancel.is_cancelled() {
            return outcome;
        }
        match self.source.restore(entry, request).await {
            Ok(restoring) => Outcome::Restoring(restoring),
            Err(failure) => {
                self.heed(self.source.as_ref(), &failure);
                let reason = format!("it lies in an archive, and could not be asked for: {failure}");
                Outcome::Failed(Failure::new(failure.kind, reason))
            }
        }
    }
}
