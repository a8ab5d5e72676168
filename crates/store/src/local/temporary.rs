//! The file that content is written to before it gets its name: beside its
//! target, and never left behind.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use rustix::fs::{
    AtFlags, FlockOperation, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT, fchmod, flock, fstat, futimens, openat,
    unlinkat,
};
use rustix::io::Errno;

use super::durable::make_file_durable;
use super::failures::failure;
use super::key_path::KeyPath;
use super::publish::{check, publish};
use super::root::Root;
use super::stat::{Identity, entry_of};
use super::unfinished::{self, Place};
use crate::key::temporary_name;
use crate::time;
use crate::{Condition, Entry, Failure, FailureKind, NewObject};

/// Where the content of a new file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// In memory, all of it.
    Here,
    /// Most of it is still to come: what could not be published had better be known before.
    ToCome,
}

/// A file under a name of our own, which is removed with this value unless it
/// was published.
#[derive(Debug)]
pub(super) struct Temporary {
    root: Arc<Root>,
    object: NewObject,
    directory: Arc<OwnedFd>,
    directory_identity: Identity,
    name: Vec<u8>,
    file: File,
    /// The permission bits of the file that it replaces.
    mode: Option<Mode>,
    /// Whether the temporary name is gone: the file has its own, or was removed.
    settled: AtomicBool,
    _place: Place,
}

impl Temporary {
    /// Makes the file beside the object's target, and the directories that
    /// lead there. Fails if it is known by now that the condition doesn't hold.
    pub(super) fn beside(root: &Arc<Root>, object: NewObject, content: Content) -> Result<Self, Failure> {
        let path = KeyPath::of(&object.key)?;
        let directory = root.make(&path.directories)?;
        let directory_identity = root.identity_of(&path.directories, &directory)?;
        let mode = match object.condition {
            // Whether a new name is free is found out when it is taken, in a moment.
            Condition::Absent if content == Content::Here => None,
            _ => check(directory.as_fd(), path.name, &object.key, &object.condition)?,
        };
        // A new file is made with all permissions and the system takes away
        // those of the umask, as for any other program's file. What replaces
        // a file is nobody else's to read until it has that file's.
        let new = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
        let made_with = if mode.is_some() { Mode::RUSR | Mode::WUSR } else { new };
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            let name = temporary_name();
            let place = Place::take(&directory, &name);
            match openat(&directory, name.as_slice(), flags, made_with) {
                Ok(file) if is_kept(&file) => {
                    let (file, settled) = (file.into(), AtomicBool::new(false));
                    let root = Arc::clone(root);
                    let temporary =
                        Self { root, object, directory, directory_identity, name, file, mode, settled, _place: place };
                    // Dropped, it removes the file: whoever ends the process may have looked before that was there.
                    return if unfinished::is_over() { Err(stopping()) } else { Ok(temporary) };
                }
                Ok(_) | Err(Errno::EXIST) => {}
                Err(error) => return Err(failure("make a temporary file beside it", error)),
            }
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    pub(super) fn object(&self) -> &NewObject {
        &self.object
    }

    /// Gives the file its permissions, its time and its name, and returns the
    /// entry of what is there then.
    pub(super) fn publish(&self) -> Result<Entry, Failure> {
        if let Some(mode) = self.mode {
            fchmod(&self.file, mode).map_err(|error| failure("set the permissions", error))?;
        }
        if let Some(modified) = self.object.headers.modified {
            set_modified(&self.file, modified).map_err(|error| failure("set the modification time", error))?;
        }
        let path = KeyPath::of(&self.object.key)?;
        self.root.check_leads_to(&path.directories, self.directory_identity)?;
        publish(self.directory.as_fd(), &self.name, path.name, &self.object.key, &self.object.condition)?;
        self.settled.store(true, Ordering::Relaxed);
        make_file_durable(&self.root, &self.file, &self.directory, self.directory_identity)?;
        // Once more: what was moved between the check and the rename must not be reported as done.
        self.root.check_leads_to(&path.directories, self.directory_identity)?;
        let stat = fstat(&self.file).map_err(|error| failure("look at the written file", error))?;
        Ok(entry_of(self.object.key.clone(), &stat))
    }

    /// Removes the file, unless it was published or removed before.
    pub(super) fn remove(&self) {
        if self.settled.swap(true, Ordering::Relaxed) {
            return;
        }
        let removed = unlinkat(&self.directory, self.name.as_slice(), AtFlags::empty());
        if let Err(error) = removed.or_else(|error| if error == Errno::NOENT { Ok(()) } else { Err(error) }) {
            tracing::warn!(key = %self.object.key, %error, "a temporary file beside it could not be removed");
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Locks the new file for as long as this process has it open, which tells
/// others that it is somebody's. False if one of them was faster, and removes it.
fn is_kept(file: &OwnedFd) -> bool {
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => fstat(file).map_or(true, |stat| stat.st_nlink > 0),
        // Where the file system can't lock, nobody else can either.
        Err(error) => error != Errno::WOULDBLOCK,
    }
}

fn stopping() -> Failure {
    Failure::new(FailureKind::Failed, "it was not written, because the program is ending")
}

fn set_modified(file: &File, modified: SystemTime) -> Result<(), Errno> {
    let (seconds, nanoseconds) = time::since_epoch(modified);
    let unchanged = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    let modified = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
    futimens(file, &Timestamps { last_access: unchanged, last_modification: modified })
}
