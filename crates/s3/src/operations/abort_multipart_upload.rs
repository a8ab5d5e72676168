//! `AbortMultipartUpload`: gives up an object in parts.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>

use http::Method;

use crate::client::Bucket;
use crate::error::{Error, ErrorKind};
use crate::operations::Operation;
use crate::request::Request;

impl Bucket {
    /// Gives up an upload and what was written of it. One that isn't there
    /// (any more) is a success.
    pub async fn abort_multipart_upload(&self, key: &str, upload_id: &str) -> Result<(), Error> {
        let request = Request::new(Operation::AbortMultipartUpload, Method::DELETE)
            .bucket(self.name())
            .key(key)
            .query("uploadId", upload_id);
        match self.client().send_for(&request, |_| Ok(())).await {
            Err(error) if error.kind() == ErrorKind::NoSuchUpload => Ok(()),
            result => result,
        }
    }
}
