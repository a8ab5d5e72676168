//! An object of a bucket being read in ranges, each only if it is still the version that was opened.

use std::ops::Range;

use async_trait::async_trait;
use brigade_s3::{GetObject, HeadObject, ObjectHead};
use bytes::Bytes;

use super::BucketStore;
use super::entries::{check_version, entry, etag};
use super::failures::{changed, failure};
use super::headers::of_head;
use crate::{Digest, DigestKind, Entry, Failure, FailureKind, ObjectHeaders, Reader};

pub(super) struct BucketReader {
    store: BucketStore,
    name: String,
    entry: Entry,
    headers: ObjectHeaders,
    digest: Option<(DigestKind, Digest)>,
    digest_of_parts: Option<(DigestKind, Digest)>,
}

impl BucketReader {
    /// Of the version that was listed, by what is known of it.
    pub(super) fn new(store: BucketStore, listed: &Entry, head: &ObjectHead) -> Result<Self, Failure> {
        let crc = head.crc64nvme.map(|crc| (DigestKind::Crc64Nvme, Digest::Crc64Nvme(crc)));
        let md5 = head.md5.map(|md5| (DigestKind::Md5, Digest::Md5(md5)));
        let crc32c = head.crc32c.map(|crc| (DigestKind::Crc32c, Digest::Crc32c(crc)));
        let name = store.names.of(&listed.key)?;
        let entry = Entry { version: listed.version.clone(), ..entry(&listed.key, head) };
        let headers = ObjectHeaders { md5: head.md5, ..of_head(head) };
        let (digest, digest_of_parts) = (crc.or(md5).or(crc32c), crc.or(crc32c).or(md5));
        Ok(Self { store, name, entry, headers, digest, digest_of_parts })
    }

    /// Fails if this is another version than the one that was opened. Where the
    /// service gives no `ETag`, the time must tell: both come from the same header.
    fn check(&self, head: &ObjectHead) -> Result<(), Failure> {
        check_version(&self.entry, head)?;
        if head.etag.is_empty() && head.last_modified != self.entry.modified {
            return Err(changed());
        }
        Ok(())
    }
}

#[async_trait]
impl Reader for BucketReader {
    fn entry(&self) -> &Entry {
        &self.entry
    }

    fn headers(&self) -> &ObjectHeaders {
        &self.headers
    }

    async fn read(&self, range: Range<u64>) -> Result<Bytes, Failure> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let length = range.end - range.start;
        let wanted = GetObject {
            key: &self.name,
            version_id: self.store.named(&self.entry),
            range: Some(range.clone()),
            if_match: etag(&self.entry),
            // A service that ignores the range sends everything: that is no use.
            limit: length,
        };
        let got = self.store.bucket.get_object(wanted).await.map_err(|error| failure(&error))?;
        self.check(&got.head)?;
        if got.body.len() as u64 == length {
            return Ok(got.body);
        }
        Err(Failure::new(FailureKind::Failed, format!("the object ends before byte {}", range.end)))
    }

    async fn check_unchanged(&self) -> Result<(), Failure> {
        let head = self.store.head_of(&self.entry).await?;
        self.check(&head)
    }

    async fn part_size(&self) -> Option<u64> {
        if !matches!(self.entry.listed_digest(), Some(Digest::MultipartMd5 { .. })) {
            return None;
        }
        let first = HeadObject { key: &self.name, version_id: self.store.named(&self.entry) };
        // Whoever can't tell is no hindrance: the copy only has another `ETag`.
        self.store.bucket.first_part_size(first).await.ok().flatten()
    }

    fn digest(&self) -> Option<(DigestKind, Digest)> {
        self.digest
    }

    fn digest_of_parts(&self) -> Option<(DigestKind, Digest)> {
        self.digest_of_parts
    }
}
