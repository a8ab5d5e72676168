//! One directory: its names, told apart, in the order in which their keys come.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::fs::{Dir, DirEntry, FileType};
use rustix::io::Errno;

use super::leftovers;
use super::stat::{Identity, Named, kind_of, look_up, stat_of};
use crate::UnknownReason;
use crate::spill::{RecordSorter, RunLimit, SortedRecords, decode_reason, encode_reason};

/// What a name in a directory stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Child {
    /// A regular file, or a symlink to one that is followed.
    File,
    /// A directory.
    Directory,
    /// A symlink to a directory, to be followed.
    LinkedDirectory,
    /// What can't be known, for this reason.
    Unknown(UnknownReason),
}

/// How a directory is to be read.
pub(super) struct Reading<'a> {
    /// Whether symlinks are followed.
    pub(super) follow: bool,
    /// Names that are held in memory; more are sorted through a spill file.
    pub(super) names_in_memory: usize,
    /// Where temporary files that nobody writes are removed: the prefix of the directory's keys.
    pub(super) sweep: Option<&'a [u8]>,
    /// Whether a name, with a `/` at its end if it leads to keys below it, is wanted.
    pub(super) wanted: &'a dyn Fn(&[u8]) -> bool,
    /// Whether a name is none of the user's.
    pub(super) left_out: fn(&[u8], FileType) -> bool,
    /// Whether a directory is one of those that the walk is in.
    pub(super) is_ancestor: &'a dyn Fn(Identity) -> bool,
    /// Whether the walk was given up.
    pub(super) stopped: &'a dyn Fn() -> bool,
}

/// Why a directory could not be read.
pub(super) enum ReadingError {
    /// The directory itself could not be.
    Directory(Errno),
    /// The spill file could not be written.
    Spill(io::Error),
    /// The walk was given up.
    Stopped,
}

/// The children of a directory, in the order of their keys: a directory
/// comes where its name with `/` belongs.
pub(super) struct Children(SortedRecords);

impl Children {
    /// The next child: its name, with a `/` at its end if it leads to keys below.
    pub(super) fn next(&mut self) -> io::Result<Option<(Box<[u8]>, Child)>> {
        let Some(record) = self.0.next()? else {
            return Ok(None);
        };
        let child = match record.rank {
            FILE => Child::File,
            DIRECTORY => Child::Directory,
            LINKED_DIRECTORY => Child::LinkedDirectory,
            _ => Child::Unknown(decode_reason(&record.payload)?),
        };
        Ok(Some((record.key, child)))
    }
}

// Ranks of records: should a directory give a name twice because it changed
// while it was read, the most cautious is kept.
const FILE: u8 = 0;
const DIRECTORY: u8 = 1;
const LINKED_DIRECTORY: u8 = 2;
const UNKNOWN: u8 = 3;

impl Reading<'_> {
    /// Reads all names of the directory.
    pub(super) fn children(&self, directory: BorrowedFd<'_>) -> Result<Children, ReadingError> {
        self.gather(directory, Dir::read_from(directory).map_err(ReadingError::Directory)?)
    }

    /// The same, of what the system lists of the directory. If that breaks off,
    /// nothing that came before counts.
    fn gather(
        &self,
        directory: BorrowedFd<'_>,
        entries: impl Iterator<Item = Result<DirEntry, Errno>>,
    ) -> Result<Children, ReadingError> {
        let limit = RunLimit { records: self.names_in_memory, bytes: usize::MAX };
        let mut sorter = RecordSorter::new(limit);
        for entry in entries {
            if (self.stopped)() {
                return Err(ReadingError::Stopped);
            }
            let entry = entry.map_err(ReadingError::Directory)?;
            let name = entry.file_name().to_bytes();
            if matches!(name, b"." | b"..") {
                continue;
            }
            if let Some(prefix) = self.sweep {
                leftovers::sweep(directory, prefix, name);
            }
            if (self.left_out)(name, entry.file_type()) || !self.may_be_wanted(name) {
                continue;
            }
            self.push(&mut sorter, name, self.tell(directory, name, entry.file_type())).map_err(ReadingError::Spill)?;
        }
        Ok(Children(sorter.finish().map_err(ReadingError::Spill)?))
    }

    /// Whether what the name stands for may be wanted, before anything is asked of it.
    fn may_be_wanted(&self, name: &[u8]) -> bool {
        (self.wanted)(name) || (self.wanted)(&[name, b"/"].concat())
    }

    /// What the name stands for; `None` if it has vanished.
    fn tell(&self, directory: BorrowedFd<'_>, name: &[u8], kind: FileType) -> Option<Found> {
        match kind {
            FileType::RegularFile => Some(Found::At(Child::File)),
            FileType::Directory => Some(Found::Below(Child::Directory)),
            FileType::Symlink if self.follow => self.follow(directory, name),
            FileType::Symlink => Some(Found::Nothing(UnknownReason::Symlink)),
            // Not every file system tells the type with the name.
            FileType::Unknown => match stat_of(directory, name) {
                Ok(None) => None,
                Ok(Some(stat)) if kind_of(&stat) == FileType::Unknown => Some(SPECIAL),
                Ok(Some(stat)) => self.tell(directory, name, kind_of(&stat)),
                Err(error) => Some(Found::Nothing(unreadable(error))),
            },
            _ => Some(SPECIAL),
        }
    }

    /// What the symlink leads to; `None` if it has vanished.
    fn follow(&self, directory: BorrowedFd<'_>, name: &[u8]) -> Option<Found> {
        Some(match look_up(directory, name, true) {
            Ok(Named::Is(stat)) => match kind_of(&stat) {
                FileType::RegularFile => Found::At(Child::File),
                FileType::Directory if (self.is_ancestor)(Identity::of(&stat)) => {
                    Found::Nothing(UnknownReason::SymlinkLoop)
                }
                FileType::Directory => Found::Below(Child::LinkedDirectory),
                _ => SPECIAL,
            },
            Ok(Named::BrokenSymlink) => Found::Nothing(UnknownReason::BrokenSymlink),
            Ok(Named::Nothing) => return None,
            Err(Errno::LOOP) => Found::Nothing(UnknownReason::SymlinkLoop),
            Err(error) => Found::Nothing(UnknownReason::UnreadableSymlink(in_words(error))),
        })
    }

    fn push(&self, sorter: &mut RecordSorter, name: &[u8], found: Option<Found>) -> io::Result<()> {
        match found {
            None => Ok(()),
            Some(Found::At(child)) => self.push_child(sorter, name, &child),
            Some(Found::Below(child)) => self.push_child(sorter, &[name, b"/"].concat(), &child),
            Some(Found::Nothing(reason)) => {
                let child = Child::Unknown(reason);
                self.push_child(sorter, name, &child)?;
                self.push_child(sorter, &[name, b"/"].concat(), &child)
            }
        }
    }

    fn push_child(&self, sorter: &mut RecordSorter, name: &[u8], child: &Child) -> io::Result<()> {
        if !(self.wanted)(name) {
            return Ok(());
        }
        match child {
            Child::File => sorter.push(name, FILE, &[]),
            Child::Directory => sorter.push(name, DIRECTORY, &[]),
            Child::LinkedDirectory => sorter.push(name, LINKED_DIRECTORY, &[]),
            Child::Unknown(reason) => sorter.push(name, UNKNOWN, &encode_reason(reason)),
        }
    }
}

/// Where a name leads.
enum Found {
    /// To one key, its own.
    At(Child),
    /// To keys below it.
    Below(Child),
    /// Nobody knows: neither its own key nor those below it are known.
    Nothing(UnknownReason),
}

const SPECIAL: Found = Found::At(Child::Unknown(UnknownReason::SpecialFile));

/// The system's reason, as one for not knowing.
pub(super) fn unreadable(error: Errno) -> UnknownReason {
    UnknownReason::Unreadable(in_words(error))
}

/// The system's reason, and what to do about it if that is known.
fn in_words(error: Errno) -> String {
    let reason = io::Error::from(error);
    match error {
        Errno::ACCESS | Errno::PERM => format!("{reason}; permit it to be read, or exclude it"),
        _ => reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::iter::once;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn a_directory_whose_listing_breaks_off_gives_no_children_at_all() {
        let tree = tempfile::tempdir().unwrap();
        for name in ["a", "b", "c"] {
            std::fs::write(tree.path().join(name), "").unwrap();
        }
        let directory = std::fs::File::open(tree.path()).unwrap();
        let reading = Reading {
            sweep: None,
            follow: true,
            names_in_memory: 2,
            wanted: &|_| true,
            is_ancestor: &|_| false,
            left_out: |_, _| false,
            stopped: &|| false,
        };
        for before in 0..5 {
            let listed = Dir::read_from(&directory).unwrap().take(before);
            match reading.gather(directory.as_fd(), listed.chain(once(Err(Errno::IO)))) {
                Err(ReadingError::Directory(Errno::IO)) => {}
                Err(_) | Ok(_) => panic!("{before} names were taken for all"),
            }
        }
        assert!(reading.children(directory.as_fd()).is_ok());
    }
}
