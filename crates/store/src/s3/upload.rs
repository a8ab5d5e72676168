//! An object of a bucket being written in parts: a multipart upload.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use brigade_s3::{Bucket, CompleteMultipartUpload, CreateMultipartUpload, ErrorKind, UploadPart, UploadedPart};
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, checksum, checksum_combine};

use super::failures::{failure, unwritten};
use super::{condition, mtime, receipt};
use crate::{Digest, DigestKind, Failure, FailureKind, NewObject, Part, Receipt, Upload, Verified};

pub(super) struct BucketUpload {
    bucket: Bucket,
    name: String,
    object: NewObject,
    upload_id: String,
    parts: Mutex<Vec<Written>>,
}

/// A part that the service has.
#[derive(Clone)]
struct Written {
    part: UploadedPart,
    crc64nvme: u64,
}

impl BucketUpload {
    pub(super) async fn begin(bucket: Bucket, name: String, object: NewObject) -> Result<Self, Failure> {
        let modified = object.headers.modified.map(mtime::format);
        let metadata = modified.as_deref().map(|modified| (mtime::NAME, modified));
        let create = CreateMultipartUpload {
            key: &name,
            content_type: object.headers.content_type.as_deref(),
            metadata: metadata.as_slice(),
        };
        let created = bucket.create_multipart_upload(create).await.map_err(|error| {
            if error.kind() == ErrorKind::Abandoned {
                tracing::warn!(
                    %error,
                    "an upload without parts may remain in the bucket: the service had not told its id yet; \
                     `aws s3api list-multipart-uploads` shows it"
                );
            }
            failure(&error)
        })?;
        Ok(Self { bucket, name, object, upload_id: created.upload_id, parts: Mutex::default() })
    }

    fn parts(&self) -> MutexGuard<'_, Vec<Written>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Upload for BucketUpload {
    async fn write(&self, part: Part, body: Bytes) -> Result<(), Failure> {
        let crc64nvme = checksum(CrcAlgorithm::Crc64Nvme, &body);
        let upload = UploadPart { key: &self.name, upload_id: &self.upload_id, number: part.number, body };
        let part = self.bucket.upload_part(upload).await.map_err(|error| failure(&error))?;
        let mut parts = self.parts();
        parts.retain(|written| written.part.number != part.number);
        parts.push(Written { part, crc64nvme });
        Ok(())
    }

    async fn finish(&self, expected: Option<(DigestKind, Digest)>) -> Result<Receipt, Failure> {
        let mut written = self.parts().clone();
        written.sort_by_key(|written| written.part.number);
        let compared = expected.map(|(_, digest)| compare(&written, digest)).transpose()?;
        let parts: Vec<UploadedPart> = written.into_iter().map(|written| written.part).collect();
        let complete = CompleteMultipartUpload {
            key: &self.name,
            upload_id: &self.upload_id,
            parts: &parts,
            condition: condition(&self.object.condition),
            resumed: false,
        };
        let stored = self.bucket.complete_multipart_upload(complete).await.map_err(|error| unwritten(&error))?;
        let mut receipt = receipt(&self.object, stored);
        if compared == Some(Verified::Unverifiable) {
            receipt.verified = Verified::Unverifiable;
        }
        Ok(receipt)
    }

    async fn abandon(&self) {
        if let Err(error) = self.bucket.abort_multipart_upload(&self.name, &self.upload_id).await {
            tracing::warn!(
                %error,
                upload_id = self.upload_id,
                "the parts of an upload that was given up may remain in the bucket; \
                 `aws s3api abort-multipart-upload` removes them"
            );
        }
    }
}

/// Compares the parts, in order, with the digest of the whole. Only a
/// CRC-64/NVME can be put together from those of parts that were written in any order.
fn compare(written: &[Written], expected: Digest) -> Result<Verified, Failure> {
    let Digest::Crc64Nvme(expected) = expected else { return Ok(Verified::Unverifiable) };
    let found = written
        .iter()
        .fold(0, |crc, next| checksum_combine(CrcAlgorithm::Crc64Nvme, crc, next.crc64nvme, next.part.size));
    if found == expected {
        return Ok(Verified::Yes);
    }
    let reason = format!("the content's CRC64NVME is {found:016x} and its source's {expected:016x}; run again");
    Err(Failure::new(FailureKind::Corrupt, reason))
}
