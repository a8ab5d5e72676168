//! The listing of a bucket as it was at a time: its versions, folded.

use std::time::SystemTime;

use async_trait::async_trait;

use super::StateAt;
use crate::{KeyRange, Listed, Listing, ListingError, VersionListing};

pub(super) struct AsOf {
    versions: Box<dyn VersionListing>,
    state: StateAt,
    range: KeyRange,
    is_over: bool,
}

impl AsOf {
    pub(super) fn new(versions: Box<dyn VersionListing>, at: SystemTime, range: KeyRange) -> Self {
        Self { versions, state: StateAt::new(at), range, is_over: false }
    }

    /// Whether an ordinary listing would show it.
    fn shows(&self, listed: &Listed) -> bool {
        let key = listed.key();
        let is_own_marker = key.as_bytes().is_empty() && !matches!(listed, Listed::Present(entry) if entry.size > 0);
        self.range.contains(key) && !is_own_marker && !key.is_temporary()
    }
}

#[async_trait]
impl Listing for AsOf {
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, ListingError> {
        while !self.is_over {
            let mut listed: Vec<Listed> = Vec::new();
            if let Some(page) = self.versions.next_page().await? {
                listed.extend(page.into_iter().filter_map(|version| self.state.next(version)));
            } else {
                self.is_over = true;
                listed.extend(self.state.end());
            }
            let last = self.range.through.as_ref();
            self.is_over |= listed.last().zip(last).is_some_and(|(listed, last)| listed.key() > last);
            listed.retain(|listed| self.shows(listed));
            if !listed.is_empty() {
                return Ok(Some(listed));
            }
        }
        Ok(None)
    }
}
