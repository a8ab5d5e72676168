//! Reading a version that was asked for: that it is gone by then is a failure. Unlike an object that was deleted while
//! a listing was at work, it is what somebody wants back.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{Digest, DigestKind, Entry, Failure, FailureKind, ObjectHeaders, Reader};

pub(super) struct KeptReader(pub(super) Box<dyn Reader>);

/// What it means that a version which was asked for could not be read.
pub(super) fn of_version(entry: &Entry, failure: Failure) -> Failure {
    match failure.kind {
        FailureKind::Absent => {
            let id = entry.version_id().unwrap_or_default();
            let reason = format!("its version {id} was removed after it was listed; run again: {}", failure.reason);
            Failure::new(FailureKind::Failed, reason)
        }
        _ => failure,
    }
}

#[async_trait]
impl Reader for KeptReader {
    fn entry(&self) -> &Entry {
        self.0.entry()
    }

    fn headers(&self) -> &ObjectHeaders {
        self.0.headers()
    }

    async fn read(&self, range: Range<u64>) -> Result<Bytes, Failure> {
        self.0.read(range).await.map_err(|failure| of_version(self.entry(), failure))
    }

    async fn check_unchanged(&self) -> Result<(), Failure> {
        self.0.check_unchanged().await.map_err(|failure| of_version(self.entry(), failure))
    }

    fn digest(&self) -> Option<(DigestKind, Digest)> {
        self.0.digest()
    }

    fn digest_of_parts(&self) -> Option<(DigestKind, Digest)> {
        self.0.digest_of_parts()
    }

    async fn part_size(&self) -> Option<u64> {
        self.0.part_size().await
    }
}
