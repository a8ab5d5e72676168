//! Hashes of bodies: several at once, and those of long bodies away from the
//! threads that serve the network.
//!
//! Where MD5 is wanted, hashing a body costs more than sending it. Bodies of
//! many tasks queue up for it, and whoever takes several works out their hashes
//! together (see `lanes`): MD5 of 4 KB costs 0.5 us so, and 5.6 one by one,
//! SHA-256 with it 1.1 and 2.2 with AVX-512.

mod long;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::checksum::{crc32c, crc64nvme, md5, sha256};
use crate::lanes::{lanes, md5_of_each, sha256_of_each};
use long::Long;
pub(crate) use long::UnderWay;

/// Bytes of a body that is hashed by one of the tasks that wait: a thread of
/// its own, woken and waking, costs as much CPU as hashing 16 KiB.
const SHORT: usize = 32 << 10;

/// The same where MD5 isn't wanted: the others are faster, and not worth a wait for company.
const SHORT_ALONE: usize = 128 << 10;

/// Which hashes are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is of a hash of its own")]
pub(crate) struct Wanted {
    pub(crate) md5: bool,
    pub(crate) sha256: bool,
    pub(crate) crc64nvme: bool,
    pub(crate) crc32c: bool,
}

/// The hashes that were wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hashes {
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) crc64nvme: Option<u64>,
    pub(crate) crc32c: Option<u32>,
}

/// Hashes bodies. Clones share the queues.
#[derive(Clone, Default)]
pub(crate) struct Hasher {
    short: Arc<Mutex<VecDeque<Waiting>>>,
    long: Arc<Long>,
}

struct Waiting {
    body: Bytes,
    wanted: Wanted,
    sender: oneshot::Sender<Hashes>,
}

impl Hasher {
    /// Counts a request: as long as some are under way, more bodies may come.
    pub(crate) fn under_way(&self) -> UnderWay<'_> {
        self.long.under_way()
    }

    /// The hashes of the body that are wanted.
    pub(crate) async fn hash(&self, body: &Bytes, wanted: Wanted) -> Hashes {
        if !wanted.md5 {
            return alone(body, wanted).await;
        }
        let (sender, mut done) = oneshot::channel();
        let waiting = Waiting { body: body.clone(), wanted, sender };
        if body.len() < SHORT {
            lock(&self.short).push_back(waiting);
            // Whatever else is ready to send has its turn to come along.
            tokio::task::yield_now().await;
            while done.is_empty() && self.hash_short() {}
        } else {
            self.long.push(waiting);
        }
        (&mut done).await.unwrap_or_else(|_| hashes(body, wanted))
    }

    /// Hashes some of the short bodies that wait; false if none does.
    fn hash_short(&self) -> bool {
        let batch = first_few(&mut lock(&self.short));
        let found = !batch.is_empty();
        hash_each(batch);
        found
    }
}

async fn alone(body: &Bytes, wanted: Wanted) -> Hashes {
    if body.len() < SHORT_ALONE {
        return hashes(body, wanted);
    }
    let shared = body.clone();
    let hashed = tokio::task::spawn_blocking(move || hashes(&shared, wanted));
    hashed.await.unwrap_or_else(|_| hashes(body, wanted))
}

fn lock<T>(queue: &Mutex<T>) -> MutexGuard<'_, T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn first_few(queue: &mut VecDeque<Waiting>) -> Vec<Waiting> {
    let count = queue.len().min(lanes());
    queue.drain(..count).collect()
}

/// Hashes the bodies and tells those who wait for it.
fn hash_each(batch: Vec<Waiting>) {
    let mut md5s = md5_of_each(&bodies(&batch, |wanted| wanted.md5)).into_iter();
    let mut sha256s = sha256_of_each(&bodies(&batch, |wanted| wanted.sha256)).into_iter();
    for Waiting { body, wanted, sender } in batch {
        let md5 = if wanted.md5 { md5s.next() } else { None };
        let sha256 = if wanted.sha256 { sha256s.next() } else { None };
        let others = hashes(&body, Wanted { md5: false, sha256: false, ..wanted });
        drop(body);
        // Who waited may have given up.
        let _ = sender.send(Hashes { md5, sha256, ..others });
    }
}

/// Those of which this hash is wanted.
fn bodies(batch: &[Waiting], hash: impl Fn(&Wanted) -> bool) -> Vec<&[u8]> {
    batch.iter().filter(|waiting| hash(&waiting.wanted)).map(|waiting| &*waiting.body).collect()
}

/// The hashes of one body.
pub(crate) fn hashes(body: &[u8], wanted: Wanted) -> Hashes {
    Hashes {
        md5: wanted.md5.then(|| md5(body)),
        sha256: wanted.sha256.then(|| sha256(body)),
        crc64nvme: wanted.crc64nvme.then(|| crc64nvme(body)),
        crc32c: wanted.crc32c.then(|| crc32c(body)),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn each_body_gets_its_own_hashes_on_several_threads() {
        each_body_gets_its_own_hashes().await;
    }

    #[tokio::test]
    async fn each_body_gets_its_own_hashes_on_one_thread() {
        each_body_gets_its_own_hashes().await;
    }

    async fn each_body_gets_its_own_hashes() {
        let hasher = Hasher::default();
        let flags = [false, true];
        let bodies: Vec<(Bytes, Wanted)> = (0..400_usize)
            .map(|number| {
                let body = vec![u8::try_from(number % 251).unwrap(); number * number / 2];
                let [md5, sha256, crc64nvme, crc32c] = [1, 2, 4, 8].map(|bit| flags[usize::from(number & bit > 0)]);
                (body.into(), Wanted { md5, sha256, crc64nvme, crc32c })
            })
            .collect();
        let found = join_all(bodies.iter().map(|(body, wanted)| hasher.hash(body, *wanted))).await;
        for ((body, wanted), found) in bodies.iter().zip(found) {
            assert_eq!(found, hashes(body, *wanted), "{} bytes, {wanted:?}", body.len());
        }
        assert!(lock(&hasher.short).is_empty() && hasher.long.is_idle());
    }
}
