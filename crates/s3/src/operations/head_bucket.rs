//! `HeadBucket`: whether a bucket is there and may be read.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>

use http::Method;

use crate::client::Bucket;
use crate::error::Error;
use crate::operations::Operation;
use crate::request::Request;

impl Bucket {
    /// Asks whether the bucket is there; [`crate::ErrorKind::NoSuchBucket`] where it isn't.
    pub async fn head_bucket(&self) -> Result<(), Error> {
        let request = Request::new(Operation::HeadBucket, Method::HEAD).bucket(self.name());
        self.client().send_for(&request, |_| Ok(())).await
    }
}
