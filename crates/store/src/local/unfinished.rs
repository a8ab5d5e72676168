//! The temporary files of this process, so that none outlives it when it has
//! to end before those who write them.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::{AtFlags, unlinkat};

/// All of them. The process has one end, and this is for it.
static UNFINISHED: Mutex<Unfinished> = Mutex::new(Unfinished { is_over: false, next: 0, files: BTreeMap::new() });

struct Unfinished {
    /// Whether the process ends, and no more may be made.
    is_over: bool,
    next: u64,
    files: BTreeMap<u64, (Arc<OwnedFd>, Vec<u8>)>,
}

/// Removes the temporary files of all that this process still writes, and lets
/// none be made any more. What is written appears nowhere then. For the end of
/// the process; it blocks as long as the file system does.
pub fn remove_temporary_files() {
    let files = {
        let mut unfinished = lock();
        unfinished.is_over = true;
        std::mem::take(&mut unfinished.files)
    };
    for (directory, name) in files.into_values() {
        // One that is gone already is as good, and nobody is left to be told of others.
        let _ = unlinkat(directory, name.as_slice(), AtFlags::empty());
    }
}

/// Whether the process ends, and no temporary file may be made any more.
pub(super) fn is_over() -> bool {
    lock().is_over
}

/// A temporary file's place among the unfinished ones, until it is dropped.
#[derive(Debug)]
pub(super) struct Place(u64);

impl Place {
    /// To be taken before the file is made.
    pub(super) fn take(directory: &Arc<OwnedFd>, name: &[u8]) -> Self {
        let mut unfinished = lock();
        unfinished.next += 1;
        let number = unfinished.next;
        unfinished.files.insert(number, (directory.clone(), name.to_vec()));
        Self(number)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock().files.remove(&self.0);
    }
}

fn lock() -> MutexGuard<'static, Unfinished> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}
