//! What is at one key now.

use rustix::fs::{AtFlags, FileType, statat};
use rustix::io::Errno;

use super::failures::{failure, symlink};
use super::key_path::KeyPath;
use super::root::Root;
use super::stat::{entry_of, kind_of};
use crate::{Entry, Failure, FailureKind, Key, UnknownReason};

/// The file at the key; `None` where it is proven that there is none: a
/// directory is none, and nothing is at a key that no file can have.
pub(super) fn look(root: &Root, key: Key) -> Result<Option<Entry>, Failure> {
    let path = match KeyPath::of(&key) {
        Ok(path) => path,
        Err(failure) if key.is_reserved() => return Err(failure),
        Err(_) => return Ok(None),
    };
    let Some(directory) = root.find(&path.directories)? else {
        return Ok(None);
    };
    let flags = if root.follows() { AtFlags::empty() } else { AtFlags::SYMLINK_NOFOLLOW };
    let stat = match statat(&directory, path.name, flags) {
        Ok(stat) => stat,
        Err(Errno::NOENT) if !root.follows() => return Ok(None),
        // Where symlinks are followed, a broken one looks like nothing, but proves nothing.
        Err(Errno::NOENT) => {
            return match statat(&directory, path.name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => Ok(None),
                Err(error) => Err(failure("look at the file", error)),
                Ok(_) => Err(Failure::new(FailureKind::Failed, UnknownReason::BrokenSymlink.to_string())),
            };
        }
        Err(error) => return Err(failure("look at the file", error)),
    };
    match kind_of(&stat) {
        FileType::RegularFile => Ok(Some(entry_of(key, &stat))),
        FileType::Directory => Ok(None),
        FileType::Symlink => Err(symlink(&key)),
        _ => Err(Failure::new(FailureKind::Failed, UnknownReason::SpecialFile.to_string())),
    }
}
