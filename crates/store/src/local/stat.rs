//! What `stat` says of a file, in the store's words.

use rustix::fs::{FileType, Stat};

use super::time;
use crate::{Entry, Key, Version};

/// The entry of the file that has this `stat`.
pub(super) fn entry_of(key: Key, stat: &Stat) -> Entry {
    Entry {
        key,
        size: unsigned(stat.st_size),
        modified: moment(stat.st_mtime, stat.st_mtime_nsec),
        version: Version::File {
            changed: moment(stat.st_ctime, stat.st_ctime_nsec),
            inode: unsigned(stat.st_ino),
            device: unsigned(stat.st_dev),
        },
    }
}

/// Whether it is a file, a directory, a symlink or something else.
pub(super) fn kind_of(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

/// What tells a directory from every other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(super) fn of(stat: &Stat) -> Self {
        Self { device: unsigned(stat.st_dev), inode: unsigned(stat.st_ino) }
    }
}

// The width of these fields differs between platforms; none of them is ever
// negative or too wide in a stat that succeeded.
fn unsigned(field: impl TryInto<u64>) -> u64 {
    field.try_into().unwrap_or_default()
}

fn moment(seconds: i64, nanoseconds: impl TryInto<u32>) -> std::time::SystemTime {
    time::at(seconds, nanoseconds.try_into().unwrap_or_default())
}
