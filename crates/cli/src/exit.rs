//! The exit codes: what a script may rely on.

use std::fmt;
use std::process::ExitCode;

use brigade_store::OpenError;

use crate::signals::{Signal, Stop};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: everything is in step.
    InStep,
    /// 1: it could not run, or not to its end.
    CouldNotRun,
    /// 2: the command line is wrong.
    Usage,
    /// 3: some objects failed, each of them named.
    Incomplete,
    /// 4: refused for safety; nothing was deleted.
    Refused,
    /// 5: another run holds the lock.
    Locked,
    /// 128 and the signal's number, as shells count: 130 or 143.
    Interrupted(Signal),
}

impl Exit {
    /// How a removal of what is old ended, which may have broken off, and left so many things undone.
    pub(crate) fn of_removal(stop: &Stop, broke_off: bool, failed: u64) -> Self {
        match failed {
            _ if stop.token.is_cancelled() => Self::Interrupted(stop.signal()),
            _ if broke_off => Self::CouldNotRun,
            0 => Self::InStep,
            _ => Self::Incomplete,
        }
    }

    /// The code that the process ends with.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::InStep => 0,
            Self::CouldNotRun => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::Refused => 4,
            Self::Locked => 5,
            Self::Interrupted(signal) => signal.exit_code(),
        }
    }
}

/// How it ends where places could not be opened.
impl From<&OpenError> for Exit {
    fn from(error: &OpenError) -> Self {
        if matches!(error, OpenError::Overlap { .. }) { Self::Usage } else { Self::CouldNotRun }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The reason of the code, for a person.
impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InStep => "in step",
            Self::CouldNotRun => "could not run",
            Self::Usage => "the command line is wrong",
            Self::Incomplete => "incomplete",
            Self::Refused => "refused for safety, nothing was deleted",
            Self::Locked => "another run holds the lock",
            Self::Interrupted(_) => "interrupted",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_that_broke_off_says_so_whatever_failed() {
        let stop = Stop::default();
        let table = [
            ((false, 0), Exit::InStep),
            ((false, 1), Exit::Incomplete),
            ((true, 0), Exit::CouldNotRun),
            ((true, 1), Exit::CouldNotRun),
        ];
        for ((broke_off, failed), expected) in table {
            assert_eq!(Exit::of_removal(&stop, broke_off, failed), expected, "{broke_off} {failed}");
        }
        stop.token.cancel();
        assert!(matches!(Exit::of_removal(&stop, true, 1), Exit::Interrupted(_)));
    }

    #[test]
    fn codes_are_the_documented_ones() {
        let table = [
            (Exit::InStep, 0),
            (Exit::CouldNotRun, 1),
            (Exit::Usage, 2),
            (Exit::Incomplete, 3),
            (Exit::Refused, 4),
            (Exit::Locked, 5),
            (Exit::Interrupted(Signal::Interrupt), 130),
            (Exit::Interrupted(Signal::Terminate), 143),
        ];
        for (exit, code) in table {
            assert_eq!(exit.code(), code, "{exit:?}");
        }
    }
}
