//! What is at one key now.

use rustix::fs::FileType;

use super::failures::{failure, symlink};
use super::key_path::KeyPath;
use super::root::Root;
use super::stat::{Named, entry_of, kind_of, look_up};
use crate::{Entry, Failure, FailureKind, Key, UnknownReason};

/// The file at the key; `None` where it is proven that there is none: a directory is none.
pub(super) fn look(root: &Root, key: Key) -> Result<Option<Entry>, Failure> {
    let path = KeyPath::of(&key)?;
    let Some(directory) = root.find(&path.directories)? else {
        return Ok(None);
    };
    match look_up(&directory, path.name, root.follows()) {
        Ok(Named::Nothing) => Ok(None),
        Ok(Named::BrokenSymlink) => Err(unknown(&UnknownReason::BrokenSymlink)),
        Ok(Named::Is(stat)) => match kind_of(&stat) {
            FileType::RegularFile => Ok(Some(entry_of(key, &stat))),
            FileType::Directory => Ok(None),
            FileType::Symlink => Err(symlink(&key)),
            _ => Err(unknown(&UnknownReason::SpecialFile)),
        },
        Err(error) => Err(failure("look at the file", error)),
    }
}

fn unknown(reason: &UnknownReason) -> Failure {
    Failure::new(FailureKind::Failed, reason.to_string())
}
