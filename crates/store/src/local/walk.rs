//! The ordered walk: every key of a tree, in byte order of the whole keys,
//! which is the order in which S3 lists.
//!
//! It goes from directory descriptor to directory descriptor, each name seen
//! from the one before, and keeps its own stack: no tree is too deep. Memory
//! holds, for each directory on the way down, its names that are still to
//! come, up to [`NAMES_IN_MEMORY`]; at most [`OPEN_DIRECTORIES`] descriptors
//! and the root's stay open, the others are opened again on the way back.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{FileType, Stat, fstat};
use rustix::io::Errno;

use super::directory::{Child, Children, Reading, ReadingError, unreadable};
use super::root::{Blocked, Role, Root, open_directory};
use super::stat::{Identity, Named, entry_of, kind_of, look_up};
use crate::key::{RESERVED, is_temporary_name};
use crate::{Extent, Key, KeyRange, Listed, Unknown, UnknownReason};

/// Items in a page.
const PAGE_ITEMS: usize = 1000;

/// Names of one directory that are sorted in memory; more go through a spill
/// file. With a million, four times as many here would take 4 MiB more, and no less time.
const NAMES_IN_MEMORY: usize = 16_384;

/// Directories that are open at once, besides the root: few, for a process
/// that may have 64 descriptors only.
const OPEN_DIRECTORIES: usize = 8;

/// A walk under way. Its calls block.
pub(super) struct Walk {
    root: Arc<Root>,
    range: KeyRange,
    stop: Arc<AtomicBool>,
    bounds: Bounds,
    stack: Option<Stack>,
}

/// What the walk holds at once at most; smaller in tests.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) page_items: usize,
    pub(super) names_in_memory: usize,
    pub(super) open_directories: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { page_items: PAGE_ITEMS, names_in_memory: NAMES_IN_MEMORY, open_directories: OPEN_DIRECTORIES }
    }
}

/// The directories that the walk is in, the root first.
#[derive(Default)]
struct Stack {
    frames: Vec<Frame>,
    /// The prefix of all keys in the last of them.
    prefix: Vec<u8>,
}

/// A directory that the walk is in.
struct Frame {
    /// Length of the prefix of its keys.
    prefix_length: usize,
    /// Whether it was entered through a symlink.
    linked: bool,
    identity: Identity,
    /// `None` while too many others are open.
    descriptor: Option<Arc<OwnedFd>>,
    children: Children,
}

impl Walk {
    /// A walk through the part of the tree that lies in the range, until
    /// `stop` is set. Nothing is read yet.
    pub(super) fn new(root: Arc<Root>, range: KeyRange, stop: Arc<AtomicBool>, bounds: Bounds) -> Self {
        Self { root, range, stop, bounds, stack: None }
    }

    /// The next items, at least one; `None` at the end. Fails with the reason
    /// why the walk can't go on.
    pub(super) fn next_page(&mut self) -> Result<Option<Vec<Listed>>, String> {
        let mut page = Vec::new();
        let mut stack = match self.stack.take() {
            Some(stack) => stack,
            None => self.start()?,
        };
        while page.len() < self.bounds.page_items {
            if self.stop.load(Ordering::Relaxed) {
                return Err(stopped());
            }
            let Some(frame) = stack.frames.last_mut() else { break };
            match frame.children.next().map_err(|error| spill(&error))? {
                Some((name, child)) => page.extend(self.visit(&mut stack, &name, child)?),
                None => stack.leave(),
            }
        }
        self.stack = Some(stack);
        Ok(if page.is_empty() { None } else { Some(page) })
    }

    fn start(&self) -> Result<Stack, String> {
        let mut stack = Stack::default();
        let descriptor = match self.root.open() {
            Ok(root) => root,
            Err(Errno::NOENT) if self.root.role().may_be_missing() => return Ok(stack),
            Err(Errno::NOENT) => return Err("there is no such directory".into()),
            Err(Errno::NOTDIR) => return Err("it is not a directory".into()),
            Err(error) => return Err(format!("{}; check who may read it", std::io::Error::from(error))),
        };
        if let Some(reason) = self.enter(&mut stack, descriptor.clone(), false)? {
            return Err(reason.to_string());
        }
        match fstat(&descriptor) {
            // A directory that was removed reads as empty. That holds of any but the root.
            Ok(stat) if stat.st_nlink == 0 => Err("the directory was removed".into()),
            Ok(_) => Ok(stack),
            Err(error) => Err(std::io::Error::from(error).to_string()),
        }
    }

    /// The item that the child gives, if any; a directory is entered.
    fn visit(&self, stack: &mut Stack, name: &[u8], child: Child) -> Result<Option<Listed>, String> {
        let key = [&stack.prefix, name].concat();
        let reason = match (child, stack.descriptor(self.bounds)) {
            (Child::Unknown(reason), _) => Some(reason),
            (_, Err(error)) => Some(unreadable(error)),
            (Child::File, Ok(directory)) => match self.file(directory, name) {
                Ok(None) => None,
                Ok(Some(stat)) => return Ok(Some(Listed::Present(entry_of(Key::new(key), &stat)))),
                Err(reason) => Some(reason),
            },
            (Child::Directory, Ok(_)) => self.descend(stack, name, false)?.map(found_late),
            (Child::LinkedDirectory, Ok(_)) => self.descend(stack, name, true)?.map(found_late),
        };
        let extent = if name.ends_with(b"/") { Extent::Below } else { Extent::Key };
        Ok(reason.map(|reason| Listed::Unknown(Unknown { key: Key::new(key), extent, reason })))
    }

    /// The file's `stat`; `None` if it has vanished.
    fn file(&self, directory: BorrowedFd<'_>, name: &[u8]) -> Result<Option<Stat>, UnknownReason> {
        match look_up(directory, name, self.root.follows()) {
            Ok(Named::Is(stat)) if kind_of(&stat) == FileType::RegularFile => Ok(Some(stat)),
            Ok(Named::Is(_)) => Err(became_something_else()),
            Ok(Named::BrokenSymlink) => Err(UnknownReason::BrokenSymlink),
            Ok(Named::Nothing) => Ok(None),
            Err(error) => Err(unreadable(error)),
        }
    }

    /// Enters the directory of this name, which ends in `/`. Gives the reason
    /// why it could not be, unless it has vanished.
    fn descend(&self, stack: &mut Stack, name: &[u8], linked: bool) -> Result<Option<UnknownReason>, String> {
        let opened = match stack.descriptor(self.bounds) {
            Ok(directory) => open_directory(directory, name.strip_suffix(b"/").unwrap_or(name), linked),
            Err(error) => Err(Blocked::Other(error)),
        };
        let descriptor = match opened {
            Ok(descriptor) => descriptor,
            Err(Blocked::Missing) => return Ok(None),
            Err(Blocked::File | Blocked::Symlink) => return Ok(Some(became_something_else())),
            Err(Blocked::BrokenSymlink) => return Ok(Some(UnknownReason::BrokenSymlink)),
            Err(Blocked::Other(error)) => return without(error),
        };
        let length = stack.prefix.len();
        stack.prefix.extend_from_slice(name);
        let reason = self.enter(stack, Arc::new(descriptor), linked)?;
        if reason.is_some() {
            stack.prefix.truncate(length);
        }
        Ok(reason)
    }

    /// Reads the directory that has the stack's prefix, and puts it on the stack.
    fn enter(&self, stack: &mut Stack, directory: Arc<OwnedFd>, linked: bool) -> Result<Option<UnknownReason>, String> {
        let identity = match fstat(&directory) {
            Ok(stat) => Identity::of(&stat),
            Err(error) => return without(error),
        };
        if linked && stack.contains(identity) {
            return Ok(Some(UnknownReason::SymlinkLoop));
        }
        let reading = Reading {
            follow: self.root.follows(),
            names_in_memory: self.bounds.names_in_memory,
            sweep: (self.root.role() == Role::Destination).then_some(&stack.prefix),
            wanted: &|name| self.reaches(&stack.prefix, name),
            left_out: left_out(self.root.role()),
            is_ancestor: &|other| other == identity || stack.contains(other),
            stopped: &|| self.stop.load(Ordering::Relaxed),
        };
        let children = match reading.children(directory.as_fd()) {
            Ok(children) => children,
            Err(ReadingError::Directory(error)) => return without(error),
            Err(ReadingError::Spill(error)) => return Err(spill(&error)),
            Err(ReadingError::Stopped) => return Err(stopped()),
        };
        let prefix_length = stack.prefix.len();
        stack.frames.push(Frame { prefix_length, linked, identity, descriptor: Some(directory), children });
        let level = stack.frames.len() - 1;
        close_beyond(&mut stack.frames, level, self.bounds);
        Ok(None)
    }

    /// Whether the range holds the key, or with a `/` at its end, whether it
    /// may hold a key below it.
    fn reaches(&self, prefix: &[u8], name: &[u8]) -> bool {
        if self.range.after.is_none() && self.range.through.is_none() {
            return true;
        }
        let key = [prefix, name].concat();
        let after =
            |after: &Key| &key[..] > after.as_bytes() || (key.ends_with(b"/") && after.as_bytes().starts_with(&key));
        self.range.after.as_ref().is_none_or(after)
            && self.range.through.as_ref().is_none_or(|through| &key[..] <= through.as_bytes())
    }
}

impl Stack {
    /// The descriptor of the last directory, opened again if need be: from the
    /// nearest one above it that is open, and only if it is still the same.
    fn descriptor(&mut self, bounds: Bounds) -> Result<BorrowedFd<'_>, Errno> {
        let Self { frames, prefix } = self;
        let open = frames.iter().rposition(|frame| frame.descriptor.is_some()).ok_or(Errno::BADF)?;
        for level in open + 1..frames.len() {
            let name = &prefix[frames[level - 1].prefix_length..frames[level].prefix_length - 1];
            let above = frames[level - 1].descriptor.clone().ok_or(Errno::BADF)?;
            let opened = open_directory(above.as_fd(), name, frames[level].linked).map_err(|_| Errno::STALE)?;
            if Identity::of(&fstat(&opened)?) != frames[level].identity {
                return Err(Errno::STALE);
            }
            frames[level].descriptor = Some(Arc::new(opened));
            close_beyond(frames, level, bounds);
        }
        frames.last().and_then(|frame| frame.descriptor.as_ref()).map(AsFd::as_fd).ok_or(Errno::BADF)
    }

    fn contains(&self, identity: Identity) -> bool {
        self.frames.iter().any(|frame| frame.identity == identity)
    }

    fn leave(&mut self) {
        self.frames.pop();
        self.prefix.truncate(self.frames.last().map_or(0, |frame| frame.prefix_length));
    }
}

/// What is not listed: of a source, the temporary files of a run that has it
/// as its destination; of a destination, everything that the program keeps for itself.
fn left_out(role: Role) -> fn(&[u8], FileType) -> bool {
    match role {
        // Not every file system tells the type with the name.
        Role::Source => {
            |name, kind| is_temporary_name(name) && matches!(kind, FileType::RegularFile | FileType::Unknown)
        }
        Role::Destination | Role::Preview => |name, _| name.starts_with(RESERVED),
    }
}

/// Closes the directory that is too far above this level to stay open; never the root.
fn close_beyond(frames: &mut [Frame], level: usize, bounds: Bounds) {
    let far = level.checked_sub(bounds.open_directories).filter(|&far| far > 0);
    if let Some(frame) = far.and_then(|far| frames.get_mut(far)) {
        frame.descriptor = None;
    }
}

/// The reason for a directory that turns out to be a symlink of no use only
/// when it is entered. Its own item, which would have told of the link, comes
/// before the `/` and has passed: this one must tell by itself.
fn found_late(reason: UnknownReason) -> UnknownReason {
    match reason {
        UnknownReason::BrokenSymlink
        | UnknownReason::SymlinkLoop
        | UnknownReason::UnreadableSymlink(_)
        | UnknownReason::Symlink => became_something_else(),
        reason => reason,
    }
}

/// The reason for a directory that can't be read, unless that is due to this
/// process: then nothing is known of any.
fn without(error: Errno) -> Result<Option<UnknownReason>, String> {
    match error {
        Errno::MFILE | Errno::NFILE => Err(format!("{}; raise the limit (ulimit -n)", std::io::Error::from(error))),
        error => Ok(Some(unreadable(error))),
    }
}

fn became_something_else() -> UnknownReason {
    UnknownReason::Unreadable("it became something else while it was listed; run again".into())
}

fn spill(error: &std::io::Error) -> String {
    format!("could not sort a large directory in a temporary file: {error}; set TMPDIR to a directory with room")
}

fn stopped() -> String {
    "the listing was given up".into()
}

#[cfg(test)]
mod tests;
