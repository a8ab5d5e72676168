//! The way to threads that may block, shared by the calls of a tree.
//!
//! A thread of its own for each call costs more than a small file: waking it
//! and being woken by it takes 12 us of CPU, reading 4 KB that are cached 5.
//! And threads that make files in one directory wait for its lock, spinning.
//! So quick calls queue up; a thread that is awake carries out what has come,
//! and tells those who wait several at once. Where they turn out to take long,
//! on a slow disk or a network's file system, each has its own thread again;
//! and where one is stuck, another thread soon takes up what waits behind it.

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

/// Of how many calls the mean is taken.
const REMEMBERED: u32 = 8;

/// Quick calls that a thread carries out before it tells of them.
const BATCH: usize = 16;

/// Quick calls that may wait for each thread before another one is woken.
const QUEUE: usize = 32;

/// How long calls may wait while none ends: then whoever is at work is stuck.
const PATIENCE: Duration = Duration::from_millis(5);

/// What is to be done on a thread that may block.
type Call = Box<dyn FnOnce() -> Option<Tell> + Send>;

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
    /// Of calls that have ended.
    told: Vec<Tell>,
    /// Threads that carry calls out.
    awake: usize,
    /// How long a call takes, in the mean of the last ones.
    mean: Duration,
    /// How many calls have ended.
    ended: u64,
    /// Whether somebody looks after those who are stuck.
    is_watched: bool,
}

impl Hops {
    /// The same, for calls that nobody waits for once the token is cancelled.
    pub(super) fn abandoned_with(abandon: CancellationToken) -> Self {
        Self { abandon, queue: Arc::default() }
    }

    /// Runs work that is likely to be quick, and small, on a thread that may
    /// block. No system call can be taken back: one that is abandoned goes on
    /// until it, or the process, ends; what has not begun by then never does.
    pub(super) async fn quick<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let (sender, done) = oneshot::channel();
        let call = move || -> Option<Tell> {
            if sender.is_closed() {
                return None;
            }
            let done = work();
            // What nobody takes is dropped here, where it may block.
            if sender.is_closed() { None } else { Some(Box::new(move || drop(sender.send(done)))) }
        };
        if self.abandon.is_cancelled() {
            return stopping();
        }
        self.queue.lock().calls.push_back(Box::new(call));
        // Whatever else is ready has its turn to come along.
        tokio::task::yield_now().await;
        self.queue.wake();
        tokio::select! {
            biased;
            done = done => done.or_else(|_| defective()),
            () = self.abandon.cancelled() => stopping(),
        }
    }

    /// Runs work that takes as long as its content is, on a thread of its own.
    pub(super) async fn long<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.abandon.cancelled() => stopping(),
            done = tokio::task::spawn_blocking(work) => done.or_else(|_| defective()),
        }
    }
}

fn stopping<T>() -> Result<T, Failure> {
    Err(Failure::new(FailureKind::Failed, "the file operation was cut short: the program was asked to stop"))
}

fn defective<T>() -> Result<T, Failure> {
    let reason = "the file operation was cut short: it ended abnormally, which is a defect of the program";
    Err(Failure::new(FailureKind::Failed, reason))
}

impl Queue {
    /// Sees to it that somebody is awake for the calls that wait.
    fn wake(self: &Arc<Self>) {
        let mut waiting = self.lock();
        let enough = waiting.awake * if waiting.mean < QUICK { QUEUE } else { 0 };
        if waiting.calls.len() > enough {
            self.start_thread(&mut waiting);
        }
    }

    fn start_thread(self: &Arc<Self>, waiting: &mut Waiting) {
        waiting.awake += 1;
        let (queue, runtime) = (Arc::clone(self), Handle::current());
        tokio::task::spawn_blocking(move || queue.carry_out(&runtime));
        if !std::mem::replace(&mut waiting.is_watched, true) {
            tokio::spawn(Arc::clone(self).watch());
        }
    }

    /// Carries out calls until none waits.
    fn carry_out(&self, runtime: &Handle) {
        let mut ended = None;
        loop {
            let (told, next) = self.next(ended);
            if !told.is_empty() {
                // From there nobody has to be woken but once.
                runtime.spawn(async move { tell(told) });
            }
            let Some(call) = next else { return };
            let begun = Instant::now();
            // A call that panics drops its sender, which tells who waits. The others have their turn.
            let told = catch_unwind(AssertUnwindSafe(call)).ok().flatten();
            ended = Some((begun.elapsed(), told));
        }
    }

    /// Takes note of a call that has ended. Gives what is to be told now, and
    /// the next call; none if none waits, and the thread is to end.
    fn next(&self, ended: Option<(Duration, Option<Tell>)>) -> (Vec<Tell>, Option<Call>) {
        let mut waiting = self.lock();
        if let Some((took, told)) = ended {
            waiting.mean = (waiting.mean * (REMEMBERED - 1) + took) / REMEMBERED;
            waiting.ended += 1;
            waiting.told.extend(told);
        }
        let next = waiting.calls.pop_front();
        if next.is_none() {
            waiting.awake -= 1;
        }
        let is_due = next.is_none() || waiting.told.len() >= BATCH || waiting.mean >= QUICK;
        (if is_due { std::mem::take(&mut waiting.told) } else { Vec::new() }, next)
    }

    /// Tells of what has ended, and wakes another thread for what waits, where
    /// those that are awake are stuck. Ends when none is awake.
    async fn watch(self: Arc<Self>) {
        let mut before = 0;
        loop {
            tokio::time::sleep(PATIENCE).await;
            let told = {
                let mut waiting = self.lock();
                if waiting.awake == 0 {
                    waiting.is_watched = false;
                    return;
                }
                if waiting.ended == before && !waiting.calls.is_empty() {
                    self.start_thread(&mut waiting);
                }
                before = waiting.ended;
                std::mem::take(&mut waiting.told)
            };
            tell(told);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(told: Vec<Tell>) {
    for tell in told {
        tell();
    }
}

impl fmt::Debug for Hops {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hops").field("abandon", &self.abandon).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
