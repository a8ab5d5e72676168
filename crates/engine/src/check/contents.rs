//! Reading contents in bounded memory: for their digests, or byte by byte beside each other.

use std::ops::Range;
use std::sync::Arc;

use brigade_store::{Digest, DigestKind, Entry, Failure, FailureKind, Hashers, Kind, Reader};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::task::{JoinError, JoinSet, spawn_blocking};

use super::Checking;
use super::judging::Blamed;
use crate::events::Side;

/// Ranges of one object that are fetched ahead of the one being hashed: digests are worked out in order.
const RANGES_AHEAD: usize = 4;

/// Bytes up to which content is hashed where it is: a hop to another thread takes as long as hashing so many.
const HASHED_IN_PLACE: usize = 64 << 10;

impl Checking {
    /// Whether an object of this size is read whole.
    pub(super) fn is_small(&self, size: u64) -> bool {
        let limits = [&self.source, &self.dest].map(|store| store.capabilities().whole_limit);
        limits.iter().all(|limit| size <= *limit)
    }

    /// Digests of what is really there: the content is read.
    pub(super) async fn digests_of_content(
        &self,
        side: Side,
        entry: &Entry,
        wanted: &[DigestKind],
    ) -> Result<Vec<Digest>, Blamed> {
        let store = self.store(side);
        if store.capabilities().kind == Kind::Local {
            let _request = self.permits.request().await;
            let digests = store.digests(entry, wanted).await.map_err(|failure| Blamed { side, failure })?;
            self.tally.read(entry.size);
            return Ok(digests);
        }
        let hashers = Hashers::new(wanted);
        if self.is_small(entry.size) {
            let _memory = self.permits.memory(entry.size).await;
            let body = self.read_whole(side, entry).await?;
            return Ok(update(hashers, body).await.map_err(|error| abnormal(side, &error))?.finish());
        }
        self.digests_in_ranges(side, entry, hashers).await
    }

    async fn digests_in_ranges(&self, side: Side, entry: &Entry, mut hashers: Hashers) -> Result<Vec<Digest>, Blamed> {
        let reader = self.open(side, entry).await?;
        let reading = self.ranges(entry.size).map(|range| {
            let reader = &reader;
            async move {
                let memory = self.permits.memory(range.end - range.start).await;
                Ok::<_, Blamed>((memory, self.read_range(side, reader.as_ref(), range).await?))
            }
        });
        let mut fetched = stream::iter(reading).buffered(RANGES_AHEAD);
        while let Some(range) = fetched.next().await {
            let (_memory, body) = range?;
            hashers = update(hashers, body).await.map_err(|error| abnormal(side, &error))?;
        }
        Ok(hashers.finish())
    }

    /// Where both contents, of one size, first differ, in bytes from the start; `None` where they don't.
    pub(super) async fn first_difference(&self, source: &Entry, dest: &Entry) -> Result<Option<u64>, Blamed> {
        if self.is_small(source.size) {
            let _memory = self.permits.memory(source.size.saturating_mul(2)).await;
            let left = self.read_whole(Side::Source, source).await?;
            let right = self.read_whole(Side::Dest, dest).await?;
            return Ok(first_difference(&left, &right));
        }
        let readers = Readers {
            left: self.open(Side::Source, source).await?.into(),
            right: self.open(Side::Dest, dest).await?.into(),
        };
        let mut in_flight = JoinSet::new();
        let mut found = self.compare_ranges(&readers, source.size, &mut in_flight).await;
        while let Some(ended) = in_flight.join_next().await {
            found = earliest(found, ended);
        }
        let found = found?;
        for (side, reader) in [(Side::Source, &readers.left), (Side::Dest, &readers.right)] {
            // Each range of an object was of the version that was opened; a file may have been written to.
            if self.store(side).capabilities().kind == Kind::Local {
                reader.check_unchanged().await.map_err(|failure| Blamed { side, failure })?;
            }
        }
        Ok(found)
    }

    /// Compares one range after the other, several at once, until one differs. What is cut short fails: of
    /// ranges that nobody has read, nothing is known.
    async fn compare_ranges(
        &self,
        readers: &Readers,
        size: u64,
        in_flight: &mut JoinSet<Result<Option<u64>, Blamed>>,
    ) -> Result<Option<u64>, Blamed> {
        let mut found = Ok(None);
        for range in self.ranges(size) {
            if self.cancel.is_cancelled() {
                return Err(interrupted());
            }
            let bytes = 2 * (range.end - range.start);
            let memory = self.permits.memory(bytes).await;
            let (readers, permits) = (readers.clone(), self.permits.clone());
            in_flight.spawn(async move {
                let _memory = memory;
                let _request = permits.request().await;
                let blame = |side| move |failure| Blamed { side, failure };
                let left = readers.left.read(range.clone()).await.map_err(blame(Side::Source))?;
                let right = readers.right.read(range.clone()).await.map_err(blame(Side::Dest))?;
                Ok(first_difference(&left, &right).map(|offset| range.start + offset))
            });
            self.tally.read(bytes);
            while let Some(ended) = in_flight.try_join_next() {
                found = earliest(found, ended);
            }
            if !matches!(found, Ok(None)) {
                break;
            }
        }
        found
    }

    /// The whole content of the version that was listed; whoever asks has made room for it.
    async fn read_whole(&self, side: Side, entry: &Entry) -> Result<Bytes, Blamed> {
        let _request = self.permits.request().await;
        let read = self.store(side).read(entry).await.map_err(|failure| Blamed { side, failure })?;
        self.tally.read(read.body.len() as u64);
        if read.entry.same_version(entry) { Ok(read.body) } else { Err(changed(side)) }
    }

    async fn read_range(&self, side: Side, reader: &dyn Reader, range: Range<u64>) -> Result<Bytes, Blamed> {
        let _request = self.permits.request().await;
        let body = reader.read(range).await.map_err(|failure| Blamed { side, failure })?;
        self.tally.read(body.len() as u64);
        Ok(body)
    }

    /// Opens the version that was listed.
    pub(super) async fn open(&self, side: Side, entry: &Entry) -> Result<Box<dyn Reader>, Blamed> {
        let _request = self.permits.request().await;
        let reader = self.store(side).open(entry).await.map_err(|failure| Blamed { side, failure })?;
        if reader.entry().same_version(entry) { Ok(reader) } else { Err(changed(side)) }
    }

    fn ranges(&self, size: u64) -> impl Iterator<Item = Range<u64>> + use<> {
        let [left, right] = [&self.source, &self.dest].map(|store| store.capabilities().part_size);
        let length = left.min(right).max(1);
        (0..size.div_ceil(length)).map(move |number| number * length..size.min((number + 1) * length))
    }
}

/// Both versions of an object, to be read in ranges.
#[derive(Clone)]
struct Readers {
    left: Arc<dyn Reader>,
    right: Arc<dyn Reader>,
}

async fn update(mut hashers: Hashers, body: Bytes) -> Result<Hashers, JoinError> {
    if body.len() <= HASHED_IN_PLACE {
        hashers.update(&body);
        return Ok(hashers);
    }
    spawn_blocking(move || {
        hashers.update(&body);
        hashers
    })
    .await
}

/// Where two contents first differ; one that ends earlier differs there.
fn first_difference(left: &[u8], right: &[u8]) -> Option<u64> {
    if left == right {
        return None;
    }
    let shared = left.iter().zip(right).take_while(|(one, other)| one == other).count();
    Some(shared as u64)
}

/// The difference that comes first, of what was found and what a range came to. What fails counts more.
fn earliest(
    found: Result<Option<u64>, Blamed>,
    ended: Result<Result<Option<u64>, Blamed>, JoinError>,
) -> Result<Option<u64>, Blamed> {
    let ended = ended.unwrap_or_else(|error| Err(abnormal(Side::Source, &error)));
    match (found?, ended?) {
        (Some(one), Some(other)) => Ok(Some(one.min(other))),
        (one, other) => Ok(one.or(other)),
    }
}

fn changed(side: Side) -> Blamed {
    Blamed { side, failure: Failure::new(FailureKind::Changed, "it is not what was listed any more") }
}

fn interrupted() -> Blamed {
    Blamed { side: Side::Source, failure: Failure::new(FailureKind::Failed, "it was interrupted") }
}

fn abnormal(side: Side, error: &JoinError) -> Blamed {
    let reason = format!("a part of it ended abnormally, which is a defect of the program: {error}");
    Blamed { side, failure: Failure::new(FailureKind::Failed, reason) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_that_differs_is_found() {
        let table: [(&[u8], &[u8], Option<u64>); 6] = [
            (b"", b"", None),
            (b"abc", b"abc", None),
            (b"abc", b"abd", Some(2)),
            (b"xbc", b"abc", Some(0)),
            (b"ab", b"abc", Some(2)),
            (b"", b"a", Some(0)),
        ];
        for (left, right, expected) in table {
            assert_eq!(first_difference(left, right), expected, "{left:?} {right:?}");
        }
    }
}
