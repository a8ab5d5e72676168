//! Long bodies: hashed on threads of their own, in company.
//!
//! One body alone is hashed at a tenth of the speed that many have together
//! (see `md5_lanes`). So a body waits a little for others while as many
//! requests are under way as bodies wait: some of those will want hashing too,
//! and meanwhile they keep the network busy.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use super::{Waiting, hash_each, lock};
use crate::md5_lanes::{LANES, WORTHWHILE};

/// How many bytes of a body let it wait for a microsecond: at most as long as
/// sending it at 50 MB/s takes.
const BYTES_FOR_A_MICROSECOND: usize = 50;

/// The long bodies that wait, and the threads that hash them.
pub(super) struct Long {
    queue: Mutex<Queue>,
    /// Requests that are under way.
    under_way: AtomicUsize,
    /// Threads that wait for company, and are told when there is more or less to expect.
    in_wait: AtomicUsize,
    company: Condvar,
    /// Threads at most: one for each core.
    most_threads: usize,
}

#[derive(Default)]
struct Queue {
    bodies: VecDeque<(Waiting, Instant)>,
    threads: usize,
}

impl Default for Long {
    fn default() -> Self {
        Self {
            queue: Mutex::default(),
            under_way: AtomicUsize::default(),
            in_wait: AtomicUsize::default(),
            company: Condvar::new(),
            most_threads: available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }
}

/// A request under way, until it is dropped.
pub(crate) struct UnderWay<'a>(&'a Long);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
        self.0.tell();
    }
}

impl Long {
    pub(super) fn under_way(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(self)
    }

    pub(super) fn push(self: &Arc<Self>, waiting: Waiting) {
        let mut queue = lock(&self.queue);
        queue.bodies.push_back((waiting, Instant::now()));
        if queue.threads < self.most_threads && queue.bodies.len() > queue.threads * LANES {
            queue.threads += 1;
            drop(queue);
            let this = Arc::clone(self);
            tokio::task::spawn_blocking(move || {
                while let Some(batch) = this.take() {
                    // Who waits works it out for himself then; the others have their turn.
                    let _ = catch_unwind(AssertUnwindSafe(|| hash_each(batch)));
                }
            });
        } else {
            drop(queue);
            self.tell();
        }
    }

    /// Bodies for one thread; `None` if none waits and the thread is to end.
    fn take(&self) -> Option<Vec<Waiting>> {
        let mut queue = lock(&self.queue);
        while !is_company(queue.bodies.len(), self.under_way.load(Ordering::Relaxed))
            && let Some(left) = queue.bodies.front().and_then(|(first, since)| patience(first, since.elapsed()))
        {
            self.in_wait.fetch_add(1, Ordering::Relaxed);
            // Whoever isn't told in time, since it had looked just before, wakes up all the same.
            queue = self.company.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
            self.in_wait.fetch_sub(1, Ordering::Relaxed);
        }
        let batch = first_alike(&mut queue.bodies);
        if batch.is_empty() {
            queue.threads -= 1;
            return None;
        }
        Some(batch)
    }

    fn tell(&self) {
        // Telling is a system call, for every request.
        if self.in_wait.load(Ordering::Relaxed) > 0 {
            self.company.notify_one();
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        lock(&self.queue).bodies.is_empty()
    }
}

/// Whether so many bodies need not wait for more, with so many requests under way.
fn is_company(bodies: usize, under_way: usize) -> bool {
    under_way < WORTHWHILE || bodies >= under_way.min(LANES)
}

/// How much longer a body may wait; `None` if it has waited long enough.
fn patience(waiting: &Waiting, waited: Duration) -> Option<Duration> {
    let patience = Duration::from_micros((waiting.body.len() / BYTES_FOR_A_MICROSECOND) as u64);
    patience.checked_sub(waited).filter(|left| waiting.wanted.md5 && !left.is_zero())
}

/// The first one, and others that are not much shorter or longer: lanes end with their messages.
fn first_alike(queue: &mut VecDeque<(Waiting, Instant)>) -> Vec<Waiting> {
    let length = queue.front().map_or(0, |(first, _)| first.body.len());
    let mut alike = Vec::with_capacity(LANES);
    let mut rest = VecDeque::new();
    for (waiting, since) in queue.drain(..) {
        let is_alike = (length / 2..=length * 2).contains(&waiting.body.len());
        if is_alike && alike.len() < LANES { alike.push(waiting) } else { rest.push_back((waiting, since)) }
    }
    *queue = rest;
    alike
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::super::Wanted;
    use super::*;

    #[test]
    fn bodies_wait_while_as_many_requests_are_under_way() {
        let table = [
            (1, 0, true),
            (1, WORTHWHILE - 1, true),
            (1, WORTHWHILE, false),
            (8, 8, true),
            (8, 9, false),
            (LANES - 1, 1000, false),
            (LANES, 1000, true),
        ];
        for (bodies, under_way, expected) in table {
            assert_eq!(is_company(bodies, under_way), expected, "{bodies} bodies, {under_way} requests");
        }
    }

    #[test]
    fn a_body_waits_no_longer_than_its_length_allows() {
        let waiting = |length: usize, md5| {
            let (sender, _) = oneshot::channel();
            Waiting { body: vec![0; length].into(), wanted: Wanted { md5, ..Wanted::default() }, sender }
        };
        assert_eq!(patience(&waiting(50_000, true), Duration::ZERO), Some(Duration::from_millis(1)));
        assert_eq!(patience(&waiting(50_000, true), Duration::from_micros(400)), Some(Duration::from_micros(600)));
        assert_eq!(patience(&waiting(50_000, true), Duration::from_millis(1)), None);
        // The other hashes gain nothing from company.
        assert_eq!(patience(&waiting(50_000, false), Duration::ZERO), None);
    }
}
