//! `brigade ledger`: lists, shows, exports and forgets what is remembered.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use brigade_engine::ledger::Settled as _;
use brigade_engine::ledger::file::{EXTENSION, companions_of, lock_of};
use brigade_engine::ledger::lock::{Lock, LockError};
use brigade_engine::ledger::sqlite::{APPLICATION, Access, SqliteLedger};

use crate::arguments::{Format, LedgerAction, Ledgers};
use crate::exit::Exit;
use crate::output::ledgers;
use crate::output::{self, Streams, To, Tone};
use crate::resolve::ledger::directories;
use crate::signals::Stop;

/// Pairs that are written at once.
const PAGE: usize = 1000;

/// Runs the command.
pub(crate) async fn run(arguments: &Ledgers, mut streams: Streams, stop: &Stop) -> Exit {
    let done = tokio::select! {
        () = stop.token.cancelled() => return Exit::Interrupted(stop.signal()),
        done = act(&arguments.action, &mut streams) => done,
    };
    let exit = done.unwrap_or_else(|(exit, reason)| {
        output::error(&mut streams, &reason);
        exit
    });
    output::unless_unwritten(&mut streams, exit)
}

/// The exit code, and why.
type Refusal = (Exit, String);

async fn act(action: &LedgerAction, streams: &mut Streams) -> Result<Exit, Refusal> {
    match action {
        LedgerAction::List { output } => list(*output, streams).await,
        LedgerAction::Show { ledger, output } => {
            let path = named(ledger)?;
            let text = describe(*output, &path).await.map_err(could_not)?;
            streams.text(To::Out, &text);
            Ok(Exit::InStep)
        }
        LedgerAction::Forget { ledger } => forget(&named(ledger)?, streams),
        LedgerAction::Export { ledger } => export(&named(ledger)?, streams).await,
    }
}

async fn list(format: Format, streams: &mut Streams) -> Result<Exit, Refusal> {
    let mut exit = Exit::InStep;
    for path in all() {
        match describe(format, &path).await {
            Ok(text) => streams.text(To::Out, &text),
            Err(reason) => {
                streams.line(To::Err, Tone::Failure, "failed:", &reason);
                exit = Exit::CouldNotRun;
            }
        }
    }
    Ok(exit)
}

async fn describe(format: Format, path: &Path) -> Result<String, String> {
    let ledger = open(path)?;
    let contents = ledger.contents().await.map_err(|error| error.to_string())?;
    let bytes = fs::metadata(path).map_or(0, |metadata| metadata.len());
    Ok(ledgers::described(format, path, bytes, &contents))
}

async fn export(path: &Path, streams: &mut Streams) -> Result<Exit, Refusal> {
    let ledger = open(path).map_err(could_not)?;
    let mut after = None;
    loop {
        let pairs = ledger.page(after.as_ref(), PAGE).await.map_err(|error| could_not(error.to_string()))?;
        let Some(last) = pairs.last().filter(|_| !streams.reader_gone()) else { return Ok(Exit::InStep) };
        after = Some(last.key.clone());
        for pair in &pairs {
            streams.text(To::Out, &ledgers::exported(pair));
        }
        streams.flush();
    }
}

fn forget(path: &Path, streams: &mut Streams) -> Result<Exit, Refusal> {
    if !is_ours(path).map_err(|error| could_not(format!("could not read {}: {error}", path.display())))? {
        return Err(could_not(format!("{} is no ledger, and was left alone", path.display())));
    }
    let lock = lock_of(path);
    let _held = Lock::take(&lock, "brigade ledger forget").map_err(|error| match error {
        LockError::Held { .. } => (Exit::Locked, error.to_string()),
        LockError::Refused { .. } => could_not(error.to_string()),
    })?;
    let [wal, shm, journal] = companions_of(path);
    for file in [path, &wal, &shm, &journal, &lock] {
        match fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(could_not(format!("could not remove {}: {error}", file.display())));
            }
            _ => {}
        }
    }
    streams.line(To::Out, Tone::Plain, "forgot", &path.display().to_string());
    Ok(Exit::InStep)
}

/// Whether a file is a ledger by what it says of itself, or, even if it is
/// damaged, by its name in a directory of ledgers: no other one is removed.
fn is_ours(path: &Path) -> io::Result<bool> {
    // SQLite's header has the application's number at byte 68 (<https://www.sqlite.org/fileformat2.html>).
    let mut header = [0; 72];
    let mut file = fs::File::open(path)?;
    let says_so = match file.read_exact(&mut header) {
        Ok(()) => header.starts_with(b"SQLite format 3\0") && header.ends_with(&APPLICATION.to_be_bytes()[4..]),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => false,
        Err(error) => return Err(error),
    };
    Ok(says_so || all().iter().any(|ledger| ledger == path) && file.metadata()?.is_file())
}

/// The ledger that is meant: a file, or one of those in the directories of ledgers by its name.
fn named(ledger: &OsStr) -> Result<PathBuf, Refusal> {
    let path = PathBuf::from(ledger);
    if path.exists() {
        return Ok(path);
    }
    let is_it = |path: &PathBuf| path.file_stem() == Some(ledger) || path.file_name() == Some(ledger);
    all().into_iter().find(is_it).ok_or_else(|| {
        could_not(format!(
            "there is no ledger {}; `brigade ledger list` shows those that there are",
            Path::new(ledger).display()
        ))
    })
}

/// All ledgers in the directories that they are looked for in, by directory and name.
fn all() -> Vec<PathBuf> {
    let entries = directories().into_iter().flat_map(|directory| {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.sort();
        paths
    });
    entries.filter(|path| path.extension() == Some(OsStr::new(EXTENSION))).collect()
}

fn open(path: &Path) -> Result<SqliteLedger, String> {
    match SqliteLedger::open_any(path, Access::Read) {
        Ok(Some(ledger)) => Ok(ledger),
        Ok(None) => Err(format!("{} is empty: nothing is remembered in it yet", path.display())),
        Err(error) => Err(error.to_string()),
    }
}

fn could_not(reason: String) -> Refusal {
    (Exit::CouldNotRun, reason)
}
