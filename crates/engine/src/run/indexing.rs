//! The index of a run: whether the ledger's knowledge of the destination is
//! good for a listing, and that it stays so.

use brigade_store::Key;
use futures_util::future::join_all;

use super::{Change, Ledger, Pass, Why};
use crate::index::IndexUse;
use crate::ledger::Index;

/// How many settled keys are looked at before an index is trusted.
const LOOKS: usize = 16;

impl Pass {
    /// What this run has to do with the index that was found. A run that does
    /// not go over everything makes none.
    pub(super) fn index_use(&self, found: Option<Index>) -> IndexUse {
        match IndexUse::of(self.job.indexing, found, self.job.filters_digest()) {
            IndexUse::Made if !self.keeps_progress() => IndexUse::None,
            index => index,
        }
    }

    /// Looks at some keys of the destination, any ones: an index of another
    /// bucket, or of one that was emptied or written by others, is found out.
    pub(super) async fn check_index(&self, ledger: &dyn Ledger) -> Result<(), Why> {
        let dest = self.around.dest.as_ref();
        let pairs = ledger.sample(LOOKS).await?;
        let looks = pairs.iter().map(|pair| dest.look(&pair.key));
        let found = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Err(Why::Interrupted),
            found = join_all(looks) => found,
        };
        for (pair, found) in pairs.iter().zip(found) {
            match found {
                Ok(Some(found)) if pair.right.shows_in(&found) => {}
                Ok(found) => return Err(Why::Refused(refusal(dest.location(), &pair.key, found.is_some()))),
                Err(failure) => {
                    let (location, key) = (dest.location().to_owned(), pair.key.clone());
                    return Err(Why::IndexUnchecked { location, key, reason: failure.reason });
                }
            }
        }
        Ok(())
    }

    /// What is said of the index before anything is done. Only a run that is
    /// taken up goes on with what another one has taken note of.
    pub(super) fn opening(&self, index: IndexUse, found: Option<Index>, is_taken_up: bool) -> Vec<Change> {
        match (index, found) {
            (IndexUse::Trusted, _) => vec![self.index(true)],
            (IndexUse::None | IndexUse::Made, _) if is_taken_up => vec![],
            (IndexUse::None | IndexUse::Made, _) if self.keeps_progress() => vec![Change::Index(None)],
            // What runs that trusted it have passed was never listed.
            (IndexUse::None | IndexUse::Made, Some(_)) => vec![Change::Index(None), Change::End],
            (IndexUse::None | IndexUse::Made, None) => vec![],
        }
    }

    /// That there is an index, which a run uses or not.
    pub(super) fn index(&self, in_use: bool) -> Change {
        Change::Index(Some(Index { filters: self.job.filters_digest(), in_use }))
    }
}

fn refusal(location: &str, key: &Key, is_there: bool) -> String {
    let found = if is_there { "holds another version of" } else { "has no" };
    format!(
        "{location} {found} {key}, which the index says is in step; nothing was changed. Is it the right place? If \
         others write there, or it was emptied, run once with --rebuild-index, which lists it"
    )
}
