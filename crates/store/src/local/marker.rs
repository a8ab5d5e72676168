//! Markers: keys that end in `/` and hold no bytes stand for a directory.

use std::os::fd::OwnedFd;

use rustix::fs::fstat;

use super::failures::failure;
use super::key_path::KeyPath;
use super::root::Root;
use super::stat::entry_of;
use crate::{Entry, Failure, FailureKind, Key, NewObject, Receipt, Verified};

/// The directory that a marker stands for; `None` where there is none.
pub(super) fn look(root: &Root, marker: Key) -> Result<Option<Entry>, Failure> {
    let directory = directory_key(&marker);
    let path = KeyPath::of(&directory)?;
    root.find(&path.components())?.map(|directory| entry_at(marker, &directory)).transpose()
}

/// Makes the directory that a marker stands for, if it is missing.
pub(super) fn write(root: &Root, object: NewObject) -> Result<Receipt, Failure> {
    if object.size > 0 {
        let reason = "no file can have this key: it ends with a slash, and has content; rename or exclude it";
        return Err(Failure::new(FailureKind::Unrepresentable, reason));
    }
    let directory = directory_key(&object.key);
    let made = root.make(&KeyPath::of(&directory)?.components())?;
    Ok(Receipt { entry: entry_at(object.key, &made)?, verified: Verified::Yes })
}

fn directory_key(marker: &Key) -> Key {
    let bytes = marker.as_bytes();
    Key::new(bytes.strip_suffix(b"/").unwrap_or(bytes))
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
    use crate::{Condition, ObjectHeaders};

    fn marker(key: &str, size: u64) -> NewObject {
        let headers = ObjectHeaders::default();
        NewObject { key: Key::from(key), size, headers, condition: Condition::Absent }
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
