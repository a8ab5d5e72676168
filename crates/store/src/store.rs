//! The trait that every store implements.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use crate::s3::{BucketStore, Grants, Provider, Restoring};
use crate::upload::NoUploads;
use crate::versions::{NoVersions, delete_marker};
use crate::{
    Capabilities, ClockSkew, CopyFailure, Copying, Digest, DigestKind, Entry, Failure, FailureKind, Forecast,
    KeptVersion, Key, KeyRange, Listing, ListingError, NewObject, Object, ObjectHeaders, OpenUploads, Receipt,
    RequestCount, RestoreRequest, Resumed, Upload, VersionId, VersionListing, Versioning, Work,
};

/// A place that holds objects: a local tree, or a bucket under a prefix.
///
/// Calls are safe to make from many tasks at once. None of them retries what
/// a caller could not have retried: a call that fails has changed nothing, or
/// says so.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The location as the user wrote it, for messages.
    fn location(&self) -> &str;

    /// What tells this place from any other, however the user wrote it: a
    /// tree's path without symlinks, a bucket and prefix with the service that it is at.
    fn identity(&self) -> String {
        self.location().to_owned()
    }

    /// Whether nothing is there whatever is asked for: not even a directory that a marker elsewhere could stand for.
    fn holds_nothing(&self) -> bool {
        false
    }

    /// What the engine may count on.
    fn capabilities(&self) -> Capabilities;

    /// Starts a listing of the range. Nothing is read before the first page is asked for.
    fn list(&self, range: &KeyRange) -> Box<dyn Listing>;

    /// The first key after this one that a listing would show: of a store that is known to list in byte order.
    async fn first_after(&self, key: &Key) -> Result<Option<Key>, ListingError> {
        let range = KeyRange { after: Some(key.clone()), through: None };
        let page = self.list(&range).next_page().await?;
        Ok(page.and_then(|page| page.first().map(|item| item.key().clone())))
    }

    /// What is at the key now; `None` where it is proven that nothing is. In a
    /// tree, a directory is what a key that ends in `/` stands for, and no other key.
    /// At a key that the store can't hold, nothing is proven: it fails as
    /// [`crate::FailureKind::Unrepresentable`].
    async fn look(&self, key: &Key) -> Result<Option<Entry>, Failure>;

    /// What this version of the key is; `None` where there is no such version. A delete marker, which is no object,
    /// fails as [`crate::FailureKind::Absent`].
    async fn look_at_version(&self, key: &Key, id: &VersionId) -> Result<Option<Entry>, Failure> {
        let mut listing = self.list_versions(Some(key));
        let unlisted = |error: ListingError| Failure::new(FailureKind::Failed, error.reason);
        while let Some(page) = listing.next_page().await.map_err(unlisted)? {
            if let Some(version) = page.into_iter().find(|version| version.key == *key && version.id == *id) {
                return version.entry().ok_or_else(delete_marker).map(Some);
            }
        }
        Ok(None)
    }

    /// Reads a whole object into memory, for which the caller has made room by
    /// the entry's size: one that has grown since is [`crate::FailureKind::Changed`].
    /// The entry returned is that of the version read, taken again after the
    /// last byte, so that what is returned was never torn.
    async fn read(&self, entry: &Entry) -> Result<Object, Failure>;

    /// Opens an object to read it in ranges, each of the same version.
    async fn open(&self, entry: &Entry) -> Result<Box<dyn Reader>, Failure>;

    /// Whether the store could hold an object of this key and size at all:
    /// fails as [`crate::FailureKind::Unrepresentable`], with the reason. Nothing is looked at.
    fn could_hold(&self, entry: &Entry) -> Result<(), Failure>;

    /// Whether there is room for a new object at this key: fails as
    /// [`Store::write`] would for what stands in its way now, and changes nothing.
    async fn check_room(&self, key: &Key) -> Result<(), Failure>;

    /// Digests of the object's content, as many of the wanted kinds as the
    /// store can give: a local tree reads the file once and works out all of
    /// them, a bucket answers what it has stored.
    async fn digests(&self, entry: &Entry, wanted: &[DigestKind]) -> Result<Vec<Digest>, Failure>;

    /// Writes an object whole: it appears at once, or not at all. In a tree, a
    /// key that ends in `/`, without content, is a directory to be made.
    async fn write(&self, object: &NewObject, body: Bytes) -> Result<Receipt, Failure>;

    /// The MD5 of its content that whoever wrote an object noted beside it, where the store itself vouches for none.
    async fn noted_md5(&self, _entry: &Entry) -> Result<Option<[u8; 16]>, Failure> {
        Ok(None)
    }

    /// A digest of with what [`Store::begin`] would begin this object now, besides its content; fails as that would
    /// where it can't be said at all. Nothing is sent.
    fn terms(&self, _object: &NewObject) -> Result<[u8; 32], Failure> {
        Ok([0; 32])
    }

    /// An object's tags, as in the query of a URL (`a=1&b=2`); empty where it has none.
    async fn tags(&self, _entry: &Entry) -> Result<String, Failure> {
        Ok(String::new())
    }

    /// Who is granted something of an object by its access control list, besides its owner; none where it is its
    /// owner's alone.
    async fn grants(&self, _entry: &Entry) -> Result<Grants, Failure> {
        Ok(Grants::default())
    }

    /// Whether the object can be read now: fails as [`crate::FailureKind::Archived`] where it lies in an archive.
    async fn check_readable(&self, _entry: &Entry) -> Result<(), Failure> {
        Ok(())
    }

    /// Asks for an object that lies in an archive: once it is restored from there, it can be read.
    async fn restore(&self, _entry: &Entry, _request: RestoreRequest) -> Result<Restoring, Failure> {
        Err(Failure::new(FailureKind::Failed, "nothing lies in an archive here"))
    }

    /// Whether the service behind this store copies objects of that one by itself, with all that goes with them.
    fn copies_from(&self, _source: &dyn Store) -> bool {
        false
    }

    /// Has the service copy this version, whole; only where it [copies](Self::copies_from) from that store.
    async fn copy(&self, _copying: &Copying<'_>) -> Result<Receipt, CopyFailure> {
        Err(CopyFailure::NotDone)
    }

    /// Begins to write an object in parts; it appears only with [`Upload::finish`].
    async fn begin(&self, object: &NewObject) -> Result<Box<dyn Upload>, Failure>;

    /// Takes up an upload of this object's key that an earlier process began,
    /// by its [`Upload::id`]; `None` where it is gone: finished, abandoned or
    /// expired. The headers stay those that it was begun with.
    async fn resume(&self, _object: &NewObject, _upload_id: &str) -> Result<Option<Resumed>, Failure> {
        Ok(None)
    }

    /// Gives up an upload that an earlier process began: nothing appears, and
    /// what was written of it is cleaned away. One that is gone already is a success.
    async fn abandon_upload(&self, _key: &Key, _upload_id: &str) -> Result<(), Failure> {
        Ok(())
    }

    /// Starts a listing of the uploads under way, whoever began them. Nothing is
    /// read before the first page is asked for.
    fn open_uploads(&self) -> Box<dyn OpenUploads> {
        Box::new(NoUploads)
    }

    /// Removes these objects, each only if it is still the version given
    /// where the store can tell. One result for each, in the same order; an object that
    /// was gone already is a success.
    async fn remove(&self, entries: &[Entry]) -> Vec<Result<(), Failure>>;

    /// Whether it keeps what is replaced and removed.
    async fn versioning(&self) -> Result<Versioning, Failure> {
        Ok(Versioning::Never)
    }

    /// Starts a listing of the versions that it keeps, or only of those of one key. Nothing is
    /// read before the first page is asked for.
    fn list_versions(&self, _of: Option<&Key>) -> Box<dyn VersionListing> {
        Box::new(NoVersions)
    }

    /// Removes these versions for good. One result for each, in the same order; one that was
    /// gone already is a success.
    async fn remove_versions(&self, versions: &[KeptVersion]) -> Vec<Result<(), Failure>> {
        versions.iter().map(|_| Err(Failure::new(FailureKind::Failed, "this store keeps no versions"))).collect()
    }

    /// Sees to it that everything written, renamed and removed by now is still
    /// so after a power cut. A store whose answers mean as much has nothing to do.
    async fn make_durable(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// The store's clock minus the local one, as far as the store's answers
    /// so far tell; `None` where they don't. A store that is no service goes by the local one.
    fn clock_skew(&self) -> Option<ClockSkew> {
        Some(ClockSkew::default())
    }

    /// Requests sent so far, by operation (`PutObject`, `ListObjectsV2`);
    /// empty for a store that sends none.
    fn requests(&self) -> Vec<RequestCount> {
        Vec::new()
    }

    /// Adds the requests that this work would take, if nothing fails; none in
    /// a store that sends none. Nothing is sent.
    fn foresee(&self, _work: Work<'_>, _forecast: &mut Forecast) {}

    /// The bucket that its objects are in, if it is one's.
    fn in_bucket(&self) -> Option<&BucketStore> {
        None
    }

    /// Who answers the requests; `None` for a store that sends none.
    fn provider(&self) -> Option<Provider> {
        None
    }
}

/// An object being read in ranges.
#[async_trait]
pub trait Reader: Send + Sync {
    /// The version that is being read.
    fn entry(&self) -> &Entry;

    /// What goes with the content.
    fn headers(&self) -> &ObjectHeaders;

    /// The bytes of the range, all of them: shorter is a failure.
    async fn read(&self, range: Range<u64>) -> Result<Bytes, Failure>;

    /// Called after the last range was read and before the copy is made
    /// visible: fails with [`crate::FailureKind::Changed`] if the object is no longer the
    /// version that was opened.
    async fn check_unchanged(&self) -> Result<(), Failure>;

    /// A digest of the whole content to check the copy with, where the store has one.
    fn digest(&self) -> Option<(DigestKind, Digest)>;

    /// The one to check a copy with whose parts are written in any order: rather a CRC, which can be put together from
    /// those of the parts.
    fn digest_of_parts(&self) -> Option<(DigestKind, Digest)> {
        self.digest()
    }

    /// Bytes in each part but the last, of an object that was written in parts as far as the store tells: a copy that
    /// is cut in the same way gets the same `ETag`.
    async fn part_size(&self) -> Option<u64> {
        None
    }
}
