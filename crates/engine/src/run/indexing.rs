//! The index of a run: whether the ledger's knowledge of the destination is
//! good for a listing, and that it stays so.

use brigade_store::Key;
use futures_util::future::join_all;

use super::{Change, Ledger, LedgerError, Pass, Why};
use crate::index::IndexUse;
use crate::ledger::{Index, SettledPair};

/// How many settled keys are looked at before an index is trusted.
const LOOKS: usize = 16;

/// How many pairs are drawn for that: more, where the filters leave out too many of the first ones.
const SAMPLES: [usize; 3] = [LOOKS, 16 * LOOKS, 256 * LOOKS];

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
        let pairs = self.sample(ledger).await?;
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

    /// Some settled pairs, of those that take part: what is left out is not in the index.
    async fn sample(&self, ledger: &dyn Ledger) -> Result<Vec<SettledPair>, LedgerError> {
        let mut matched = self.job.filters.none_matched();
        let mut pairs = vec![];
        for most in SAMPLES {
            pairs = ledger.sample(most).await?;
            let are_all = pairs.len() < most;
            pairs.retain(|pair| self.job.filters.includes(&pair.key, &mut matched));
            if are_all || pairs.len() >= LOOKS {
                break;
            }
        }
        pairs.truncate(LOOKS);
        Ok(pairs)
    }

    /// What is said of the index before anything is done.
    pub(super) fn opening(&self, index: IndexUse, found: Option<Index>, is_taken_up: bool) -> Vec<Change> {
        match index {
            IndexUse::Trusted => vec![self.index(true, true)],
            IndexUse::Made if is_taken_up => vec![self.index(false, true)],
            IndexUse::Made => vec![Change::Index(None), self.index(false, true)],
            // What runs have passed that had an index was never listed, or is no longer as it was.
            IndexUse::None if found.is_some() => vec![Change::Index(None), Change::End],
            IndexUse::None => vec![],
        }
    }

    /// Whether what an earlier run has passed is good for one that uses the index so: to make one, what
    /// was listed for it by a run that was not killed.
    pub(super) fn has_passed_well(&self, index: IndexUse, found: Option<Index>) -> bool {
        match index {
            IndexUse::Trusted => true,
            IndexUse::Made => {
                found == Some(Index { filters: self.job.filters_digest(), is_whole: false, in_use: false })
            }
            IndexUse::None => found.is_none(),
        }
    }

    /// That there is an index, whole or not, which a run uses or not.
    pub(super) fn index(&self, is_whole: bool, in_use: bool) -> Change {
        Change::Index(Some(Index { filters: self.job.filters_digest(), is_whole, in_use }))
    }
}

fn refusal(location: &str, key: &Key, is_there: bool) -> String {
    let found = if is_there { "holds another version of" } else { "has no" };
    format!(
        "{location} {found} {key}, which the index says is in step; nothing was changed. Is it the right place? If \
         others write there, or it was emptied, run once with --rebuild-index, which lists it"
    )
}
