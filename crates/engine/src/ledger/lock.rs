//! One run at a time: a lock on a file, which the system lets go of when its process ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A lock that is held until this is dropped, or its process ends however it may.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

/// What the line in a lock's file begins with.
const MARK: &str = "brigade: ";

/// Why a lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run holds it.
    #[error("another run holds the lock {path}: {holder}; wait for its end, or give --wait-lock a time to wait")]
    Held {
        /// The lock's file.
        path: PathBuf,
        /// What the other run says of itself.
        holder: String,
    },
    /// The system refused.
    #[error("could not lock {path}: {reason}; choose a place that can be written")]
    Refused {
        /// The lock's file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
}

impl Lock {
    /// Takes the lock, if nobody has it. The file is made if it isn't there, and
    /// holds what this run says of itself, in a line. A file that holds anything
    /// else is locked as it is, and not written to: the user may have named one that matters.
    pub fn take(path: &Path, myself: &str) -> Result<Self, LockError> {
        loop {
            let lock = Self::take_what_is_there(path, myself)?;
            // Whoever removed it meanwhile leaves a lock that nobody else would find.
            if lock.is_still_at(path) {
                return Ok(lock);
            }
        }
    }

    fn take_what_is_there(path: &Path, myself: &str) -> Result<Self, LockError> {
        let refused = |reason| LockError::Refused { path: path.to_owned(), reason };
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(refused)?;
        }
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
        let mut file = file.map_err(refused)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held { path: path.to_owned(), holder: holder(path) });
            }
            Err(TryLockError::Error(reason)) => return Err(refused(reason)),
        }
        if is_ours(&mut file).map_err(refused)? {
            // Whoever can't read who holds it still can't have it.
            let written = file.set_len(0).and_then(|()| file.rewind());
            let _ = written.and_then(|()| writeln!(file, "{MARK}{myself}"));
        }
        Ok(Self { file })
    }

    fn is_still_at(&self, path: &Path) -> bool {
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        match (self.file.metadata(), fs::metadata(path)) {
            (Ok(held), Ok(there)) => identity(held) == identity(there),
            _ => false,
        }
    }
}

/// Whether the file is empty, or holds what such a run has said.
fn is_ours(file: &mut File) -> io::Result<bool> {
    let mut start = Vec::new();
    file.rewind()?;
    (&*file).take(MARK.len() as u64).read_to_end(&mut start)?;
    Ok(start.is_empty() || start == MARK.as_bytes())
}

fn holder(path: &Path) -> String {
    let said = fs::read(path).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    match said.lines().next().and_then(|line| line.strip_prefix(MARK)) {
        Some(holder) => holder.to_owned(),
        None => "it has not said which".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_one_is_told_who_has_it_and_gets_it_when_that_one_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("new/ledger.lock");
        let first = Lock::take(&path, "process 1, a longer line").unwrap();
        let error = Lock::take(&path, "process 2").unwrap_err();
        assert!(error.to_string().contains("process 1, a longer line"), "{error}");
        drop(first);
        let _second = Lock::take(&path, "process 2").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "brigade: process 2\n");
    }

    #[test]
    fn a_file_that_holds_something_is_locked_and_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("backup.sh");
        fs::write(&path, "#!/bin/sh\n").unwrap();
        let _first = Lock::take(&path, "process 1").unwrap();
        let error = Lock::take(&path, "process 2").unwrap_err();
        assert!(error.to_string().contains("it has not said which"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "#!/bin/sh\n");
    }

    #[test]
    fn a_lock_that_was_removed_while_it_was_waited_for_is_not_taken_for_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("lock");
        let first = Lock::take(&path, "process 1").unwrap();
        fs::remove_file(&path).unwrap();
        assert!(!first.is_still_at(&path));
        let _second = Lock::take(&path, "process 2").unwrap();
        assert!(matches!(Lock::take(&path, "process 3"), Err(LockError::Held { .. })));
    }
}
