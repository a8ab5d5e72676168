//! How many requests of each kind were sent.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::operations::Operation;

/// How often one kind of request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestCount {
    /// S3's name of the operation.
    pub operation: &'static str,
    /// How many requests, retries included.
    pub sent: u64,
    /// How many of them were retries.
    pub retries: u64,
}

/// The counters of one client.
#[derive(Debug, Default)]
pub(crate) struct Counters([Counter; Operation::ALL.len()]);

#[derive(Debug, Default)]
struct Counter {
    sent: AtomicU64,
    retries: AtomicU64,
}

impl Counters {
    /// Counts a request that is about to be sent.
    pub(crate) fn sending(&self, operation: Operation, is_retry: bool) {
        let counter = &self.0[operation as usize];
        counter.sent.fetch_add(1, Ordering::Relaxed);
        if is_retry {
            counter.retries.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was sent so far, operations that never were left out.
    pub(crate) fn read(&self) -> Vec<RequestCount> {
        let counts = Operation::ALL.into_iter().zip(&self.0).map(|(operation, counter)| RequestCount {
            operation: operation.name(),
            sent: counter.sent.load(Ordering::Relaxed),
            retries: counter.retries.load(Ordering::Relaxed),
        });
        counts.filter(|count| count.sent > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_has_its_own_number() {
        for (place, operation) in Operation::ALL.into_iter().enumerate() {
            assert_eq!(operation as usize, place, "{}", operation.name());
        }
    }

    #[test]
    fn requests_and_retries_are_counted_by_operation() {
        let counters = Counters::default();
        counters.sending(Operation::PutObject, false);
        counters.sending(Operation::PutObject, true);
        counters.sending(Operation::HeadBucket, false);
        let expected = [
            RequestCount { operation: "PutObject", sent: 2, retries: 1 },
            RequestCount { operation: "HeadBucket", sent: 1, retries: 0 },
        ];
        assert_eq!(counters.read(), expected);
    }
}
