//! The local tree as a store: what its callers see.

mod listing;
mod reading;
mod removing;
mod writing;

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;

use super::scenery::Scenery;
use super::{LocalStore, Symlinks};
use crate::time;
use crate::{Condition, Entry, Failure, FailureKind, Key, NewObject, ObjectHeaders, Receipt, Store};

fn source(scenery: &Scenery) -> LocalStore {
    LocalStore::source(scenery.path(), Symlinks::Follow)
}

fn skipping_source(scenery: &Scenery) -> LocalStore {
    LocalStore::source(scenery.path(), Symlinks::Skip)
}

fn destination(scenery: &Scenery) -> LocalStore {
    LocalStore::destination(scenery.path())
}

/// The entry of a file that is there.
async fn entry(store: &LocalStore, key: &str) -> Entry {
    store.look(&Key::from(key)).await.unwrap().unwrap()
}

fn object(key: &str, content: &[u8], condition: Condition) -> NewObject {
    let headers = ObjectHeaders { modified: Some(moment()), content_type: None, ..ObjectHeaders::default() };
    NewObject { key: Key::from(key), size: content.len() as u64, headers, condition, part_size: None, digest: None }
}

fn moment() -> SystemTime {
    time::at(1_500_000_000, 123_456_789)
}

async fn write(
    store: &LocalStore,
    key: &str,
    content: &'static [u8],
    condition: Condition,
) -> Result<Receipt, Failure> {
    store.write(&object(key, content, condition), Bytes::from_static(content)).await
}

/// Checks the kind of a failure, and that its reason has this part.
#[track_caller]
fn assert_fails<T: std::fmt::Debug>(result: Result<T, Failure>, kind: FailureKind, part: &str) {
    let failure = result.unwrap_err();
    assert!(failure.kind == kind && failure.reason.contains(part), "{failure:?}");
}
