//! `PutBucketVersioning`: switches on that a bucket keeps versions.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html>

use bytes::Bytes;
use http::{Method, header};

use crate::checksum::{Checksum, md5};
use crate::client::Bucket;
use crate::error::Error;
use crate::operations::{Operation, Versioning};
use crate::request::Request;

impl Bucket {
    /// From now on the bucket keeps versions so. Once it had them it can only be
    /// [`Versioning::Suspended`]; [`Versioning::Never`] is refused by the service.
    pub async fn put_bucket_versioning(&self, versioning: Versioning) -> Result<(), Error> {
        let status = versioning.written();
        let body = Bytes::from(format!(
            "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>{status}</Status>\
             </VersioningConfiguration>"
        ));
        let (name, value) = Checksum::Md5(md5(&body)).header();
        let request = Request::new(Operation::PutBucketVersioning, Method::PUT)
            .bucket(self.name())
            .query("versioning", "")
            .text_header(header::CONTENT_TYPE.as_str(), "application/xml")?
            .header(name, value)
            .body(body);
        self.client().send_for(&request, |_| Ok(())).await
    }
}
