//! Settled pairs: the fingerprints that both sides of a key had when they were last in step.

use std::time::{Duration, SystemTime};

use brigade_store::{Digest, Entry, Key, Version};

use crate::events::Side;

/// How shortly before it was read a file must have changed for an edit within
/// the same tick of its file system's clock to be possible: ticks are up to two
/// seconds long (FAT's).
pub const TICK: Duration = Duration::from_secs(2);

/// How far a file system's clock may be ahead of the local one, as a server's may.
const CLOCKS_APART: Duration = Duration::from_hours(1);

/// What both sides of a key were when they were last in step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledPair {
    /// The key.
    pub key: Key,
    /// The source's version.
    pub left: Fingerprint,
    /// The destination's version.
    pub right: Fingerprint,
    /// A digest of the content, where one is known that the fingerprints don't give.
    pub digest: Option<Digest>,
    /// Whether a file had changed so shortly before it was read that an edit
    /// within the clock's tick could have gone unseen: its content is compared next time.
    pub unsure: bool,
    /// Whether the two were only taken to be in step, by a rule that proves
    /// nothing (`--compare size`): the pair says how far a run has come, and no more.
    pub assumed: bool,
    /// Whether the source has lost it since: if deletions are asked for, its own waits in the spool.
    pub lost: bool,
}

/// What tells a version cheaply. A device's number isn't in it: it changes when a disk is mounted again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fingerprint {
    /// A file in a local tree.
    File {
        /// Its length in bytes.
        size: u64,
        /// When its content was last modified.
        modified: SystemTime,
        /// When its inode last changed.
        changed: SystemTime,
        /// Its inode number.
        inode: u64,
    },
    /// An object in a bucket.
    Object {
        /// Its length in bytes.
        size: u64,
        /// The `ETag`, without its quotes.
        etag: String,
    },
}

impl Fingerprint {
    /// That of the version which this entry shows.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        let size = entry.size;
        match &entry.version {
            Version::File { changed, inode, .. } => {
                Self::File { size, modified: entry.modified, changed: *changed, inode: *inode }
            }
            Version::Object { etag, .. } => Self::Object { size, etag: etag.clone() },
        }
    }

    /// Whether the entry shows this very version.
    #[must_use]
    pub fn shows_in(&self, entry: &Entry) -> bool {
        match (self, &entry.version) {
            (Self::File { size, modified, changed, inode }, Version::File { changed: now, inode: node, .. }) => {
                *size == entry.size && *modified == entry.modified && changed == now && inode == node
            }
            (Self::Object { size, etag }, Version::Object { etag: now, .. }) => *size == entry.size && etag == now,
            _ => false,
        }
    }

    /// What a bucket with this version at the key would list, but for its time; `None` for a file.
    #[must_use]
    pub fn listed_at(&self, key: Key) -> Option<Entry> {
        let Self::Object { size, etag } = self else { return None };
        let version = Version::object(etag.as_str());
        Some(Entry { key, size: *size, modified: SystemTime::UNIX_EPOCH, version })
    }

    /// The length of the version in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::File { size, .. } | Self::Object { size, .. } => *size,
        }
    }
}

impl SettledPair {
    /// What a bucket on this side would list for the key, but for its time;
    /// `None` for a file, which is always looked at itself, and for what the source has lost since.
    #[must_use]
    pub fn listed_on(&self, side: Side) -> Option<Entry> {
        match side {
            Side::Source if self.lost => None,
            Side::Source => self.left.listed_at(self.key.clone()),
            Side::Dest => self.right.listed_at(self.key.clone()),
        }
    }

    /// One that no version at the destination shows: whatever is there, the content decides about it.
    #[must_use]
    pub(crate) fn in_name_only(source: &Entry) -> Self {
        let (left, right) = (Fingerprint::of(source), Fingerprint::Object { size: source.size, etag: String::new() });
        let (unsure, assumed, lost) = (true, false, false);
        Self { key: source.key.clone(), left, right, digest: None, unsure, assumed, lost }
    }

    /// Whether both entries show what was settled.
    #[must_use]
    pub fn shows_in(&self, source: &Entry, dest: &Entry) -> bool {
        self.left.shows_in(source) && self.right.shows_in(dest)
    }
}

/// Whether what was read no earlier than this could have been changed since without a trace: a file that changed less
/// than a tick before, or, by a clock that is ahead, after; an object to which its service gave no `ETag`.
#[must_use]
pub fn could_hide_an_edit(entry: &Entry, read: SystemTime) -> bool {
    match &entry.version {
        Version::File { changed, .. } => is_fresh(entry.modified, read) || is_fresh(*changed, read),
        Version::Object { etag, .. } => etag.is_empty(),
    }
}

/// The same for a file that we wrote ourselves, and gave its time: whoever
/// edits it later gives it another one, unless that time is now.
#[must_use]
pub fn could_hide_an_edit_of_ours(entry: &Entry, written: SystemTime) -> bool {
    matches!(entry.version, Version::File { .. }) && is_fresh(entry.modified, written)
}

/// A stamp that lies further ahead is no time at which it was written, and an edit gives it another one.
fn is_fresh(stamp: SystemTime, read: SystemTime) -> bool {
    match stamp.duration_since(read) {
        Ok(ahead) => ahead <= CLOCKS_APART,
        Err(before) => before.duration() < TICK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    fn file(modified: u64, changed: u64) -> Entry {
        let version = Version::File { changed: at(changed), inode: 7, device: 1 };
        Entry { key: Key::from("k"), size: 3, modified: at(modified), version }
    }

    #[test]
    fn a_file_is_unsure_for_two_seconds_after_either_of_its_times_and_an_object_without_an_etag() {
        let table = [
            ("long ago", 1000, 1000, 9000, false, false),
            ("just now", 8000, 8000, 9000, true, true),
            ("put in place just now with an old time", 1000, 8000, 9000, true, false),
            ("two seconds ago", 7000, 7000, 9000, false, false),
            ("a moment less", 7001, 1000, 9000, true, true),
            ("by a clock that is ahead", 20_000, 1000, 9000, true, true),
            ("of a time to come", 9000 + 3_600_001, 1000, 9000, false, false),
        ];
        for (row, modified, changed, read, unsure, ours_unsure) in table {
            let file = file(modified, changed);
            assert_eq!(could_hide_an_edit(&file, at(read)), unsure, "{row}");
            assert_eq!(could_hide_an_edit_of_ours(&file, at(read)), ours_unsure, "{row}, ours");
        }
        let object = Entry { version: Version::object("e"), ..file(9000, 9000) };
        let nameless = Entry { version: Version::object(""), ..object.clone() };
        assert!(could_hide_an_edit(&nameless, at(9000)), "another one looks like it");
        assert!(!could_hide_an_edit(&object, at(9000)) && !could_hide_an_edit_of_ours(&object, at(9000)));
    }

    #[test]
    fn a_fingerprint_shows_only_in_its_own_version() {
        let listed = file(1, 2);
        let fingerprint = Fingerprint::of(&listed);
        assert!(fingerprint.shows_in(&listed));
        let elsewhere = Version::File { changed: at(2), inode: 7, device: 99 };
        assert!(fingerprint.shows_in(&Entry { version: elsewhere, ..listed.clone() }), "mounted again");
        let table = [
            ("mtime", file(2, 2)),
            ("ctime", file(1, 3)),
            ("size", Entry { size: 4, ..listed.clone() }),
            ("inode", Entry { version: Version::File { changed: at(2), inode: 8, device: 1 }, ..listed.clone() }),
            ("an object", Entry { version: Version::object(""), ..listed }),
        ];
        for (row, entry) in table {
            assert!(!fingerprint.shows_in(&entry), "{row}");
        }
    }
}
