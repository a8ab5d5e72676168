//! `ListObjectVersions`: a page of a bucket's versions and delete markers.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>

mod arranged;

use std::time::SystemTime;

use http::Method;

use self::arranged::arranged;
use super::head_object::USUAL_CLASS;
use super::list_objects_v2::LARGEST_SIZE;
use crate::client::Bucket;
use crate::encoding::decode_listed;
use crate::error::{Error, ErrorKind};
use crate::operations::{Continuation, Endless, Operation};
use crate::request::{Request, unquote};
use crate::timestamp::parse_iso8601;
use crate::xml::{XmlError, walk};

/// Which page of the versions is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListObjectVersions<'a> {
    /// Only those whose keys begin with this.
    pub prefix: &'a str,
    /// Where the page before ended: its [`VersionsPage::next`].
    pub after: Option<&'a VersionsMarker>,
    /// Versions and delete markers in a page at most; S3 gives no more than 1000.
    pub max_keys: Option<u32>,
}

/// Where a page of versions ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionsMarker {
    /// The key of the last one: `key-marker`.
    pub key: String,
    /// Which version of it: `version-id-marker`. `None` where the service goes by keys alone.
    pub version_id: Option<String>,
}

/// A page of versions and delete markers: key after key by bytes, and of each key
/// the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionsPage {
    /// The versions and delete markers.
    pub versions: Vec<ListedVersion>,
    /// What to ask the next page with; `None` on the last one.
    pub next: Option<VersionsMarker>,
}

/// What a listing says of one version, or of a delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// Its key.
    pub key: String,
    /// The service's name of it; `null` of what was written while it gave none.
    pub version_id: String,
    /// Whether it is the current one of its key.
    pub is_latest: bool,
    /// When it was written, by the service's clock. Of an upload in parts, S3 says when it was begun.
    pub last_modified: SystemTime,
    /// Whether the service says where it stands among the versions and delete markers of its key; where it lists
    /// the ones apart from the others, their times do, which are coarse.
    pub is_placed: bool,
    /// What it holds; `None` of a delete marker.
    pub content: Option<VersionContent>,
}

/// What a version holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionContent {
    /// Its length in bytes.
    pub size: u64,
    /// Its ETag, without quotes; empty where the service gives none.
    pub etag: String,
    /// Its storage class; `None` of the usual one, STANDARD, and where the service doesn't say.
    pub storage_class: Option<String>,
}

/// Where a listing of versions goes on; like [`Continuation`], it notices one that never ends.
#[derive(Clone, Debug, Default)]
pub struct VersionsContinuation {
    pages: Continuation,
    marker: Option<VersionsMarker>,
}

impl VersionsContinuation {
    /// What to ask the next page with; `None` for the first one.
    #[must_use]
    pub fn marker(&self) -> Option<&VersionsMarker> {
        self.marker.as_ref()
    }

    /// Takes in a page; says whether another one follows.
    pub fn advance(&mut self, page: &VersionsPage) -> Result<bool, Endless> {
        let name = |key: &str, version_id: &str| format!("{key} {version_id}");
        let first = page.versions.first().map(|version| name(&version.key, &version.version_id));
        let next = page.next.as_ref().map(|next| name(&next.key, next.version_id.as_deref().unwrap_or_default()));
        let follows = self.pages.follow(page.versions.is_empty(), first.as_deref(), next)?;
        self.marker.clone_from(&page.next);
        Ok(follows)
    }
}

impl Bucket {
    /// Lists a page of versions and delete markers. Google's are refused before anything is sent: it keeps
    /// no delete markers, so that its listing doesn't tell when the newest version of a deleted key was superseded
    /// (<https://cloud.google.com/storage/docs/object-versioning>).
    pub async fn list_object_versions(&self, page: ListObjectVersions<'_>) -> Result<VersionsPage, Error> {
        if self.client().provider().is_google() {
            let message =
                "the versions that Google Cloud Storage keeps are not read as S3's: nothing is done with them";
            let error = Error::local(ErrorKind::NotImplemented, Operation::ListObjectVersions, message);
            return Err(error.about(Some(self.name()), None));
        }
        let mut request = Request::new(Operation::ListObjectVersions, Method::GET)
            .bucket(self.name())
            .query("versions", "")
            .query("encoding-type", "url")
            .query("prefix", page.prefix);
        if let Some(marker) = page.after {
            request = request.query("key-marker", marker.key.as_str());
            if let Some(version_id) = &marker.version_id {
                request = request.query("version-id-marker", version_id.as_str());
            }
        }
        if let Some(max_keys) = page.max_keys {
            request = request.query("max-keys", max_keys.to_string());
        }
        let in_order = self.client().provider().lists_versions_in_order();
        self.client().send_for(&request, |response| Ok(parse(&response.body, in_order)?)).await
    }
}

/// A version as far as it has been read.
#[derive(Default)]
struct Partial {
    key: Option<String>,
    version_id: Option<String>,
    is_latest: Option<bool>,
    last_modified: Option<SystemTime>,
    size: Option<u64>,
    etag: String,
    storage_class: Option<String>,
}

impl Partial {
    fn take(&mut self, field: &str, text: &str) {
        match field {
            "Key" => self.key = Some(text.to_owned()),
            "VersionId" => self.version_id = Some(text.to_owned()).filter(|id| !id.is_empty()),
            "IsLatest" => self.is_latest = text.parse().ok(),
            "LastModified" => self.last_modified = parse_iso8601(text),
            "Size" => self.size = text.parse().ok().filter(|size| *size <= LARGEST_SIZE),
            "ETag" => unquote(text).clone_into(&mut self.etag),
            "StorageClass" if text != USUAL_CLASS && !text.is_empty() => self.storage_class = Some(text.to_owned()),
            _ => {}
        }
    }

    /// The version; what it lacks would be a guess, on which nothing may be deleted.
    fn complete(self, is_marker: bool) -> Result<ListedVersion, XmlError> {
        let Some(key) = self.key else { return Err(XmlError("a version has no Key".to_owned())) };
        let lacks = |field: &str| XmlError(format!("a version of the key {key:?} has no {field} that can be read"));
        let size = self.size.or(is_marker.then_some(0)).ok_or_else(|| lacks("Size"))?;
        let (etag, storage_class) = (self.etag, self.storage_class);
        Ok(ListedVersion {
            version_id: self.version_id.ok_or_else(|| lacks("VersionId"))?,
            is_latest: self.is_latest.ok_or_else(|| lacks("IsLatest"))?,
            last_modified: self.last_modified.ok_or_else(|| lacks("LastModified"))?,
            is_placed: true,
            content: (!is_marker).then_some(VersionContent { size, etag, storage_class }),
            key,
        })
    }
}

/// Reads a page; `in_order` says that the service is known to list versions and delete markers among each other.
pub(crate) fn parse(document: &[u8], in_order: bool) -> Result<VersionsPage, XmlError> {
    let mut versions = Vec::new();
    let mut version = Partial::default();
    let (mut key_marker, mut id_marker) = (None, None);
    let (mut is_result, mut is_truncated, mut is_encoded) = (false, None, false);
    walk(document, |path, text| {
        let Some(element) = path.strip_prefix("ListVersionsResult/") else {
            is_result |= path == "ListVersionsResult";
            return Ok(());
        };
        match element.split_once('/') {
            Some(("Version" | "DeleteMarker", field)) => version.take(field, text),
            Some(_) => {}
            None => match element {
                "Version" => versions.push(std::mem::take(&mut version).complete(false)?),
                "DeleteMarker" => versions.push(std::mem::take(&mut version).complete(true)?),
                "NextKeyMarker" if !text.is_empty() => key_marker = Some(text.to_owned()),
                "NextVersionIdMarker" if !text.is_empty() => id_marker = Some(text.to_owned()),
                "IsTruncated" => is_truncated = text.parse::<bool>().ok(),
                "EncodingType" => is_encoded = text == "url",
                _ => {}
            },
        }
        Ok(())
    })?;
    if !is_result {
        return Err(XmlError("it is no ListVersionsResult".to_owned()));
    }
    let is_truncated = is_truncated.ok_or_else(|| XmlError("it doesn't say whether it goes on".to_owned()))?;
    if is_truncated && key_marker.is_none() {
        return Err(XmlError("the listing goes on, but without a NextKeyMarker".to_owned()));
    }
    if is_encoded {
        for key in versions.iter_mut().map(|version| &mut version.key).chain(&mut key_marker) {
            let decoded = decode_listed(key).ok_or_else(|| XmlError(format!("the key {key:?} cannot be decoded")))?;
            *key = decoded.into_owned();
        }
    }
    let next = key_marker.filter(|_| is_truncated).map(|key| VersionsMarker { key, version_id: id_marker });
    Ok(VersionsPage { versions: arranged(versions, in_order), next })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix/><KeyMarker/>\
        <VersionIdMarker/><NextKeyMarker>p/a+b</NextKeyMarker><NextVersionIdMarker>i+2</NextVersionIdMarker>\
        <EncodingType>url</EncodingType><MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated>\
        <DeleteMarker><Key>p/a+b</Key><VersionId>i+1</VersionId><IsLatest>true</IsLatest>\
        <LastModified>2013-05-24T00:00:01.000Z</LastModified><Owner><ID>Key</ID></Owner></DeleteMarker>\
        <Version><Key>p/a+b</Key><VersionId>i+2</VersionId><IsLatest>false</IsLatest>\
        <LastModified>2013-05-24T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>7</Size>\
        <StorageClass>GLACIER</StorageClass></Version></ListVersionsResult>";

    #[test]
    fn a_page_is_read_and_its_keys_decoded_but_not_its_ids() {
        let page = parse(PAGE.as_bytes(), true).unwrap();
        let version = |version_id: &str, is_latest, time: &str, content| ListedVersion {
            key: "p/a b".to_owned(),
            version_id: version_id.to_owned(),
            is_latest,
            last_modified: parse_iso8601(time).unwrap(),
            is_placed: true,
            content,
        };
        let content = VersionContent { size: 7, etag: "e".to_owned(), storage_class: Some("GLACIER".to_owned()) };
        let expected = [
            version("i+1", true, "2013-05-24T00:00:01Z", None),
            version("i+2", false, "2013-05-24T00:00:00Z", Some(content)),
        ];
        assert_eq!(page.versions, expected);
        assert_eq!(page.next, Some(VersionsMarker { key: "p/a b".to_owned(), version_id: Some("i+2".to_owned()) }));
        let last = parse(PAGE.replace("true</IsTruncated>", "false</IsTruncated>").as_bytes(), true).unwrap();
        assert_eq!((last.versions.len(), last.next), (2, None));
        let empty = b"<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>";
        assert_eq!(parse(empty, true), Ok(VersionsPage::default()));
    }

    #[test]
    fn nothing_is_guessed_that_a_page_lacks() {
        let broken = [
            PAGE.replace("<Key>p/a+b</Key>", ""),
            PAGE.replace("<Key>p/a+b</Key>", "<Key>%FF</Key>"),
            PAGE.replace("<VersionId>i+2</VersionId>", ""),
            PAGE.replace("<VersionId>i+1</VersionId>", "<VersionId/>"),
            PAGE.replace("<IsLatest>false</IsLatest>", ""),
            PAGE.replace("<IsLatest>true</IsLatest>", "<IsLatest>perhaps</IsLatest>"),
            PAGE.replace("<LastModified>2013-05-24T00:00:01.000Z</LastModified>", ""),
            PAGE.replace("<Size>7</Size>", ""),
            PAGE.replace("<NextKeyMarker>p/a+b</NextKeyMarker>", ""),
            PAGE.replace("<IsTruncated>true</IsTruncated>", ""),
            PAGE.replace("<IsTruncated>true</IsTruncated>", "<IsTruncated>yes</IsTruncated>"),
            PAGE.replace("ListVersionsResult", "ListBucketResult"),
            PAGE[..PAGE.len() - 5].to_owned(),
        ];
        for page in broken {
            assert!(parse(page.as_bytes(), true).is_err(), "{page}");
        }
    }
}
