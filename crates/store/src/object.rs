//! Objects as they are read, written and copied: what goes with their content, and what must hold for a write.

use std::time::SystemTime;

use bytes::Bytes;

use crate::s3::Grants;
use crate::{Digest, DigestKind, Entry, Key, RetrievalTier, Store};

/// An object read whole.
#[derive(Clone, Debug)]
pub struct Object {
    /// The version that was read.
    pub entry: Entry,
    /// What goes with the content.
    pub headers: ObjectHeaders,
    /// All of its bytes.
    pub body: Bytes,
    /// Whether the bytes were checked against a digest of the store.
    pub verified: Verified,
}

/// What goes with an object's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectHeaders {
    /// The content's own modification time: `x-amz-meta-mtime` of an object
    /// (rclone's convention: seconds since the epoch, with a fraction), mtime of a file.
    pub modified: Option<SystemTime>,
    /// `Content-Type`, if known.
    pub content_type: Option<String>,
    /// Other headers that a bucket keeps (`cache-control`, `content-encoding`), by their names in lower case.
    pub others: Vec<(&'static str, String)>,
    /// User metadata besides the modification time: names without `x-amz-meta-`, in lower case, and values.
    pub metadata: Vec<(String, String)>,
    /// The name of a header whose value is no text, and that is missing or altered here.
    pub undecodable: Option<String>,
    /// MD5 of the whole content, of an object that is opened to be read in ranges: a copy in parts may note it,
    /// because its `ETag` won't give it.
    pub md5: Option<[u8; 16]>,
    /// The storage class, where it isn't the usual one.
    pub storage_class: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// Who is granted something by its access control list, which is asked for by itself ([`Store::grants`]).
    pub grants: Grants,
}

/// What is known of an object's tags, which are asked for by themselves ([`Store::tags`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tags {
    /// It has none that whoever asks may know of.
    #[default]
    None,
    /// It has some.
    Some,
    /// These, as in the query of a URL: `a=1&b=2`.
    Known(String),
}

/// How objects are asked for that lie in an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoreRequest {
    /// For how many days what is restored can be read; at least 1.
    pub days: u32,
    /// How fast it is to be there, and at what price.
    pub tier: RetrievalTier,
}

/// Whether content was checked on its way. A local tree answers `Yes`: its bytes travel nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It was, and it is right.
    Yes,
    /// The store gave none that can be checked.
    Unverifiable,
}

/// An object that is about to be written.
#[derive(Clone, Debug)]
pub struct NewObject {
    /// Where it goes.
    pub key: Key,
    /// Its length in bytes.
    pub size: u64,
    /// What goes with the content.
    pub headers: ObjectHeaders,
    /// What must hold of the key for the write to happen, where the store can tell.
    pub condition: Condition,
    /// Bytes in each part but the last, where it is to be cut in another way than usual.
    pub part_size: Option<u64>,
    /// The kind of digest that is wanted of the whole content when it is finished: to be compared
    /// ([`crate::Upload::finish`]), or, of a CRC-64/NVME, to be told ([`Receipt::digest`]).
    pub digest: Option<DigestKind>,
}

/// An object that a service is about to copy by itself.
#[derive(Clone, Copy)]
pub struct Copying<'a> {
    /// Where it is.
    pub source: &'a dyn Store,
    /// Which version of it.
    pub entry: &'a Entry,
    /// What must hold of the key for the copy to be written, where the store can tell.
    pub condition: &'a Condition,
    /// Whether its tags are left out.
    pub without_tags: bool,
    /// Who is granted something by the copy's access control list: the source's own isn't copied.
    pub grants: &'a Grants,
}

/// What must hold of a key for a write to happen.
#[derive(Clone, Debug)]
pub enum Condition {
    /// Nothing is there.
    Absent,
    /// This version is there.
    Replaces(Entry),
}

/// What a store answers to a write.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The version that is there now.
    pub entry: Entry,
    /// Whether the store confirmed a digest of the content.
    pub verified: Verified,
    /// A digest of the whole content, where the write worked one out that the
    /// entry's `ETag` doesn't give.
    pub digest: Option<Digest>,
}
