//! The proof that nothing lies between two ranges: that whoever lists the upper
//! one begins where whoever listed the lower one has ended.
//!
//! Each listing by itself may ascend while the store puts keys in another order:
//! what it puts between the end of the one and the beginning of the other, nobody
//! would see.

use brigade_store::{Key, KeyRange, Listed, Store};

use crate::listing::Broken;

/// How often both questions are asked while keys come and go between them, before it is the order that is to blame.
const MOST: usize = 8;

/// The first key after this one. An answer that doesn't come after it breaks the order.
pub(super) async fn first_after(store: &dyn Store, key: &Key) -> Result<Option<Key>, Broken> {
    match store.first_after(key).await? {
        Some(next) if next <= *key => Err(Broken::OutOfOrder { key: Some(next) }),
        next => Ok(next),
    }
}

/// Proves that the store has nothing between the last key that was listed of a
/// range and its end: what comes after the one comes after the other.
pub(super) async fn nothing_between(store: &dyn Store, last: Option<&Key>, end: &Key) -> Result<(), Broken> {
    let first = Key::from("");
    let last = last.unwrap_or(&first);
    if last == end {
        return Ok(());
    }
    for _ in 0..MOST {
        if first_beyond(store, last, end).await? == first_after(store, end).await? {
            return Ok(());
        }
    }
    Err(Broken::OutOfOrder { key: Some(end.clone()) })
}

/// The first key that the store lists after this one and that lies beyond the
/// end. What lies before it has come since the range was listed: the listing,
/// which went that way, would have shown it.
async fn first_beyond(store: &dyn Store, after: &Key, end: &Key) -> Result<Option<Key>, Broken> {
    match first_after(store, after).await? {
        Some(next) if next <= *end => {}
        next => return Ok(next),
    }
    let mut listing = store.list(&KeyRange { after: Some(after.clone()), through: None });
    while let Some(page) = listing.next_page().await? {
        if let Some(beyond) = page.iter().map(Listed::key).find(|key| *key > end) {
            return Ok(Some(beyond.clone()));
        }
    }
    Ok(None)
}
