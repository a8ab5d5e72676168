//! What SEMANTICS.md promises of one job, said once more and otherwise than in the engine:
//! over whole maps, key by key, without merge, planner or filters.

use std::time::Duration;

use brigade_engine::filters::Rule;
use brigade_engine::job::{Comparison, DeleteLimit, JobSpec};
use brigade_store::{Entry, Extent, Key, Kind, Unknown};

use super::chronicle::Version;

/// Which keys take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// All.
    Everything,
    /// Not those that are called `c`, nor what is below them.
    WithoutC,
    /// Only what is called `a` or is below it.
    OnlyA,
    /// Not what is below the `b` at the root.
    WithoutBelowRootB,
}

impl Selection {
    pub(crate) const ALL: [Self; 4] = [Self::Everything, Self::WithoutC, Self::OnlyA, Self::WithoutBelowRootB];

    /// The command line's words for it.
    pub(crate) fn rules(self) -> Vec<Rule> {
        match self {
            Self::Everything => vec![],
            Self::WithoutC => vec![Rule::Exclude("c".into())],
            Self::OnlyA => vec![Rule::Include("a".into())],
            Self::WithoutBelowRootB => vec![Rule::Exclude("/b/".into())],
        }
    }

    pub(crate) fn includes(self, key: &Key) -> bool {
        let called = |name: &[u8]| key.as_bytes().split(|&byte| byte == b'/').any(|component| component == name);
        match self {
            Self::Everything => true,
            Self::WithoutC => !called(b"c"),
            Self::OnlyA => called(b"a"),
            Self::WithoutBelowRootB => !key.as_bytes().starts_with(b"b/"),
        }
    }
}

/// Whether what the source has counts as being at the destination.
pub(crate) fn in_step(job: &JobSpec, source: &Version, dest: &Version) -> bool {
    if source.body == dest.body {
        return true;
    }
    if source.entry.size != dest.entry.size {
        return false;
    }
    match job.comparison {
        Comparison::Size => true,
        Comparison::Always | Comparison::Checksum => false,
        Comparison::Mtime => {
            let written = if is_file(&dest.entry) { changed(&dest.entry) } else { seconds(&dest.entry) };
            seconds(&source.entry) + job.clock_fudge_factor.as_secs() <= written
        }
        Comparison::Auto => {
            let latest = source.entry.modified.max(changed_exactly(&source.entry));
            is_file(&source.entry) && latest + job.clock_fudge_factor < dest.entry.modified
        }
    }
}

/// How many deletions the job allows, of so many objects at the destination.
pub(crate) fn most_deletions(job: &JobSpec, dest_objects: usize) -> usize {
    match job.delete {
        None => 0,
        Some(DeleteLimit::Unlimited) => usize::MAX,
        Some(DeleteLimit::Objects(most)) => usize::try_from(most).unwrap(),
        Some(DeleteLimit::Percent(share)) => {
            (0..=dest_objects).rev().find(|&n| share_of(n, dest_objects) <= share).unwrap()
        }
    }
}

/// So many of so many, in percent.
fn share_of(some: usize, all: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap());
    if some == 0 { 0.0 } else { number(some) * 100.0 / number(all) }
}

/// Whether the object only says that there is a directory.
pub(crate) fn says_directory(version: &Version) -> bool {
    version.body.is_empty() && version.entry.key.as_bytes().last() == Some(&b'/')
}

/// Whether a store of this kind can hold the key.
pub(crate) fn holds(kind: Kind, key: &Key) -> bool {
    match kind {
        Kind::Remote => super::scenario::is_name(key),
        Kind::Local => {
            let text = key.as_bytes();
            let name = text.strip_suffix(b"/").unwrap_or(text);
            !name.is_empty() && name.split(|&byte| byte == b'/').all(|name| ![&b""[..], b".", b".."].contains(&name))
        }
    }
}

/// Whether one of these says that nobody can tell of the key.
pub(crate) fn is_unknown(unknowns: &[Unknown], key: &Key) -> bool {
    unknowns.iter().any(|unknown| match unknown.extent {
        Extent::Key => unknown.key == *key,
        Extent::Below => key.as_bytes().starts_with(unknown.key.as_bytes()),
    })
}

fn is_file(entry: &Entry) -> bool {
    entry.etag().is_none()
}

fn seconds(entry: &Entry) -> u64 {
    since_epoch(entry.modified).as_secs()
}

fn changed(entry: &Entry) -> u64 {
    since_epoch(changed_exactly(entry)).as_secs()
}

fn changed_exactly(entry: &Entry) -> std::time::SystemTime {
    match entry.version {
        brigade_store::Version::File { changed, .. } => changed,
        brigade_store::Version::Object { .. } => entry.modified,
    }
}

fn since_epoch(time: std::time::SystemTime) -> Duration {
    time.duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap()
}
