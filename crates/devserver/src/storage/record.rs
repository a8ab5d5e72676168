//! What is kept of an object and of a part beside their bytes.

use std::collections::HashMap;

use s3s::dto::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Attributes, VersionId};
use crate::checksums::Checksum;

/// What is kept of an object, or of one of its versions, beside its bytes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) key: String,
    /// In bytes.
    pub(crate) size: u64,
    /// Without quotes.
    pub(crate) etag: String,
    /// In whole seconds.
    pub(crate) modified: Timestamp,
    pub(crate) headers: ObjectHeaders,
    pub(crate) checksum: Option<Checksum>,
    /// The sizes of the parts, of an object that was uploaded in parts.
    pub(crate) parts: Vec<u64>,
    #[serde(default)]
    pub(crate) attributes: Attributes,
    #[serde(default)]
    pub(crate) version: VersionId,
    /// Whether it is no object but says that there is none.
    #[serde(default)]
    pub(crate) delete_marker: bool,
    /// As the how many-th of its bucket it was written: the order of a key's versions,
    /// for which times are too coarse.
    #[serde(default)]
    pub(crate) sequence: u64,
}

/// The headers that come with an object and go out with it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct ObjectHeaders {
    pub(crate) content_type: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) website_redirect_location: Option<String>,
    pub(crate) storage_class: Option<String>,
    /// `x-amz-meta-*`, by the name after that.
    pub(crate) metadata: HashMap<String, String>,
}

impl ObjectHeaders {
    /// The headers of a copy that takes them over. What is said of where and how the copy is
    /// kept is said by its request alone.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
    pub(crate) fn and_copied(self, source: &Self) -> Self {
        Self {
            website_redirect_location: self.website_redirect_location,
            storage_class: self.storage_class,
            ..source.clone()
        }
    }
}

/// Takes the headers of an object out of an input that brings them.
macro_rules! take_headers {
    ($input:expr) => {
        crate::storage::ObjectHeaders {
            content_type: $input.content_type.take(),
            cache_control: $input.cache_control.take(),
            content_disposition: $input.content_disposition.take(),
            content_encoding: crate::operations::stored_encoding($input.content_encoding.take()),
            content_language: $input.content_language.take(),
            expires: $input.expires.take(),
            website_redirect_location: $input.website_redirect_location.take(),
            storage_class: $input.storage_class.take().map(|class| class.as_str().to_owned()),
            metadata: $input.metadata.take().unwrap_or_default(),
        }
    };
}

/// What is kept of an uploaded part beside its bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    /// 1 to 10,000.
    pub(crate) number: i32,
    /// In bytes.
    pub(crate) size: u64,
    /// Its MD5 in hexadecimal.
    pub(crate) etag: String,
    pub(crate) modified: Timestamp,
    pub(crate) checksum: Option<Checksum>,
}

pub(crate) use take_headers;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_before_there_were_versions_is_a_null_version() {
        let json = r#"{"key":"k","size":1,"etag":"e","modified":"2026-01-02T03:04:05Z","headers":{"metadata":{}},
            "checksum":null,"parts":[]}"#;
        let record: Record = serde_json::from_str(json).unwrap();
        assert_eq!((record.version, record.delete_marker, record.sequence), (VersionId::NULL, false, 0));
    }
}
