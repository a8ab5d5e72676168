//! The walk as a [`Listing`]: on a thread of its own that may block, a few
//! pages ahead of who reads them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::sync::mpsc;

use super::root::Root;
use super::walk::{Bounds, Walk};
use crate::{KeyRange, Listed, Listing, ListingError};

/// Pages that the walk is ahead at most.
const PAGES_AHEAD: usize = 4;

type Page = Result<Option<Vec<Listed>>, ListingError>;

/// A listing of a local tree. Dropping it stops the walk.
pub(super) struct LocalListing {
    location: String,
    stop: Arc<AtomicBool>,
    state: State,
}

enum State {
    /// Nothing was asked for yet.
    Ready(Box<Walk>),
    Running(mpsc::Receiver<Page>),
    /// `None`, or why it broke off.
    Ended(Option<ListingError>),
}

impl LocalListing {
    pub(super) fn new(location: String, root: Arc<Root>, range: KeyRange) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let walk = Walk::new(root, range, stop.clone(), Bounds::default());
        Self { location, stop, state: State::Ready(Box::new(walk)) }
    }

    fn error(&self, reason: impl Into<String>) -> ListingError {
        ListingError { location: self.location.clone(), reason: reason.into() }
    }
}

#[async_trait]
impl Listing for LocalListing {
    async fn next_page(&mut self) -> Page {
        loop {
            let page = match &mut self.state {
                State::Ready(_) => {
                    let (sender, receiver) = mpsc::channel(PAGES_AHEAD);
                    if let State::Ready(walk) = std::mem::replace(&mut self.state, State::Running(receiver)) {
                        let location = self.location.clone();
                        tokio::task::spawn_blocking(move || walk_ahead(*walk, &location, &sender));
                    }
                    continue;
                }
                State::Running(pages) => pages.recv().await,
                State::Ended(None) => return Ok(None),
                State::Ended(Some(error)) => return Err(error.clone()),
            };
            // A channel that closes without the end having been said is no proof of one.
            let page = page.unwrap_or_else(|| Err(self.error("the walk ended before its time")));
            match &page {
                Ok(Some(_)) => {}
                Ok(None) => self.state = State::Ended(None),
                Err(error) => self.state = State::Ended(Some(error.clone())),
            }
            return page;
        }
    }
}

impl Drop for LocalListing {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

fn walk_ahead(mut walk: Walk, location: &str, pages: &mpsc::Sender<Page>) {
    loop {
        let page = walk.next_page().map_err(|reason| ListingError { location: location.to_owned(), reason });
        let goes_on = matches!(page, Ok(Some(_)));
        if pages.blocking_send(page).is_err() || !goes_on {
            return;
        }
    }
}
