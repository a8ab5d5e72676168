//! Removing files, and the directories that this leaves empty.

use std::collections::BTreeSet;

use rustix::fs::{AtFlags, FileType, unlinkat};
use rustix::io::Errno;

use super::failures::{changed, failure, symlink};
use super::key_path::KeyPath;
use super::root::Root;
use super::stat::{entry_of, kind_of, stat_of};
use crate::{Entry, Failure};

/// Removes each file if it is still the version given, then the directories
/// that this emptied. One result for each file, in the same order.
pub(super) fn remove(root: &Root, entries: &[Entry]) -> Vec<Result<(), Failure>> {
    let mut left: BTreeSet<Vec<&[u8]>> = BTreeSet::new();
    let results = entries
        .iter()
        .map(|entry| {
            let path = KeyPath::of(&entry.key)?;
            if remove_file(root, &path, entry)? && !path.directories.is_empty() {
                left.insert(path.directories);
            }
            Ok(())
        })
        .collect();
    remove_empty_directories(root, left);
    results
}

/// Removes the file; `false` if it was gone already.
fn remove_file(root: &Root, path: &KeyPath<'_>, entry: &Entry) -> Result<bool, Failure> {
    let Some(directory) = root.find(&path.directories)? else {
        return Ok(false);
    };
    let stat = stat_of(&directory, path.name).map_err(|error| failure("look at the file", error))?;
    let Some(stat) = stat else {
        return Ok(false);
    };
    match kind_of(&stat) {
        FileType::RegularFile if entry_of(entry.key.clone(), &stat) == *entry => {}
        FileType::Symlink => return Err(symlink(&entry.key)),
        _ => return Err(changed("it is not the file that was listed")),
    }
    match unlinkat(&directory, path.name, AtFlags::empty()) {
        Ok(()) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(failure("remove the file", error)),
    }
}

/// Removes those of the directories that are empty, and then those above them
/// that this emptied; never the root.
fn remove_empty_directories(root: &Root, mut candidates: BTreeSet<Vec<&[u8]>>) {
    // A directory comes after the one that it lies in: taken from the end,
    // each is tried when everything in it has been.
    while let Some(directories) = candidates.pop_last() {
        let Some((name, above)) = directories.split_last() else { continue };
        let Ok(Some(parent)) = root.find(above) else { continue };
        // Whatever forbids it, most often that it isn't empty, the directory may stay.
        if unlinkat(&parent, *name, AtFlags::REMOVEDIR).is_ok() && !above.is_empty() {
            candidates.insert(above.to_vec());
        }
    }
}
