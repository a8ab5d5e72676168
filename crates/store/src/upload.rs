//! Objects being written in parts: uploads, which another process may take up
//! again, and the listing of those that are under way.

use std::ops::Range;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{CopyFailure, Digest, DigestKind, Entry, Failure, Key, ListingError, Receipt, Store};

/// A piece of an object being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Counted from 1.
    pub number: u32,
    /// Where its first byte goes in the object.
    pub offset: u64,
}

/// An object being written in parts. Dropped without an end, one that has an
/// id stays under way in the store.
#[async_trait]
pub trait Upload: Send + Sync {
    /// What takes it up again in another process ([`crate::Store::resume`]);
    /// `None` where nothing can.
    fn id(&self) -> Option<&str>;

    /// Writes one part. Parts may be written in any order and at once; one that
    /// is written again replaces what was there.
    async fn write(&self, part: Part, body: Bytes) -> Result<(), Failure>;

    /// Has the service copy these bytes of that version as a part; only where the store
    /// [copies](crate::Store::copies_from) from that one.
    async fn copy(
        &self,
        _part: Part,
        _source: &dyn Store,
        _entry: &Entry,
        _range: Range<u64>,
    ) -> Result<(), CopyFailure> {
        Err(CopyFailure::NotDone)
    }

    /// Makes the object appear, after its content was compared with the expected digest, if there is one: of the kind
    /// that was wanted ([`NewObject::digest`](crate::NewObject::digest)). After a failure the caller abandons it.
    async fn finish(&self, expected: Option<(DigestKind, Digest)>) -> Result<Receipt, Failure>;

    /// Gives up: nothing appears, and what was written so far is cleaned away.
    async fn abandon(&self);
}

/// An upload that an earlier process began.
pub struct Resumed {
    /// The upload: it finishes with the parts that are there and those that are written to it.
    pub upload: Box<dyn Upload>,
    /// The parts that are there, in the order of their numbers.
    pub parts: Vec<FinishedPart>,
}

/// A part that an earlier process wrote. Nothing says that its bytes are those
/// that would be written now: whoever keeps it makes sure of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishedPart {
    /// Counted from 1.
    pub number: u32,
    /// Its length in bytes.
    pub size: u64,
    /// Its `ETag`, where it has the form of an MD5 of its bytes. Under SSE-KMS it
    /// isn't one: a difference is no proof, an equality is.
    pub md5: Option<[u8; 16]>,
}

/// An upload that is under way in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenUpload {
    /// The key that the object would have. It needn't be one that the program
    /// itself would write to.
    pub key: Key,
    /// What takes it up again, or gives it up.
    pub id: String,
    /// When it was begun, by the store's clock; `None` where the store doesn't say.
    pub initiated: Option<SystemTime>,
}

/// A listing of uploads under way.
#[async_trait]
pub trait OpenUploads: Send {
    /// The next page, never empty; `None` at the end.
    async fn next_page(&mut self) -> Result<Option<Vec<OpenUpload>>, ListingError>;
}

/// The listing of a store that keeps no uploads.
pub(crate) struct NoUploads;

#[async_trait]
impl OpenUploads for NoUploads {
    async fn next_page(&mut self) -> Result<Option<Vec<OpenUpload>>, ListingError> {
        Ok(None)
    }
}
