//! `brigade explain` as plain data: the job, and the key that is asked about.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, absolute};

use brigade_engine::job::DeleteLimit;
use brigade_store::s3::Config;
use brigade_store::{Key, Location};

use super::job::{self, Job};
use super::ledger::{self, Memory};
use super::s3::{Probed, Sides};
use super::{UsageError, s3};
use crate::arguments;
use crate::stores::Stores;

/// Connections that are kept open: one for listing, one for looking.
const CONNECTIONS: usize = 2;

/// A question, decided in everything.
#[derive(Clone, Debug)]
pub(crate) struct Explain {
    /// What is to be in step.
    pub(crate) job: Job,
    /// The key that is asked about.
    pub(crate) key: Key,
    /// What the key may have been meant to be, should neither side have it.
    pub(crate) perhaps: Option<Key>,
    /// Where what is remembered is kept.
    pub(crate) memory: Memory,
    /// How S3 is reached for what is of neither side: a ledger.
    pub(crate) s3: Config,
    /// How each side is reached.
    pub(crate) sides: Sides,
}

/// Decides everything that the arguments leave open.
pub(crate) fn resolve(arguments: &arguments::Explain) -> Result<Explain, UsageError> {
    let stores = Stores::read(arguments.s3.config.as_deref())?;
    let job = job::resolve(&arguments.job, DeleteLimit::Unlimited, &stores)?;
    let key = key(&job, &arguments.key)?;
    let perhaps = directory(&job).and_then(|root| below(root, &absolute(Path::new(&arguments.key)).ok()?));
    let perhaps = perhaps.filter(|perhaps| *perhaps != key);
    let (memory, ledger_store) = ledger::resolve(&arguments.ledger, &stores)?;
    let s3 = s3::resolve(&arguments.s3, CONNECTIONS, Probed::unless(arguments.ledger.no_ledger));
    let named = job.stores.each_ref().map(Option::as_ref);
    let sides = s3::sides(&s3, &arguments.sides, [&job.source, &job.dest], named)?;
    let s3 = s3::of_store(&s3, ledger_store.as_ref());
    Ok(Explain { job, key, perhaps, memory, s3, sides })
}

/// The key that is meant: a URL and an absolute path name one below the place
/// that they lie in, everything else is a key as it stands.
fn key(job: &Job, written: &OsStr) -> Result<Key, UsageError> {
    let bytes = written.as_bytes();
    let roots = [&job.source, &job.dest].into_iter().filter_map(|place| match place {
        Location::Bucket { bucket, prefix, written, .. } => Some((beginning(written), format!("{bucket}/{prefix}"))),
        Location::Local(_) => None,
    });
    let roots: Vec<(&str, String)> = roots.collect();
    let after = |beginning: &str| {
        let (start, rest) = bytes.split_at_checked(beginning.len())?;
        start.eq_ignore_ascii_case(beginning.as_bytes()).then_some(rest)
    };
    if !roots.is_empty()
        && ["s3://", "gs://"].iter().chain(roots.iter().map(|(start, _)| start)).any(|start| after(start).is_some())
    {
        let below = roots.iter().find_map(|(start, root)| after(start)?.strip_prefix(root.as_bytes()));
        return below.map(Key::new).ok_or_else(|| UsageError::KeyElsewhere {
            key: written.display().to_string(),
            root: roots.iter().map(|(start, root)| format!("{start}{root}")).collect::<Vec<_>>().join(" or "),
        });
    }
    let below = directory(job).filter(|_| bytes.starts_with(b"/")).and_then(|root| below(root, Path::new(written)));
    Ok(below.unwrap_or_else(|| Key::new(bytes)))
}

/// What a bucket's location begins with: `s3://`, or a store's name.
fn beginning(written: &str) -> &str {
    let end = written.find("://").map_or_else(|| written.find(':').map_or(0, |end| end + 1), |end| end + "://".len());
    &written[..end]
}

/// The side that is a directory.
fn directory(job: &Job) -> Option<&Path> {
    match (&job.source, &job.dest) {
        (Location::Local(path), _) | (_, Location::Local(path)) => Some(path),
        _ => None,
    }
}

/// The key of an absolute path below the directory.
fn below(directory: &Path, path: &Path) -> Option<Key> {
    let below = path.strip_prefix(absolute(directory).ok()?).ok()?.as_os_str().as_bytes();
    (!below.is_empty()).then(|| Key::new(below))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn explain(line: &[&str]) -> Result<Explain, UsageError> {
        let line = ["brigade", "explain"].iter().chain(line);
        match Arguments::try_parse_from(line).unwrap().command {
            Command::Explain(explain) => resolve(&explain),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_key_may_be_written_as_url_and_as_path() {
        let table = [
            ("a/b", "a/b"),
            ("", ""),
            ("./a", "./a"),
            ("../x", "../x"),
            ("s3://bucket/p/a//b", "a//b"),
            ("S3://bucket/p/", ""),
            ("/root/tree/a b", "a b"),
            ("/root/other", "/root/other"),
            ("/root/tree", "/root/tree"),
        ];
        for (written, expected) in table {
            for places in [["/root/tree", "s3://bucket/p"], ["s3://bucket/p/", "/root/tree/"]] {
                let explained = explain(&[places[0], places[1], written]).unwrap();
                assert_eq!(explained.key, Key::from(expected), "{written}");
            }
        }
    }

    #[test]
    fn a_url_that_lies_elsewhere_is_a_usage_error() {
        for elsewhere in ["s3://bucket/q/a", "s3://bucket/p", "s3://other/p/a"] {
            let error = explain(&["/tree", "s3://bucket/p", elsewhere]).unwrap_err();
            assert!(error.to_string().contains("s3://bucket/p/"), "{error}");
        }
    }

    #[test]
    fn a_path_that_was_completed_by_the_shell_is_recognised() {
        let perhaps = |key: &str| explain(&["tree", "s3://bucket/p", key]).unwrap().perhaps;
        assert_eq!(perhaps("tree/a"), Some(Key::from("a")));
        assert_eq!(perhaps("a"), None);
    }
}
