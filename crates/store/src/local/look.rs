//! What is at one key now.

use rustix::fs::{FileType, fstat};

use super::failures::{failure, symlink, unknown};
use super::key_path::KeyPath;
use super::root::Root;
use super::stat::{Named, entry_of, kind_of, look_up};
use crate::{Entry, Failure, FailureKind, Key, UnknownReason};

/// The file at the key; `None` where it is proven that there is none: a directory is none.
pub(super) fn look(root: &Root, key: Key) -> Result<Option<Entry>, Failure> {
    let found = find(root, key)?;
    if found.is_none() {
        vouch_for_absence(root)?;
    }
    Ok(found)
}

fn find(root: &Root, key: Key) -> Result<Option<Entry>, Failure> {
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

/// Fails where a name that isn't there proves nothing: in a source that was
/// removed itself, which reads as empty.
fn vouch_for_absence(root: &Root) -> Result<(), Failure> {
    if root.role().may_be_missing() {
        return Ok(());
    }
    let directory = root.open().map_err(|error| failure("open the source", error))?;
    match fstat(&directory) {
        Ok(stat) if stat.st_nlink == 0 => {
            let reason = "whether the source has it can't be told: the source itself was removed while the run went on";
            Err(Failure::new(FailureKind::Failed, reason))
        }
        Ok(_) => Ok(()),
        Err(error) => Err(failure("look at the source", error)),
    }
}
