//! Temporary files that a killed process left behind: recognised by their
//! name, proven to be nobody's by their lock, and removed.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, flock, fstat, openat, unlinkat};

use super::stat::{Identity, kind_of, stat_of};
use crate::Key;
use crate::key::is_temporary_name;

/// Removes what has this name in the directory, if it is a temporary file and
/// no process has it locked: each holds a lock on its own for as long as it
/// lives. Where the file system can't lock, or anything is unclear, it stays.
pub(super) fn sweep(directory: BorrowedFd<'_>, prefix: &[u8], name: &[u8]) {
    if is_temporary_name(name) && is_removed(directory, name) {
        let key = Key::new([prefix, name].concat());
        tracing::info!("removed the temporary file {key}, which a run that was killed had left behind");
    }
}

fn is_removed(directory: BorrowedFd<'_>, name: &[u8]) -> bool {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = openat(directory, name, flags, Mode::empty()) else { return false };
    let Ok(opened) = fstat(&file) else { return false };
    if kind_of(&opened) != FileType::RegularFile || flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return false;
    }
    let is_still_there =
        matches!(stat_of(directory, name), Ok(Some(stat)) if Identity::of(&stat) == Identity::of(&opened));
    is_still_there && unlinkat(directory, name, AtFlags::empty()).is_ok()
}
