//! Listings of a bucket: one page is fetched ahead while the one before it is worked on.

use async_trait::async_trait;
use brigade_s3::{Bucket, Continuation, ErrorKind, ListObjectsV2, ListedObject};
use tokio::sync::mpsc;

use super::names::Names;
use crate::{Entry, Key, KeyRange, Listed, Listing, ListingError};

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
    /// What is listed of that which has a meaning to the program.
    pub(super) shows: Shows,
    pub(super) location: String,
}

/// What a listing shows of that which has a meaning to the program alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shows {
    /// Nothing whose name is reserved.
    Objects,
    /// Also what has such a name, but for temporary files and what a probe left: somebody else may have made it.
    Reserved,
    /// Everything, the marker of the place itself as well.
    Everything,
}

impl Shows {
    /// The entry of an object, unless the program itself made it.
    fn entry(self, names: &Names, object: ListedObject) -> Result<Option<Entry>, String> {
        match self {
            Self::Everything => names.any_entry(object).map(Some),
            Self::Objects | Self::Reserved => names.entry(object),
        }
    }

    fn shows(self, key: &Key) -> bool {
        self != Self::Objects || !key.is_reserved()
    }
}

impl Pages {
    /// Fetches page after page, one more than is asked for, until the end, a
    /// failure, or nobody listens any more.
    async fn send_to(mut self, pages: mpsc::Sender<Fetched>) {
        let mut course = Course::default();
        loop {
            let Ok(permit) = pages.reserve().await else { return };
            let fetched = tokio::select! {
                fetched = self.follow(&mut course, None) => fetched,
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
    pub(super) async fn first(mut self) -> Result<Option<Key>, ListingError> {
        let mut course = Course::default();
        let mut max_keys = Some(1);
        loop {
            // Where the first one is none to be shown, many after it may be alike.
            let (page, goes_on) = self.follow(&mut course, max_keys.take()).await?;
            if !page.is_empty() || !goes_on {
                return Ok(page.first().map(|item| item.key().clone()));
            }
        }
    }

    /// The next page of the range, of so many keys at most, and whether there are more. A
    /// service may know its own token no more: then it is asked for what comes after the last
    /// key, or where its order isn't known for everything from the beginning.
    async fn follow(
        &mut self,
        course: &mut Course,
        max_keys: Option<u32>,
    ) -> Result<(Vec<Listed>, bool), ListingError> {
        loop {
            let is_told = course.is_begun_again;
            match self.fetch(course, max_keys).await {
                Err(Stopped::Token(error)) if course.begin_again(&mut self.range, self.is_ordered) => {
                    let (location, reason) = (&self.location, error.reason);
                    let from = if self.is_ordered { "the last key" } else { "the beginning" };
                    // It may happen on each of thousands of pages.
                    if is_told {
                        tracing::debug!("{location} is listed on from {from}: {reason}");
                    } else {
                        tracing::warn!("{location} is listed on from {from}, since a page was refused: {reason}");
                    }
                }
                Err(Stopped::Token(error) | Stopped::Other(error)) => return Err(error),
                Ok(fetched) => return Ok(fetched),
            }
        }
    }

    async fn fetch(&self, course: &mut Course, max_keys: Option<u32>) -> Result<(Vec<Listed>, bool), Stopped> {
        let after = self.range.after.as_ref().filter(|_| self.is_ordered);
        let start_after = after.map(|after| self.names.start_after(after)).filter(|name| !name.is_empty());
        // Where the whole key could be said, whoever lists what comes before it lists in another order: that is
        // for the caller to find out.
        let is_told = after.zip(start_after.as_ref()).is_some_and(|(after, name)| self.names.is_whole(after, name));
        // Where the order is only said to be by bytes, what else lies in the range must show; around one key, nothing
        // does.
        let is_one_key = self.range.through.as_ref().is_some_and(|key| self.range == KeyRange::around(key));
        let prefix = if self.is_ordered && !is_one_key {
            self.names.prefix().to_owned()
        } else {
            self.names.prefix_of(&self.range)
        };
        let page = ListObjectsV2 {
            prefix: &prefix,
            start_after: start_after.as_deref(),
            continuation_token: course.continuation.token(),
            max_keys,
            ..ListObjectsV2::default()
        };
        let page = self.bucket.list_objects_v2(page).await.map_err(|error| {
            // What else was asked for had been granted before.
            let is_of_the_token = error.kind() == ErrorKind::Other
                && error.status() == Some(400)
                && course.continuation.token().is_some();
            let kind = if is_of_the_token { Stopped::Token } else { Stopped::Other };
            kind(self.error(error.reason()))
        })?;
        let follows = course.continuation.advance(&page).map_err(|endless| self.error(endless.to_string()))?;
        let mut listed = Vec::with_capacity(page.objects.len());
        let mut is_past_the_range = false;
        // A page out of order is handed on whole, for the caller to find that out.
        let ascends = page.objects.is_sorted_by(|one, next| one.key < next.key);
        if let Some(last) = page.objects.last() {
            let below = self.names.below_prefix(&last.key).map_err(|reason| self.error(reason))?;
            course.last = Some(below.into());
        }
        for object in page.objects {
            let entry = self.shows.entry(&self.names, object).map_err(|reason| self.error(reason))?;
            let Some(entry) = entry else { continue };
            is_past_the_range |= self.is_ordered && self.range.through.as_ref().is_some_and(|last| entry.key >= *last);
            let is_wanted = (self.is_ordered && !ascends)
                || self.range.contains(&entry.key)
                || (is_told && self.range.after.as_ref().is_some_and(|after| entry.key < *after));
            if is_wanted && self.shows.shows(&entry.key) {
                listed.push(Listed::Present(entry));
            }
        }
        Ok((listed, follows && !is_past_the_range))
    }

    fn error(&self, reason: String) -> ListingError {
        ListingError { location: self.location.clone(), reason }
    }
}

/// Why a page didn't come.
enum Stopped {
    /// The service refused the token that it gave with the page before.
    Token(ListingError),
    /// Anything else.
    Other(ListingError),
}

impl From<ListingError> for Stopped {
    fn from(error: ListingError) -> Self {
        Self::Other(error)
    }
}

/// Where a listing under way has come to.
#[derive(Default)]
struct Course {
    continuation: Continuation,
    /// The last key of the last page.
    last: Option<Key>,
    is_begun_again: bool,
    /// The last key when it was last begun again.
    begun_after: Option<Key>,
}

impl Course {
    /// Begins again, for what comes after the last key or, where the order isn't known, for everything:
    /// who reads that finds keys out of order, and sorts. Says whether there is a point in it: in order
    /// something must have come since it was last begun again, and else it is tried once.
    fn begin_again(&mut self, range: &mut KeyRange, is_ordered: bool) -> bool {
        if self.is_begun_again && (!is_ordered || self.begun_after >= self.last) {
            return false;
        }
        self.continuation = Continuation::default();
        self.is_begun_again = true;
        self.begun_after.clone_from(&self.last);
        if is_ordered && self.last.is_some() {
            // A start that can't be said whole is said shorter, and what comes first lies before the range.
            range.after = range.after.take().max(self.last.clone());
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_begins_again_as_long_as_that_brings_it_on() {
        let (mut course, mut range) = (Course::default(), KeyRange::everything());
        let reach = |course: &mut Course, key: &str| course.last = Some(key.into());
        // Nothing has come at all: once.
        assert!(course.begin_again(&mut range, true) && !course.begin_again(&mut range, true));
        assert_eq!(range, KeyRange::everything());
        for key in ["a", "b"] {
            reach(&mut course, key);
            assert!(course.begin_again(&mut range, true) && !course.begin_again(&mut range, true));
            assert_eq!(range.after, Some(key.into()));
        }
        reach(&mut course, "a");
        assert!(!course.begin_again(&mut range, true), "it went back");

        let (mut course, mut range) = (Course::default(), KeyRange::everything());
        reach(&mut course, "a");
        assert!(course.begin_again(&mut range, false));
        reach(&mut course, "b");
        assert!(!course.begin_again(&mut range, false));
        assert_eq!(range, KeyRange::everything());
    }

    #[test]
    fn a_range_never_begins_earlier_than_it_did() {
        // Its beginning is no text: all of the first page lies before it.
        let after = Key::new(&b"a\xff"[..]);
        let mut range = KeyRange { after: Some(after.clone()), through: None };
        let mut course = Course { last: Some("a0999".into()), ..Course::default() };
        assert!(course.begin_again(&mut range, true));
        assert_eq!(range.after, Some(after));
    }
}
