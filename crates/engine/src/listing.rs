//! Listings in key order, read ahead: the order is checked, always, and made
//! where a store doesn't keep it.

use std::io;
use std::sync::Arc;

use brigade_store::spill::{Sorted, Sorter};
use brigade_store::{Key, KeyRange, Listed, Listing, ListingError, Order, Store};
use tokio::sync::mpsc;
use tokio::task::{JoinError, spawn_blocking};
use tokio_util::task::AbortOnDropHandle;

/// Pages that wait to be merged, besides the one being read.
const PAGES_AHEAD: usize = 2;

/// Items in a page that comes from a spill file.
const SORTED_PAGE: usize = 1000;

/// Why a listing ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The store could not go on.
    #[error(transparent)]
    Store(#[from] ListingError),
    /// The store lists in another order than by bytes; everything that was
    /// concluded from the listing so far may be wrong.
    #[error("the listing is not in byte order")]
    OutOfOrder {
        /// The key that came after a greater one, or after itself; `None`
        /// where the store is known for it and none has come yet.
        key: Option<Key>,
    },
    /// The spill file could not be written or read.
    #[error("could not use the temporary file for sorting: {0}")]
    Spill(#[from] io::Error),
    /// A task of ours ended abnormally: a defect of the program.
    #[error("a listing ended abnormally: {0}")]
    Task(#[from] JoinError),
}

/// How a listing comes into order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordering {
    /// The store's own order is used, and checked.
    AsListed,
    /// Everything is sorted through a spill file before the first page.
    Sorted,
}

impl Ordering {
    /// What a store says of itself.
    pub fn of(store: &dyn Store) -> Self {
        match store.capabilities().order {
            Order::ByBytes | Order::Presumed => Self::AsListed,
            Order::Other => Self::Sorted,
        }
    }
}

/// A listing that is read ahead, in strictly ascending order of keys.
#[derive(Debug)]
pub struct OrderedListing {
    pages: mpsc::Receiver<Result<Vec<Listed>, Broken>>,
    /// Ends the reading, in the middle of a page if need be: a run that has
    /// returned asks a store for nothing more.
    _reading: AbortOnDropHandle<()>,
}

impl OrderedListing {
    /// Starts listing the range. The reading stops when this is dropped.
    pub fn start(store: &Arc<dyn Store>, range: &KeyRange, ordering: Ordering) -> Self {
        Self::of(store, range, store.list(range), ordering)
    }

    /// Starts reading this listing, which is the store's or stands for one of it.
    pub(crate) fn of(store: &Arc<dyn Store>, range: &KeyRange, listing: Box<dyn Listing>, ordering: Ordering) -> Self {
        let (sender, pages) = mpsc::channel(PAGES_AHEAD);
        let (store, after) = (Arc::clone(store), range.after.clone());
        let reading = tokio::spawn(async move {
            let ended = match ordering {
                Ordering::AsListed => send_checked(store.as_ref(), after.as_ref(), listing, &sender).await,
                Ordering::Sorted => send_sorted(listing, &sender).await,
            };
            if let Err(broken) = ended {
                // Nobody listens any more only where the run has ended already.
                let _ = sender.send(Err(broken)).await;
            }
        });
        Self { pages, _reading: AbortOnDropHandle::new(reading) }
    }

    /// The next page, never empty; `None` at the proven end.
    pub async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, Broken> {
        self.pages.recv().await.transpose()
    }
}

type Pages = mpsc::Sender<Result<Vec<Listed>, Broken>>;

async fn send_checked(
    store: &dyn Store,
    after: Option<&Key>,
    mut listing: Box<dyn Listing>,
    pages: &Pages,
) -> Result<(), Broken> {
    let mut last: Option<Key> = None;
    while let Some(page) = listing.next_page().await? {
        // The first answer can tell what store it is.
        if last.is_none() && Ordering::of(store) == Ordering::Sorted {
            return Err(Broken::OutOfOrder { key: None });
        }
        // The whole page is checked before any of it is acted upon.
        let before_the_range = if last.is_none() { first_not_after(after, &page) } else { None };
        if let Some(key) = before_the_range.or_else(|| first_out_of_order(last.as_ref(), &page)) {
            return Err(Broken::OutOfOrder { key: Some(key.clone()) });
        }
        last = page.last().map(|item| item.key().clone());
        if pages.send(Ok(page)).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// The first object of a page that lies before the range: whoever lists it
/// there lists in another order. What can't be known of keys below a prefix may begin before it.
fn first_not_after<'a>(after: Option<&Key>, page: &'a [Listed]) -> Option<&'a Key> {
    let first = page.iter().find(|item| matches!(item, Listed::Present(_)))?.key();
    after.is_some_and(|after| first < after).then_some(first)
}

fn first_out_of_order<'a>(last: Option<&'a Key>, page: &'a [Listed]) -> Option<&'a Key> {
    let mut previous = last;
    for item in page {
        if previous.is_some_and(|previous| previous >= item.key()) {
            return Some(item.key());
        }
        previous = Some(item.key());
    }
    None
}

async fn send_sorted(mut listing: Box<dyn Listing>, pages: &Pages) -> Result<(), Broken> {
    let mut taken = Sorter::new();
    while let Some(page) = listing.next_page().await? {
        taken = spawn_blocking(move || push_page(taken, &page)).await??;
    }
    let mut sorted = spawn_blocking(move || taken.finish()).await??;
    loop {
        let (rest, page) = spawn_blocking(move || next_page(sorted)).await??;
        sorted = rest;
        let Some(page) = page else { return Ok(()) };
        if pages.send(Ok(page)).await.is_err() {
            return Ok(());
        }
    }
}

fn push_page(mut sorter: Sorter, page: &[Listed]) -> io::Result<Sorter> {
    for item in page {
        sorter.push(item)?;
    }
    Ok(sorter)
}

fn next_page(mut sorted: Sorted) -> io::Result<(Sorted, Option<Vec<Listed>>)> {
    let page = sorted.next_page(SORTED_PAGE)?;
    Ok((sorted, page))
}

#[cfg(test)]
mod tests {
    use brigade_store::{Extent, Unknown, UnknownReason};

    use super::*;

    #[test]
    fn keys_ascend_strictly_within_a_page_and_from_page_to_page() {
        let table: [(Option<&str>, &[&str], Option<&str>); 6] = [
            (None, &["a", "b", "c"], None),
            (Some("a"), &["b"], None),
            (None, &["a", "c", "b"], Some("b")),
            (None, &["a", "a"], Some("a")),
            (Some("b"), &["a"], Some("a")),
            (Some("b"), &["b", "c"], Some("b")),
        ];
        for (last, keys, expected) in table {
            let item = |key: &&str| {
                let (key, extent, reason) = (Key::from(*key), Extent::Key, UnknownReason::SpecialFile);
                Listed::Unknown(Unknown { key, extent, reason })
            };
            let page: Vec<Listed> = keys.iter().map(item).collect();
            let last = last.map(Key::from);
            assert_eq!(first_out_of_order(last.as_ref(), &page), expected.map(Key::from).as_ref(), "{last:?} {keys:?}");
        }
    }
}
