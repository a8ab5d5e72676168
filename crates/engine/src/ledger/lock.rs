//! One run at a time: a lock on a file, which the system lets go of when its process ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A lock that is held until this is dropped, or its process ends however it may.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

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
    /// Takes the lock, if nobody has it. The file is made if it isn't there,
    /// and holds what this run says of itself, in a line. It is never removed:
    /// another run may have opened it by now.
    pub fn take(path: &Path, myself: &str) -> Result<Self, LockError> {
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
        // Whoever can't read who holds it still can't have it.
        let _ = file.set_len(0).and_then(|()| writeln!(file, "{myself}"));
        Ok(Self { _file: file })
    }
}

fn holder(path: &Path) -> String {
    let said = fs::read(path).unwrap_or_default();
    match String::from_utf8_lossy(&said).lines().next() {
        Some(line) if !line.is_empty() => line.to_owned(),
        _ => "it has not said which".to_owned(),
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
        assert_eq!(fs::read_to_string(&path).unwrap(), "process 2\n");
    }
}
