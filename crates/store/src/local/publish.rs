//! Making a written file visible under its name, under its condition.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, FileType, Mode, RenameFlags, linkat, renameat, renameat_with, unlinkat};
use rustix::io::Errno;

use super::failures::{changed, failure, obstructed, special, symlink};
use super::room::{clear, is_bare};
use super::stat::{entry_of, kind_of, stat_of};
use crate::{Condition, Entry, Failure, Key};

/// Checks that the name in the directory is as the condition wants it. Gives
/// the permission bits of the file that is to be replaced, if one is.
pub(super) fn check(
    directory: BorrowedFd<'_>,
    name: &[u8],
    key: &Key,
    condition: &Condition,
) -> Result<Option<Mode>, Failure> {
    let Some(stat) = stat_of(directory, name).map_err(|error| failure("look at the target", error))? else {
        return match condition {
            Condition::Absent => Ok(None),
            Condition::Replaces(_) => Err(changed("the file to replace is gone")),
        };
    };
    match (kind_of(&stat), condition) {
        (FileType::RegularFile, Condition::Replaces(listed)) if entry_of(key.clone(), &stat) == under(listed, key) => {
            Ok(Some(Mode::from_raw_mode(stat.st_mode) & (Mode::RWXU | Mode::RWXG | Mode::RWXO)))
        }
        (FileType::RegularFile, Condition::Replaces(_)) => Err(changed("the file to replace is not the one listed")),
        (FileType::RegularFile, Condition::Absent) => Err(changed("a file has appeared there since it was listed")),
        (FileType::Directory, Condition::Absent) if is_bare(directory, name) => Ok(None),
        (FileType::Directory, _) => Err(obstructed()),
        (FileType::Symlink, _) => Err(symlink(key)),
        _ => Err(special()),
    }
}

/// Gives the temporary file its name, if the condition still holds.
pub(super) fn publish(
    directory: BorrowedFd<'_>,
    temporary: &[u8],
    name: &[u8],
    key: &Key,
    condition: &Condition,
) -> Result<(), Failure> {
    let renamed = match condition {
        Condition::Replaces(_) => {
            check(directory, name, key, condition)?;
            // No call compares and renames at once: who writes the same file
            // between the check above and this is not noticed.
            renameat(directory, temporary, directory, name)
        }
        Condition::Absent => match rename_to_free_name(directory, temporary, name) {
            Err(Errno::EXIST) if clear(directory, name).is_ok() => rename_to_free_name(directory, temporary, name),
            renamed => renamed,
        },
    };
    renamed.map_err(|error| match (error, check(directory, name, key, condition)) {
        (Errno::EXIST | Errno::ISDIR, Err(failure)) => failure,
        _ => failure("give the written file its name", error),
    })
}

/// Renames, and fails with [`Errno::EXIST`] where something has the name.
fn rename_to_free_name(directory: BorrowedFd<'_>, temporary: &[u8], name: &[u8]) -> Result<(), Errno> {
    match renameat_with(directory, temporary, directory, name, RenameFlags::NOREPLACE) {
        // Not every kernel and file system can: a second link does the same in two steps.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => link_to_free_name(directory, temporary, name),
        renamed => renamed,
    }
}

fn link_to_free_name(directory: BorrowedFd<'_>, temporary: &[u8], name: &[u8]) -> Result<(), Errno> {
    match linkat(directory, temporary, directory, name, AtFlags::empty()) {
        Ok(()) => unlinkat(directory, temporary, AtFlags::empty()),
        // Nor has every one links. Then a look just before must do.
        Err(Errno::PERM | Errno::NOSYS | Errno::NOTSUP) => match stat_of(directory, name)? {
            Some(_) => Err(Errno::EXIST),
            None => renameat(directory, temporary, directory, name),
        },
        Err(error) => Err(error),
    }
}

/// The entry as it would be at this key: conditions are about the version.
fn under(listed: &Entry, key: &Key) -> Entry {
    Entry { key: key.clone(), ..listed.clone() }
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsFd, OwnedFd};

    use super::*;
    use crate::local::scenery::Scenery;

    #[test]
    fn neither_way_of_taking_a_free_name_replaces_anything() {
        for take in [rename_to_free_name, link_to_free_name] {
            let scenery = Scenery::new();
            scenery.file("temporary", "ours");
            let directory: OwnedFd = std::fs::File::open(scenery.path()).unwrap().into();
            scenery.file("file", "theirs");
            scenery.directory("directory");
            scenery.link("link", "nowhere");
            for taken in ["file", "directory", "link"] {
                assert_eq!(take(directory.as_fd(), b"temporary", taken.as_bytes()), Err(Errno::EXIST));
            }
            assert_eq!(scenery.content("file").unwrap(), b"theirs");
            assert_eq!(take(directory.as_fd(), b"temporary", b"free"), Ok(()));
            assert_eq!(scenery.content("free").unwrap(), b"ours");
            assert_eq!(scenery.names(), ["directory", "file", "free", "link"]);
        }
    }
}
