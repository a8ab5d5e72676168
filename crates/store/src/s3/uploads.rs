//! The uploads that are under way in a bucket, page by page.

use async_trait::async_trait;
use brigade_s3::{Bucket, ListMultipartUploads, ListedUpload, UploadsContinuation};

use super::names::Names;
use crate::{Key, ListingError, OpenUpload, OpenUploads};

/// A listing under way.
pub(super) struct BucketUploads {
    bucket: Bucket,
    names: Names,
    location: String,
    continuation: UploadsContinuation,
    is_over: bool,
}

impl BucketUploads {
    pub(super) fn new(bucket: Bucket, names: Names, location: String) -> Self {
        Self { bucket, names, location, continuation: UploadsContinuation::default(), is_over: false }
    }

    fn error(&self, reason: String) -> ListingError {
        ListingError { location: self.location.clone(), reason }
    }

    fn upload(&self, listed: ListedUpload) -> Result<OpenUpload, ListingError> {
        let key = self.names.below_prefix(&listed.key).map_err(|reason| self.error(reason))?;
        Ok(OpenUpload { key: Key::from(key), id: listed.upload_id, initiated: listed.initiated })
    }
}

#[async_trait]
impl OpenUploads for BucketUploads {
    async fn next_page(&mut self) -> Result<Option<Vec<OpenUpload>>, ListingError> {
        while !self.is_over {
            let after = self.continuation.marker();
            let page = ListMultipartUploads { prefix: self.names.prefix(), after, max_uploads: None };
            let page = self.bucket.list_multipart_uploads(page).await.map_err(|error| self.error(error.reason()))?;
            let follows = self.continuation.advance(&page);
            self.is_over = !follows.map_err(|endless| self.error(endless.to_string()))?;
            if !page.uploads.is_empty() {
                return page.uploads.into_iter().map(|listed| self.upload(listed)).collect::<Result<_, _>>().map(Some);
            }
        }
        Ok(None)
    }
}
