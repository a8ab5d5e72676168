//! Making what was written durable: still there after a power cut.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;

use super::failures::failure;
use super::root::Root;
use super::stat::Identity;
use crate::Failure;

/// Syncs the file system that the root is on: contents, names and removals,
/// all at once, which costs less than a sync for each of many files.
pub(super) fn make_durable(root: &Root) -> Result<(), Failure> {
    match root.open() {
        Ok(root) => sync(&root).map_err(|error| failure("sync the file system", error)),
        // Nothing was written in what isn't there.
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(failure("open the root", error)),
    }
}

/// Makes one file and its name durable, where a directory below the root is on
/// another file system than the root: that one is not synced with it.
pub(super) fn make_file_durable(
    root: &Root,
    file: &File,
    directory: &OwnedFd,
    directory_identity: Identity,
) -> Result<(), Failure> {
    if root.shares_file_system_with(directory_identity) {
        return Ok(());
    }
    let synced = rustix::fs::fsync(file).and_then(|()| rustix::fs::fsync(directory));
    synced.map_err(|error| failure("sync the file", error))
}

#[cfg(target_os = "linux")]
fn sync(directory: impl AsFd) -> Result<(), Errno> {
    rustix::fs::syncfs(directory)
}

#[cfg(not(target_os = "linux"))]
fn sync(_directory: impl AsFd) -> Result<(), Errno> {
    rustix::fs::sync();
    Ok(())
}
