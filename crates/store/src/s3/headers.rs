//! What goes with an object's content, between the store's words and S3's.

use brigade_s3::{Bucket, Grants, NOTED_MD5, NewHeaders, ObjectHead, format_md5};

use super::mtime;
use crate::{ObjectHeaders, Tags};

/// What an answer says of it.
pub(super) fn of_head(head: &ObjectHead) -> ObjectHeaders {
    let modified = mtime::of(head);
    // A time that can't be read stays what it is: a piece of metadata.
    let is_other = |name: &str| !mtime::NAMES.contains(&name) || modified.is_none();
    ObjectHeaders {
        modified,
        content_type: head.content_type.clone(),
        others: head.others.clone(),
        metadata: head.metadata.iter().filter(|(name, _)| is_other(name)).cloned().collect(),
        undecodable: head.undecodable.clone(),
        md5: None,
        storage_class: head.storage_class.clone(),
        tags: if head.tags > 0 { Tags::Some } else { Tags::None },
        grants: Grants::default(),
    }
}

/// What is written with an object.
pub(super) struct Outgoing<'a> {
    headers: &'a ObjectHeaders,
    /// Names and values.
    modified: Vec<(&'static str, String)>,
    md5: Option<String>,
}

impl<'a> Outgoing<'a> {
    pub(super) fn of(bucket: &Bucket, headers: &'a ObjectHeaders) -> Self {
        let is_noted = headers.metadata.iter().any(|(name, _)| name == NOTED_MD5);
        let md5 = headers.md5.filter(|_| !is_noted).map(format_md5);
        Self { headers, modified: mtime::metadata(bucket, headers.modified), md5 }
    }

    /// All of its user metadata.
    pub(super) fn metadata(&self) -> Vec<(&str, &str)> {
        let modified = self.modified.iter().map(|(name, value)| (*name, value.as_str()));
        let others = self.headers.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let md5 = self.md5.as_deref().map(|md5| (NOTED_MD5, md5));
        modified.chain(md5).chain(others).collect()
    }

    /// All of it, with that metadata.
    pub(super) fn headers<'b>(&'b self, metadata: &'b [(&'b str, &'b str)]) -> NewHeaders<'b> {
        NewHeaders {
            content_type: self.headers.content_type.as_deref(),
            others: &self.headers.others,
            metadata,
            storage_class: self.headers.storage_class.as_deref(),
            tagging: match &self.headers.tags {
                Tags::Known(tags) if !tags.is_empty() => Some(tags),
                Tags::Known(_) | Tags::None | Tags::Some => None,
            },
            grants: Some(&self.headers.grants),
        }
    }
}
