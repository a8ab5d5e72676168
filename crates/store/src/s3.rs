//! The bucket store: the objects of an S3 bucket below a prefix, as a [`Store`].

mod archive;
mod copying;
mod entries;
mod failures;
mod forecast;
mod headers;
mod listing;
pub(crate) mod mtime;
mod names;
mod one_key;
mod reader;
mod service;
mod upload;
mod uploads;
mod versions;

use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;
use brigade_s3::{DeleteObject, ErrorKind, GetObject, HeadObject, ObjectHead, PutObject};
use bytes::Bytes;

pub use brigade_s3::{
    Addressing, Bandwidth, Bucket, Client, Config, ConfigError, CustomerKey, Dialect, Encryption, Fact, Grants,
    Provider, Remembered, RequestClass, RequestLimit, Restoring, RetrievalTier, Support, UnknownProvider, Writing,
    probe,
};

use crate::inventory::Inventory;
use crate::{
    Capabilities, ClockSkew, Conditions, CopyFailure, Copying, Digest, DigestKind, Entry, Failure, Forecast,
    KeptVersion, Key, KeyRange, Kind, Listing, ListingError, NewObject, Object, OpenUploads, Order, Reader, Receipt,
    RequestCount, RestoreRequest, Resumed, Role, Store, Upload, VersionId, VersionListing, Versioning, Work,
};
pub(crate) use entries::entry;
use entries::{check_version, condition, etag, generation, receipt, verified};
use failures::{failure, unwritten};
pub(crate) use names::Names;

/// Bytes up to which an object is best written in one request.
const WHOLE_LIMIT: u64 = 16 << 20;

/// Bytes in a part, where the number of parts allows it. S3 takes parts from
/// 5 MiB to 5 GiB (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>).
const PART_SIZE: u64 = 8 << 20;

/// Objects that one `DeleteObjects` takes
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>).
const BULK_DELETE_LIMIT: usize = 1000;

/// The objects of a bucket below a prefix.
#[derive(Clone)]
pub struct BucketStore {
    bucket: Bucket,
    names: Names,
    location: String,
    role: Role,
    /// What stands for its listing, if something does.
    inventory: Option<Arc<Inventory>>,
    /// The only key that is listed, if it is about one.
    only: Option<Key>,
}

impl BucketStore {
    /// The objects whose names begin with the prefix, which is empty or ends
    /// in `/`; the location is how the user wrote it. The listing of a
    /// destination leaves out what is reserved.
    pub(crate) fn new(bucket: Bucket, prefix: &str, location: impl Into<String>, role: Role) -> Self {
        Self { bucket, names: Names::below(prefix), location: location.into(), role, inventory: None, only: None }
    }

    /// The same bucket, whose listing is read from a report.
    pub(crate) fn listed_from(self, inventory: Inventory) -> Self {
        Self { inventory: Some(Arc::new(inventory)), ..self }
    }

    /// The same bucket, of which nothing is listed but this key, which is looked up.
    pub(crate) fn only(self, key: Key) -> Self {
        Self { only: Some(key), ..self }
    }

    /// The first key that the bucket lists, whatever stands for its listing.
    pub(crate) async fn first(&self) -> Result<Option<Key>, ListingError> {
        self.pages(&KeyRange::everything()).first().await
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// The bucket's name.
    pub(crate) fn bucket_name(&self) -> &str {
        self.bucket.name()
    }

    /// The name of a key that is there already: a reserved one counts only where everything is to be removed.
    fn name_of_present(&self, key: &Key) -> Result<String, Failure> {
        if self.role == Role::Whole { self.names.of_any(key) } else { self.names.of(key) }
    }

    fn pages(&self, range: &KeyRange) -> listing::Pages {
        listing::Pages {
            bucket: self.bucket.clone(),
            names: self.names.clone(),
            range: range.clone(),
            is_ordered: self.bucket.dialect().lists_by_bytes.is_certain(),
            shows: match self.role {
                Role::Source { .. } => listing::Shows::Reserved,
                Role::Destination | Role::Preview => listing::Shows::Objects,
                Role::Whole => listing::Shows::Everything,
            },
            location: self.location.clone(),
        }
    }

    /// A key that comes after this one, found with one request also where the service isn't known to list by bytes:
    /// what it shows is there in any case.
    pub(crate) async fn found_after(&self, key: &Key) -> Result<Option<Key>, ListingError> {
        let range = KeyRange { after: Some(key.clone()), through: None };
        listing::Pages { is_ordered: true, ..self.pages(&range) }.first().await
    }

    /// The bucket.
    pub(crate) fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// Whether both are the same place, or one lies inside the other.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let [mine, theirs] = [self, other].map(|store| (store.bucket.client().service(), store.bucket.name()));
        let (above, below) = (self.names.prefix(), other.names.prefix());
        mine == theirs && (above.starts_with(below) || below.starts_with(above))
    }

    async fn head(&self, key: &Key, version_id: Option<&str>) -> Result<Option<ObjectHead>, Failure> {
        let name = self.name_of_present(key)?;
        match self.bucket.head_object(HeadObject { key: &name, version_id }).await {
            Ok(head) => Ok(Some(head)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failure(&error)),
        }
    }

    /// The version that a read names. Where each listing tells one, another one in its place is found by the ETag
    /// and what the answer tells, as such; asked for by its name, it would be taken for gone.
    fn named<'a>(&self, listed: &'a Entry) -> Option<&'a str> {
        listed.version_id().filter(|_| !self.bucket.client().provider().is_google())
    }

    /// What is known of the version that was listed.
    async fn head_of(&self, entry: &Entry) -> Result<ObjectHead, Failure> {
        let head = self.head(&entry.key, self.named(entry)).await?.ok_or_else(failures::absent)?;
        check_version(entry, &head)?;
        Ok(head)
    }
}

#[async_trait]
impl Store for BucketStore {
    fn location(&self) -> &str {
        &self.location
    }

    fn identity(&self) -> String {
        let service = self.bucket.client().service();
        format!("s3://{}/{} at {service}", self.bucket.name(), self.names.prefix())
    }

    fn capabilities(&self) -> Capabilities {
        let dialect = self.bucket.dialect();
        let order = match dialect.lists_by_bytes {
            // It is sorted before it is listed, or has one key.
            _ if self.inventory.is_some() || self.only.is_some() => Order::ByBytes,
            Support::No => Order::Other,
            Support::Yes => Order::ByBytes,
            Support::Unknown => Order::Presumed,
        };
        let removal_batch = if dialect.bulk_delete.is_certain() { BULK_DELETE_LIMIT } else { 1 };
        // The bucket looks by itself, before each attempt.
        let is_kept = |fact| self.bucket.is_promised(fact) || self.bucket.is_looked_at_before(fact);
        let conditions = Conditions {
            writing: self.bucket.is_promised(Fact::PutIfAbsent) && self.bucket.is_promised(Fact::PutIfMatch),
            finishing: is_kept(Fact::CompleteConditions),
            copying: is_kept(Fact::CopyConditions),
            removal: self.bucket.is_promised(Fact::DeleteIfMatch),
        };
        let (whole_limit, part_size) = (WHOLE_LIMIT, PART_SIZE);
        Capabilities { kind: Kind::Remote, order, whole_limit, part_size, removal_batch, conditions }
    }

    fn list(&self, range: &KeyRange) -> Box<dyn Listing> {
        match (&self.inventory, &self.only) {
            (Some(inventory), _) => inventory.list(range),
            (None, Some(key)) => Box::new(one_key::OneKey::new(self.clone(), key.clone(), range)),
            (None, None) => Box::new(listing::BucketListing::new(self.pages(range))),
        }
    }

    async fn first_after(&self, key: &Key) -> Result<Option<Key>, ListingError> {
        match (&self.inventory, &self.only) {
            (Some(inventory), _) => inventory.first_after(key).await,
            (None, Some(only)) => Ok(Some(only.clone()).filter(|only| only > key)),
            (None, None) => self.pages(&KeyRange { after: Some(key.clone()), through: None }).first().await,
        }
    }

    async fn look(&self, key: &Key) -> Result<Option<Entry>, Failure> {
        Ok(self.head(key, None).await?.map(|head| entry(key, &head)))
    }

    /// Whoever may read a version need not be allowed to list them.
    async fn look_at_version(&self, key: &Key, id: &VersionId) -> Result<Option<Entry>, Failure> {
        versions::look_at(self, key, id).await
    }

    fn could_hold(&self, entry: &Entry) -> Result<(), Failure> {
        self.names.of(&entry.key).map(drop)
    }

    /// In a bucket no name stands in another's way.
    async fn check_room(&self, key: &Key) -> Result<(), Failure> {
        self.names.of(key).map(drop)
    }

    async fn read(&self, listed: &Entry) -> Result<Object, Failure> {
        let wanted = GetObject {
            key: &self.names.of(&listed.key)?,
            version_id: self.named(listed),
            range: None,
            if_match: etag(listed),
            // One that has grown is to be found out as changed, not as too long.
            limit: listed.size.max(WHOLE_LIMIT),
        };
        let got = self.bucket.get_object(wanted).await.map_err(|error| failure(&error))?;
        check_version(listed, &got.head)?;
        Ok(Object {
            entry: entry(&listed.key, &got.head),
            headers: headers::of_head(&got.head),
            body: got.body,
            verified: verified(got.verified),
        })
    }

    async fn open(&self, entry: &Entry) -> Result<Box<dyn Reader>, Failure> {
        let head = self.head_of(entry).await?;
        Ok(Box::new(reader::BucketReader::new(self.clone(), entry, &head)?))
    }

    async fn digests(&self, entry: &Entry, wanted: &[DigestKind]) -> Result<Vec<Digest>, Failure> {
        let head = self.head_of(entry).await?;
        let known = |kind: &DigestKind| match kind {
            DigestKind::Md5 => head.md5.map(Digest::Md5),
            DigestKind::Crc64Nvme => head.crc64nvme.map(Digest::Crc64Nvme),
            DigestKind::Crc32c => head.crc32c.map(Digest::Crc32c),
            DigestKind::MultipartMd5 { .. } => {
                Digest::from_etag(&head.etag).filter(|digest| matches!(digest, Digest::MultipartMd5 { .. }))
            }
        };
        Ok(wanted.iter().filter_map(known).collect())
    }

    async fn write(&self, object: &NewObject, body: Bytes) -> Result<Receipt, Failure> {
        let outgoing = headers::Outgoing::of(&self.bucket, &object.headers);
        let metadata = outgoing.metadata();
        let put = PutObject {
            key: &self.names.of(&object.key)?,
            body,
            headers: outgoing.headers(&metadata),
            condition: condition(&self.bucket, &object.condition),
        };
        let stored = self.bucket.put_object(put).await.map_err(|error| unwritten(&error))?;
        Ok(receipt(&object.key, object.size, stored))
    }

    async fn noted_md5(&self, entry: &Entry) -> Result<Option<[u8; 16]>, Failure> {
        Ok(self.head_of(entry).await?.noted_md5())
    }

    fn terms(&self, object: &NewObject) -> Result<[u8; 32], Failure> {
        upload::terms(&self.bucket, &self.names.of(&object.key)?, object)
    }

    async fn tags(&self, entry: &Entry) -> Result<String, Failure> {
        copying::tags(self, entry).await
    }

    async fn grants(&self, entry: &Entry) -> Result<Grants, Failure> {
        copying::grants(self, entry).await
    }

    async fn check_readable(&self, entry: &Entry) -> Result<(), Failure> {
        archive::check_readable(self, entry).await
    }

    async fn restore(&self, entry: &Entry, request: RestoreRequest) -> Result<Restoring, Failure> {
        archive::restore(self, entry, request).await
    }

    fn copies_from(&self, source: &dyn Store) -> bool {
        source.in_bucket().is_some_and(|source| copying::is_one_service(self, source))
    }

    async fn copy(&self, copying: &Copying<'_>) -> Result<Receipt, CopyFailure> {
        copying::copy(self, copying).await
    }

    async fn begin(&self, object: &NewObject) -> Result<Box<dyn Upload>, Failure> {
        let name = self.names.of(&object.key)?;
        Ok(Box::new(upload::BucketUpload::begin(self.bucket.clone(), name, object.clone()).await?))
    }

    async fn resume(&self, object: &NewObject, upload_id: &str) -> Result<Option<Resumed>, Failure> {
        let name = self.names.of(&object.key)?;
        upload::BucketUpload::resume(self.bucket.clone(), name, object.clone(), upload_id).await
    }

    async fn abandon_upload(&self, key: &Key, upload_id: &str) -> Result<(), Failure> {
        let name = self.names.of_any(key)?;
        match self.bucket.abort_multipart_upload(&name, upload_id).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failure(&error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn open_uploads(&self) -> Box<dyn OpenUploads> {
        Box::new(uploads::BucketUploads::new(self.bucket.clone(), self.names.clone(), self.location.clone()))
    }

    async fn remove(&self, entries: &[Entry]) -> Vec<Result<(), Failure>> {
        let names: Vec<Result<String, Failure>> =
            entries.iter().map(|entry| self.name_of_present(&entry.key)).collect();
        let objects: Vec<DeleteObject<'_>> = entries
            .iter()
            .zip(&names)
            .filter_map(|(entry, name)| {
                let generation = generation(&self.bucket, entry);
                Some(DeleteObject { key: name.as_ref().ok()?, if_match: etag(entry), generation })
            })
            .collect();
        let mut removed = self.bucket.delete_many(&objects, NonZeroUsize::MIN).await.into_iter();
        let outcome = |name: Result<String, Failure>| {
            name?;
            // There is one result for each object that has a name.
            removed.next().map_or(Err(failures::unanswered()), |result| result.map_err(|error| failure(&error)))
        };
        names.into_iter().map(outcome).collect()
    }

    async fn versioning(&self) -> Result<Versioning, Failure> {
        versions::versioning(&self.bucket).await
    }

    fn list_versions(&self, of: Option<&Key>) -> Box<dyn VersionListing> {
        let (bucket, names, location) = (self.bucket.clone(), self.names.clone(), self.location.clone());
        Box::new(versions::BucketVersions::new(bucket, names, location, of.cloned()))
    }

    async fn remove_versions(&self, versions: &[KeptVersion]) -> Vec<Result<(), Failure>> {
        versions::remove(&self.bucket, &self.names, versions).await
    }

    fn clock_skew(&self) -> Option<ClockSkew> {
        let skew = self.bucket.client().clock_skew()?;
        Some(ClockSkew { by: skew.by, store_ahead: skew.service_ahead })
    }

    fn requests(&self) -> Vec<RequestCount> {
        let counts = self.bucket.client().request_counts().into_iter();
        counts
            .map(|count| RequestCount { operation: count.operation, sent: count.sent, retries: count.retries })
            .collect()
    }

    fn foresee(&self, work: Work<'_>, forecast: &mut Forecast) {
        forecast::foresee(&self.bucket, &self.names, work, forecast);
    }

    fn in_bucket(&self) -> Option<&BucketStore> {
        Some(self)
    }

    fn provider(&self) -> Option<Provider> {
        Some(self.bucket.client().provider())
    }
}
