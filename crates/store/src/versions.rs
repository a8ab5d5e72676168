//! What a store keeps of what was replaced and removed: versions and delete markers.

use std::time::SystemTime;

use async_trait::async_trait;

use crate::{Entry, Failure, FailureKind, Key, ListingError, Version, VersionId};

/// Whether a store keeps what is replaced and removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioning {
    /// It doesn't and never did.
    Never,
    /// All of it.
    Enabled,
    /// What was written while it was enabled. What is written now has an id that was there
    /// before, [`KeptVersion::may_be_replaced`], and takes its place.
    Suspended,
    /// The service doesn't say.
    Unsaid,
}

/// One version of a key, or a delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptVersion {
    /// Its key. It needn't be one that the program itself would write to.
    pub key: Key,
    /// What the service calls it.
    pub id: VersionId,
    /// When it was written, by the store's clock; of an upload in parts, when that was begun.
    pub modified: SystemTime,
    /// Whether it is the current one of its key.
    pub is_current: bool,
    /// Whether the service says where it stands among the versions and delete markers of its key; where it lists
    /// the ones apart from the others, their times do, which are coarse.
    pub is_placed: bool,
    /// Whether more may lie under it that the listing doesn't show: the service went on without saying after which
    /// version.
    pub is_cut_off: bool,
    /// What it holds; `None` of a delete marker, which says that there is no object.
    pub content: Option<KeptContent>,
}

/// What a version holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptContent {
    /// Its length in bytes.
    pub size: u64,
    /// Its ETag, without quotes; empty where the service gives none.
    pub etag: String,
    /// Its storage class; `None` of the usual one, and where the service doesn't say.
    pub storage_class: Option<Box<str>>,
}

/// What S3 calls the version that was written while a bucket gave no ids
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html>).
const NULL: &str = "null";

/// What becomes of looking at a delete marker.
pub(crate) fn delete_marker() -> Failure {
    let reason = "this version is a delete marker, and no object; `brigade versions` lists what versions there are";
    Failure::new(FailureKind::Absent, reason)
}

impl KeptVersion {
    /// Whether it says that there is no object.
    #[must_use]
    pub fn is_delete_marker(&self) -> bool {
        self.content.is_none()
    }

    /// Whether a write gives its id to something else, while versions are [`Versioning::Suspended`].
    #[must_use]
    pub fn may_be_replaced(&self) -> bool {
        self.id.as_str() == NULL
    }

    /// The object that it was or is; `None` of a delete marker.
    #[must_use]
    pub fn entry(&self) -> Option<Entry> {
        let content = self.content.clone()?;
        let KeptContent { size, etag, storage_class } = content;
        let version = Version::Object { etag, id: Some(self.id.clone()), storage_class };
        Some(Entry { key: self.key.clone(), size, modified: self.modified, version })
    }
}

/// Tells of versions, in the order of their listing, since when each is superseded.
#[derive(Debug, Default)]
pub struct Succession {
    above: Option<Above>,
}

/// What stands above in the listing, of the same key.
#[derive(Debug)]
struct Above {
    key: Key,
    /// What the one right above is called, and when it was written.
    id: VersionId,
    modified: SystemTime,
    /// When the lowest object above was written; where there is none, the topmost delete marker.
    object: SystemTime,
    all: Told,
}

/// Since when all that stands above is superseded.
#[derive(Clone, Copy, Debug)]
enum Told {
    /// The key didn't begin with its current version: what superseded the first one isn't listed.
    Nothing,
    /// Only the current version stands there.
    Current,
    /// Since this moment at the latest.
    Since(SystemTime),
    /// Of one of them it is not known.
    NotOfAll,
}

impl Succession {
    /// Since when the next version is superseded: since the one above it was written. `None` of a
    /// current one, and where nothing says so; where a key doesn't begin with its current version, of all of it.
    ///
    /// S3 dates an upload in parts with its beginning, so that what lies under it may be younger. Nothing is
    /// superseded before it is written; and what is younger than the one above it, or listed twice, counts as
    /// superseded no earlier than any above it: there either the time or the order says nothing. Where the service
    /// doesn't say how delete markers stand among the versions, the next object above counts.
    pub fn superseded(&mut self, version: &KeptVersion) -> Option<SystemTime> {
        let above = self.above.take().filter(|above| above.key == version.key);
        let since = above.as_ref().filter(|_| !version.is_current).and_then(|above| above.superseded(version));
        let object = above.as_ref().map(|above| above.object).filter(|_| version.is_delete_marker());
        let all = match above.map(|above| above.all) {
            None if version.is_current => Told::Current,
            None | Some(Told::Nothing) => Told::Nothing,
            Some(all) if version.is_current => all,
            Some(all) => all.and(since),
        };
        let (key, id, modified) = (version.key.clone(), version.id.clone(), version.modified);
        self.above = Some(Above { key, id, modified, object: object.unwrap_or(modified), all });
        since
    }
}

impl Above {
    /// Since when the version under it is superseded.
    fn superseded(&self, version: &KeptVersion) -> Option<SystemTime> {
        let is_in_order = self.modified >= version.modified && self.id != version.id;
        match self.all {
            Told::Nothing => None,
            // Any of the delete markers up there may have been made before it: the object above certainly was not.
            _ if is_in_order && !version.is_placed => Some(self.modified.max(self.object)),
            _ if is_in_order => Some(self.modified),
            Told::Since(latest) => Some(latest.max(version.modified)),
            Told::Current | Told::NotOfAll => None,
        }
    }
}

impl Told {
    /// The same with one more.
    fn and(self, since: Option<SystemTime>) -> Self {
        match (self, since) {
            (Self::Since(latest), Some(since)) => Self::Since(latest.max(since)),
            (Self::Current, Some(since)) => Self::Since(since),
            (Self::Nothing, _) => Self::Nothing,
            (Self::NotOfAll, _) | (_, None) => Self::NotOfAll,
        }
    }
}

/// A listing of versions: key after key by bytes, which is checked, and of each key the
/// newest first. A key may go on over any number of pages.
#[async_trait]
pub trait VersionListing: Send {
    /// The next page, never empty; `None` at the end. That a page came says that none before it
    /// is asked for any more: what it listed may be removed.
    async fn next_page(&mut self) -> Result<Option<Vec<KeptVersion>>, ListingError>;
}

/// The listing of a store that keeps no versions.
pub(crate) struct NoVersions;

#[async_trait]
impl VersionListing for NoVersions {
    async fn next_page(&mut self) -> Result<Option<Vec<KeptVersion>>, ListingError> {
        Ok(None)
    }
}
