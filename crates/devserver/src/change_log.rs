//! The log of changes: what was replaced by what, and under which condition.

use std::sync::{Mutex, PoisonError};

use s3s::dto::ETagCondition;

use crate::conditions::Writing;
use crate::storage::Record;

/// One object that was put or removed. Changes stand in the order in which they were made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRecord {
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The `ETag` of what was there, without quotes; `None` where nothing was.
    pub before: Option<String>,
    /// The `ETag` of what is there now; `None` where it was removed.
    pub after: Option<String>,
    /// `If-Match` of the request, or of its key in a `DeleteObjects`: an `ETag` without quotes, or `*`.
    pub if_match: Option<String>,
    /// Whether the request had `If-None-Match: *`, or Google's word for it.
    pub if_absent: bool,
    /// `x-goog-if-generation-match` of the request, but for 0, which is `if_absent`.
    pub if_generation: Option<u64>,
}

/// All changes.
#[derive(Debug, Default)]
pub(crate) struct ChangeLog(Mutex<Vec<ChangeRecord>>);

impl ChangeLog {
    /// Told under the bucket's lock, so that the order is the true one.
    pub(crate) fn push(&self, [bucket, key]: [&str; 2], [before, after]: [Option<&Record>; 2], conditions: &Writing) {
        let etag = |record: Option<&Record>| record.map(|record| record.etag.clone());
        let if_match = conditions.if_match.as_ref().map(|condition| match condition {
            ETagCondition::Any => "*".to_owned(),
            ETagCondition::ETag(etag) => etag.value().to_owned(),
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(ChangeRecord {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            before: etag(before),
            after: etag(after),
            if_match,
            if_absent: conditions.if_none_match.is_some() || conditions.generation == Some(0),
            if_generation: conditions.generation.filter(|generation| *generation != 0),
        });
    }

    pub(crate) fn records(&self) -> Vec<ChangeRecord> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
