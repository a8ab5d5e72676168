//! A run's memory: its ledger found, locked and opened, wherever it may be.

mod bucket;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use brigade_engine::filters::LedgerFiles;
use brigade_engine::ledger::file::{self, lock_of};
use brigade_engine::ledger::lock::{Lock, LockError};
use brigade_engine::ledger::sqlite::{Access, Binding, SqliteLedger};
use brigade_engine::ledger::{Checks, Ledger, LedgerError};
use brigade_store::s3::Config;
use brigade_store::{Key, Location, Store};
use tokio_util::sync::CancellationToken;

use crate::resolve::ledger::{Locks, Memory, directories};
use bucket::InBucket;

/// How often a lock that another run holds is tried.
const RETRY: Duration = Duration::from_millis(200);

/// What a run holds while it is on.
pub(crate) struct State {
    ledger: Option<SqliteLedger>,
    /// Where the ledger came from, if that is a bucket.
    in_bucket: Option<InBucket>,
    _locks: Vec<Lock>,
}

/// How what a run remembers is reached.
#[derive(Clone, Copy)]
pub(crate) struct Reach<'a> {
    /// How S3 is reached.
    pub(crate) s3: &'a Config,
    /// Cancelled when the person asks to stop.
    pub(crate) cancel: &'a CancellationToken,
    /// Cancelled when what still waits for a server is given up.
    pub(crate) abandon: &'a CancellationToken,
}

/// Why a run's memory was not had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// Another run holds a lock, or it could not be made.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The ledger could not be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger is in a bucket, and could not be had.
    #[error("{0}; give another place with --ledger, or use --no-ledger")]
    Bucket(String),
    /// There is nothing to keep an index in.
    #[error("--index is kept in the ledger, which can't be written anywhere; give --ledger a file")]
    NoIndex,
    /// There is nothing to remember checks in.
    #[error("--since-last is kept in the ledger, which can't be written anywhere; give --ledger a file")]
    NoChecks,
    /// The person asked to stop.
    #[error("interrupted")]
    Interrupted,
}

impl State {
    /// The ledger, if there is one.
    pub(crate) fn ledger(&self) -> Option<Arc<dyn Ledger>> {
        self.ledger.clone().map(|ledger| Arc::new(ledger) as Arc<dyn Ledger>)
    }

    /// What it remembers of checks, if there is one.
    pub(crate) fn checks(&self) -> Option<Arc<dyn Checks>> {
        self.ledger.clone().map(|ledger| Arc::new(ledger) as Arc<dyn Checks>)
    }

    /// To be written: by one run at a time.
    pub(crate) async fn open(
        memory: &Memory,
        locks: &Locks,
        binding: &Binding,
        reach: Reach<'_>,
    ) -> Result<Self, StateError> {
        let cancel = reach.cancel;
        let mut in_bucket = None;
        let myself = myself(binding);
        let mut held = Vec::new();
        if let Some(path) = &locks.file {
            held.push(lock(path, &myself, locks.wait, cancel).await?);
        }
        let ledger = match memory {
            Memory::None => None,
            Memory::InBucket(location) => {
                let fetched = in_bucket.insert(fetch(location, reach).await?);
                fetched.open(location, binding, Access::Write)?
            }
            Memory::At(path) => {
                let path = in_directory(path, binding);
                held.push(lock(&lock_of(&path), &myself, locks.wait, cancel).await?);
                SqliteLedger::open(&path, binding, Access::Write)?
            }
            Memory::In(directories) => {
                let found = first_that_can_be_written(directories, &myself, locks.wait, binding, cancel).await?;
                if found.is_none() {
                    tracing::warn!("{}", without_memory(directories));
                }
                found.map(|(lock, ledger)| {
                    held.push(lock);
                    ledger
                })
            }
        };
        Ok(Self { ledger, in_bucket, _locks: held })
    }

    /// The files of ledgers, and the lock, that lie in these places: the one in
    /// use, and those of other runs where ledgers are looked for.
    pub(crate) fn files_below<'a>(
        &self,
        places: impl IntoIterator<Item = &'a Location>,
        lock_file: Option<&Path>,
    ) -> Vec<LedgerFiles> {
        let in_use = self.ledger.as_ref().map(SqliteLedger::path).into_iter().chain(lock_file);
        let in_use: Vec<PathBuf> = in_use.filter_map(|path| path.canonicalize().ok()).collect();
        let looked_in: Vec<PathBuf> =
            directories().into_iter().filter_map(|directory| directory.canonicalize().ok()).collect();
        let mut files = Vec::new();
        for place in places {
            if let Location::Local(root) = place
                && let Ok(root) = root.canonicalize()
            {
                let named = |path: &PathBuf| files_in(&root, path.parent()?, path.file_name());
                files.extend(in_use.iter().filter_map(named));
                files.extend(looked_in.iter().filter_map(|directory| files_in(&root, directory, None)));
            }
            files.extend(self.in_bucket.as_ref().and_then(|ledger| ledger.files_below(place)));
        }
        files
    }

    /// Ends the use of it: a ledger that is in a bucket is written back there.
    pub(crate) async fn close(self, reach: Reach<'_>) {
        let Self { ledger: Some(ledger), in_bucket: Some(in_bucket), .. } = self else { return };
        let written = match ledger.close().await {
            Ok(()) => Box::pin(in_bucket.write_back(reach.s3, reach.abandon)).await,
            Err(error) => Err(error.to_string()),
        };
        if let Err(reason) = written {
            tracing::warn!("this run won't be remembered: its ledger could not be written back: {reason}");
        }
    }

    /// To be looked at: nothing is made, locked or changed. What can't be read is told, and gone without.
    pub(crate) async fn look(memory: &Memory, binding: &Binding, reach: Reach<'_>) -> Result<Self, StateError> {
        let mut in_bucket = None;
        let ledger = match memory {
            Memory::None => None,
            Memory::InBucket(location) => {
                let fetched = in_bucket.insert(fetch(location, reach).await?);
                fetched.open(location, binding, Access::Read)?
            }
            Memory::At(path) => SqliteLedger::open(&in_directory(path, binding), binding, Access::Read)?,
            Memory::In(directories) => {
                let paths = directories.iter().map(|directory| directory.join(file::name(binding)));
                match paths
                    .map(|path| SqliteLedger::open(&path, binding, Access::Read))
                    .find(|opened| !matches!(opened, Ok(None)))
                {
                    Some(Err(LedgerError::Refused { path, reason, .. })) => {
                        tracing::warn!("could not read the ledger {}: {reason}; going on without it", path.display());
                        None
                    }
                    Some(opened) => opened?,
                    None => None,
                }
            }
        };
        Ok(Self { ledger, in_bucket, _locks: vec![] })
    }
}

/// The files in this directory, if it is the root or below it.
fn files_in(root: &Path, directory: &Path, name: Option<&OsStr>) -> Option<LedgerFiles> {
    let below = directory.strip_prefix(root).ok()?.as_os_str().as_bytes();
    let slash: &[u8] = if below.is_empty() { b"" } else { b"/" };
    let name = name.map(|name| name.as_bytes().to_vec());
    Some(LedgerFiles { directory: Key::new([below, slash].concat()), name })
}

async fn fetch(location: &Location, reach: Reach<'_>) -> Result<InBucket, StateError> {
    Box::pin(InBucket::fetch(location, reach.s3, reach.abandon)).await.map_err(StateError::Bucket)
}

/// The two places, as a ledger knows them.
pub(crate) fn binding(source: &dyn Store, dest: &dyn Store) -> Binding {
    Binding { source: source.identity(), dest: dest.identity() }
}

/// A directory stands for the file in it that is for these locations.
fn in_directory(path: &Path, binding: &Binding) -> PathBuf {
    if path.is_dir() { path.join(file::name(binding)) } else { path.to_owned() }
}

async fn first_that_can_be_written(
    directories: &[PathBuf],
    myself: &str,
    wait: Duration,
    binding: &Binding,
    cancel: &CancellationToken,
) -> Result<Option<(Lock, SqliteLedger)>, StateError> {
    for directory in directories {
        let path = directory.join(file::name(binding));
        let lock = match lock(&lock_of(&path), myself, wait, cancel).await {
            Err(error @ StateError::Lock(LockError::Refused { .. })) => {
                tracing::info!("{error}");
                continue;
            }
            locked => locked?,
        };
        match SqliteLedger::open(&path, binding, Access::Write) {
            Err(error @ LedgerError::Refused { .. }) => tracing::info!("{error}"),
            Ok(None) => {}
            Ok(Some(ledger)) => return Ok(Some((lock, ledger))),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

async fn lock(path: &Path, myself: &str, wait: Duration, cancel: &CancellationToken) -> Result<Lock, StateError> {
    let begun = Instant::now();
    loop {
        match Lock::take(path, myself) {
            Err(LockError::Held { .. }) if begun.elapsed() < wait => {}
            locked => return Ok(locked?),
        }
        tokio::select! {
            () = cancel.cancelled() => return Err(StateError::Interrupted),
            () = tokio::time::sleep(RETRY.min(wait)) => {}
        }
    }
}

fn without_memory(directories: &[PathBuf]) -> String {
    let tried: Vec<String> = directories.iter().map(|directory| directory.display().to_string()).collect();
    let tried = if tried.is_empty() {
        "there is no home directory".to_owned()
    } else {
        format!("can't write {}", tried.join(", "))
    };
    format!(
        "this run won't be remembered: {tried}; set BRIGADE_STATE_DIR, or give --ledger a file (--no-ledger says that it is meant so)"
    )
}

/// What this run says of itself to others that want its lock.
fn myself(binding: &Binding) -> String {
    let system = rustix::system::uname();
    let host = system.nodename().to_string_lossy();
    let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC");
    format!("process {} on {host}, since {now}, {} -> {}", std::process::id(), binding.source, binding.dest)
}
