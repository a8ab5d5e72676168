//! The system's errors as failures of one object.

use rustix::io::Errno;

use crate::{Failure, FailureKind};

/// What could not be done, and the system's reason.
pub(super) fn failure(doing: &str, error: impl Into<std::io::Error>) -> Failure {
    let error = error.into();
    let (kind, advice) = match Errno::from_io_error(&error) {
        Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => (FailureKind::Denied, ""),
        Some(Errno::ISDIR | Errno::NOTDIR) => (FailureKind::Obstructed, ""),
        Some(Errno::NAMETOOLONG | Errno::ILSEQ) => (FailureKind::Unrepresentable, "; the file system can't hold it"),
        Some(Errno::NOSPC | Errno::DQUOT) => (FailureKind::Failed, "; make room and run again"),
        _ => (FailureKind::Failed, ""),
    };
    Failure::new(kind, format!("could not {doing}: {error}{advice}"))
}

/// The file isn't there, or not any more.
pub(super) fn absent() -> Failure {
    Failure::new(FailureKind::Absent, "the file does not exist (any more)")
}

/// The file is another one than it was.
pub(super) fn changed(what: &str) -> Failure {
    Failure::new(FailureKind::Changed, format!("{what}; run again"))
}

/// A symlink is in the way, where none is followed. The name is that of the
/// symlink, below the root.
pub(super) fn symlink(name: impl std::fmt::Display) -> Failure {
    Failure::new(FailureKind::Failed, format!("{name} is a symlink, which is not followed here; remove it"))
}
