//! What stands in the way of a new file or directory, and what gives way.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::{AtFlags, Dir, FileType, unlinkat};
use rustix::io::Errno;

use super::failures::{failure, obstructed, special, symlink};
use super::key_path::KeyPath;
use super::root::{Root, open_directory};
use super::stat::{kind_of, stat_of};
use crate::key::is_temporary_name;
use crate::{Failure, Key};

/// Empty directories within each other that still give way; deeper ones are left alone.
const LEVELS: usize = 32;

/// Fails as making the key's file, or the directory that a marker stands for, would now.
pub(super) fn check_room(root: &Root, key: &Key) -> Result<(), Failure> {
    let path = KeyPath::of_object(key, 0)?;
    if key.is_marker() {
        return root.enter(&path.components()).map(drop);
    }
    let Some(directory) = root.enter(&path.directories)? else { return Ok(()) };
    let stat = stat_of(&directory, path.name).map_err(|error| failure("look at the target", error))?;
    match stat.map(|stat| kind_of(&stat)) {
        None | Some(FileType::RegularFile) => Ok(()),
        // What a killed run left behind is gone by the time that something is made.
        Some(FileType::Directory)
            if bare_directories(directory.as_fd(), path.name, LEVELS, is_temporary_name).is_ok() =>
        {
            Ok(())
        }
        Some(FileType::Directory) => Err(obstructed()),
        Some(FileType::Symlink) => Err(symlink(key)),
        Some(_) => Err(special()),
    }
}

/// Whether it is a directory that holds nothing but directories that hold
/// nothing: it has no keys, and a file may take its place.
pub(super) fn is_bare(parent: BorrowedFd<'_>, name: &[u8]) -> bool {
    bare_directories(parent, name, LEVELS, |_| false).is_ok()
}

/// Removes such a directory. None of this can remove anything but empty directories.
pub(super) fn clear(parent: BorrowedFd<'_>, name: &[u8]) -> Result<(), Errno> {
    for within in bare_directories(parent, name, LEVELS, |_| false)? {
        let opened = open_directory(parent, name, false).map_err(|_| Errno::NOTEMPTY)?;
        clear(opened.as_fd(), &within)?;
    }
    unlinkat(parent, name, AtFlags::REMOVEDIR)
}

/// The names in a directory that holds only bare ones, and what is ignored.
fn bare_directories(
    parent: BorrowedFd<'_>,
    name: &[u8],
    levels: usize,
    ignored: fn(&[u8]) -> bool,
) -> Result<Vec<Vec<u8>>, Errno> {
    let levels = levels.checked_sub(1).ok_or(Errno::NOTEMPTY)?;
    let directory = open_directory(parent, name, false).map_err(|_| Errno::NOTEMPTY)?;
    let mut names = Vec::new();
    for entry in Dir::read_from(&directory)? {
        let name = entry?.file_name().to_bytes().to_vec();
        if !matches!(name.as_slice(), b"." | b"..") && !ignored(&name) {
            bare_directories(directory.as_fd(), &name, levels, ignored)?;
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::scenery::Scenery;

    #[test]
    fn only_directories_without_any_file_give_way() {
        let scenery = Scenery::new();
        for directory in ["empty", "nested/a/b", "nested/c", "full/a/b", "linked"] {
            std::fs::create_dir_all(scenery.path().join(directory)).unwrap();
        }
        scenery.file("full/a/b/file", "kept");
        scenery.link("linked/link", "nowhere");
        scenery.file("file", "kept");
        let directory = std::fs::File::open(scenery.path()).unwrap();
        for (name, gives_way) in
            [("empty", true), ("nested", true), ("full", false), ("linked", false), ("file", false)]
        {
            assert_eq!(is_bare(directory.as_fd(), name.as_bytes()), gives_way, "{name}");
            assert_eq!(clear(directory.as_fd(), name.as_bytes()).is_ok(), gives_way, "{name}");
            assert_eq!(scenery.path().join(name).exists(), !gives_way, "{name}");
        }
    }
}
