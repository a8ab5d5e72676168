//! The root of a tree, and the way from there to a key's directory: from
//! descriptor to descriptor, so that nothing is followed that mustn't be, and
//! no path can change underfoot.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

#[cfg(target_os = "linux")]
use rustix::fs::ResolveFlags;
use rustix::fs::{CWD, FileType, Mode, OFlags, fstat, mkdirat, openat, stat};
use rustix::io::Errno;

use super::Symlinks;
use super::failures::{changed, failure, symlink};
use super::stat::{Identity, Named, kind_of, look_up, stat_of};
use crate::{Failure, FailureKind, Key, UnknownReason};

/// What the tree is to the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Read only; it must exist.
    Source,
    /// Written; what is missing is made.
    Destination,
    /// A destination that is only looked at, in a dry run.
    Preview,
}

impl Role {
    /// Whether a root that isn't there is as good as an empty one.
    pub(super) fn may_be_missing(self) -> bool {
        self != Self::Source
    }
}

/// The directory that a tree hangs from. It is opened once and kept open.
#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
    symlinks: Symlinks,
    role: Role,
    opened: OnceLock<Opened>,
}

#[derive(Debug)]
struct Opened {
    descriptor: Arc<OwnedFd>,
    identity: Identity,
}

impl Root {
    pub(super) fn new(path: PathBuf, symlinks: Symlinks, role: Role) -> Self {
        Self { path, symlinks, role, opened: OnceLock::new() }
    }

    /// Whether symlinks below the root are followed.
    pub(super) fn follows(&self) -> bool {
        self.symlinks == Symlinks::Follow
    }

    /// The root's path without symlinks, as far as it is there.
    pub(super) fn real_path(&self) -> PathBuf {
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        // What isn't there yet will be made without any.
        let real = path.ancestors().find_map(|there| Some((there, there.canonicalize().ok()?)));
        match real {
            // Joined one by one: joining nothing would add a slash.
            Some((there, mut real)) => {
                real.extend(path.strip_prefix(there).into_iter().flatten());
                real
            }
            None => path,
        }
    }

    /// Whether what has this identity is on the root's own file system.
    pub(super) fn shares_file_system_with(&self, other: Identity) -> bool {
        self.opened().is_ok_and(|root| root.identity.is_on_file_system_of(other))
    }

    pub(super) fn role(&self) -> Role {
        self.role
    }

    /// The root's descriptor; [`Errno::NOENT`] where it doesn't exist.
    pub(super) fn open(&self) -> Result<Arc<OwnedFd>, Errno> {
        self.opened().map(|opened| opened.descriptor.clone())
    }

    fn opened(&self) -> Result<&Opened, Errno> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        let descriptor = openat(CWD, &self.path, DIRECTORY, Mode::empty())?;
        let identity = Identity::of(&fstat(&descriptor)?);
        Ok(self.opened.get_or_init(|| Opened { descriptor: Arc::new(descriptor), identity }))
    }

    /// The directory that these names lead to, or `None` where there is none:
    /// of what is below a file, too, it is proven that there is nothing.
    pub(super) fn find(&self, directories: &[&[u8]]) -> Result<Option<Arc<OwnedFd>>, Failure> {
        match self.enter(directories) {
            Err(failure) if failure.kind == FailureKind::Obstructed => Ok(None),
            entered => entered,
        }
    }

    /// The same, but a file that stands in a directory's place is a failure.
    pub(super) fn enter(&self, directories: &[&[u8]]) -> Result<Option<Arc<OwnedFd>>, Failure> {
        let mut at = match self.open() {
            Ok(root) => root,
            // Nothing is in a destination that isn't there; of a source, that proves nothing.
            Err(Errno::NOENT) if self.role.may_be_missing() => return Ok(None),
            Err(error) => return Err(failure("open the root", error)),
        };
        if let Some(found) = open_at_once(at.as_fd(), directories, self.follows()) {
            return Ok(Some(Arc::new(found)));
        }
        for (depth, name) in directories.iter().enumerate() {
            at = match open_directory(at.as_fd(), name, self.follows()) {
                Ok(next) => Arc::new(next),
                Err(Blocked::Missing) => return Ok(None),
                Err(blocked) => return Err(blocked.failure(&directories[..=depth])),
            };
        }
        Ok(Some(at))
    }

    /// The directory that these names lead to; what is missing is made, the root included.
    pub(super) fn make(&self, directories: &[&[u8]]) -> Result<Arc<OwnedFd>, Failure> {
        let mut at = match self.open() {
            Err(Errno::NOENT) => {
                std::fs::create_dir_all(&self.path).map_err(|error| failure("make the root", error))?;
                self.open()
            }
            opened => opened,
        }
        .map_err(|error| failure("open the root", error))?;
        if let Some(found) = open_at_once(at.as_fd(), directories, false) {
            return Ok(Arc::new(found));
        }
        for (depth, name) in directories.iter().enumerate() {
            let next = make_directory(at.as_fd(), name).map_err(|blocked| blocked.failure(&directories[..=depth]))?;
            at = Arc::new(next);
        }
        Ok(at)
    }

    /// What tells the directory that these names have led to from any other.
    pub(super) fn identity_of(&self, directories: &[&[u8]], led_to: &OwnedFd) -> Result<Identity, Failure> {
        let identity = match self.opened() {
            Ok(root) if directories.is_empty() => Ok(root.identity),
            _ => fstat(led_to).map(|stat| Identity::of(&stat)),
        };
        identity.map_err(|error| failure("look at the directory", error))
    }

    /// Checks that the names still lead to the directory that is held, and the
    /// path to the root: what is written through a descriptor goes wherever
    /// the directory was moved to meanwhile.
    pub(super) fn check_leads_to(&self, directories: &[&[u8]], held: Identity) -> Result<(), Failure> {
        let look = |error| failure("look at the directory", error);
        let root_now = stat(&self.path).map_err(look)?;
        let root = self.opened().map_err(look)?;
        let is_root_there = Identity::of(&root_now) == root.identity;
        let found = match directories {
            _ if !is_root_there => None,
            [] => Some(root.identity),
            [name] => stat_of(&root.descriptor, name).map_err(look)?.map(|stat| Identity::of(&stat)),
            _ => {
                self.find(directories)?.map(|found| fstat(&found)).transpose().map_err(look)?.map(|s| Identity::of(&s))
            }
        };
        if found == Some(held) {
            return Ok(());
        }
        if is_root_there {
            // What stands in the way tells more.
            self.find(directories)?;
        }
        Err(changed("its directory was moved away or replaced while it was written"))
    }
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opens the directory that several names lead to, in one call where the system
/// has one for it. `None` where it can't: going step by step tells why.
fn open_at_once(at: BorrowedFd<'_>, directories: &[&[u8]], follow: bool) -> Option<OwnedFd> {
    if directories.len() < 2 {
        return None;
    }
    let path = directories.join(&b'/');
    if follow {
        return openat(at, path, DIRECTORY, Mode::empty()).ok();
    }
    #[cfg(target_os = "linux")]
    {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        rustix::fs::openat2(at, path, DIRECTORY, Mode::empty(), resolve).ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        None
    }
}

/// Why a name does not lead into a directory.
#[derive(Debug)]
pub(super) enum Blocked {
    /// Nothing has the name.
    Missing,
    /// Something else than a directory has it.
    File,
    /// A symlink has it, and isn't followed.
    Symlink,
    /// A symlink has it, and its target isn't there.
    BrokenSymlink,
    /// The system's reason.
    Other(Errno),
}

impl Blocked {
    /// As a failure of a key below these directories, the last of which is the obstacle.
    fn failure(self, directories: &[&[u8]]) -> Failure {
        let name = Key::new(directories.join(&b'/'));
        match self {
            Self::Missing => failure(&format!("enter the directory {name}"), Errno::NOENT),
            Self::File => Failure::new(
                FailureKind::Obstructed,
                format!(
                    "{name} is a file, and must be a directory for this key; look into it, and remove it or use --delete"
                ),
            ),
            Self::Symlink => symlink(name),
            Self::BrokenSymlink => {
                Failure::new(FailureKind::Failed, format!("{name} is {}", UnknownReason::BrokenSymlink))
            }
            Self::Other(error) => failure(&format!("enter the directory {name}"), error),
        }
    }
}

/// How often a directory that comes and goes is tried to be opened.
const OPEN_ATTEMPTS: u32 = 10;

/// Opens a directory by its name in another.
pub(super) fn open_directory(at: BorrowedFd<'_>, name: &[u8], follow: bool) -> Result<OwnedFd, Blocked> {
    let flags = if follow { DIRECTORY } else { DIRECTORY | OFlags::NOFOLLOW };
    let mut last = Errno::NOENT;
    for _ in 0..OPEN_ATTEMPTS {
        match openat(at, name, flags, Mode::empty()) {
            Ok(directory) => return Ok(directory),
            // Which one a symlink gives differs between systems.
            Err(error @ (Errno::NOENT | Errno::NOTDIR | Errno::LOOP)) => match what_blocks(at, name, follow) {
                Some(blocked) => return Err(blocked),
                // Another transfer has made it just now.
                None => last = error,
            },
            Err(error) => return Err(Blocked::Other(error)),
        }
    }
    Err(Blocked::Other(last))
}

/// What is in the way, or `None` where a directory is there.
fn what_blocks(at: BorrowedFd<'_>, name: &[u8], follow: bool) -> Option<Blocked> {
    match look_up(at, name, follow) {
        Ok(Named::Nothing) => Some(Blocked::Missing),
        Ok(Named::BrokenSymlink) => Some(Blocked::BrokenSymlink),
        Ok(Named::Is(stat)) => match kind_of(&stat) {
            FileType::Symlink => Some(Blocked::Symlink),
            FileType::Directory => None,
            _ => Some(Blocked::File),
        },
        Err(error) => Some(Blocked::Other(error)),
    }
}

/// Opens a directory, made if it is missing, and never through a symlink.
fn make_directory(at: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Blocked> {
    match open_directory(at, name, false) {
        Err(Blocked::Missing) => {}
        opened => return opened,
    }
    match mkdirat(at, name, Mode::RWXU | Mode::RWXG | Mode::RWXO) {
        // Somebody else may have made it just now, or something in its place.
        Ok(()) | Err(Errno::EXIST) => open_directory(at, name, false),
        Err(error) => Err(Blocked::Other(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn many_may_make_the_same_directories_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::new(directory.path().to_owned(), Symlinks::Skip, Role::Destination);
        for round in 0..300 {
            let name = round.to_string();
            thread::scope(|scope| {
                let makers = [(); 4].map(|()| scope.spawn(|| root.make(&[name.as_bytes(), b"deeper"]).map(drop)));
                for maker in makers {
                    maker.join().unwrap().unwrap();
                }
            });
        }
    }
}
