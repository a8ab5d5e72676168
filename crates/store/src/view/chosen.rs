//! A listing in which some keys are in versions that were chosen.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::vec;

use async_trait::async_trait;

use crate::{Entry, Key, Listed, Listing, ListingError};

pub(super) struct Chosen {
    listing: Box<dyn Listing>,
    keys: BTreeSet<Key>,
    /// Those that have yet to be listed, by key.
    entries: Peekable<vec::IntoIter<Entry>>,
}

impl Chosen {
    /// Of these entries, which come by key, each takes the place of what is listed under its key.
    pub(super) fn new(listing: Box<dyn Listing>, entries: impl Iterator<Item = Entry>) -> Self {
        let entries: Vec<Entry> = entries.collect();
        let keys = entries.iter().map(|entry| entry.key.clone()).collect();
        Self { listing, keys, entries: entries.into_iter().peekable() }
    }
}

#[async_trait]
impl Listing for Chosen {
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, ListingError> {
        loop {
            let Some(page) = self.listing.next_page().await? else {
                let rest: Vec<Listed> = self.entries.by_ref().map(Listed::Present).collect();
                return Ok((!rest.is_empty()).then_some(rest));
            };
            let mut listed = Vec::with_capacity(page.len());
            for item in page {
                while let Some(entry) = self.entries.next_if(|entry| entry.key <= *item.key()) {
                    listed.push(Listed::Present(entry));
                }
                if !self.keys.contains(item.key()) {
                    listed.push(item);
                }
            }
            if !listed.is_empty() {
                return Ok(Some(listed));
            }
        }
    }
}
