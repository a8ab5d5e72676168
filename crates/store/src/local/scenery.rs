//! Trees on disk for tests, made from keys.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::{Extent, Key, Listed, UnknownReason};

/// A directory that is gone with the test.
pub(super) struct Scenery(TempDir);

impl Scenery {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The path of a key.
    pub(super) fn at(&self, key: impl AsRef<[u8]>) -> PathBuf {
        self.path().join(OsStr::from_bytes(key.as_ref()))
    }

    /// A file, with the directories that lead to it.
    pub(super) fn file(&self, key: impl AsRef<[u8]>, content: impl AsRef<[u8]>) {
        let path = self.at(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(super) fn directory(&self, key: impl AsRef<[u8]>) {
        fs::create_dir_all(self.at(key)).unwrap();
    }

    pub(super) fn link(&self, key: impl AsRef<[u8]>, target: impl AsRef<Path>) {
        symlink(target, self.at(key)).unwrap();
    }

    /// Something that is neither a file nor a directory.
    pub(super) fn socket(&self, key: impl AsRef<[u8]>) {
        std::os::unix::net::UnixListener::bind(self.at(key)).unwrap();
    }

    /// The content of the file at the key, if there is one.
    pub(super) fn content(&self, key: &str) -> Option<Vec<u8>> {
        fs::read(self.at(key)).ok()
    }

    /// Every name in the tree, those of directories and temporary files included.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut directories = vec![self.path().to_owned()];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let entry = entry.unwrap();
                names.push(entry.path().strip_prefix(self.path()).unwrap().to_string_lossy().into_owned());
                if entry.file_type().unwrap().is_dir() {
                    directories.push(entry.path());
                }
            }
        }
        names.sort();
        names
    }
}

/// An item in a word: the key, and for an unknown its extent and reason.
pub(super) fn in_a_word(item: &Listed) -> String {
    match item {
        Listed::Present(entry) => entry.key.to_string(),
        Listed::Unknown(unknown) => {
            let reach = if unknown.extent == Extent::Below { "*" } else { "" };
            let reason = match &unknown.reason {
                UnknownReason::SpecialFile => "special",
                UnknownReason::Symlink => "symlink",
                UnknownReason::BrokenSymlink => "broken",
                UnknownReason::SymlinkLoop => "loop",
                UnknownReason::UnreadableSymlink(_) | UnknownReason::Unreadable(_) => "unreadable",
                UnknownReason::NotKept | UnknownReason::NotTold | UnknownReason::Generated => "of no tree",
            };
            format!("{}{reach} {reason}", unknown.key)
        }
    }
}

/// The keys of the items, all of which must be present.
pub(super) fn keys_of(items: &[Listed]) -> Vec<Key> {
    let key = |item: &Listed| match item {
        Listed::Present(entry) => entry.key.clone(),
        Listed::Unknown(unknown) => panic!("{unknown:?}"),
    };
    items.iter().map(key).collect()
}
