//! The settled pairs as strips of the merge: the pairs themselves, and one side
//! of them, which stands for a bucket's listing behind a cursor.

use std::sync::Arc;

use async_trait::async_trait;
use brigade_store::{Key, KeyRange, Listed, Listing, ListingError};
use tokio_util::task::AbortOnDropHandle;

use super::{Ledger, LedgerError, SettledPair};
use crate::events::Side;

/// Pairs that are read at once.
const PAGE: usize = 1000;

/// The settled pairs of a range, a page ahead of who reads them.
pub(crate) struct SettledStrip {
    ledger: Option<Arc<dyn Ledger>>,
    through: Option<Key>,
    coming: Option<AbortOnDropHandle<Result<Vec<SettledPair>, LedgerError>>>,
}

impl SettledStrip {
    /// The pairs in the range; without a ledger, there are none.
    pub(crate) fn new(ledger: Option<Arc<dyn Ledger>>, range: &KeyRange) -> Self {
        let mut strip = Self { ledger, through: range.through.clone(), coming: None };
        strip.ask(range.after.clone());
        strip
    }

    /// The next page, never empty; `None` at the end.
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<SettledPair>>, LedgerError> {
        let Some(coming) = self.coming.take() else { return Ok(None) };
        let mut page = coming.await??;
        let is_over = |pair: &SettledPair| self.through.as_ref().is_some_and(|through| pair.key > *through);
        match page.iter().position(is_over) {
            Some(end) => page.truncate(end),
            // After the last page comes an empty one, which ends it.
            None if page.is_empty() => {}
            None => self.ask(page.last().map(|pair| pair.key.clone())),
        }
        Ok((!page.is_empty()).then_some(page))
    }

    fn ask(&mut self, after: Option<Key>) {
        if let Some(ledger) = self.ledger.clone() {
            let page = tokio::spawn(async move { ledger.page(after.as_ref(), PAGE).await });
            self.coming = Some(AbortOnDropHandle::new(page));
        }
    }
}

/// One side of the settled pairs of a range, as a listing.
pub(crate) struct SettledSide {
    ledger: Arc<dyn Ledger>,
    location: String,
    side: Side,
    range: KeyRange,
    ended: bool,
}

impl SettledSide {
    /// This side of the pairs in the range; the location is for messages.
    pub(crate) fn new(ledger: Arc<dyn Ledger>, location: &str, side: Side, range: &KeyRange) -> Self {
        Self { ledger, location: location.to_owned(), side, range: range.clone(), ended: false }
    }

    fn listed(&self, pair: &SettledPair) -> Option<Listed> {
        let fingerprint = match self.side {
            // Its deletion waits in the spool: what has been listed as gone is not there.
            Side::Source if pair.lost => return None,
            Side::Source => &pair.left,
            Side::Dest => &pair.right,
        };
        fingerprint.listed_at(&pair.key).map(Listed::Present)
    }
}

#[async_trait]
impl Listing for SettledSide {
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, ListingError> {
        while !self.ended {
            let pairs = self
                .ledger
                .page(self.range.after.as_ref(), PAGE)
                .await
                .map_err(|error| ListingError { location: self.location.clone(), reason: error.to_string() })?;
            let last: Option<&Key> = pairs.last().map(|pair| &pair.key);
            self.ended = last.is_none_or(|last| !self.range.contains(last));
            let page: Vec<Listed> = pairs
                .iter()
                .filter(|pair| self.range.contains(&pair.key))
                .filter_map(|pair| self.listed(pair))
                .collect();
            if let Some(last) = last {
                self.range.after = Some(last.clone());
            }
            if !page.is_empty() {
                return Ok(Some(page));
            }
        }
        Ok(None)
    }
}
