//! The log of requests, which tests count.

use std::sync::{Arc, Mutex, PoisonError};

/// One request that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestRecord {
    /// The operation as S3 names it, such as `PutObject`; `None` where the
    /// request was refused before that was known (a wrong signature).
    pub operation: Option<String>,
    /// The bucket, if it is for one.
    pub bucket: Option<String>,
    /// The key, if it is for one.
    pub key: Option<String>,
    /// The query as it came, without the `?`; empty if there is none.
    pub query: String,
    /// Whether it came with `If-Match` or `If-None-Match`.
    pub conditional: bool,
    /// The HTTP status that was answered; `None` where none was (yet).
    pub status: Option<u16>,
}

/// A request under way: its record is filled in as it becomes known.
#[derive(Debug)]
pub(crate) struct Entry(Mutex<RequestRecord>);

impl Entry {
    /// A request with this query, with or without a condition.
    pub(crate) fn new(query: &str, conditional: bool) -> Self {
        let query = query.to_owned();
        Self(Mutex::new(RequestRecord { operation: None, bucket: None, key: None, query, conditional, status: None }))
    }

    /// Says what the request is.
    pub(crate) fn identify(&self, operation: &str, bucket: Option<&str>, key: Option<&str>) {
        self.update(|record| {
            record.operation = Some(operation.to_owned());
            record.bucket = bucket.map(str::to_owned);
            record.key = key.map(str::to_owned);
        });
    }

    /// Says what it was answered.
    pub(crate) fn answered(&self, status: u16) {
        self.update(|record| record.status = Some(status));
    }

    fn update(&self, change: impl FnOnce(&mut RequestRecord)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn record(&self) -> RequestRecord {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// All requests, in the order in which they came.
#[derive(Debug, Default)]
pub(crate) struct RequestLog {
    entries: Mutex<Vec<Arc<Entry>>>,
}

impl RequestLog {
    pub(crate) fn push(&self, entry: Arc<Entry>) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
    }

    pub(crate) fn records(&self) -> Vec<RequestRecord> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|entry| entry.record()).collect()
    }

    pub(crate) fn clear(&self) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
