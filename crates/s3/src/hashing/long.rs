//! Long bodies whose MD5 is wanted: hashed on threads of their own, in company.
//!
//! One body alone is hashed at a fifth to a sixteenth of the speed that many
//! have together (see `lanes`). So a body waits a little for others while
//! more requests are under way than bodies wait: some of those will want
//! hashing too, and meanwhile they keep the network busy.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use super::{Waiting, hash_each, lock};
use crate::lanes::lanes;

/// Requests that don't keep the network busy for long: nobody waits for the end of fewer.
const FEW: usize = 3;

/// The long bodies that wait, and the threads that hash them.
pub(super) struct Long {
    queue: Mutex<Queue>,
    /// Requests that are under way.
    under_way: AtomicUsize,
    /// Threads that wait for company, to be told when it has come or won't.
    in_wait: AtomicUsize,
    company: Condvar,
    /// Threads at most: for half of the cores, as the others have the network to serve.
    most_threads: usize,
    /// How long a body of so many bytes waits at most.
    patience: fn(usize) -> Duration,
}

/// As long as sending so many bytes at 50 MB/s takes.
fn patience(bytes: usize) -> Duration {
    Duration::from_micros((bytes / 50) as u64)
}

#[derive(Default)]
struct Queue {
    bodies: Vec<Guest>,
    threads: usize,
}

/// A body that waits for company.
struct Guest {
    waiting: Waiting,
    /// When it has waited long enough.
    until: Instant,
}

impl Default for Long {
    fn default() -> Self {
        Self {
            queue: Mutex::default(),
            under_way: AtomicUsize::default(),
            in_wait: AtomicUsize::default(),
            company: Condvar::new(),
            most_threads: (available_parallelism().map_or(1, NonZeroUsize::get) / 2).max(1),
            patience,
        }
    }
}

/// A request under way, until it is dropped.
#[must_use]
pub(crate) struct UnderWay<'a>(&'a Long);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
        self.0.tell();
    }
}

impl Long {
    pub(super) fn under_way(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(self)
    }

    pub(super) fn push(self: &Arc<Self>, waiting: Waiting) {
        let until = Instant::now() + (self.patience)(waiting.body.len());
        let mut queue = lock(&self.queue);
        queue.bodies.push(Guest { waiting, until });
        if self.in_wait.load(Ordering::SeqCst) > 0 {
            // It may have company now, or less patience.
            self.company.notify_one();
        } else if queue.threads == 0 || (queue.threads < self.most_threads && self.is_company(&queue)) {
            queue.threads += 1;
            drop(queue);
            let this = Arc::clone(self);
            tokio::task::spawn_blocking(move || {
                while let Some(batch) = this.take() {
                    // Who waits works it out for himself then; the others have their turn.
                    let _ = catch_unwind(AssertUnwindSafe(|| hash_each(batch)));
                }
            });
        }
    }

    /// Bodies for one thread; `None` if none waits and the thread is to end.
    fn take(&self) -> Option<Vec<Waiting>> {
        let mut queue = lock(&self.queue);
        // Before the look at what is under way: whoever ends after it sees that somebody waits.
        self.in_wait.fetch_add(1, Ordering::SeqCst);
        while let Some(left) = queue.patience_left()
            && !self.is_company(&queue)
        {
            queue = self.company.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        self.in_wait.fetch_sub(1, Ordering::SeqCst);
        let batch = queue.first_alike();
        if batch.is_empty() {
            queue.threads -= 1;
            return None;
        }
        Some(batch)
    }

    fn is_company(&self, queue: &Queue) -> bool {
        is_company(queue.bodies.len(), self.under_way.load(Ordering::SeqCst), lanes())
    }

    /// Tells a thread that waits, if it need not any more: a system call, which
    /// few requests are to make.
    fn tell(&self) {
        if self.in_wait.load(Ordering::SeqCst) > 0 && self.is_company(&lock(&self.queue)) {
            self.company.notify_one();
        }
    }

    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        lock(&self.queue).bodies.is_empty() && self.under_way.load(Ordering::Relaxed) == 0
    }
}

impl Queue {
    /// How much longer the least patient may wait; `None` if somebody has waited enough, or nobody waits.
    fn patience_left(&self) -> Option<Duration> {
        let until = self.bodies.iter().map(|guest| guest.until).min()?;
        until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    }

    /// The least patient, and others that are not much shorter or longer: lanes end with their messages.
    fn first_alike(&mut self) -> Vec<Waiting> {
        // Who gave up waiting needs no hash.
        self.bodies.retain(|guest| !guest.waiting.sender.is_closed());
        self.bodies.sort_by_key(|guest| guest.until);
        let length = self.bodies.first().map_or(0, |first| first.waiting.body.len());
        let lanes = lanes();
        let (mut alike, mut rest) = (Vec::with_capacity(lanes), Vec::new());
        for guest in self.bodies.drain(..) {
            let is_alike = (length / 2..=length * 2).contains(&guest.waiting.body.len());
            if is_alike && alike.len() < lanes { alike.push(guest.waiting) } else { rest.push(guest) }
        }
        self.bodies = rest;
        alike
    }
}

/// Whether so many bodies need not wait for more, with so many requests under way and so many lanes.
fn is_company(bodies: usize, under_way: usize, lanes: usize) -> bool {
    under_way < FEW || bodies >= under_way.min(lanes)
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::{self, Receiver};

    use super::super::{Hashes, Wanted, hashes};
    use super::*;

    const MD5: Wanted = Wanted { md5: true, sha256: false, crc64nvme: false, crc32c: false };

    /// With one thread, for which bodies wait as long as it takes.
    fn patient() -> Arc<Long> {
        Arc::new(Long { most_threads: 1, patience: |_| Duration::from_hours(1), ..Long::default() })
    }

    fn push(long: &Arc<Long>, length: usize) -> Receiver<Hashes> {
        let (sender, receiver) = oneshot::channel();
        long.push(Waiting { body: vec![1; length].into(), wanted: MD5, sender });
        receiver
    }

    #[test]
    fn bodies_wait_while_more_requests_are_under_way() {
        let table = [
            (1, 0, true),
            (1, FEW - 1, true),
            (1, FEW, false),
            (8, 8, true),
            (8, 9, false),
            (15, 1000, false),
            (16, 1000, true),
        ];
        for (bodies, under_way, expected) in table {
            assert_eq!(is_company(bodies, under_way, 16), expected, "{bodies} bodies, {under_way} requests");
        }
    }

    #[tokio::test]
    async fn company_ends_the_wait() {
        let long = patient();
        let requests: Vec<UnderWay<'_>> = (0..4).map(|_| long.under_way()).collect();
        let mut waiting: Vec<Receiver<Hashes>> = (0..3).map(|number| push(&long, 100 + number)).collect();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(waiting.iter_mut().all(|receiver| receiver.try_recv().is_err()), "none was hashed before");
        waiting.push(push(&long, 103));
        for (number, receiver) in waiting.into_iter().enumerate() {
            assert_eq!(receiver.await.unwrap(), hashes(&vec![1; 100 + number], MD5));
        }
        drop(requests);
        assert!(long.is_idle());
    }

    #[tokio::test]
    async fn the_end_of_requests_ends_the_wait() {
        let long = patient();
        let requests: Vec<UnderWay<'_>> = (0..4).map(|_| long.under_way()).collect();
        let mut waiting = push(&long, 100);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(waiting.try_recv().is_err());
        drop(requests);
        assert_eq!(waiting.await.unwrap(), hashes(&[1; 100], MD5));
        assert!(long.is_idle());
    }

    #[tokio::test]
    async fn a_body_waits_no_longer_than_its_length_allows() {
        let by_length = |bytes: usize| if bytes > 50 { Duration::from_hours(1) } else { Duration::from_millis(1) };
        let long = Arc::new(Long { most_threads: 1, patience: by_length, ..Long::default() });
        let _requests: Vec<UnderWay<'_>> = (0..9).map(|_| long.under_way()).collect();
        let mut longer = push(&long, 1000);
        let shorter = push(&long, 50);
        assert_eq!(shorter.await.unwrap(), hashes(&[1; 50], MD5));
        assert!(longer.try_recv().is_err());
    }

    #[tokio::test]
    async fn who_gave_up_is_not_hashed_and_no_company() {
        let long = patient();
        drop(push(&long, 100));
        let mut queue = lock(&long.queue);
        let (sender, receiver) = oneshot::channel();
        drop(receiver);
        queue
            .bodies
            .push(Guest { waiting: Waiting { body: vec![1; 100].into(), wanted: MD5, sender }, until: Instant::now() });
        assert!(queue.first_alike().is_empty());
    }
}
