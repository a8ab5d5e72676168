//! What a listing says of one object.

use std::time::SystemTime;

use crate::{Digest, Key};

/// What a listing says of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The object's name below the store's root.
    pub key: Key,
    /// Its length in bytes.
    pub size: u64,
    /// When its content was last modified: a file's mtime, by the local clock;
    /// an object's `LastModified`, by the store's.
    pub modified: SystemTime,
    /// What else tells this version from another.
    pub version: Version,
}

/// With size and time, the fingerprint of a version: cheap to get, and
/// different as soon as the content may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// A file in a local tree.
    File {
        /// When its inode last changed (ctime).
        changed: SystemTime,
        /// Its inode number.
        inode: u64,
        /// The device that the inode number belongs to.
        device: u64,
    },
    /// An object in a bucket.
    Object {
        /// The ETag, without its quotes.
        etag: String,
        /// The version that a read must name, where the listing told one: S3's
        /// version id in a listing of versions, Google Cloud Storage's generation in any.
        id: Option<VersionId>,
        /// Its storage class, where the listing told it and it isn't the usual one. It tells no version from another.
        storage_class: Option<Box<str>>,
    },
}

/// What a service calls one version of a key. Opaque: it is only handed back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionId(Box<str>);

impl VersionId {
    /// As the service wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for VersionId {
    fn from(written: &str) -> Self {
        Self(written.into())
    }
}

impl Version {
    /// The version of an object that has this ETag, and of which nothing else is told.
    #[must_use]
    pub fn object(etag: impl Into<String>) -> Self {
        Self::Object { etag: etag.into(), id: None, storage_class: None }
    }
}

impl Entry {
    /// Whether this is a marker of no bytes, which stands for a directory.
    #[must_use]
    pub fn stands_for_directory(&self) -> bool {
        self.size == 0 && self.key.is_marker()
    }

    /// The ETag, where the entry is an object in a bucket.
    #[must_use]
    pub fn etag(&self) -> Option<&str> {
        match &self.version {
            Version::Object { etag, .. } => Some(etag),
            Version::File { .. } => None,
        }
    }

    /// What the service calls this version, where the listing told it.
    #[must_use]
    pub fn version_id(&self) -> Option<&str> {
        match &self.version {
            Version::Object { id, .. } => id.as_ref().map(VersionId::as_str),
            Version::File { .. } => None,
        }
    }

    /// The storage class, where it is told and isn't the usual one.
    #[must_use]
    pub fn storage_class(&self) -> Option<&str> {
        match &self.version {
            Version::Object { storage_class, .. } => storage_class.as_deref(),
            Version::File { .. } => None,
        }
    }

    /// The content digest that the listing itself gives: an ETag that has the
    /// form of an MD5 (it isn't one under SSE-KMS or SSE-C: a difference is
    /// no proof, an equality is), or of a multipart ETag.
    #[must_use]
    pub fn listed_digest(&self) -> Option<Digest> {
        self.etag().and_then(Digest::from_etag)
    }

    /// Whether both entries show the same version of the same key: nothing
    /// that the fingerprint covers differs.
    #[must_use]
    pub fn same_version(&self, other: &Self) -> bool {
        match (&self.version, &other.version) {
            // LastModified is left out: a store may round it differently in a listing and in a HEAD.
            (Version::Object { etag: mine, id: my_id, .. }, Version::Object { etag: theirs, id: their_id, .. }) => {
                let same_id = my_id.is_none() || their_id.is_none() || my_id == their_id;
                self.key == other.key && self.size == other.size && mine == theirs && same_id
            }
            _ => self == other,
        }
    }
}
