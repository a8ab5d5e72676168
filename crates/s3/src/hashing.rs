//! Hashes of bodies: several MD5s at once, and those of long bodies away from
//! the threads that serve the network.
//!
//! Where MD5 is wanted, hashing a body costs more than sending it. Bodies of
//! many tasks queue up for it, and whoever takes several works out their MD5s
//! together (see `md5_lanes`): 4 KB cost 0.8 us so, and 5.6 one by one.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use bytes::Bytes;
use tokio::sync::oneshot;

use crate::checksum::crc64nvme;
use crate::md5_lanes::{LANES, md5_of_each};

/// Bytes of a body that is hashed by one of the tasks that wait: a thread of
/// its own, woken and waking, costs as much CPU as hashing 16 KiB.
const SHORT: usize = 32 << 10;

/// The same where MD5 isn't wanted: the others are faster, and gain nothing from company.
const SHORT_WITHOUT_MD5: usize = 128 << 10;

/// Long bodies that are enough of a company to be hashed at once. Fewer wait
/// for more while as many requests are under way: those keep the network busy.
const COMPANY: usize = LANES / 2;

/// How many bytes of a body buy it a microsecond to wait for company at most:
/// four times as long as its MD5 would take alone.
const BYTES_FOR_A_MICROSECOND: usize = 190;

/// Which hashes are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) md5: bool,
    pub(crate) sha256: bool,
    pub(crate) crc64nvme: bool,
}

/// The hashes that were wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hashes {
    pub(crate) md5: Option<[u8; 16]>,
    pub(crate) sha256: Option<[u8; 32]>,
    pub(crate) crc64nvme: Option<u64>,
}

/// Hashes bodies. Clones share the queues.
#[derive(Clone, Default)]
pub(crate) struct Hasher(Arc<Queues>);

struct Queues {
    short: Mutex<VecDeque<Waiting>>,
    long: Mutex<Long>,
    /// Told of each long body that comes, and when few requests are under way.
    may_go_on: Condvar,
    /// Requests under way.
    under_way: AtomicUsize,
    /// Threads that hash long bodies at most: one for each core.
    most_threads: usize,
}

impl Default for Queues {
    fn default() -> Self {
        let most_threads = available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            short: Mutex::default(),
            long: Mutex::default(),
            may_go_on: Condvar::new(),
            under_way: AtomicUsize::new(0),
            most_threads,
        }
    }
}

#[derive(Default)]
struct Long {
    bodies: VecDeque<Waiting>,
    /// Threads at work.
    threads: usize,
}

struct Waiting {
    body: Bytes,
    wanted: Wanted,
    sender: oneshot::Sender<Hashes>,
    since: Instant,
}

impl Waiting {
    /// How much longer it waits for company; `None` if it has waited long enough.
    fn patience(&self) -> Option<Duration> {
        let patience = Duration::from_micros((self.body.len() / BYTES_FOR_A_MICROSECOND) as u64);
        patience.checked_sub(self.since.elapsed()).filter(|left| self.wanted.md5 && !left.is_zero())
    }
}

/// A request under way, until it is dropped.
pub(crate) struct UnderWay<'a>(&'a Queues);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.0.under_way.fetch_sub(1, Ordering::Relaxed) == COMPANY {
            self.0.may_go_on.notify_all();
        }
    }
}

impl Hasher {
    /// Counts a request: who waits for company is told by this whether any may come.
    pub(crate) fn under_way(&self) -> UnderWay<'_> {
        self.0.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(&self.0)
    }

    /// The hashes of the body that are wanted.
    pub(crate) async fn hash(&self, body: &Bytes, wanted: Wanted) -> Hashes {
        if !wanted.md5 && body.len() < SHORT_WITHOUT_MD5 {
            return hashes(body, wanted);
        }
        let (sender, mut done) = oneshot::channel();
        let waiting = Waiting { body: body.clone(), wanted, sender, since: Instant::now() };
        if body.len() < SHORT {
            lock(&self.0.short).push_back(waiting);
            // Whatever else is ready to send has its turn to come along.
            tokio::task::yield_now().await;
            while done.is_empty() && self.hash_short() {}
        } else {
            self.push_long(waiting);
        }
        (&mut done).await.unwrap_or_else(|_| hashes(body, wanted))
    }

    /// Hashes some of the short bodies that wait; false if none does.
    fn hash_short(&self) -> bool {
        let batch = first_few(&mut lock(&self.0.short));
        let found = !batch.is_empty();
        hash_each(batch);
        found
    }

    fn push_long(&self, waiting: Waiting) {
        let mut long = lock(&self.0.long);
        long.bodies.push_back(waiting);
        if long.threads < self.0.most_threads && long.bodies.len() > long.threads * LANES {
            long.threads += 1;
            drop(long);
            let hasher = self.clone();
            tokio::task::spawn_blocking(move || {
                while let Some(batch) = hasher.take_long() {
                    // Who waits works it out for himself then; the others have their turn.
                    let _ = catch_unwind(AssertUnwindSafe(|| hash_each(batch)));
                }
            });
        } else {
            drop(long);
            self.0.may_go_on.notify_one();
        }
    }

    /// Long bodies for one thread; `None` if none waits and the thread is to end.
    fn take_long(&self) -> Option<Vec<Waiting>> {
        let mut long = lock(&self.0.long);
        while long.bodies.len() < COMPANY
            && self.0.under_way.load(Ordering::Relaxed) >= COMPANY
            && let Some(left) = long.bodies.front().and_then(Waiting::patience)
        {
            long = self.0.may_go_on.wait_timeout(long, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let batch = first_alike(&mut long.bodies);
        if batch.is_empty() {
            long.threads -= 1;
            return None;
        }
        Some(batch)
    }
}

fn lock<T>(queue: &Mutex<T>) -> MutexGuard<'_, T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

fn first_few(queue: &mut VecDeque<Waiting>) -> Vec<Waiting> {
    let count = queue.len().min(LANES);
    queue.drain(..count).collect()
}

/// The first one, and others that are not much shorter or longer: lanes end with their messages.
fn first_alike(queue: &mut VecDeque<Waiting>) -> Vec<Waiting> {
    let length = queue.front().map_or(0, |first| first.body.len());
    let mut alike = Vec::with_capacity(LANES);
    let mut rest = VecDeque::new();
    for waiting in queue.drain(..) {
        let is_alike = (length / 2..=length * 2).contains(&waiting.body.len());
        if is_alike && alike.len() < LANES { alike.push(waiting) } else { rest.push_back(waiting) }
    }
    *queue = rest;
    alike
}

/// Hashes the bodies and tells those who wait for it.
fn hash_each(batch: Vec<Waiting>) {
    let of_md5 = batch.iter().filter(|waiting| waiting.wanted.md5);
    let bodies: Vec<&[u8]> = of_md5.map(|waiting| &*waiting.body).collect();
    let mut md5s = md5_of_each(&bodies).into_iter();
    for Waiting { body, wanted, sender, .. } in batch {
        let md5 = if wanted.md5 { md5s.next() } else { None };
        let others = hashes(&body, Wanted { md5: false, ..wanted });
        drop(body);
        // Who waited may have given up.
        let _ = sender.send(Hashes { md5, ..others });
    }
}

/// The hashes of one body.
pub(crate) fn hashes(body: &[u8], wanted: Wanted) -> Hashes {
    Hashes {
        md5: wanted.md5.then(|| crate::checksum::md5(body)),
        sha256: if wanted.sha256 { digest::digest(&digest::SHA256, body).as_ref().try_into().ok() } else { None },
        crc64nvme: wanted.crc64nvme.then(|| crc64nvme(body)),
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
                let [md5, sha256, crc64nvme] = [1, 2, 4].map(|bit| flags[usize::from(number & bit > 0)]);
                (body.into(), Wanted { md5, sha256, crc64nvme })
            })
            .collect();
        let found = join_all(bodies.iter().map(|(body, wanted)| hasher.hash(body, *wanted))).await;
        for ((body, wanted), found) in bodies.iter().zip(found) {
            assert_eq!(found, hashes(body, *wanted), "{} bytes, {wanted:?}", body.len());
        }
        assert!(lock(&hasher.0.short).is_empty() && lock(&hasher.0.long).bodies.is_empty());
    }
}
