//! The walk behind the trait: on its thread, page by page.

use super::*;
use crate::local::scenery::keys_of;
use crate::{KeyRange, ListingError};

async fn keys(store: &LocalStore, range: KeyRange) -> Result<Vec<Key>, ListingError> {
    let mut listing = store.list(&range);
    let mut keys = Vec::new();
    while let Some(page) = listing.next_page().await? {
        keys.extend(keys_of(&page));
    }
    assert!(listing.next_page().await?.is_none(), "the end stays the end");
    Ok(keys)
}

#[tokio::test]
async fn a_tree_of_many_pages_is_listed_whole() {
    let scenery = Scenery::new();
    let expected: Vec<Key> = (0..2500).map(|n| Key::from(format!("{:02}/{:02}", n / 100, n % 100))).collect();
    for key in &expected {
        scenery.file(key.as_bytes(), "");
    }
    for store in [source(&scenery), skipping_source(&scenery), destination(&scenery)] {
        assert_eq!(keys(&store, KeyRange::everything()).await.unwrap(), expected);
    }
    let range = KeyRange { after: Some(expected[1200].clone()), through: Some(expected[2300].clone()) };
    assert_eq!(keys(&source(&scenery), range).await.unwrap(), expected[1201..=2300]);
}

#[tokio::test]
async fn a_missing_source_breaks_the_listing_each_time_it_is_asked() {
    let scenery = Scenery::new();
    let store = LocalStore::source(scenery.at("missing"), Symlinks::Follow);
    let mut listing = store.list(&KeyRange::everything());
    for _ in 0..2 {
        let error = listing.next_page().await.unwrap_err();
        assert_eq!(error.location, store.location());
        assert!(error.reason.contains("no such directory"), "{error}");
    }
}

#[tokio::test]
async fn a_missing_destination_is_empty_and_stays_missing() {
    let scenery = Scenery::new();
    let store = LocalStore::destination(scenery.at("missing/deep"));
    assert_eq!(keys(&store, KeyRange::everything()).await.unwrap(), []);
    assert_eq!(store.look(&Key::from("a")).await.unwrap(), None);
    assert_eq!(scenery.names(), [""; 0]);
}

#[tokio::test]
async fn nothing_is_read_before_the_first_page_is_asked_for() {
    let scenery = Scenery::new();
    let store = source(&scenery);
    let mut listing = store.list(&KeyRange::everything());
    scenery.file("late", "");
    assert_eq!(keys_of(&listing.next_page().await.unwrap().unwrap()), [Key::from("late")]);
}

/// The runtime waits for its blocking threads when it is shut down: this
/// ends only if the walk does.
#[test]
fn a_listing_that_is_dropped_stops_its_walk() {
    let scenery = Scenery::new();
    for n in 0..7000 {
        scenery.file(format!("{n:04}"), "");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut listing = source(&scenery).list(&KeyRange::everything());
        assert_eq!(listing.next_page().await.unwrap().unwrap().len(), 1000);
    });
}
