//! The settled pairs as strips of the merge: the pairs themselves, and one side
//! of them, which stands for a bucket's listing behind a cursor.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use brigade_store::{Entry, Key, KeyRange, Listed, Listing, ListingError};
use tokio_util::task::AbortOnDropHandle;

use super::{Ledger, LedgerError, SettledPair};
use crate::events::Side;
use crate::plan::{Action, Phase};

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

/// One side of the settled pairs of a range, as a listing. With the source come
/// the objects that wait for room at the destination: they have been listed as well.
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

    /// What is known of the next keys of the range; nothing is beyond the last of them once it has ended.
    async fn next_known(&mut self) -> Result<Vec<Listed>, LedgerError> {
        let after = self.range.after.as_ref();
        let pairs = self.ledger.page(after, PAGE).await?;
        let put_off = match self.side {
            Side::Source => self.ledger.spooled(Phase::AfterDeletions, after, PAGE).await?,
            Side::Dest => vec![],
        };
        // A full page says nothing of what comes after its last key.
        let full_pages = [
            pairs.last().filter(|_| pairs.len() == PAGE).map(|pair| &pair.key),
            put_off.last().filter(|_| put_off.len() == PAGE).map(Action::key),
        ];
        let reach = full_pages.into_iter().flatten().min().cloned();
        let mut known: BTreeMap<&Key, Entry> = pairs.iter().filter_map(|pair| self.listed(pair)).collect();
        // They were listed after the pair was settled.
        known.extend(put_off.iter().filter_map(waiting));
        let is_known = |key: &Key| self.range.contains(key) && reach.as_ref().is_none_or(|reach| key <= reach);
        let page =
            known.into_iter().filter(|(key, _)| is_known(key)).map(|(_, entry)| Listed::Present(entry)).collect();
        self.ended = reach.as_ref().is_none_or(|reach| !self.range.contains(reach));
        self.range.after = reach;
        Ok(page)
    }

    fn listed<'a>(&self, pair: &'a SettledPair) -> Option<(&'a Key, Entry)> {
        let fingerprint = match self.side {
            // What has been listed as gone is not there.
            Side::Source if pair.lost => return None,
            Side::Source => &pair.left,
            Side::Dest => &pair.right,
        };
        Some((&pair.key, fingerprint.listed_at(&pair.key)?))
    }
}

/// The object that waits for room, if one does; whether a marker's directory is
/// there is looked up by itself.
fn waiting(put_off: &Action) -> Option<(&Key, Entry)> {
    match put_off {
        Action::Send(transfer) if !transfer.source.stands_for_directory() => {
            Some((&transfer.source.key, transfer.source.clone()))
        }
        Action::Send(_) | Action::Delete(_) => None,
    }
}

#[async_trait]
impl Listing for SettledSide {
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, ListingError> {
        while !self.ended {
            let page = self.next_known().await.map_err(|error| {
                let (location, reason) = (self.location.clone(), error.to_string());
                ListingError { location, reason }
            })?;
            if !page.is_empty() {
                return Ok(Some(page));
            }
        }
        Ok(None)
    }
}
