//! The way to threads that may block, shared by the calls of a tree.
//!
//! A thread of its own for each call costs more than a small file: waking it
//! and being woken by it takes 12 us of CPU, reading 4 KB that are cached 5.
//! And threads that make files in one directory wait for its lock, spinning.
//! So calls queue up; a thread that is awake carries out several, and then
//! tells those who wait all at once. Where calls turn out to take long, on a
//! slow disk or a network's file system, or with much content, each has its
//! own thread again.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::{Failure, FailureKind};

/// How long a call may take, in the mean of the last ones, to be quick.
const QUICK: Duration = Duration::from_micros(500);

/// Quick calls that one thread carries out before it tells of any.
const BATCH: usize = 16;

/// Quick calls that may wait for each thread before another one is woken:
/// with a batch, what one that is stuck after all may keep waiting.
const QUEUE: usize = 32;

/// Of how many calls the mean is taken.
const REMEMBERED: u32 = 8;

/// What is to be done on a thread that may block.
type Call = Box<dyn FnOnce() -> Tell + Send>;

/// Tells who waits for a call what came of it.
type Tell = Box<dyn FnOnce() + Send>;

/// The way to threads that may block. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Hops {
    /// Cancelled when nobody waits any more.
    abandon: CancellationToken,
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Queue(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    calls: VecDeque<Call>,
    /// Threads that carry calls out.
    awake: usize,
    /// How long a call takes, in the mean of the last ones.
    mean: Duration,
}

impl Hops {
    /// The same, for calls that nobody waits for once the token is cancelled.
    pub(super) fn abandoned_with(abandon: CancellationToken) -> Self {
        Self { abandon, queue: Arc::default() }
    }

    /// Runs the work on a thread that may block. No system call can be taken
    /// back: work that is abandoned goes on until it, or the process, ends.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let cut_short =
            |why: &str| Err(Failure::new(FailureKind::Failed, format!("the file operation was cut short: {why}")));
        if self.abandon.is_cancelled() {
            return cut_short("the program was asked to stop");
        }
        let (sender, done) = oneshot::channel();
        let call = move || -> Tell {
            let done = work();
            // Who waits may have given up.
            Box::new(move || drop(sender.send(done)))
        };
        self.queue.lock().calls.push_back(Box::new(call));
        // Whatever else is ready has its turn to come along.
        tokio::task::yield_now().await;
        self.queue.wake();
        tokio::select! {
            biased;
            done = done => done.or_else(|_| cut_short("it ended abnormally, which is a defect of the program")),
            () = self.abandon.cancelled() => cut_short("the program was asked to stop"),
        }
    }
}

impl Queue {
    /// Sees to it that somebody is awake for the calls that wait.
    fn wake(self: &Arc<Self>) {
        let mut waiting = self.lock();
        let enough = waiting.awake * if waiting.mean < QUICK { QUEUE } else { 0 };
        if waiting.calls.len() > enough {
            waiting.awake += 1;
            drop(waiting);
            let (queue, runtime) = (Arc::clone(self), Handle::current());
            tokio::task::spawn_blocking(move || queue.carry_out(&runtime));
        }
    }

    /// Carries out calls until none waits.
    fn carry_out(&self, runtime: &Handle) {
        while let Some(calls) = self.next() {
            let mut told: Vec<Tell> = Vec::with_capacity(calls.len());
            for call in calls {
                let begun = Instant::now();
                // A call that panics drops its sender, which tells who waits. The others have their turn.
                told.extend(catch_unwind(AssertUnwindSafe(call)));
                let mut waiting = self.lock();
                waiting.mean = (waiting.mean * (REMEMBERED - 1) + begun.elapsed()) / REMEMBERED;
            }
            // From there nobody has to be woken but once.
            runtime.spawn(async move {
                for tell in told {
                    tell();
                }
            });
        }
    }

    /// The next calls for one thread; `None` if none waits and it is to end.
    fn next(&self) -> Option<Vec<Call>> {
        let mut waiting = self.lock();
        let most = if waiting.mean < QUICK { BATCH } else { 1 };
        let count = waiting.calls.len().min(most);
        if count == 0 {
            waiting.awake -= 1;
            return None;
        }
        Some(waiting.calls.drain(..count).collect())
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hops").field("abandon", &self.abandon).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn every_call_is_carried_out_and_answered() {
        let hops = Hops::default();
        let calls = (0..1000).map(|number| hops.blocking(move || number));
        let answers: Vec<i32> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers, (0..1000).collect::<Vec<_>>());
        assert!(hops.queue.lock().calls.is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn calls_that_take_long_do_not_wait_for_each_other() {
        let hops = Hops::default();
        hops.blocking(|| thread::sleep(QUICK * REMEMBERED * 2)).await.unwrap();
        // None of them can end before all have begun.
        let barrier = Arc::new(Barrier::new(QUEUE));
        let calls = (0..QUEUE).map(|_| {
            let barrier = Arc::clone(&barrier);
            hops.blocking(move || barrier.wait().is_leader())
        });
        assert!(join_all(calls).await.iter().all(Result::is_ok));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_stuck_keeps_no_more_than_a_queue_waiting() {
        let hops = Hops::default();
        let (release, held) = std::sync::mpsc::channel::<()>();
        let stuck = tokio::spawn({
            let hops = hops.clone();
            async move { hops.blocking(move || held.recv().is_ok()).await }
        });
        let is_at_work = || {
            let waiting = hops.queue.lock();
            waiting.awake == 1 && waiting.calls.is_empty()
        };
        while !is_at_work() {
            tokio::task::yield_now().await;
        }
        // One more than may wait wakes a thread, which carries out all of them.
        let calls = join_all((0..=QUEUE).map(|number| hops.blocking(move || number))).await;
        assert_eq!(calls.len(), QUEUE + 1);
        release.send(()).unwrap();
        assert!(stuck.await.unwrap().unwrap());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_call_that_panics_fails_by_itself() {
        let hops = Hops::default();
        let (panicking, other) = tokio::join!(hops.blocking(|| panic!("on purpose")), hops.blocking(|| 1));
        assert!(panicking.unwrap_err().reason.contains("defect"));
        assert_eq!(other.unwrap(), 1);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn nobody_waits_once_it_is_abandoned() {
        let abandon = CancellationToken::new();
        let hops = Hops::abandoned_with(abandon.clone());
        let (release, held) = std::sync::mpsc::channel::<()>();
        let waiting = hops.blocking(move || held.recv().is_ok());
        abandon.cancel();
        assert!(waiting.await.is_err());
        assert!(hops.blocking(|| ()).await.is_err());
        drop(release);
    }
}
