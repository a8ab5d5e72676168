//! Waiting for what another thread or process does: the one place that polls.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};
use std::{fs, thread};

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

/// Waits until the process has the file or directory open.
pub(crate) fn wait_until_it_has_open(process: u32, path: &Path) {
    let path = path.canonicalize().unwrap();
    wait_until(&format!("{} was never opened", path.display()), || {
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).unwrap();
        // One that was closed meanwhile has no target any more.
        let mut targets = descriptors.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
        targets.any(|target| target == path).then_some(())
    });
}

/// Waits until the file's times lie so far back that no edit could hide behind them.
pub(crate) fn wait_until_it_is_old(path: &Path) {
    let changed = fs::metadata(path).unwrap().ctime();
    wait_until("the file never grew old", || {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        (now > changed.cast_unsigned() + 3).then_some(())
    });
}
