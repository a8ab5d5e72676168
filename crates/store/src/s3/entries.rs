//! Objects, and what must hold of them, between the store's words and S3's.

use std::time::SystemTime;

use brigade_s3::{Bucket, ObjectHead};

use super::failures::changed;
use crate::{Condition, Entry, Failure, Key, Receipt, Verified, Version, VersionId};

/// What is at the key, by its HEAD.
pub(crate) fn entry(key: &Key, head: &ObjectHead) -> Entry {
    let id = head.generation.as_deref().map(VersionId::from);
    let storage_class = head.storage_class.clone().map(String::into_boxed_str);
    let version = Version::Object { etag: head.etag.clone(), id, storage_class };
    Entry { key: key.clone(), size: head.size, modified: head.last_modified, version }
}

/// The ETag to ask for, where the service gave one.
pub(super) fn etag(entry: &Entry) -> Option<&str> {
    entry.etag().filter(|etag| !etag.is_empty())
}

pub(super) fn check_version(listed: &Entry, head: &ObjectHead) -> Result<(), Failure> {
    if listed.same_version(&entry(&listed.key, head)) { Ok(()) } else { Err(changed()) }
}

/// The generation to guard with, where the service has those and told it.
pub(super) fn generation<'a>(bucket: &Bucket, entry: &'a Entry) -> Option<&'a str> {
    entry.version_id().filter(|_| bucket.client().provider().is_google())
}

pub(super) fn condition<'a>(bucket: &Bucket, condition: &'a Condition) -> brigade_s3::Condition<'a> {
    match condition {
        Condition::Absent => brigade_s3::Condition::IfAbsent,
        Condition::Replaces(entry) => match (generation(bucket, entry), etag(entry)) {
            (Some(generation), _) => brigade_s3::Condition::IfGeneration(generation),
            (None, Some(etag)) => brigade_s3::Condition::IfMatch(etag),
            (None, None) => brigade_s3::Condition::Always,
        },
    }
}

pub(super) fn verified(verified: brigade_s3::Verified) -> Verified {
    match verified {
        brigade_s3::Verified::Yes => Verified::Yes,
        brigade_s3::Verified::Unverifiable => Verified::Unverifiable,
    }
}

/// A write's answer has no `LastModified`: the local clock's stands in until
/// the next listing.
pub(super) fn receipt(key: &Key, size: u64, stored: brigade_s3::Stored) -> Receipt {
    let id = stored.generation.as_deref().map(VersionId::from);
    let version = Version::Object { etag: stored.etag, id, storage_class: None };
    let entry = Entry { key: key.clone(), size, modified: SystemTime::now(), version };
    Receipt { entry, verified: verified(stored.verified), digest: None }
}
