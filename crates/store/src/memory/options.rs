//! What a [`super::MemoryStore`] is like.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::{Key, Kind, Order, Versioning};

/// What a [`super::MemoryStore`] is like.
#[derive(Clone)]
pub struct MemoryOptions {
    /// The location it shows in messages.
    pub location: String,
    /// Whether its versions are those of files or of objects in a bucket.
    pub kind: Kind,
    /// The order that it claims to list in.
    pub order: Order,
    /// The order that it really lists in.
    pub sequence: Sequence,
    /// Items in a page of its listings; at least 1.
    pub page_size: usize,
    /// Bytes up to which an object is best written whole.
    pub whole_limit: u64,
    /// Bytes in a part of what is written in parts.
    pub part_size: u64,
    /// How many objects it removes at once.
    pub removal_batch: usize,
    /// Whether `a` and `a/b` can't both be there, as in a file system.
    pub obstructs: bool,
    /// Whether it keeps versions.
    pub versioning: Versioning,
    /// Whether it can hold a key.
    pub represents: fn(&Key) -> bool,
    /// How long a page of its versions takes.
    pub page_of_versions_takes: Duration,
    /// Whether it tells the time.
    pub tells_time: bool,
    /// What it takes for the same name, as some file systems do of another case or normal form: those of which
    /// this gives the same. What is there keeps its name.
    pub folds: Option<fn(&Key) -> Key>,
    /// What it takes for the time of a write.
    pub clock: Clock,
}

/// Tells the time of a write.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The order in which a [`super::MemoryStore`] really lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// By bytes.
    ByBytes,
    /// `/` before every other byte, as stores do that walk a tree of directories.
    SlashFirst,
    /// By bytes, but small letters as if they were capital ones.
    IgnoringCase,
}

impl MemoryOptions {
    /// A local tree: versions of files, keys that can be paths, and
    /// directories that can stand in the way.
    #[must_use]
    pub fn local() -> Self {
        Self {
            location: "memory-dir".into(),
            kind: Kind::Local,
            obstructs: true,
            represents: is_path,
            ..Self::remote()
        }
    }

    /// A bucket: versions of objects, any key, pages of 1000.
    #[must_use]
    pub fn remote() -> Self {
        Self {
            location: "memory://bucket".into(),
            kind: Kind::Remote,
            order: Order::ByBytes,
            sequence: Sequence::ByBytes,
            page_size: 1000,
            whole_limit: 16 << 20,
            part_size: 8 << 20,
            removal_batch: 2,
            obstructs: false,
            versioning: Versioning::Never,
            represents: |_| true,
            folds: None,
            page_of_versions_takes: Duration::ZERO,
            tells_time: true,
            clock: ticking_clock(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)),
        }
    }
}

/// Whether a file can have this key, as far as its `/` go.
fn is_path(key: &Key) -> bool {
    key.as_bytes().split(|&byte| byte == b'/').all(|name| !matches!(name, b"" | b"." | b".."))
}

/// A clock that starts at this time and is a second later each time it is read.
#[must_use]
pub fn ticking_clock(start: SystemTime) -> Clock {
    let ticks = AtomicU64::new(0);
    Arc::new(move || start + Duration::from_secs(ticks.fetch_add(1, Ordering::Relaxed)))
}
