//! Markers: keys that end in `/` and hold no bytes stand for a directory.

use std::os::fd::OwnedFd;

use rustix::fs::fstat;

use super::failures::failure;
use super::key_path::KeyPath;
use super::root::Root;
use super::stat::entry_of;
use crate::{Entry, Failure, Key, NewObject, Receipt, Verified};

/// The directory that a marker stands for; `None` where there is none.
pub(super) fn look(root: &Root, marker: Key) -> Result<Option<Entry>, Failure> {
    let found = root.find(&KeyPath::of_object(&marker, 0)?.components())?;
    found.map(|directory| entry_at(marker, &directory)).transpose()
}

/// Makes the directory that a marker stands for, if it is missing.
pub(super) fn write(root: &Root, object: NewObject) -> Result<Receipt, Failure> {
    let made = root.make(&KeyPath::of_object(&object.key, object.size)?.components())?;
    Ok(Receipt { entry: entry_at(object.key, &made)?, verified: Verified::Yes, digest: None })
}

/// The marker's entry: a directory has no bytes of its own to copy.
fn entry_at(marker: Key, directory: &OwnedFd) -> Result<Entry, Failure> {
    let stat = fstat(directory).map_err(|error| failure("look at the directory", error))?;
    Ok(Entry { size: 0, ..entry_of(marker, &stat) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::Symlinks;
    use crate::local::root::Role;
    use crate::local::scenery::Scenery;
    use crate::{Condition, FailureKind, ObjectHeaders};

    fn marker(key: &str, size: u64) -> NewObject {
        let headers = ObjectHeaders::default();
        NewObject { key: Key::from(key), size, headers, condition: Condition::Absent, part_size: None, digest: None }
    }

    #[test]
    fn a_marker_is_satisfied_by_its_directory_made_if_it_is_missing() {
        let scenery = Scenery::new();
        let root = Root::new(scenery.path().to_owned(), Symlinks::Skip, Role::Destination);
        assert_eq!(look(&root, Key::from("a/b/")).unwrap(), None);
        for _ in 0..2 {
            assert_eq!(write(&root, marker("a/b/", 0)).unwrap().entry.size, 0);
            assert!(scenery.path().join("a/b").is_dir());
        }
        assert_eq!(look(&root, Key::from("a/b/")).unwrap().unwrap().key, Key::from("a/b/"));
    }

    #[test]
    fn what_is_no_directory_is_no_marker() {
        let scenery = Scenery::new();
        scenery.file("file", "content");
        let root = Root::new(scenery.path().to_owned(), Symlinks::Skip, Role::Destination);
        assert_eq!(look(&root, Key::from("file/")).unwrap(), None);
        let table = [
            ("file/", 0, FailureKind::Obstructed),
            ("d/", 1, FailureKind::Unrepresentable),
            ("/", 0, FailureKind::Unrepresentable),
            ("../", 0, FailureKind::Unrepresentable),
            ("a//", 0, FailureKind::Unrepresentable),
        ];
        for (key, size, kind) in table {
            assert_eq!(write(&root, marker(key, size)).unwrap_err().kind, kind, "{key}");
        }
    }
}
