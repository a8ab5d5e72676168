//! `UploadPartCopy`: the service copies a range of an object as a part of another.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>

use std::ops::Range;

use http::Method;

use crate::checksum::{Checksum, Verified, parse_crc64nvme};
use crate::client::{Bucket, Rejection};
use crate::error::Error;
use crate::operations::{CopySource, Operation, UploadedPart};
use crate::request::{Request, unquote};
use crate::xml::walk;

/// A part that is about to be copied.
#[derive(Clone, Debug)]
pub struct UploadPartCopy<'a> {
    /// The key of the object that it becomes a part of.
    pub key: &'a str,
    /// The upload's name: [`crate::MultipartUpload::upload_id`].
    pub upload_id: &'a str,
    /// The part's number, 1 to 10,000.
    pub number: u32,
    /// What is copied.
    pub source: CopySource<'a>,
    /// Which of its bytes: 5 MiB to 5 GiB, the last ones may be fewer.
    pub range: Range<u64>,
}

impl Bucket {
    /// Has the service copy a part. The same part may be copied again. It is done only if the answer's body says so.
    pub async fn upload_part_copy(&self, part: UploadPartCopy<'_>) -> Result<UploadedPart, Error> {
        let size = part.range.end - part.range.start;
        let last = part.range.end.saturating_sub(1);
        let request = Request::new(Operation::UploadPartCopy, Method::PUT)
            .bucket(self.name())
            .key(part.key)
            .query("partNumber", part.number.to_string())
            .query("uploadId", part.upload_id)
            .text_header("x-amz-copy-source-range", &format!("bytes={}-{last}", part.range.start))?;
        let request = self.with_source(request, &part.source)?;
        let (etag, crc64nvme) = self.client().send_for(&request, |response| read(&response.body)).await?;
        let checksum = crc64nvme.map(Checksum::Crc64Nvme);
        Ok(UploadedPart { number: part.number, size, etag, checksum, crc32c: None, verified: Verified::Unverifiable })
    }
}

/// The part's `ETag`, and its CRC-64/NVME where the service tells it.
fn read(document: &[u8]) -> Result<(String, Option<u64>), Rejection> {
    let (mut etag, mut crc64nvme) = (None, None);
    walk(document, |path, text| {
        match path {
            "CopyPartResult/ETag" => etag = Some(unquote(text).to_owned()),
            "CopyPartResult/ChecksumCRC64NVME" => crc64nvme = parse_crc64nvme(text),
            _ => {}
        }
        Ok(())
    })?;
    let etag = etag.filter(|etag| !etag.is_empty());
    etag.map(|etag| (etag, crc64nvme)).ok_or_else(|| Rejection::Unreadable("the answer has no ETag".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_copied_only_if_the_body_says_so() {
        let done = br#"<CopyPartResult><ETag>"abc"</ETag><ChecksumCRC64NVME>AAAAAAAAAAA=</ChecksumCRC64NVME></CopyPartResult>"#;
        assert_eq!(read(done).unwrap(), ("abc".to_owned(), Some(0)));
        assert!(read(b"<CopyPartResult/>").is_err());
    }
}
