//! The system's errors as failures of one object.

use rustix::io::Errno;

use crate::{Failure, FailureKind, UnknownReason};

/// What could not be done, and the system's reason.
pub(super) fn failure(doing: &str, error: impl Into<std::io::Error>) -> Failure {
    let error = error.into();
    let (kind, advice) = match Errno::from_io_error(&error) {
        Some(Errno::ACCESS | Errno::PERM) => (FailureKind::Denied, "; check who may read and write there"),
        Some(Errno::ROFS) => (FailureKind::Denied, "; mount it for writing, or choose another place"),
        Some(Errno::ISDIR | Errno::NOTDIR) => (FailureKind::Obstructed, ""),
        Some(Errno::NAMETOOLONG | Errno::ILSEQ) => (FailureKind::Unrepresentable, "; the file system can't hold it"),
        Some(Errno::NOSPC | Errno::DQUOT) => (FailureKind::Failed, "; make room and run again"),
        Some(Errno::FBIG) => (FailureKind::Failed, "; the file system, or a limit (ulimit -f), allows no larger file"),
        Some(Errno::MFILE | Errno::NFILE) => {
            (FailureKind::Failed, "; use fewer --jobs, or raise the limit (ulimit -n)")
        }
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

/// A directory is in the way of a file.
pub(super) fn obstructed() -> Failure {
    let reason = "a directory stands where this file must go; look into it, and remove it or use --delete";
    Failure::new(FailureKind::Obstructed, reason)
}

/// Something is in the way that is neither a file nor a directory.
pub(super) fn special() -> Failure {
    let reason = "something that is not a regular file (FIFO, socket or device) has its name; remove it";
    Failure::new(FailureKind::Failed, reason)
}

/// A symlink is in the way, where none is followed. The name is that of the
/// symlink, below the root.
pub(super) fn symlink(name: impl std::fmt::Display) -> Failure {
    Failure::new(FailureKind::Failed, format!("{name} is a symlink, which is not followed here; remove it"))
}

/// What is there can't be told, for this reason.
pub(super) fn unknown(reason: &UnknownReason) -> Failure {
    Failure::new(FailureKind::Failed, reason.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_is_told_with_what_to_do() {
        let table = [
            (Errno::ACCESS, FailureKind::Denied, "check who may"),
            (Errno::ROFS, FailureKind::Denied, "mount it for writing"),
            (Errno::NOTDIR, FailureKind::Obstructed, "could not write: "),
            (Errno::NAMETOOLONG, FailureKind::Unrepresentable, "can't hold it"),
            (Errno::NOSPC, FailureKind::Failed, "make room"),
            // A quota can't be made on every machine: it takes the way of a full disk, from here on.
            (Errno::DQUOT, FailureKind::Failed, "make room"),
            (Errno::FBIG, FailureKind::Failed, "ulimit -f"),
            (Errno::MFILE, FailureKind::Failed, "ulimit -n"),
            (Errno::IO, FailureKind::Failed, "could not write: "),
        ];
        for (error, kind, advice) in table {
            let failure = failure("write", error);
            assert_eq!(failure.kind, kind, "{error}");
            assert!(failure.reason.contains(advice), "{}", failure.reason);
            assert!(failure.reason.contains(&std::io::Error::from(error).to_string()), "{}", failure.reason);
        }
    }
}
