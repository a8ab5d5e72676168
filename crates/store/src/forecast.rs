//! What requests some work would take, without sending them.

use crate::{Entry, RequestCount};

/// Work that a store may be asked to do.
#[derive(Clone, Copy, Debug)]
pub enum Work<'a> {
    /// So many times [`crate::Store::look`].
    Look(u64),
    /// [`crate::Store::grants`].
    ReadGrants,
    /// [`crate::Store::read`].
    Read,
    /// [`crate::Store::open`], so many ranges read, and the second look.
    ReadInRanges(u64),
    /// [`crate::Store::write`].
    Write,
    /// [`crate::Store::copy`].
    Copy,
    /// [`crate::Store::begin`], so many parts copied, and [`crate::Upload::finish`].
    CopyInParts(u64),
    /// [`crate::Store::begin`], so many parts, and [`crate::Upload::finish`].
    WriteInParts(u64),
    /// [`crate::Store::restore`].
    Restore,
    /// One call of [`crate::Store::remove`].
    Remove(&'a [Entry]),
}

/// Requests that are foreseen, by operation: as many counts as there are
/// operations, however many objects they are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forecast(Vec<(&'static str, u64)>);

impl Forecast {
    /// Adds so many requests of an operation, by S3's name of it.
    pub fn add(&mut self, operation: &'static str, requests: u64) {
        match self.0.iter_mut().find(|(known, _)| *known == operation) {
            Some((_, sum)) => *sum += requests,
            None if requests > 0 => self.0.push((operation, requests)),
            None => {}
        }
    }

    /// Adds what was sent, but for the retries, because the same would be sent again.
    pub fn add_sent(&mut self, counts: &[RequestCount]) {
        for count in counts {
            self.add(count.operation, count.sent.saturating_sub(count.retries));
        }
    }

    /// Adds what another one has.
    pub fn add_all(&mut self, other: &Self) {
        for (operation, requests) in &other.0 {
            self.add(operation, *requests);
        }
    }

    /// As counts of requests without retries.
    #[must_use]
    pub fn counts(&self) -> Vec<RequestCount> {
        self.0.iter().map(|&(operation, sent)| RequestCount { operation, sent, retries: 0 }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_added_up_by_operation() {
        let mut forecast = Forecast::default();
        forecast.add("PutObject", 2);
        forecast.add("HeadObject", 0);
        forecast.add_sent(&[RequestCount { operation: "ListObjectsV2", sent: 5, retries: 2 }]);
        let mut all = forecast.clone();
        all.add_all(&forecast);
        let counts: Vec<(&str, u64)> = all.counts().iter().map(|count| (count.operation, count.sent)).collect();
        assert_eq!(counts, [("PutObject", 4), ("ListObjectsV2", 6)]);
    }
}
