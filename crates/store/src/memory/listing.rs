//! Listings of a [`MemoryStore`]: a snapshot taken at the first page.

use std::vec;

use async_trait::async_trait;

use super::{Call, MemoryStore, Sequence, State};
use crate::{Extent, Key, KeyRange, Listed, Listing, ListingError, Unknown};

pub(super) struct MemoryListing {
    store: MemoryStore,
    range: KeyRange,
    items: Option<vec::IntoIter<Listed>>,
    listed: usize,
    /// The key that the range starts after; empty where that is the beginning.
    start: Key,
    /// The last key that was listed, or the start.
    last: Key,
}

impl MemoryListing {
    pub(super) fn new(store: MemoryStore, range: KeyRange) -> Self {
        let start = range.after.clone().unwrap_or_else(|| Key::from(""));
        Self { store, range, items: None, listed: 0, last: start.clone(), start }
    }

    async fn start(&self) -> Result<vec::IntoIter<Listed>, ListingError> {
        let [call, _] = self.calls();
        let sequence = self.store.options.sequence;
        let listed =
            self.store.call_page(call, &self.start, &self.start, |state| Ok(listed_in(state, &self.range, sequence)));
        let items = listed.await.map_err(|failure| self.error(failure.reason))?;
        Ok(items.into_iter())
    }

    /// Asks for a further page.
    async fn go_on(&self) -> Result<(), ListingError> {
        let [_, call] = self.calls();
        let more = self.store.call_page(call, &self.last, &self.start, |_| Ok(()));
        more.await.map_err(|failure| self.error(failure.reason))
    }

    /// What asking for the first page, and for a further one, is called.
    fn calls(&self) -> [Call; 2] {
        match &self.range {
            range if *range == KeyRange::everything() => [Call::List, Call::ListMore],
            range if range.through.as_ref().is_some_and(|key| *range == KeyRange::around(key)) => [Call::ListWithin; 2],
            _ => [Call::ListRange, Call::ListRangeMore],
        }
    }

    fn error(&self, reason: String) -> ListingError {
        ListingError { location: self.store.options.location.clone(), reason }
    }
}

#[async_trait]
impl Listing for MemoryListing {
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, ListingError> {
        let mut items = match self.items.take() {
            Some(items) => {
                self.go_on().await?;
                items
            }
            None => self.start().await?,
        };
        let breaks_after = self.store.state().faults.listing_breaks_after.unwrap_or(usize::MAX);
        let allowed = breaks_after.saturating_sub(self.listed).min(self.store.options.page_size.max(1));
        if allowed == 0 {
            return Err(self.error("the listing was told to break off here".into()));
        }
        let page: Vec<Listed> = items.by_ref().take(allowed).collect();
        self.listed += page.len();
        self.items = Some(items);
        if let Some(item) = page.last() {
            self.last = item.key().clone();
        }
        Ok((!page.is_empty()).then_some(page))
    }
}

pub(super) fn first_after(state: &State, key: &Key, sequence: Sequence) -> Option<Key> {
    let range = KeyRange { after: Some(key.clone()), through: None };
    let comes_after = |next: &&Key| rank(next, sequence) > rank(key, sequence);
    listed_in(state, &range, sequence).iter().map(Listed::key).find(comes_after).cloned()
}

/// What the store lists of a range: as a bucket in byte order does, or, in an
/// order of its own, from where the key before the range has its place there
/// until a key comes that lies at the end or beyond.
fn listed_in(state: &State, range: &KeyRange, sequence: Sequence) -> Vec<Listed> {
    let is_by_bytes = sequence == Sequence::ByBytes;
    let known = state
        .objects
        .entries()
        .filter(|entry| (!is_by_bytes || range.contains(&entry.key)) && !state.hidden.contains(&entry.key))
        .filter(|entry| !state.unknowns.iter().any(|unknown| unknown.covers(&entry.key)))
        .cloned()
        .map(Listed::Present);
    let unknown = state.unknowns.iter().filter(|unknown| touches(range, unknown)).cloned().map(Listed::Unknown);
    let mut items: Vec<Listed> = known.chain(unknown).collect();
    items.sort_by_cached_key(|item| rank(item.key(), sequence));
    if !is_by_bytes {
        let after = range.after.as_ref().map(|after| rank(after, sequence));
        items.retain(|item| after.as_ref().is_none_or(|after| rank(item.key(), sequence) > *after));
        let end = range.through.as_ref().and_then(|through| items.iter().position(|item| item.key() >= through));
        items.truncate(end.map_or(items.len(), |end| end + 1));
        items.retain(|item| range.through.as_ref().is_none_or(|through| item.key() <= through));
    }
    items
}

/// Whether any key of which the store can't tell may lie in the range: one
/// that begins before the range can still reach into it.
fn touches(range: &KeyRange, unknown: &Unknown) -> bool {
    let prefix = unknown.key.as_bytes();
    let reaches_in = || {
        let after_is_inside = range.after.as_ref().is_some_and(|after| after.as_bytes().starts_with(prefix));
        let begins_in_time = range.through.as_ref().is_none_or(|through| unknown.key <= *through);
        after_is_inside && begins_in_time
    };
    range.contains(&unknown.key) || (unknown.extent == Extent::Below && reaches_in())
}

/// The place of a key in the store's order.
fn rank(key: &Key, sequence: Sequence) -> Vec<u16> {
    let bytes = key.as_bytes().iter();
    match sequence {
        Sequence::ByBytes => bytes.map(|&byte| u16::from(byte)).collect(),
        Sequence::SlashFirst => bytes.map(|&byte| if byte == b'/' { 0 } else { u16::from(byte) + 1 }).collect(),
        Sequence::IgnoringCase => bytes.map(|byte| u16::from(byte.to_ascii_uppercase())).collect(),
    }
}
