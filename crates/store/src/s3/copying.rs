//! Copies that a service makes by itself, between two buckets of its own.

use brigade_s3::{CopyObject, CopySource, Error, ErrorKind, Grants};

use super::BucketStore;
use super::entries::{condition, etag, receipt};
use super::failures::{absent, failure, unwritten};
use crate::{CopyFailure, Copying, Entry, Failure, FailureKind, Receipt, Store};

/// Whether both are at one service, which knows whoever asks as the same: then it can read the one while it writes the
/// other.
pub(super) fn is_one_service(dest: &BucketStore, source: &BucketStore) -> bool {
    let (dest, source) = (dest.bucket.client(), source.bucket.client());
    dest.service() == source.service() && dest.is_known_as(source)
}

/// An object to be copied, in the bucket that it is in.
pub(super) struct Found<'a> {
    store: &'a BucketStore,
    name: String,
}

impl<'a> Found<'a> {
    pub(super) fn of(source: &'a dyn Store, entry: &Entry) -> Result<Self, Failure> {
        let store = source.in_bucket().ok_or_else(absent)?;
        Ok(Self { store, name: store.names.of(&entry.key)? })
    }

    /// The version, and that it must still be that one.
    pub(super) fn source<'b>(&'b self, entry: &'b Entry) -> CopySource<'b> {
        CopySource {
            bucket: &self.store.bucket,
            key: &self.name,
            version_id: entry.version_id(),
            if_match: etag(entry),
        }
    }
}

/// Has the service copy an object.
pub(super) async fn copy(store: &BucketStore, copying: &Copying<'_>) -> Result<Receipt, CopyFailure> {
    let entry = copying.entry;
    let found = Found::of(copying.source, entry).map_err(CopyFailure::Source)?;
    let name = store.names.of(&entry.key).map_err(CopyFailure::Dest)?;
    let copy = CopyObject {
        key: &name,
        source: found.source(entry),
        storage_class: entry.storage_class(),
        without_tags: copying.without_tags,
        grants: Some(copying.grants),
        condition: condition(&store.bucket, copying.condition),
    };
    match store.bucket.copy_object(copy).await {
        Ok(stored) => Ok(receipt(&entry.key, entry.size, stored)),
        Err(error) => Err(blame(&found, entry, &error).await),
    }
}

/// Whose object is why a copy failed: where it may be either, the source is looked at.
pub(super) async fn blame(found: &Found<'_>, entry: &Entry, error: &Error) -> CopyFailure {
    match error.kind() {
        ErrorKind::NotImplemented => return CopyFailure::NotDone,
        ErrorKind::Archived => return CopyFailure::Source(failure(error)),
        ErrorKind::NotFound | ErrorKind::PreconditionFailed | ErrorKind::Conflict => {}
        _ => return CopyFailure::Dest(failure(error)),
    }
    match found.store.head_of(entry).await {
        Ok(_) => CopyFailure::Dest(unwritten(error)),
        Err(failure) => CopyFailure::Source(failure),
    }
}

/// An object's tags. Google's objects have none.
pub(super) async fn tags(store: &BucketStore, entry: &Entry) -> Result<String, Failure> {
    if store.bucket.client().provider().is_google() {
        return Ok(String::new());
    }
    let name = store.names.of(&entry.key)?;
    match store.bucket.get_object_tagging(&name, entry.version_id()).await {
        // Where there is no such thing as a tag, nothing has any.
        Err(error) if error.kind() == ErrorKind::NotImplemented => Ok(String::new()),
        answered => answered.map_err(|error| failure(&error)),
    }
}

/// Who is granted something of an object. It is asked for on request only: where there is no such thing as an access
/// control list, or one that is not S3's, that fails.
pub(super) async fn grants(store: &BucketStore, entry: &Entry) -> Result<Grants, Failure> {
    let none = || {
        let reason = "its service has no access control lists as S3 has them: leave out --acl source";
        Failure::new(FailureKind::Failed, reason)
    };
    if store.bucket.client().provider().is_google() {
        return Err(none());
    }
    let name = store.names.of(&entry.key)?;
    match store.bucket.get_object_acl(&name, entry.version_id()).await {
        Ok(list) => list.grants().map_err(|error| Failure::new(FailureKind::Failed, error.to_string())),
        Err(error) if error.kind() == ErrorKind::NotImplemented => Err(none()),
        Err(error) => Err(failure(&error)),
    }
}
