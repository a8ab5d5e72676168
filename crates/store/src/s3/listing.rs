//! Listings of a bucket: one page is fetched ahead while the one before it is worked on.

use async_trait::async_trait;
use brigade_s3::{Bucket, Continuation, ListObjectsV2};
use tokio::sync::mpsc;

use super::names::Names;
use crate::{Key, KeyRange, Listed, Listing, ListingError};

/// A listing under way.
pub(super) struct BucketListing {
    pages: Pages,
    /// `None` until the first page is asked for.
    fetched: Option<mpsc::Receiver<Fetched>>,
    is_over: bool,
}

/// A page, or `None` at the end that the service has confirmed: a channel that
/// merely closes proves nothing.
type Fetched = Result<Option<Vec<Listed>>, ListingError>;

impl BucketListing {
    pub(super) fn new(pages: Pages) -> Self {
        Self { pages, fetched: None, is_over: false }
    }
}

#[async_trait]
impl Listing for BucketListing {
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, ListingError> {
        if self.is_over {
            return Ok(None);
        }
        let fetched = self.fetched.get_or_insert_with(|| {
            let (sender, receiver) = mpsc::channel(1);
            tokio::spawn(self.pages.clone().send_to(sender));
            receiver
        });
        let Some(page) = fetched.recv().await else {
            return Err(self.pages.error("it was interrupted".into()));
        };
        self.is_over = matches!(page, Ok(None));
        page
    }
}

/// What is listed.
#[derive(Clone)]
pub(super) struct Pages {
    pub(super) bucket: Bucket,
    pub(super) names: Names,
    pub(super) range: KeyRange,
    /// Whether the service is known to list by bytes: only then can it be
    /// asked to start at a key, and can the listing stop at one. In another order
    /// keys of the range may come before the one and after the other.
    pub(super) is_ordered: bool,
    /// Whether names are listed that are reserved for the program.
    pub(super) lists_reserved: bool,
    pub(super) location: String,
}

impl Pages {
    /// Fetches page after page, one more than is asked for, until the end, a
    /// failure, or nobody listens any more.
    async fn send_to(self, pages: mpsc::Sender<Fetched>) {
        let mut continuation = Continuation::default();
        loop {
            let Ok(permit) = pages.reserve().await else { return };
            let fetched = tokio::select! {
                fetched = self.fetch(&mut continuation, None) => fetched,
                () = pages.closed() => return,
            };
            let (page, goes_on) = match fetched {
                Ok(fetched) => fetched,
                Err(error) => return permit.send(Err(error)),
            };
            // A page of which nothing is left makes room for the next one.
            if page.is_empty() {
                drop(permit);
            } else {
                permit.send(Ok(Some(page)));
            }
            if !goes_on {
                // Nobody may be listening any more: then the end is of no interest either.
                return drop(pages.send(Ok(None)).await);
            }
        }
    }

    /// The first key of the range: no more than that is asked for.
    pub(super) async fn first(&self) -> Result<Option<Key>, ListingError> {
        let mut continuation = Continuation::default();
        let mut max_keys = Some(1);
        loop {
            // Where the first one is none to be shown, many after it may be alike.
            let (page, goes_on) = self.fetch(&mut continuation, max_keys.take()).await?;
            if !page.is_empty() || !goes_on {
                return Ok(page.first().map(|item| item.key().clone()));
            }
        }
    }

    /// The next page of the range, of so many keys at most, and whether there are more.
    async fn fetch(
        &self,
        continuation: &mut Continuation,
        max_keys: Option<u32>,
    ) -> Result<(Vec<Listed>, bool), ListingError> {
        let after = self.range.after.as_ref().filter(|_| self.is_ordered);
        let start_after = after.map(|after| self.names.start_after(after)).filter(|name| !name.is_empty());
        // Where the whole key could be said, whoever lists what comes before it lists in another order: that is
        // for the caller to find out.
        let is_told = after.zip(start_after.as_ref()).is_some_and(|(after, name)| self.names.is_whole(after, name));
        // Where the order is only said to be by bytes, what else lies in the range must show; around one key, nothing does.
        let is_one_key = self.range.through.as_ref().is_some_and(|key| self.range == KeyRange::around(key));
        let prefix = if self.is_ordered && !is_one_key {
            self.names.prefix().to_owned()
        } else {
            self.names.prefix_of(&self.range)
        };
        let page = ListObjectsV2 {
            prefix: &prefix,
            start_after: start_after.as_deref(),
            continuation_token: continuation.token(),
            max_keys,
            ..ListObjectsV2::default()
        };
        let page = self.bucket.list_objects_v2(page).await.map_err(|error| self.error(error.reason()))?;
        let follows = continuation.advance(&page).map_err(|endless| self.error(endless.to_string()))?;
        let mut listed = Vec::with_capacity(page.objects.len());
        let mut is_past_the_range = false;
        // A page out of order is handed on whole, for the caller to find that out.
        let ascends = page.objects.is_sorted_by(|one, next| one.key < next.key);
        for object in page.objects {
            let Some(entry) = self.names.entry(object).map_err(|reason| self.error(reason))? else { continue };
            is_past_the_range |= self.is_ordered && self.range.through.as_ref().is_some_and(|last| entry.key >= *last);
            let is_wanted = (self.is_ordered && !ascends)
                || self.range.contains(&entry.key)
                || (is_told && self.range.after.as_ref().is_some_and(|after| entry.key < *after));
            if is_wanted && (self.lists_reserved || !entry.key.is_reserved()) {
                listed.push(Listed::Present(entry));
            }
        }
        Ok((listed, follows && !is_past_the_range))
    }

    fn error(&self, reason: String) -> ListingError {
        ListingError { location: self.location.clone(), reason }
    }
}
