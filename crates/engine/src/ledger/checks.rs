//! When objects were last found good by a check: what `brigade check --since-last` goes by.

use std::time::SystemTime;

use async_trait::async_trait;
use brigade_store::{Entry, Key};
use md5::{Digest, Md5};

use super::encoding::encode_fingerprint;
use super::{Fingerprint, LedgerError};
use crate::merge::Keyed;

/// When a check last found that both sides of a key have the same content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The key.
    pub key: Key,
    /// Which versions it found so, and by what proof: of others, it says nothing.
    pub versions: VersionsDigest,
    /// When, by the local clock, to the second.
    pub at: SystemTime,
}

/// What a check has proven of two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Whether content was read, and not only checksums compared that the stores keep.
    pub is_read: bool,
    /// Whether what goes with the content is the same as well.
    pub has_metadata: bool,
}

impl Proven {
    /// Each proof that is enough where this one is asked for.
    pub fn or_more(self) -> impl Iterator<Item = Self> {
        let reads = [self.is_read, true];
        reads.into_iter().flat_map(move |is_read| {
            [self.has_metadata, true].into_iter().map(move |has_metadata| Self { is_read, has_metadata })
        })
    }
}

/// A digest of the fingerprints of both sides, and of what was proven of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionsDigest(pub [u8; 16]);

impl VersionsDigest {
    /// That of the versions which these entries show, of which so much was proven.
    #[must_use]
    pub fn of(source: &Entry, dest: &Entry, proven: Proven) -> Self {
        let mut digest = Md5::new();
        for entry in [source, dest] {
            let fingerprint = encode_fingerprint(&Fingerprint::of(entry));
            digest.update((fingerprint.len() as u64).to_be_bytes());
            digest.update(fingerprint);
        }
        digest.update([u8::from(proven.is_read), u8::from(proven.has_metadata)]);
        Self(digest.finalize().into())
    }
}

impl Keyed for Checked {
    fn key(&self) -> &Key {
        &self.key
    }
}

/// What is remembered of checks. A sync neither reads nor writes it, and a check nothing else.
#[async_trait]
pub trait Checks: Send + Sync + 'static {
    /// The next checks after this key, at most so many, in ascending order of keys; empty at the end.
    async fn checked(&self, after: Option<&Key>, most: usize) -> Result<Vec<Checked>, LedgerError>;

    /// Remembers these, in the place of earlier ones of their keys, and forgets all of those keys.
    async fn note_checks(&self, good: Vec<Checked>, forgotten: Vec<Key>) -> Result<(), LedgerError>;
}
