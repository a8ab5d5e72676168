//! What `stat` says of a file, in the store's words.

use std::os::fd::AsFd;

use rustix::fs::{AtFlags, FileType, Stat, statat};
use rustix::io::Errno;

use crate::time;
use crate::{Entry, Key, Version};

/// The `stat` of a name in a directory, itself and not what it may point to;
/// `None` if nothing has the name.
pub(super) fn stat_of(directory: impl AsFd, name: &[u8]) -> Result<Option<Stat>, Errno> {
    match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a name in a directory stands for.
pub(super) enum Named {
    /// Nothing has the name.
    Nothing,
    /// A symlink has it whose target isn't there, which proves nothing.
    BrokenSymlink,
    /// This: of a symlink that is followed, the target.
    Is(Stat),
}

/// What a name in a directory stands for, where symlinks may be followed.
pub(super) fn look_up(directory: impl AsFd, name: &[u8], follow: bool) -> Result<Named, Errno> {
    if follow {
        match statat(&directory, name, AtFlags::empty()) {
            Ok(stat) => return Ok(Named::Is(stat)),
            Err(Errno::NOENT | Errno::NOTDIR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(match stat_of(directory, name)? {
        None => Named::Nothing,
        Some(_) if follow => Named::BrokenSymlink,
        Some(stat) => Named::Is(stat),
    })
}

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
    /// Whether both are on the same file system.
    pub(super) fn is_on_file_system_of(self, other: Self) -> bool {
        self.device == other.device
    }

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
