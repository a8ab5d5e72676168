//! Directories of a [`super::MemoryStore`] that is a tree: what stands in whose way.

use std::ops::Bound;
use std::time::SystemTime;

use super::State;
use super::objects::Objects;
use crate::{Entry, Failure, FailureKind, Key, Version};

impl State {
    /// Makes the directory that this key, which ends in `/`, stands for.
    pub(super) fn make_directory(&mut self, key: &Key) -> Entry {
        for end in slashes(key.as_bytes()) {
            let directory = Key::new(&key.as_bytes()[..=end]);
            if self.objects.made.insert(directory.clone()) {
                self.unwritten.note_made(directory);
            }
        }
        entry(key)
    }
}

impl Objects {
    /// The directory that this key, which ends in `/`, stands for.
    pub(super) fn directory(&self, key: &Key) -> Option<Entry> {
        self.is_directory(key.as_bytes()).then(|| entry(key))
    }

    /// Whether neither a directory stands at the key nor a file above it.
    pub(super) fn check_not_obstructed(&self, key: &Key) -> Result<(), Failure> {
        let bytes = key.as_bytes();
        if slashes(bytes).any(|slash| self.stored.contains_key(&bytes[..slash])) {
            return Err(Failure::new(FailureKind::Obstructed, "a file stands where a directory must go"));
        }
        if !key.is_marker() && self.is_directory(&[bytes, b"/"].concat()) {
            return Err(Failure::new(FailureKind::Obstructed, "a directory stands where the file must go"));
        }
        Ok(())
    }

    /// Directories go with the last file in them.
    pub(super) fn forget_emptied_directories(&mut self, removed: &Key) {
        let bytes = removed.as_bytes();
        let above: Vec<usize> = slashes(bytes).collect();
        for end in above.into_iter().rev() {
            let directory = &bytes[..=end];
            let below = (Bound::Excluded(directory), Bound::Unbounded);
            let holds_directory =
                self.made.range::<[u8], _>(below).next().is_some_and(|next| below_it(next, directory));
            if self.holds_file(directory) || holds_directory {
                return;
            }
            self.made.remove(directory);
        }
    }

    fn is_directory(&self, with_slash: &[u8]) -> bool {
        self.made.contains(with_slash) || self.holds_file(with_slash)
    }

    fn holds_file(&self, directory: &[u8]) -> bool {
        let from = (Bound::Included(directory), Bound::Unbounded);
        self.stored.range::<[u8], _>(from).next().is_some_and(|(first, _)| below_it(first, directory))
    }
}

fn entry(directory: &Key) -> Entry {
    let version = Version::File { changed: SystemTime::UNIX_EPOCH, inode: 0, device: 1 };
    Entry { key: directory.clone(), size: 0, modified: SystemTime::UNIX_EPOCH, version }
}

/// The key of a directory, without the `/` at its end.
pub(super) fn without_slash(key: &Key) -> Key {
    let bytes = key.as_bytes();
    Key::new(bytes.strip_suffix(b"/").unwrap_or(bytes))
}

fn below_it(key: &Key, directory: &[u8]) -> bool {
    key.as_bytes().starts_with(directory)
}

/// Where the slashes are.
fn slashes(bytes: &[u8]) -> impl Iterator<Item = usize> {
    bytes.iter().enumerate().filter(|&(_, &byte)| byte == b'/').map(|(place, _)| place)
}
