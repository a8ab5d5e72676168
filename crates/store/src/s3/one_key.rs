//! The listing of one key of a bucket: whether it is there is looked up.

use async_trait::async_trait;

use super::BucketStore;
use crate::{Key, KeyRange, Listed, Listing, ListingError, Store};

/// The listing under way.
pub(super) struct OneKey {
    store: BucketStore,
    /// `None` once it was looked up, and where it isn't wanted.
    key: Option<Key>,
}

impl OneKey {
    pub(super) fn new(store: BucketStore, key: Key, range: &KeyRange) -> Self {
        Self { store, key: Some(key).filter(|key| range.contains(key)) }
    }
}

#[async_trait]
impl Listing for OneKey {
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, ListingError> {
        let Some(key) = self.key.take() else { return Ok(None) };
        let found = self.store.look(&key).await;
        let found =
            found.map_err(|failure| ListingError { location: self.store.location.clone(), reason: failure.reason })?;
        Ok(found.map(|entry| vec![Listed::Present(entry)]))
    }
}
