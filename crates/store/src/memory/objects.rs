//! The objects of a [`super::MemoryStore`], their versions, and what may be done to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::SystemTime;

use bytes::Bytes;
use md5::{Digest as _, Md5};

use crate::hashers::narrowed;
use crate::{Condition, Digest, DigestKind, Entry, Failure, FailureKind, Key, Kind, NewObject, ObjectHeaders, Version};

#[derive(Default)]
pub(super) struct Objects {
    pub(super) stored: BTreeMap<Key, Stored>,
    /// Directories that were made by themselves, each with its `/`; only in a tree.
    pub(super) made: BTreeSet<Key>,
    /// What is taken for the same name, if another one is.
    folds: Option<fn(&Key) -> Key>,
    last_inode: u64,
    last_file: u64,
}

/// An object that is there.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) entry: Entry,
    pub(super) content: Content,
    /// Which file it is, where it is one: an edit in place gives a new version of the same one.
    pub(super) file: u64,
}

/// What is put into an object.
#[derive(Clone)]
pub(super) struct Content {
    pub(super) body: Bytes,
    /// Bytes in each part but the last, if it was written in parts.
    pub(super) part_size: Option<u64>,
    pub(super) headers: ObjectHeaders,
    pub(super) modified: SystemTime,
    pub(super) changed: SystemTime,
}

impl Objects {
    /// None, of which names are taken for the same by this, if by anything.
    pub(super) fn taking_for_the_same(folds: Option<fn(&Key) -> Key>) -> Self {
        Self { folds, ..Self::default() }
    }

    pub(super) fn get(&self, key: &Key) -> Option<&Stored> {
        self.stored.get(key).or_else(|| {
            let fold = self.folds?;
            self.stored.iter().find(|(other, _)| fold(other) == fold(key)).map(|(_, stored)| stored)
        })
    }

    /// What is found at the key, by the name that was asked for.
    pub(super) fn found(&self, key: &Key) -> Option<Entry> {
        self.get(key).map(|stored| Entry { key: key.clone(), ..stored.entry.clone() })
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.stored.values().map(|stored| &stored.entry)
    }

    pub(super) fn contents(&self) -> BTreeMap<Key, Bytes> {
        self.stored.iter().map(|(key, stored)| (key.clone(), stored.content.body.clone())).collect()
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Stored> {
        let name = self.get(key).map(|stored| stored.entry.key.clone());
        let removed = name.and_then(|name| self.stored.remove(&name));
        if key.is_marker() {
            self.made.retain(|made| !made.as_bytes().starts_with(key.as_bytes()));
        }
        self.forget_emptied_directories(key);
        removed
    }

    /// The object, if it is still the version of this entry.
    pub(super) fn version(&self, entry: &Entry) -> Result<&Stored, Failure> {
        match (self.get(&entry.key), self.found(&entry.key)) {
            (Some(stored), Some(found)) if found.same_version(entry) => Ok(stored),
            (Some(_), _) => Err(changed()),
            (None, _) => Err(Failure::new(FailureKind::Absent, "it is not there any more")),
        }
    }

    /// What opening this entry gives: of a file, whichever version is there by now.
    pub(super) fn openable(&self, entry: &Entry) -> Result<&Stored, Failure> {
        match (&entry.version, self.get(&entry.key)) {
            (Version::File { .. }, Some(stored)) => Ok(stored),
            _ => self.version(entry),
        }
    }

    pub(super) fn check_condition(&self, object: &NewObject) -> Result<(), Failure> {
        match (&object.condition, self.found(&object.key)) {
            (Condition::Absent, None) => Ok(()),
            (Condition::Replaces(entry), Some(found)) if found.same_version(entry) => Ok(()),
            _ => Err(changed()),
        }
    }

    /// Puts the content there: in place of what was there, or into the file that is there.
    pub(super) fn insert(&mut self, kind: Kind, key: Key, content: Content, in_place: bool) -> Stored {
        let key = self.get(&key).map_or(key, |stored| stored.entry.key.clone());
        let size = content.body.len() as u64;
        let version = match kind {
            Kind::Local => {
                self.last_inode += 1;
                Version::File { changed: content.changed, inode: self.last_inode, device: 1 }
            }
            Kind::Remote => Version::object(etag(&content)),
        };
        let entry = Entry { key: key.clone(), size, modified: content.modified, version };
        self.last_file += 1;
        let edited = self.stored.get(&key).filter(|_| in_place).map(|stored| stored.file);
        let stored = Stored { entry, content, file: edited.unwrap_or(self.last_file) };
        self.stored.insert(key, stored.clone());
        stored
    }
}

impl Stored {
    /// What goes with the content when it is read: of a file, only its mtime.
    pub(super) fn headers_read(&self) -> ObjectHeaders {
        match self.entry.version {
            Version::File { .. } => {
                ObjectHeaders { modified: Some(self.entry.modified), content_type: None, ..ObjectHeaders::default() }
            }
            Version::Object { .. } => self.content.headers.clone(),
        }
    }

    /// What goes with the content when it is opened to be read in ranges: of an object, its MD5 too.
    pub(super) fn headers_opened(&self) -> ObjectHeaders {
        let md5 = match (&self.entry.version, self.known_digest(DigestKind::Md5)) {
            (Version::Object { .. }, Some(Digest::Md5(md5))) => Some(md5),
            _ => None,
        };
        ObjectHeaders { md5, ..self.headers_read() }
    }

    /// A digest of this kind: of a file always, by reading it; of an object only what its ETag is.
    pub(super) fn known_digest(&self, kind: DigestKind) -> Option<Digest> {
        let known = match self.entry.version {
            Version::File { .. } => true,
            Version::Object { .. } => self.etag_kind() == kind,
        };
        known.then(|| digest(&self.content.body, kind))
    }

    pub(super) fn etag_kind(&self) -> DigestKind {
        etag_kind(&self.content)
    }
}

fn etag_kind(content: &Content) -> DigestKind {
    content.part_size.map_or(DigestKind::Md5, |part_size| DigestKind::MultipartMd5 { part_size })
}

fn etag(content: &Content) -> String {
    match digest(&content.body, etag_kind(content)) {
        Digest::Md5(md5) => hex(md5),
        Digest::MultipartMd5 { md5, parts } => format!("{}-{parts}", hex(md5)),
        Digest::Crc64Nvme(crc) => format!("{crc:016x}"),
        Digest::Crc32c(crc) => format!("{crc:08x}"),
    }
}

fn hex(md5: [u8; 16]) -> String {
    md5.iter().fold(String::with_capacity(32), |mut hex, byte| {
        // Writing to a String can't fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The digest of this kind of these bytes.
pub(super) fn digest(body: &[u8], kind: DigestKind) -> Digest {
    match kind {
        DigestKind::Md5 => Digest::Md5(Md5::digest(body).into()),
        DigestKind::Crc64Nvme => Digest::Crc64Nvme(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, body)),
        DigestKind::Crc32c => Digest::Crc32c(narrowed(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, body))),
        DigestKind::MultipartMd5 { part_size } => {
            let part_size = usize::try_from(part_size).unwrap_or(usize::MAX).max(1);
            let mut parts = 0;
            let mut all = Md5::new();
            for part in body.chunks(part_size) {
                all.update(Md5::digest(part));
                parts += 1;
            }
            Digest::MultipartMd5 { md5: all.finalize().into(), parts }
        }
    }
}

/// With what the object is written.
pub(super) fn terms(object: &NewObject) -> [u8; 32] {
    let mut digest = [0; 32];
    digest[..16].copy_from_slice(&Md5::digest(format!("{:?}", object.headers)));
    digest
}

pub(super) fn check_size(object: &NewObject, body: &[u8]) -> Result<(), Failure> {
    if body.len() as u64 == object.size {
        return Ok(());
    }
    let reason = format!("{} bytes were announced and {} came", object.size, body.len());
    Err(Failure::new(FailureKind::Corrupt, reason))
}

fn changed() -> Failure {
    Failure::new(FailureKind::Changed, "somebody else wrote this key since it was listed; run again")
}
