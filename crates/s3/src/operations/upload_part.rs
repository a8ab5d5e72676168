//! `UploadPart`: a part of an object.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>

use bytes::Bytes;
use http::Method;

use super::put_object::confirm;
use crate::checksum::{Checksum, Verified, crc32c, parse_md5_etag};
use crate::client::Bucket;
use crate::error::Error;
use crate::operations::Operation;
use crate::request::Request;

/// A part that is about to be written.
#[derive(Clone, Debug, Default)]
pub struct UploadPart<'a> {
    /// The object's key.
    pub key: &'a str,
    /// The upload's name: [`crate::MultipartUpload::upload_id`].
    pub upload_id: &'a str,
    /// The part's number, 1 to 10,000.
    pub number: u32,
    /// Its bytes: 5 MiB to 5 GiB, the last one may be shorter.
    pub body: Bytes,
}

/// A part that the service has: written by this process, or listed
/// ([`Bucket::list_parts`]) because an earlier one wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadedPart {
    /// The part's number.
    pub number: u32,
    /// Its length in bytes.
    pub size: u64,
    /// Its ETag, without quotes.
    pub etag: String,
    /// The checksum that was sent with it; of a listed part, the one that the
    /// service checked it against and tells. An ETag that looks like an MD5 is none:
    /// under SSE-KMS it isn't one, and a listing doesn't tell of encryption.
    pub(crate) checksum: Option<Checksum>,
    /// CRC-32C of its bytes, where they were written by this process to a service that tells it of whole objects:
    /// Google.
    pub(crate) crc32c: Option<u32>,
    /// Whether the service confirmed it.
    pub(crate) verified: Verified,
}

impl UploadedPart {
    /// CRC-64/NVME of its bytes, where the service knows it.
    #[must_use]
    pub fn crc64nvme(&self) -> Option<u64> {
        match self.checksum {
            Some(Checksum::Crc64Nvme(crc)) => Some(crc),
            Some(Checksum::Md5(_)) | None => None,
        }
    }

    /// The ETag, where it has the form of an MD5 of the part's bytes. Under
    /// SSE-KMS and SSE-C it is none, whatever its form
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>):
    /// an equality proves something, a difference doesn't.
    #[must_use]
    pub fn md5(&self) -> Option<[u8; 16]> {
        parse_md5_etag(&self.etag)
    }
}

impl Bucket {
    /// Writes a part. The same part may be written again.
    pub async fn upload_part(&self, part: UploadPart<'_>) -> Result<UploadedPart, Error> {
        let size = part.body.len() as u64;
        let crc32c = self.client().provider().is_google().then(|| crc32c(&part.body));
        let (checksum, hashes) = self.client().hash_to_send(&part.body, self.dialect()).await;
        let (name, value) = checksum.header();
        let request = Request::new(Operation::UploadPart, Method::PUT)
            .bucket(self.name())
            .key(part.key)
            .query("partNumber", part.number.to_string())
            .query("uploadId", part.upload_id)
            .header(name, value)
            .hashed_body(part.body, &hashes);
        let stored = self.client().send_for(&request, |response| confirm(response, checksum)).await?;
        Ok(UploadedPart {
            number: part.number,
            size,
            etag: stored.etag,
            checksum: Some(checksum),
            crc32c,
            verified: stored.verified,
        })
    }
}
