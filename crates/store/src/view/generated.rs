//! A listing without generated pages: whether one is generated is said in its metadata, which is asked for.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};

use crate::{Entry, Extent, FailureKind, Key, Listed, Listing, ListingError, Store, Unknown, UnknownReason};

/// The name of the pages that are generated.
const PAGE_NAME: &[u8] = b"index.html";

/// The metadata that says so: `x-amz-meta-generated: true`.
const GENERATED: (&str, &str) = ("generated", "true");

/// Pages that are asked for at once.
const AT_ONCE: usize = 16;

pub(super) struct WithoutGenerated {
    listing: Box<dyn Listing>,
    store: Arc<dyn Store>,
}

impl WithoutGenerated {
    pub(super) fn new(listing: Box<dyn Listing>, store: Arc<dyn Store>) -> Self {
        Self { listing, store }
    }
}

#[async_trait]
impl Listing for WithoutGenerated {
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, ListingError> {
        let Some(page) = self.listing.next_page().await? else { return Ok(None) };
        let judged = page.into_iter().map(|listed| judge(Arc::clone(&self.store), listed));
        Ok(Some(stream::iter(judged).buffered(AT_ONCE).collect().await))
    }
}

/// The item, or in the place of a generated page, that nothing is said of it: then nothing is deleted in its place.
async fn judge(store: Arc<dyn Store>, listed: Listed) -> Listed {
    match listed {
        Listed::Present(entry) if is_page(&entry.key) => match why_left_out(store.as_ref(), &entry).await {
            Some(reason) => Listed::Unknown(Unknown { key: entry.key, extent: Extent::Key, reason }),
            None => Listed::Present(entry),
        },
        listed => listed,
    }
}

fn is_page(key: &Key) -> bool {
    key.as_bytes().rsplit(|&byte| byte == b'/').next() == Some(PAGE_NAME)
}

async fn why_left_out(store: &dyn Store, entry: &Entry) -> Option<UnknownReason> {
    match store.open(entry).await {
        Ok(object) => {
            let mut metadata = object.headers().metadata.iter();
            let is_generated = metadata.any(|(name, value)| (name.as_str(), value.as_str()) == GENERATED);
            is_generated.then_some(UnknownReason::Generated)
        }
        // That is found out again when its turn comes.
        Err(failure) if matches!(failure.kind, FailureKind::Absent | FailureKind::Changed) => None,
        Err(failure) => Some(UnknownReason::Unreadable(failure.reason)),
    }
}
