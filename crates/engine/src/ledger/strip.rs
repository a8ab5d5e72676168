//! The settled pairs as a strip of the merge.

use std::sync::Arc;

use brigade_store::{Key, KeyRange};
use tokio_util::task::AbortOnDropHandle;

use super::{Ledger, LedgerError, SettledPair};

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
