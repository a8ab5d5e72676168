//! How long a small request takes.

use std::time::{Duration, Instant};

use crate::bucket::Bucket;
use crate::error::{Error, ErrorKind};
use crate::operations::ListObjectsV2;

/// How many requests are timed on new connections.
const NEW: usize = 5;
/// How many are timed on one that is open.
const KEPT: usize = 9;

/// How long small requests took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// With a connection made for each.
    pub new_connection: Times,
    /// On a connection that was open.
    pub kept_connection: Times,
}

/// How long several requests of one kind took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// How many they were.
    pub requests: usize,
    /// The shortest time.
    pub least: Duration,
    /// The one in the middle.
    pub median: Duration,
    /// The longest.
    pub most: Duration,
}

impl Times {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |place: usize| times.get(place).copied().unwrap_or_default();
        Self { requests: times.len(), least: at(0), median: at(times.len() / 2), most: at(times.len().max(1) - 1) }
    }
}

/// Times listings of one key below the prefix.
pub async fn latency(bucket: &Bucket, prefix: &str) -> Result<Latency, Error> {
    let new_connection = times(&bucket.on_new_connections(), prefix, NEW).await?;
    // The first one opens the connection, and may be sent to where the bucket really is.
    times(bucket, prefix, 1).await?;
    Ok(Latency { new_connection, kept_connection: times(bucket, prefix, KEPT).await? })
}

async fn times(bucket: &Bucket, prefix: &str, requests: usize) -> Result<Times, Error> {
    let (mut times, mut unreachable) = (Vec::with_capacity(requests), None);
    for _ in 0..requests {
        let begun = Instant::now();
        match bucket.list_objects_v2(ListObjectsV2 { prefix, max_keys: Some(1), ..ListObjectsV2::default() }).await {
            Ok(_) => times.push(begun.elapsed()),
            // One of several addresses may be, and the next one not.
            Err(error) if error.kind() == ErrorKind::Unreachable => unreachable = Some(error),
            Err(error) => return Err(error),
        }
    }
    match unreachable {
        Some(error) if times.is_empty() => Err(error),
        _ => Ok(Times::of(times)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_put_in_order() {
        let times = Times::of([5, 1, 9].map(Duration::from_millis).to_vec());
        let [least, median, most] = [1, 5, 9].map(Duration::from_millis);
        assert_eq!(times, Times { requests: 3, least, median, most });
        assert_eq!(Times::of(Vec::new()).most, Duration::ZERO);
    }
}
