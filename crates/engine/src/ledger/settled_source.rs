//! What a bucket listed as the source behind a cursor, read from the ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use brigade_store::{Entry, Key, KeyRange, Listed, Listing, ListingError};

use super::{Ledger, LedgerError};
use crate::events::Side;
use crate::plan::{Action, Phase};

/// Pairs that are read at once.
const PAGE: usize = 1000;

/// The source's side of the settled pairs of a range, as a listing; with it come
/// the objects that wait for room at the destination, which have been listed as well.
pub(crate) struct SettledSource {
    ledger: Arc<dyn Ledger>,
    location: String,
    range: KeyRange,
    ended: bool,
}

impl SettledSource {
    /// The range; the location is for messages.
    pub(crate) fn new(ledger: Arc<dyn Ledger>, location: &str, range: &KeyRange) -> Self {
        Self { ledger, location: location.to_owned(), range: range.clone(), ended: false }
    }

    /// What is known of the next keys of the range; nothing is beyond the last of them once it has ended.
    async fn next_known(&mut self) -> Result<Vec<Listed>, LedgerError> {
        let after = self.range.after.as_ref();
        let pairs = self.ledger.page(after, PAGE).await?;
        let put_off = self.ledger.spooled(Phase::AfterDeletions, after, PAGE).await?;
        // A full page says nothing of what comes after its last key.
        let full_pages = [
            pairs.last().filter(|_| pairs.len() == PAGE).map(|pair| &pair.key),
            put_off.last().filter(|_| put_off.len() == PAGE).map(Action::key),
        ];
        let reach = full_pages.into_iter().flatten().min().cloned();
        let mut known: BTreeMap<&Key, Entry> =
            pairs.iter().filter_map(|pair| Some((&pair.key, pair.listed_on(Side::Source)?))).collect();
        // They were listed after the pair was settled.
        known.extend(put_off.iter().filter_map(waiting));
        let is_known = |key: &Key| self.range.contains(key) && reach.as_ref().is_none_or(|reach| key <= reach);
        let page =
            known.into_iter().filter(|(key, _)| is_known(key)).map(|(_, entry)| Listed::Present(entry)).collect();
        self.ended = reach.as_ref().is_none_or(|reach| !self.range.contains(reach));
        self.range.after = reach;
        Ok(page)
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
impl Listing for SettledSource {
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
