//! Waiting for what another thread or process does: the one place that polls.

use std::thread;
use std::time::Duration;

/// What is found, once it is there; looked for again and again, for half a minute at most.
#[track_caller]
pub(crate) fn wait_until<T>(what: &str, mut find: impl FnMut() -> Option<T>) -> T {
    for _ in 0..3000 {
        if let Some(found) = find() {
            return found;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain: {what}");
}
