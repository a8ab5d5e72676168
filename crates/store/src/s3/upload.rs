//! An object of a bucket being written in parts: a multipart upload.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use brigade_s3::{
    Bucket, CompleteMultipartUpload, CreateMultipartUpload, ErrorKind, UploadPart, UploadPartCopy, UploadedPart,
    crc32c_in_a_row, crc64nvme_in_a_row,
};
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, checksum};

use super::copying;
use super::entries::{condition, receipt};
use super::failures::{failure, unwritten};
use super::headers::Outgoing;
use crate::hashers::narrowed;
use crate::{
    CopyFailure, Digest, DigestKind, Entry, Failure, FailureKind, FinishedPart, NewObject, Part, Receipt, Resumed,
    Store, Upload, Verified,
};

pub(super) struct BucketUpload {
    bucket: Bucket,
    name: String,
    object: NewObject,
    upload_id: String,
    /// Whether an earlier process began it.
    is_resumed: bool,
    /// By their numbers.
    parts: Mutex<BTreeMap<u32, Written>>,
}

/// A part that the service has.
#[derive(Clone)]
struct Written {
    part: UploadedPart,
    /// Where it begins in the object; of a part of an earlier process nothing says it.
    offset: Option<u64>,
    /// Of its bytes, where that of the whole is wanted or the service knows it.
    crc64nvme: Option<u64>,
    /// Of its bytes, where they are known and that of the whole is wanted.
    crc32c: Option<u32>,
}

impl BucketUpload {
    pub(super) async fn begin(bucket: Bucket, name: String, object: NewObject) -> Result<Self, Failure> {
        let outgoing = Outgoing::of(&bucket, &object.headers);
        let metadata = outgoing.metadata();
        let create = CreateMultipartUpload { key: &name, headers: outgoing.headers(&metadata) };
        let created = bucket.create_multipart_upload(create).await.map_err(|error| {
            if error.kind() == ErrorKind::Abandoned {
                tracing::warn!(
                    %error,
                    "an upload without parts may remain in the bucket: the service had not told its id yet; \
                     `brigade cleanup` finds and aborts it"
                );
            }
            failure(&error)
        })?;
        Ok(Self { bucket, name, object, upload_id: created.upload_id, is_resumed: false, parts: Mutex::default() })
    }

    /// Takes up an upload with the parts that the service has; `None` where it is gone.
    pub(super) async fn resume(
        bucket: Bucket,
        name: String,
        object: NewObject,
        upload_id: &str,
    ) -> Result<Option<Resumed>, Failure> {
        let listed = match bucket.list_all_parts(&name, upload_id).await {
            Ok(listed) => listed,
            Err(error) if matches!(error.kind(), ErrorKind::NoSuchUpload | ErrorKind::NotFound) => return Ok(None),
            Err(error) => return Err(failure(&error)),
        };
        let finished = listed.iter().map(|part| FinishedPart { number: part.number, size: part.size, md5: part.md5() });
        let finished = finished.collect();
        let known = |part: UploadedPart| Written { crc64nvme: part.crc64nvme(), crc32c: None, offset: None, part };
        let parts = listed.into_iter().map(|part| (part.number, known(part))).collect();
        let upload_id = upload_id.into();
        let upload = Self { bucket, name, object, upload_id, is_resumed: true, parts: Mutex::new(parts) };
        Ok(Some(Resumed { upload: Box::new(upload), parts: finished }))
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<u32, Written>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Upload for BucketUpload {
    fn id(&self) -> Option<&str> {
        Some(&self.upload_id)
    }

    async fn write(&self, part: Part, body: Bytes) -> Result<(), Failure> {
        let Part { number, offset } = part;
        let is_wanted = |kind| self.object.digest == Some(kind);
        let crc32c = is_wanted(DigestKind::Crc32c).then(|| narrowed(checksum(CrcAlgorithm::Crc32Iscsi, &body)));
        let upload = UploadPart { key: &self.name, upload_id: &self.upload_id, number, body: body.clone() };
        let part = self.bucket.upload_part(upload).await.map_err(|error| failure(&error))?;
        // Worked out once: most often it went along.
        let crc64nvme = part
            .crc64nvme()
            .or_else(|| is_wanted(DigestKind::Crc64Nvme).then(|| checksum(CrcAlgorithm::Crc64Nvme, &body)));
        self.parts().insert(number, Written { part, offset: Some(offset), crc64nvme, crc32c });
        Ok(())
    }

    async fn copy(&self, part: Part, source: &dyn Store, entry: &Entry, range: Range<u64>) -> Result<(), CopyFailure> {
        let Part { number, offset } = part;
        let found = copying::Found::of(source, entry).map_err(CopyFailure::Source)?;
        let copy =
            UploadPartCopy { key: &self.name, upload_id: &self.upload_id, number, source: found.source(entry), range };
        let part = match self.bucket.upload_part_copy(copy).await {
            Ok(part) => part,
            Err(error) => return Err(copying::blame(&found, entry, &error).await),
        };
        let crc64nvme = part.crc64nvme();
        self.parts().insert(number, Written { part, offset: Some(offset), crc64nvme, crc32c: None });
        Ok(())
    }

    async fn finish(&self, expected: Option<(DigestKind, Digest)>) -> Result<Receipt, Failure> {
        let written: Vec<Written> = self.parts().values().cloned().collect();
        check_joined(&written, self.object.size)?;
        let crc64nvme = crc64nvme_of(&written);
        let compared = expected.map(|(_, digest)| compare(crc64nvme, &written, digest)).transpose()?;
        let parts: Vec<UploadedPart> = written.into_iter().map(|written| written.part).collect();
        let complete = CompleteMultipartUpload {
            key: &self.name,
            upload_id: &self.upload_id,
            parts: &parts,
            condition: condition(&self.bucket, &self.object.condition),
            resumed: self.is_resumed,
        };
        let stored = self.bucket.complete_multipart_upload(complete).await.map_err(|error| unwritten(&error))?;
        let digest = crc64nvme.map(Digest::Crc64Nvme);
        let mut receipt = Receipt { digest, ..receipt(&self.object.key, self.object.size, stored) };
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
                 `brigade cleanup` removes them"
            );
        }
    }
}

/// With what an upload of the object would be begun.
pub(super) fn terms(bucket: &Bucket, name: &str, object: &NewObject) -> Result<[u8; 32], Failure> {
    let outgoing = Outgoing::of(bucket, &object.headers);
    let metadata = outgoing.metadata();
    let create = CreateMultipartUpload { key: name, headers: outgoing.headers(&metadata) };
    bucket.multipart_terms(create).map_err(|error| failure(&error))
}

/// Parts of an earlier process may be more, or others, than the object has now:
/// each must begin where the one before it ends, as far as that is known, and
/// together they must be as long as the object.
fn check_joined(written: &[Written], size: u64) -> Result<(), Failure> {
    let mut end = 0;
    for Written { part, offset, .. } in written {
        if let Some(offset) = offset.filter(|offset| *offset != end) {
            let number = part.number;
            let reason =
                format!("part {number} begins at byte {offset}, and the parts before it end at {end}; run again");
            return Err(Failure::new(FailureKind::Corrupt, reason));
        }
        end += part.size;
    }
    if end == size {
        return Ok(());
    }
    let reason = format!("the parts have {end} bytes where {size} were announced; run again");
    Err(Failure::new(FailureKind::Corrupt, reason))
}

/// CRC-64/NVME of the parts in a row, if it is known of each.
fn crc64nvme_of(written: &[Written]) -> Option<u64> {
    let crcs: Option<Vec<(u64, u64)>> = written.iter().map(|next| Some((next.crc64nvme?, next.part.size))).collect();
    crcs.map(|crcs| crc64nvme_in_a_row(&crcs))
}

/// CRC-32C of the parts in a row, if it is known of each.
fn crc32c_of(written: &[Written]) -> Option<u32> {
    let crcs: Option<Vec<(u32, u64)>> = written.iter().map(|next| Some((next.crc32c?, next.part.size))).collect();
    crcs.map(|crcs| crc32c_in_a_row(&crcs))
}

/// Compares what is known of the parts with the digest of the whole. Only a
/// CRC can be put together from those of parts that were written in any order.
fn compare(crc64nvme: Option<u64>, written: &[Written], expected: Digest) -> Result<Verified, Failure> {
    let differs = |reason: String| Err(Failure::new(FailureKind::Corrupt, reason));
    match expected {
        Digest::Crc64Nvme(expected) => match crc64nvme {
            None => Ok(Verified::Unverifiable),
            Some(found) if found == expected => Ok(Verified::Yes),
            Some(found) => {
                differs(format!("the content's CRC64NVME is {found:016x} and its source's {expected:016x}; run again"))
            }
        },
        Digest::Crc32c(expected) => match crc32c_of(written) {
            None => Ok(Verified::Unverifiable),
            Some(found) if found == expected => Ok(Verified::Yes),
            Some(found) => {
                differs(format!("the content's CRC32C is {found:08x} and its source's {expected:08x}; run again"))
            }
        },
        Digest::Md5(_) | Digest::MultipartMd5 { .. } => Ok(Verified::Unverifiable),
    }
}
