//! Calls that are quick, slow, stuck, given up; on one thread and on several.

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
