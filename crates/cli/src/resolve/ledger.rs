//! Where a run's memory is: the flag, then the environment, then the home directory.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use brigade_store::Location;

use super::UsageError;
use crate::arguments::{LedgerArguments, LockArguments};
use crate::stores::{Located, NamedStore, Stores};

/// Where what is remembered is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// Nowhere.
    None,
    /// In this file, or in a directory, in the file there that is for these locations.
    At(PathBuf),
    /// In an object of a bucket.
    InBucket(Location),
    /// In the first of these directories that can be written.
    In(Vec<PathBuf>),
}

/// What keeps runs apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Locks {
    /// A lock besides that of the ledger.
    pub(crate) file: Option<PathBuf>,
    /// How long to wait for one that another run holds.
    pub(crate) wait: Duration,
}

/// Decides where, by the arguments and the environment of this process; and the store that was named for it, if one
/// was.
pub(crate) fn resolve(
    arguments: &LedgerArguments,
    stores: &Stores,
) -> Result<(Memory, Option<NamedStore>), UsageError> {
    from_variables(arguments, stores, |name| std::env::var_os(name))
}

/// What the arguments say of locks.
pub(crate) fn locks(arguments: &LockArguments) -> Locks {
    let LockArguments { lock_file, wait_lock } = arguments;
    Locks { file: lock_file.as_ref().map(PathBuf::from), wait: wait_lock.map_or(Duration::ZERO, |wait| wait.0) }
}

/// The directories that ledgers are looked for in.
pub(crate) fn directories() -> Vec<PathBuf> {
    directories_from(|name| std::env::var_os(name))
}

fn from_variables(
    arguments: &LedgerArguments,
    stores: &Stores,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<(Memory, Option<NamedStore>), UsageError> {
    if arguments.no_ledger {
        return Ok((Memory::None, None));
    }
    let Some(written) = &arguments.ledger else { return Ok((Memory::In(directories_from(variable)), None)) };
    let Located { place, store } = stores.locate(written)?;
    match place {
        Location::Local(path) => Ok((Memory::At(path), None)),
        Location::Bucket { prefix, written, .. } if prefix.is_empty() => Err(UsageError::LedgerIsBucket(written)),
        bucket @ Location::Bucket { .. } => Ok((Memory::InBucket(bucket), store)),
    }
}

fn directories_from(variable: impl Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let own = set("BRIGADE_STATE_DIR").map(PathBuf::from);
    let unit = set("STATE_DIRECTORY").map(|paths| PathBuf::from(first_of(&paths)));
    // Relative paths in it are to be ignored (XDG Base Directory Specification).
    let xdg = set("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let xdg = xdg.map(|path| path.join("brigade"));
    let home = set("HOME").map(|home| Path::new(&home).join(".local/state/brigade"));
    [own, unit, xdg, home].into_iter().flatten().collect()
}

/// A unit of systemd may have several state directories (systemd.exec(5)): the first is as good as any.
fn first_of(paths: &OsStr) -> &OsStr {
    let bytes = paths.as_bytes();
    let end = bytes.iter().position(|&byte| byte == b':').unwrap_or(bytes.len());
    OsStr::from_bytes(&bytes[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(ledger: Option<&str>, variables: &[(&str, &str)]) -> Result<Memory, UsageError> {
        let arguments = LedgerArguments { ledger: ledger.map(OsString::from), no_ledger: false };
        let variable = |name: &str| variables.iter().find(|(given, _)| *given == name).map(|(_, value)| value.into());
        from_variables(&arguments, &Stores::default(), variable).map(|(memory, _)| memory)
    }

    #[test]
    fn the_flag_comes_first_then_the_environment_then_the_home() {
        let all = [
            ("HOME", "/home/x"),
            ("XDG_STATE_HOME", "/xdg"),
            ("STATE_DIRECTORY", "/var/lib/one:/var/lib/two"),
            ("BRIGADE_STATE_DIR", "/own"),
        ];
        let directories = |paths: &[&str]| Memory::In(paths.iter().map(PathBuf::from).collect());
        let every = ["/own", "/var/lib/one", "/xdg/brigade", "/home/x/.local/state/brigade"];
        assert_eq!(resolved(None, &all).unwrap(), directories(&every));
        assert_eq!(resolved(None, &all[..1]).unwrap(), directories(&every[3..]));
        assert_eq!(resolved(None, &[("XDG_STATE_HOME", "relative"), ("HOME", "")]).unwrap(), directories(&[]));
        assert_eq!(resolved(Some("file"), &all).unwrap(), Memory::At("file".into()));
        let none = LedgerArguments { ledger: None, no_ledger: true };
        let nowhere = from_variables(&none, &Stores::default(), |_| Some("/x".into())).unwrap();
        assert_eq!(nowhere, (Memory::None, None));
        assert!(matches!(resolved(Some("s3://bucket/state/l"), &all).unwrap(), Memory::InBucket(_)));
        let error = resolved(Some("s3://bucket"), &all).unwrap_err().to_string();
        assert!(error.contains("s3://bucket is a bucket"), "{error}");
    }
}
