//! The store that holds nothing: the left side of a removal.

use async_trait::async_trait;
use bytes::Bytes;

use crate::{
    Capabilities, Conditions, Digest, DigestKind, Entry, Failure, FailureKind, Key, KeyRange, Kind, Listed, Listing,
    ListingError, NewObject, Object, Order, Reader, Receipt, Store, Upload,
};

/// Holds nothing, and never will.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

fn absent() -> Failure {
    Failure::new(FailureKind::Absent, "nothing is there")
}

fn unwritable() -> Failure {
    Failure::new(FailureKind::Failed, "nothing can be written there")
}

#[async_trait]
impl Store for Nothing {
    fn location(&self) -> &'static str {
        "nothing"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            kind: Kind::Local,
            order: Order::ByBytes,
            whole_limit: u64::MAX,
            part_size: u64::MAX,
            removal_batch: 1,
            conditions: Conditions::ALL,
        }
    }

    fn holds_nothing(&self) -> bool {
        true
    }

    fn list(&self, _range: &KeyRange) -> Box<dyn Listing> {
        Box::new(Empty)
    }

    async fn look(&self, _key: &Key) -> Result<Option<Entry>, Failure> {
        Ok(None)
    }

    async fn read(&self, _entry: &Entry) -> Result<Object, Failure> {
        Err(absent())
    }

    async fn open(&self, _entry: &Entry) -> Result<Box<dyn Reader>, Failure> {
        Err(absent())
    }

    /// That it lacks a key says all of that key that there is to say.
    fn could_hold(&self, _entry: &Entry) -> Result<(), Failure> {
        Ok(())
    }

    async fn check_room(&self, _key: &Key) -> Result<(), Failure> {
        Err(unwritable())
    }

    async fn digests(&self, _entry: &Entry, _wanted: &[DigestKind]) -> Result<Vec<Digest>, Failure> {
        Err(absent())
    }

    async fn write(&self, _object: &NewObject, _body: Bytes) -> Result<Receipt, Failure> {
        Err(unwritable())
    }

    async fn begin(&self, _object: &NewObject) -> Result<Box<dyn Upload>, Failure> {
        Err(unwritable())
    }

    async fn remove(&self, entries: &[Entry]) -> Vec<Result<(), Failure>> {
        entries.iter().map(|_| Ok(())).collect()
    }
}

/// The listing of nothing.
struct Empty;

#[async_trait]
impl Listing for Empty {
    async fn next_page(&mut self) -> Result<Option<Vec<Listed>>, ListingError> {
        Ok(None)
    }
}
