//! `UploadPart`: a part of an object.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>

use bytes::Bytes;
use http::Method;

use super::put_object::confirm;
use crate::checksum::{Checksum, Verified};
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

/// A part that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadedPart {
    /// The part's number.
    pub number: u32,
    /// Its length in bytes.
    pub size: u64,
    /// Its ETag, without quotes.
    pub etag: String,
    /// The checksum that was sent with it.
    pub(crate) checksum: Checksum,
    /// Whether the service confirmed it.
    pub(crate) verified: Verified,
}

impl Bucket {
    /// Writes a part. The same part may be written again.
    pub async fn upload_part(&self, part: UploadPart<'_>) -> Result<UploadedPart, Error> {
        let size = part.body.len() as u64;
        let (checksum, hashes) = self.client().hash_to_send(&part.body).await;
        let (name, value) = checksum.header();
        let request = Request::new(Operation::UploadPart, Method::PUT)
            .bucket(self.name())
            .key(part.key)
            .query("partNumber", part.number.to_string())
            .query("uploadId", part.upload_id)
            .header(name, value)
            .hashed_body(part.body, &hashes);
        let stored = self.client().send_for(&request, |response| confirm(response, checksum)).await?;
        Ok(UploadedPart { number: part.number, size, etag: stored.etag, checksum, verified: stored.verified })
    }
}
