//! What `brigade probe` found out, kept for the commands after it. The format
//! is described in `docs/formats/probe.md`.
//!
//! A file that can't be believed is told of and gone without: it takes away
//! nothing but what it would have added.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use brigade_engine::ledger::file;
use brigade_engine::ledger::sqlite::Binding;
use brigade_store::s3::{Dialect, Fact, Remembered, Support};
use jiff::{SignedDuration, Timestamp};
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};

use crate::resolve::ledger::directories;

/// Grows when a reader of the former version would misread the new one.
const VERSION: u32 = 1;

/// How long what was found out is believed: services are upgraded.
const BELIEVED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// By how much a clock may run back and forth.
const TOLERATED: SignedDuration = SignedDuration::from_hours(24);

/// Bytes of a file that are read at most; there are some hundreds.
const LONGEST: u64 = 1 << 16;

/// What is known of one bucket of one service.
#[derive(Debug, Serialize, Deserialize)]
struct Document {
    version: u32,
    service: String,
    bucket: String,
    /// By [`Fact::name`].
    facts: BTreeMap<String, Found>,
}

/// What was found out of one fact.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Found {
    support: SupportField,
    found: String,
}

impl Found {
    /// When it was found out, if it is believed now.
    fn believed(&self, now: Timestamp) -> Option<Timestamp> {
        let found = Timestamp::from_str(&self.found).ok()?;
        let age = now.duration_since(found);
        (age <= BELIEVED && age >= -TOLERATED).then_some(found)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SupportField {
    Yes,
    No,
    /// What was found before holds no longer.
    Unknown,
}

impl SupportField {
    fn support(self) -> Support {
        match self {
            Self::Yes => Support::Yes,
            Self::No => Support::No,
            Self::Unknown => Support::Unknown,
        }
    }
}

/// Looks it up in all the directories in which ledgers are looked for.
pub(crate) fn lookup() -> Remembered {
    Remembered::by(|service, bucket| recall(&directories(), service, bucket, Timestamp::now()))
}

/// What is remembered of the bucket now.
pub(crate) fn of(service: &str, bucket: &str) -> Dialect {
    recall(&directories(), service, bucket, Timestamp::now()).unwrap_or_default()
}

/// Adds what was found out to what is remembered of the bucket; the file. What
/// was found out newly replaces what is there, and what was not stays.
pub(crate) fn add(service: &str, bucket: &str, found: Dialect) -> Result<PathBuf, String> {
    keep(&directories(), service, bucket, found, Timestamp::now())
}

/// The name of the file of a bucket: told apart as ledgers are.
fn name(service: &str, bucket: &str) -> PathBuf {
    let name = file::name(&Binding { source: service.to_owned(), dest: bucket.to_owned() });
    Path::new(&name).with_extension("probe")
}

fn recall(directories: &[PathBuf], service: &str, bucket: &str, now: Timestamp) -> Option<Dialect> {
    let (paths, facts) = facts(directories, service, bucket, now)?;
    if let (true, Some(path)) = (facts.is_empty(), paths.first()) {
        let what = format!("what `brigade probe` found out about the bucket {bucket}");
        tracing::warn!("{what} is older than 30 days, and no longer counted on: probe it again ({})", path.display());
    }
    let known = Fact::ALL.into_iter().filter_map(|fact| Some((fact, facts.get(fact.name())?.support.support())));
    Some(known.fold(Dialect::UNKNOWN, |dialect, (fact, support)| dialect.with(fact, support)))
}

/// The newest of each fact that is believed now, of all the files that say
/// something: one in a directory that can't be written any more says the same as
/// ever, while what was found later is in another one. `None` where there is no
/// file, or one that can't be believed: it may have taken away what another one gives.
fn facts(
    directories: &[PathBuf],
    service: &str,
    bucket: &str,
    now: Timestamp,
) -> Option<(Vec<PathBuf>, BTreeMap<String, Found>)> {
    let name = name(service, bucket);
    let (mut paths, mut newest) = (Vec::new(), BTreeMap::new());
    for path in directories.iter().map(|directory| directory.join(&name)) {
        match read(&path) {
            Ok(document) if document.service == service && document.bucket == bucket => {
                if !document.facts.is_empty() {
                    paths.push(path);
                }
                document.facts.into_iter().for_each(|(name, found)| take_newer(&mut newest, name, found, now));
            }
            Ok(_) => {
                tracing::warn!("{} is of another bucket; going on without it", path.display());
                return None;
            }
            Err(error) if is_not_there(error.kind()) => {}
            Err(error) => {
                tracing::warn!(
                    "could not read what `brigade probe` found out, {}: {error}; going on without it",
                    path.display()
                );
                return None;
            }
        }
    }
    (!paths.is_empty()).then_some((paths, newest))
}

/// Of two that were found at the same time, the more cautious one.
fn take_newer(newest: &mut BTreeMap<String, Found>, name: String, found: Found, now: Timestamp) {
    let rank = |found: &Found| found.believed(now).map(|time| (time, found.support != SupportField::Yes));
    let is_newer = newest.get(&name).is_none_or(|other| rank(&found) > rank(other));
    if rank(&found).is_some() && is_newer {
        newest.insert(name, found);
    }
}

/// Whether there is no such file, or it can't be reached: the next directory may have one, as it
/// is with ledgers.
fn is_not_there(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied)
}

fn read(path: &Path) -> io::Result<Document> {
    #[derive(Deserialize)]
    struct Versioned {
        version: u32,
    }
    let mut text = String::new();
    open(path)?.take(LONGEST).read_to_string(&mut text)?;
    let damaged = |error: serde_json::Error| io::Error::new(ErrorKind::InvalidData, format!("it is damaged: {error}"));
    let Versioned { version } = serde_json::from_str(&text).map_err(damaged)?;
    if version != VERSION {
        let reason = format!("it is of version {version}, and this program reads version {VERSION}");
        return Err(io::Error::new(ErrorKind::InvalidData, reason));
    }
    serde_json::from_str(&text).map_err(damaged)
}

/// Opens a regular file only: a FIFO of that name would be waited for.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is no regular file")) }
}

fn keep(
    directories: &[PathBuf],
    service: &str,
    bucket: &str,
    found: Dialect,
    now: Timestamp,
) -> Result<PathBuf, String> {
    let mut facts = facts(directories, service, bucket, now).map(|(_, facts)| facts).unwrap_or_default();
    for fact in Fact::ALL {
        let former = facts.get(fact.name());
        let support = match found.of(fact) {
            Support::Yes => SupportField::Yes,
            Support::No => SupportField::No,
            Support::Unknown if is_outdated(fact, former, found) => SupportField::Unknown,
            Support::Unknown => continue,
        };
        // A clock that ran ahead doesn't keep what it dated.
        let newest = former.and_then(|former| former.believed(now)).map_or(now, |former| former.max(now));
        facts.insert(fact.name().to_owned(), Found { support, found: newest.to_string() });
    }
    let document = Document { version: VERSION, service: service.to_owned(), bucket: bucket.to_owned(), facts };
    let mut why = "there is no home directory".to_owned();
    for directory in directories {
        let path = directory.join(name(service, bucket));
        match write(directory, &path, &document) {
            Ok(()) => return Ok(path),
            Err(error) => why = format!("can't write {}: {error}", path.display()),
        }
    }
    Err(why)
}

/// Whether what was found of conditional deletions may be untrue now: it was
/// tried with one key in a request, and now there will be many.
fn is_outdated(fact: Fact, former: Option<&Found>, found: Dialect) -> bool {
    fact == Fact::DeleteIfMatch
        && found.bulk_delete == Support::Yes
        && former.is_some_and(|former| former.support == SupportField::Yes)
}

/// Whole or not at all, and readable for its owner only, as temporary files are made.
fn write(directory: &Path, path: &Path, document: &Document) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let mut file = tempfile::Builder::new().prefix(".brigade-").tempfile_in(directory)?;
    serde_json::to_writer_pretty(&mut file, document)?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
