//! A listing that is read from a report.

use std::sync::Arc;

use async_trait::async_trait;

use super::Inventory;
use crate::spill::SortedPages;
use crate::{KeyRange, Listed, Listing, ListingError};

/// Items in a page, as many as S3 gives.
const PAGE: usize = 1000;

pub(super) struct InventoryListing {
    inventory: Arc<Inventory>,
    range: KeyRange,
    pages: Pages,
}

enum Pages {
    NotYet,
    Open(SortedPages),
    Over,
    /// It failed, or whoever asked for the last page didn't wait for it.
    Lost,
}

impl InventoryListing {
    pub(super) fn new(inventory: Arc<Inventory>, range: KeyRange) -> Self {
        Self { inventory, range, pages: Pages::NotYet }
    }
}

#[async_trait]
impl Listing for InventoryListing {
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, ListingError> {
        let mut pages = match std::mem::replace(&mut self.pages, Pages::Lost) {
            Pages::NotYet => self.inventory.sorted().await?.after(self.range.after.clone()),
            Pages::Open(pages) => pages,
            Pages::Over => {
                self.pages = Pages::Over;
                return Ok(None);
            }
            Pages::Lost => return Err(self.inventory.interrupted()),
        };
        let (page, pages) = self.inventory.spilling(move || pages.next_page(PAGE).map(|page| (page, pages))).await?;
        let mut page = page.unwrap_or_default();
        let beyond = page.iter().position(|item| self.range.through.as_ref().is_some_and(|last| item.key() > last));
        page.truncate(beyond.unwrap_or(page.len()));
        let goes_on = beyond.is_none() && !page.is_empty();
        self.pages = if goes_on { Pages::Open(pages) } else { Pages::Over };
        Ok((!page.is_empty()).then_some(page))
    }
}
