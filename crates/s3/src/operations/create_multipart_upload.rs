//! `CreateMultipartUpload`: begins an object in parts.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>

use http::{HeaderMap, Method};

use super::object_headers::with_headers;
use crate::checksum::sha256;
use crate::client::{Bucket, Rejection};
use crate::error::Error;
use crate::operations::{NewHeaders, Operation};
use crate::request::Request;
use crate::xml::walk;

/// An object that is about to be written in parts.
#[derive(Clone, Copy, Debug, Default)]
pub struct CreateMultipartUpload<'a> {
    /// Its key.
    pub key: &'a str,
    /// What goes with it.
    pub headers: NewHeaders<'a>,
}

/// A multipart upload that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartUpload {
    /// The service's name of it.
    pub upload_id: String,
}

impl Bucket {
    /// Begins an object in parts.
    pub async fn create_multipart_upload(&self, object: CreateMultipartUpload<'_>) -> Result<MultipartUpload, Error> {
        let request = self.beginning(object)?;
        self.client().send_for(&request, |response| parse(&response.body)).await
    }

    /// A digest of with what the object would be begun now, by this client: of each header of the request that says
    /// something of the object or of its parts. It is SHA-256, also over a customer's key, which is 256 random bits.
    pub fn multipart_terms(&self, object: CreateMultipartUpload<'_>) -> Result<[u8; 32], Error> {
        let mut request = self.beginning(object)?;
        for (name, value) in self.client().0.customer_key_headers(request.operation) {
            request = request.secret_header(name, &value)?;
        }
        Ok(digest_of(&request.headers))
    }

    fn beginning<'a>(&'a self, object: CreateMultipartUpload<'a>) -> Result<Request<'a>, Error> {
        let mut request = Request::new(Operation::CreateMultipartUpload, Method::POST)
            .bucket(self.name())
            .key(object.key)
            .query("uploads", "");
        if self.dialect().crc64nvme.is_certain() {
            request = request
                .text_header("x-amz-checksum-algorithm", "CRC64NVME")?
                .text_header("x-amz-checksum-type", "FULL_OBJECT")?;
        }
        with_headers(request, &object.headers, &self.client().0.config.writing)
    }
}

/// Of names and values, each after its length, in the order of the names.
fn digest_of(headers: &HeaderMap) -> [u8; 32] {
    let mut said: Vec<[&[u8]; 2]> =
        headers.iter().map(|(name, value)| [name.as_str().as_bytes(), value.as_bytes()]).collect();
    said.sort_unstable();
    let field = |field: &[u8]| [&(field.len() as u64).to_be_bytes(), field].concat();
    sha256(&said.into_iter().flatten().flat_map(field).collect::<Vec<u8>>())
}

fn parse(document: &[u8]) -> Result<MultipartUpload, Rejection> {
    let mut upload_id = None;
    walk(document, |path, text| {
        if path == "InitiateMultipartUploadResult/UploadId" {
            upload_id = Some(text.to_owned());
        }
        Ok(())
    })?;
    let upload_id = upload_id.filter(|id| !id.is_empty());
    upload_id
        .map(|upload_id| MultipartUpload { upload_id })
        .ok_or_else(|| Rejection::Unreadable("the answer has no UploadId".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upload_id_is_read() {
        let answer = b"<InitiateMultipartUploadResult><UploadId>a&amp;b</UploadId></InitiateMultipartUploadResult>";
        assert_eq!(parse(answer).unwrap().upload_id, "a&b");
        assert!(parse(b"<InitiateMultipartUploadResult/>").is_err());
    }
}
