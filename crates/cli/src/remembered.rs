//! What `brigade probe` found out, kept for the commands after it. The format
//! is described in `docs/formats/probe.md`.
//!
//! A file that can't be believed is told of and gone without: it takes away
//! nothing but what it would have added.

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

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SupportField {
    Yes,
    No,
}

/// Looks it up in the directories in which ledgers are looked for.
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
    let (path, facts) = facts(directories, service, bucket)?;
    let is_fresh = |found: &Found| {
        let found = Timestamp::from_str(&found.found).ok();
        found.map(|found| now.duration_since(found)).is_some_and(|age| age <= BELIEVED && age >= -TOLERATED)
    };
    if !facts.is_empty() && !facts.values().any(is_fresh) {
        let what = format!("what `brigade probe` found out about the bucket {bucket}");
        tracing::warn!("{what} is older than 30 days, and no longer counted on: probe it again ({})", path.display());
    }
    let fresh =
        Fact::ALL.into_iter().filter_map(|fact| Some((fact, facts.get(fact.name()).filter(|one| is_fresh(one))?)));
    Some(fresh.fold(Dialect::UNKNOWN, |dialect, (fact, found)| {
        dialect.with(
            fact,
            match found.support {
                SupportField::Yes => Support::Yes,
                SupportField::No => Support::No,
            },
        )
    }))
}

/// What the first file says that is there, if it can be believed.
fn facts(directories: &[PathBuf], service: &str, bucket: &str) -> Option<(PathBuf, BTreeMap<String, Found>)> {
    let name = name(service, bucket);
    for path in directories.iter().map(|directory| directory.join(&name)) {
        match read(&path) {
            Ok(document) if document.service == service && document.bucket == bucket => {
                return Some((path, document.facts));
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
    None
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
    File::open(path)?.take(LONGEST).read_to_string(&mut text)?;
    let damaged = |error: serde_json::Error| io::Error::new(ErrorKind::InvalidData, format!("it is damaged: {error}"));
    let Versioned { version } = serde_json::from_str(&text).map_err(damaged)?;
    if version != VERSION {
        let reason = format!("it is of version {version}, and this program reads version {VERSION}");
        return Err(io::Error::new(ErrorKind::InvalidData, reason));
    }
    serde_json::from_str(&text).map_err(damaged)
}

fn keep(
    directories: &[PathBuf],
    service: &str,
    bucket: &str,
    found: Dialect,
    now: Timestamp,
) -> Result<PathBuf, String> {
    let mut facts = facts(directories, service, bucket).map(|(_, facts)| facts).unwrap_or_default();
    for fact in Fact::ALL {
        let support = match found.of(fact) {
            Support::Yes => SupportField::Yes,
            Support::No => SupportField::No,
            Support::Unknown => continue,
        };
        facts.insert(fact.name().to_owned(), Found { support, found: now.to_string() });
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const SERVICE: &str = "http://host:9000";

    fn found(fact: Fact, support: Support) -> Dialect {
        Dialect::UNKNOWN.with(fact, support)
    }

    #[test]
    fn what_was_found_is_remembered_of_its_bucket_for_a_while() {
        let directory = tempfile::tempdir().unwrap();
        let directories = ["/dev/null/not".into(), directory.path().join("state")];
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let later = |hours| now + SignedDuration::from_hours(hours);
        assert_eq!(recall(&directories, SERVICE, "b", now), None);
        keep(&directories, SERVICE, "b", found(Fact::PutIfMatch, Support::Yes), now).unwrap();
        let path = keep(&directories, SERVICE, "b", found(Fact::Crc64Nvme, Support::No), later(24)).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let crc = found(Fact::Crc64Nvme, Support::No);
        let both = crc.with(Fact::PutIfMatch, Support::Yes);
        let table = [
            (later(25), both),
            (later(30 * 24), both),
            (later(30 * 24 + 1), crc),
            (later(31 * 24 + 1), Dialect::UNKNOWN),
            (later(-48), Dialect::UNKNOWN),
        ];
        for (then, expected) in table {
            assert_eq!(recall(&directories, SERVICE, "b", then), Some(expected), "{then}");
        }
        assert_eq!(recall(&directories, SERVICE, "c", now), None);
        assert_eq!(recall(&directories, "http://host:9001", "b", now), None);
        keep(&directories, SERVICE, "b", found(Fact::PutIfMatch, Support::No), later(24)).unwrap();
        assert_eq!(recall(&directories, SERVICE, "b", later(24)).unwrap().put_if_match, Support::No);
    }

    #[test]
    fn what_cannot_be_believed_is_gone_without_and_written_anew() {
        let directory = tempfile::tempdir().unwrap();
        let directories = [directory.path().to_owned()];
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let path = keep(&directories, SERVICE, "b", found(Fact::PutIfMatch, Support::Yes), now).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        let broken = [
            String::new(),
            good[..good.len() / 2].to_owned(),
            good.replace("\"version\": 1", "\"version\": 2"),
            good.replace("\"yes\"", "\"perhaps\""),
            good.replace(SERVICE, "http://elsewhere"),
        ];
        for text in broken {
            fs::write(&path, &text).unwrap();
            assert_eq!(recall(&directories, SERVICE, "b", now), None, "{text}");
        }
        fs::write(&path, good.replace("2027", "next year")).unwrap();
        assert_eq!(recall(&directories, SERVICE, "b", now), Some(Dialect::UNKNOWN), "no date that can be read");
        keep(&directories, SERVICE, "b", found(Fact::PutIfMatch, Support::Yes), now).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), good);
    }
}
