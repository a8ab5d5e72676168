//! Reading one object through, in bounded memory and verified on its way.

use std::ops::Range;
use std::pin::pin;

use brigade_store::{Digest, Entry, Failure, FailureKind, Hashers, Store, Verified};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::task::spawn_blocking;

/// Ranges that are fetched ahead of the one that is handed on.
const RANGES_AHEAD: usize = 4;

/// Reads a version of an object, or these bytes of it, and hands on what came, in order, until `take` wants no more.
/// All comes from that one version, or it fails as [`FailureKind::Changed`]. Whether it is what was stored, is found
/// out at the end, where all is read and the store has a digest: it fails as [`FailureKind::Corrupt`] then.
pub async fn read_through(
    store: &dyn Store,
    entry: &Entry,
    part: Option<Range<u64>>,
    mut take: impl AsyncFnMut(Bytes) -> bool,
) -> Result<Verified, Failure> {
    let capabilities = store.capabilities();
    if part.is_none() && entry.size <= capabilities.whole_limit {
        let object = store.read(entry).await?;
        take(object.body).await;
        return Ok(object.verified);
    }
    let reader = store.open(entry).await?;
    if !reader.entry().same_version(entry) {
        return Err(Failure::new(FailureKind::Changed, "it was replaced meanwhile"));
    }
    let digest = reader.digest().filter(|_| part.is_none());
    let mut hashers = digest.map(|(kind, _)| Hashers::new(&[kind]));
    let fetching = ranges(part.unwrap_or(0..entry.size), capabilities.part_size).map(|range| reader.read(range));
    let mut fetched = pin!(stream::iter(fetching).buffered(RANGES_AHEAD));
    while let Some(bytes) = fetched.next().await {
        let bytes = bytes?;
        if let Some(under_way) = hashers.take() {
            hashers = Some(update(under_way, bytes.clone()).await?);
        }
        if !take(bytes).await {
            return Ok(Verified::Unverifiable);
        }
    }
    reader.check_unchanged().await?;
    match (digest, hashers) {
        (Some((_, stored)), Some(hashers)) => compare(stored, &hashers.finish()),
        _ => Ok(Verified::Unverifiable),
    }
}

fn compare(stored: Digest, read: &[Digest]) -> Result<Verified, Failure> {
    if read == [stored] {
        return Ok(Verified::Yes);
    }
    Err(Failure::new(FailureKind::Corrupt, "what came is not what the store says that it holds: its digest differs"))
}

/// In pieces of this length, but for the last one.
fn ranges(all: Range<u64>, length: u64) -> impl Iterator<Item = Range<u64>> {
    let length = length.max(1);
    let starts = std::iter::successors(Some(all.start), move |start| start.checked_add(length));
    starts.take_while(move |start| *start < all.end).map(move |start| start..all.end.min(start.saturating_add(length)))
}

/// Long pieces are hashed where that holds nothing up.
async fn update(mut hashers: Hashers, bytes: Bytes) -> Result<Hashers, Failure> {
    let hashing = spawn_blocking(move || {
        hashers.update(&bytes);
        hashers
    });
    hashing.await.map_err(|error| Failure::new(FailureKind::Failed, format!("hashing ended abnormally: {error}")))
}

#[cfg(test)]
mod tests {
    use brigade_store::memory::{Call, MemoryOptions, MemoryStore};

    use super::*;

    fn store() -> MemoryStore {
        MemoryStore::new(MemoryOptions { whole_limit: 4, part_size: 3, ..MemoryOptions::remote() })
    }

    /// What was handed on, and how it ended.
    async fn read(
        store: &MemoryStore,
        entry: &Entry,
        part: Option<Range<u64>>,
    ) -> (Vec<u8>, Result<Verified, Failure>) {
        let mut taken = Vec::new();
        let ended = read_through(store, entry, part, async |bytes| {
            taken.extend_from_slice(&bytes);
            true
        });
        let ended = ended.await;
        (taken, ended)
    }

    #[tokio::test]
    async fn all_comes_in_order_and_is_verified() {
        let store = store();
        for content in ["", "a", "abcd", "abcde", "abcdefghijklmnopqrstuvw"] {
            let entry = store.put("k", content);
            let (taken, ended) = read(&store, &entry, None).await;
            assert_eq!((taken.as_slice(), ended.unwrap()), (content.as_bytes(), Verified::Yes));
        }
    }

    #[tokio::test]
    async fn a_part_is_what_was_asked_for() {
        let store = store();
        let entry = store.put("k", "abcdefghij");
        for part in [0..10, 0..1, 2..9, 9..10, 5..5] {
            let wanted = &"abcdefghij"[usize::try_from(part.start).unwrap()..usize::try_from(part.end).unwrap()];
            let (taken, ended) = read(&store, &entry, Some(part)).await;
            assert_eq!((taken.as_slice(), ended.unwrap()), (wanted.as_bytes(), Verified::Unverifiable));
        }
    }

    #[tokio::test]
    async fn another_version_is_not_mixed_in() {
        for content in ["abc", "abcdefghij"] {
            let store = store();
            let entry = store.put("k", content);
            store.put("k", content.to_uppercase());
            let (taken, ended) = read(&store, &entry, None).await;
            assert_eq!((taken.as_slice(), ended.unwrap_err().kind), (&b""[..], FailureKind::Changed));
        }
    }

    #[tokio::test]
    async fn what_fails_on_the_way_is_told_and_nothing_asked_for_any_more() {
        let store = store();
        let entry = store.put("k", "abcdefghijklmnopqrstuvwxyz");
        let mut pieces = 0;
        let ended = read_through(&store, &entry, None, async |_| {
            pieces += 1;
            pieces < 2
        });
        assert_eq!(ended.await.unwrap(), Verified::Unverifiable);
        assert_eq!(pieces, 2);
        store.fail(Call::ReadRange, "k", 1, Failure::new(FailureKind::Failed, "no"));
        assert_eq!(read(&store, &entry, None).await.1.unwrap_err().reason, "no");
    }

    #[test]
    fn a_digest_that_differs_is_found_out() {
        assert_eq!(compare(Digest::Crc64Nvme(1), &[Digest::Crc64Nvme(1)]), Ok(Verified::Yes));
        assert_eq!(compare(Digest::Crc64Nvme(1), &[Digest::Crc64Nvme(2)]).unwrap_err().kind, FailureKind::Corrupt);
    }
}
