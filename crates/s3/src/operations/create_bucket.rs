//! `CreateBucket`: makes a bucket.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>

use bytes::Bytes;
use http::{Method, header};

use crate::Provider;
use crate::client::Bucket;
use crate::dialect::google::PROJECT;
use crate::error::Error;
use crate::operations::Operation;
use crate::request::Request;
use crate::xml::escape_into;

impl Bucket {
    /// Makes the bucket, in this region or the client's. One that is ours already is a success.
    pub async fn create_bucket(&self, region: Option<&str>) -> Result<(), Error> {
        let mut request = Request::new(Operation::CreateBucket, Method::PUT).bucket(self.name());
        // AWS refuses a constraint to us-east-1, and wants one for every other region. Others may know no regions.
        let is_aws = self.client().provider() == Provider::Aws;
        let own = Some(self.client().region()).filter(|_| is_aws);
        if let Some(region) = region.or(own).filter(|region| !is_aws || *region != "us-east-1") {
            let mut document = String::from(
                "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>",
            );
            escape_into(&mut document, region);
            document.push_str("</LocationConstraint></CreateBucketConfiguration>");
            request =
                request.text_header(header::CONTENT_TYPE.as_str(), "application/xml")?.body(Bytes::from(document));
        }
        if let Some(project) = &self.client().0.project {
            request.headers.insert(PROJECT, project.clone());
        }
        match self.client().send_for(&request, |_| Ok(())).await {
            Err(error) if error.code() == Some("BucketAlreadyOwnedByYou") => Ok(()),
            result => result,
        }
    }
}
