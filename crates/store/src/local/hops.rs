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
mod tests {
    use std::sync::{Barrier, mpsc};
    use std::thread;

    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use tokio::runtime::Builder;

    use super::*;

    /// Does the same on one thread and on several.
    fn on_both_runtimes<F: Future<Output = ()>>(test: impl Fn(Hops) -> F) {
        for mut builder in [Builder::new_current_thread(), Builder::new_multi_thread()] {
            let runtime = builder.enable_all().build().unwrap();
            runtime.block_on(test(Hops::default()));
            runtime.shutdown_background();
        }
    }

    #[test]
    fn every_call_is_carried_out_and_answered() {
        on_both_runtimes(|hops| async move {
            let calls = (0..1000).map(|number| hops.quick(move || number));
            let answers: Vec<i32> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
            assert_eq!(answers, (0..1000).collect::<Vec<_>>());
            assert!(hops.queue.lock().calls.is_empty());
            assert_eq!(hops.long(|| 1).await.unwrap(), 1);
        });
    }

    #[test]
    fn calls_that_take_long_do_not_wait_for_each_other() {
        on_both_runtimes(|hops| async move {
            hops.quick(|| thread::sleep(QUICK * REMEMBERED * 2)).await.unwrap();
            // None of them can end before all have begun.
            let barrier = Arc::new(Barrier::new(QUEUE));
            let calls = (0..QUEUE).map(|_| {
                let barrier = Arc::clone(&barrier);
                hops.quick(move || barrier.wait().is_leader())
            });
            assert!(join_all(calls).await.iter().all(Result::is_ok));
        });
    }

    #[test]
    fn what_is_stuck_keeps_nobody_waiting() {
        on_both_runtimes(|hops| async move {
            let (release, held) = mpsc::channel::<()>();
            let held = Arc::new(Mutex::new(held));
            let stuck: Vec<_> = (0..3)
                .map(|_| {
                    let (hops, held) = (hops.clone(), Arc::clone(&held));
                    tokio::spawn(async move { hops.quick(move || held.lock().unwrap().recv().is_ok()).await })
                })
                .collect();
            // Before them, between them and after them: far fewer than threads were woken for.
            for number in 0..3 {
                let calls = join_all((0..=number).map(|number| hops.quick(move || number))).await;
                assert!(calls.iter().all(Result::is_ok));
            }
            for _ in 0..3 {
                release.send(()).unwrap();
            }
            for stuck in stuck {
                assert!(stuck.await.unwrap().unwrap());
            }
        });
    }

    #[test]
    fn a_call_that_panics_fails_by_itself() {
        on_both_runtimes(|hops| async move {
            let (panicking, other) = tokio::join!(hops.quick(|| panic!("on purpose")), hops.quick(|| 1));
            assert!(panicking.unwrap_err().reason.contains("defect"));
            assert_eq!(other.unwrap(), 1);
            assert!(hops.long(|| panic!("on purpose")).await.unwrap_err().reason.contains("defect"));
        });
    }

    #[test]
    fn nothing_begins_that_nobody_waits_for() {
        on_both_runtimes(|hops| async move {
            let (release, held) = mpsc::channel::<()>();
            let (begun, has_begun) = mpsc::channel::<()>();
            let stuck = tokio::spawn({
                let hops = hops.clone();
                async move { hops.quick(move || held.recv().is_ok()).await }
            });
            while hops.queue.lock().awake == 0 {
                tokio::task::yield_now().await;
            }
            // It queues up behind the one that is at work, and is given up there.
            assert!(hops.quick(move || begun.send(()).is_ok()).now_or_never().is_none());
            release.send(()).unwrap();
            assert!(stuck.await.unwrap().unwrap());
            while hops.queue.lock().awake > 0 {
                tokio::time::sleep(PATIENCE).await;
            }
            assert!(hops.queue.lock().calls.is_empty() && has_begun.try_recv().is_err());
        });
    }

    #[test]
    fn nobody_waits_once_it_is_abandoned() {
        on_both_runtimes(|_| async {
            let abandon = CancellationToken::new();
            let hops = Hops::abandoned_with(abandon.clone());
            let (release, held) = mpsc::channel::<()>();
            let held = Arc::new(Mutex::new(held));
            let work = || {
                let held = Arc::clone(&held);
                move || held.lock().unwrap().recv().is_ok()
            };
            let (quick, long, ()) = tokio::join!(hops.quick(work()), hops.long(work()), async { abandon.cancel() });
            assert!(quick.is_err() && long.is_err());
            assert!(hops.quick(|| ()).await.is_err() && hops.long(|| ()).await.is_err());
            drop(release);
        });
    }
}
