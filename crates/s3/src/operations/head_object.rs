//! `HeadObject`: what is known of an object, without its content.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>

use std::time::SystemTime;

use http::{HeaderName, HeaderValue, Method, header};

use super::object_headers::{kept, text, undecodable};
use crate::checksum::{CRC32C, CRC64NVME, Known, Verified, parse_crc32c, parse_crc64nvme, parse_md5, parse_md5_etag};
use crate::client::{Bucket, Rejection};
use crate::dialect::google;
use crate::error::{Error, ErrorKind};
use crate::operations::{GetObject, Operation, Stored};
use crate::request::{Request, Response, VERSION_ID, unquote};
use crate::timestamp::parse_http_date;

/// Asks the service to send the checksums that it has.
pub(super) const CHECKSUM_MODE: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-amz-checksum-mode"), HeaderValue::from_static("ENABLED"));

/// Whether a checksum is one of the whole object, or of its parts' checksums.
const CHECKSUM_TYPE: HeaderName = HeaderName::from_static("x-amz-checksum-type");
const STORAGE_CLASS: HeaderName = HeaderName::from_static("x-amz-storage-class");
const RESTORE: HeaderName = HeaderName::from_static("x-amz-restore");
const ARCHIVE_STATUS: HeaderName = HeaderName::from_static("x-amz-archive-status");
const PARTS_COUNT: HeaderName = HeaderName::from_static("x-amz-mp-parts-count");
const TAGGING_COUNT: HeaderName = HeaderName::from_static("x-amz-tagging-count");

/// The storage class of whatever nothing else is said of
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html>).
pub const USUAL_CLASS: &str = "STANDARD";

const ENCRYPTION: HeaderName = HeaderName::from_static("x-amz-server-side-encryption");
const CUSTOMER_ENCRYPTION: HeaderName = HeaderName::from_static("x-amz-server-side-encryption-customer-algorithm");

/// Which object is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeadObject<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its version, where it needn't be the current one.
    pub version_id: Option<&'a str>,
}

/// What is known of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// Its whole length in bytes.
    pub size: u64,
    /// Its ETag, without quotes; empty where the service gives none.
    pub etag: String,
    /// Its generation, where the provider has those: another one with each write.
    pub generation: Option<String>,
    /// Of which version the answer is, where it says so.
    pub version_id: Option<String>,
    /// When it was written, by the service's clock.
    pub last_modified: SystemTime,
    /// Its `Content-Type`.
    pub content_type: Option<String>,
    /// Its user metadata: names without `x-amz-meta-`, in lower case, and values.
    pub metadata: Vec<(String, String)>,
    /// Other headers that the service keeps with it, by their names in lower case.
    pub others: Vec<(&'static str, String)>,
    /// A header of those, or a piece of user metadata, whose value is no UTF-8 text and so stands in neither as it is.
    pub undecodable: Option<String>,
    /// Its storage class, where it isn't the usual one.
    pub storage_class: Option<String>,
    /// Whether it is in an archive, and can't be read before it is restored from there.
    pub archived: bool,
    /// How many tags it has, as far as whoever asks may know.
    pub tags: u32,
    /// CRC-64/NVME of its whole content, where the service has it.
    pub crc64nvme: Option<u64>,
    /// CRC-32C of its whole content, where the service has it.
    pub crc32c: Option<u32>,
    /// MD5 of its whole content, where the service tells it, or the ETag is known to be one: not under
    /// SSE-KMS or SSE-C, nor for a multipart upload.
    pub md5: Option<[u8; 16]>,
}

/// The user metadata in which whoever uploads in parts may note the MD5 of the whole content, in base64: rclone's
/// convention (<https://rclone.org/s3/#modification-times-and-hashes>).
pub const NOTED_MD5: &str = "md5chksum";

impl ObjectHead {
    /// The MD5 that whoever wrote it noted ([`NOTED_MD5`]). The service doesn't vouch for it: whoever writes the object
    /// anew may carry it along, and it speaks of what was there before.
    #[must_use]
    pub fn noted_md5(&self) -> Option<[u8; 16]> {
        self.metadata(NOTED_MD5).and_then(parse_md5)
    }

    /// The value of a piece of user metadata.
    #[must_use]
    pub fn metadata(&self, name: &str) -> Option<&str> {
        self.metadata.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// What the answer to its write would have been.
    pub(crate) fn stored(self, verified: Verified) -> Stored {
        Stored { etag: self.etag, generation: self.generation, verified }
    }

    /// What the content can be checked against.
    pub(crate) fn known(&self) -> Known {
        Known { crc64nvme: self.crc64nvme, md5: self.md5, crc32c: self.crc32c }
    }

    /// Reads the headers of a `GetObject` or `HeadObject`; the whole object's
    /// size stands elsewhere in each.
    pub(super) fn read(response: &Response, size: u64) -> Result<Self, Rejection> {
        let last_modified = response
            .header(header::LAST_MODIFIED)
            .and_then(parse_http_date)
            .ok_or_else(|| Rejection::Unreadable("the answer has no Last-Modified".to_owned()))?;
        let etag = response.etag().unwrap_or_default();
        let known = known(response);
        let metadata = response.headers.iter().filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("x-amz-meta-")?;
            Some((name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        });
        Ok(Self {
            size,
            generation: generation(response),
            version_id: response.header("x-amz-version-id").map(str::to_owned),
            last_modified,
            content_type: text(response, &header::CONTENT_TYPE).map(str::to_owned),
            metadata: metadata.collect(),
            others: kept(response),
            undecodable: undecodable(response),
            storage_class: response.header(STORAGE_CLASS).filter(|class| *class != USUAL_CLASS).map(str::to_owned),
            archived: is_archived(response),
            tags: response.header(TAGGING_COUNT).and_then(|count| count.parse().ok()).unwrap_or(0),
            crc64nvme: known.crc64nvme,
            crc32c: known.crc32c,
            md5: known.md5,
            etag,
        })
    }
}

/// The classes of what is in an archive. A copy that was restored for some days has the same.
const ARCHIVES: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];

/// Whether the object can't be read as it is
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>, `x-amz-restore` and `x-amz-archive-status`).
fn is_archived(response: &Response) -> bool {
    let is_in_archive = response.header(STORAGE_CLASS).is_some_and(|class| ARCHIVES.contains(&class))
        || response.header(ARCHIVE_STATUS).is_some();
    is_in_archive && !response.header(RESTORE).is_some_and(|restore| restore.contains("ongoing-request=\"false\""))
}

/// What the whole content can be checked against, by an answer's headers.
pub(super) fn known(response: &Response) -> Known {
    Known { crc64nvme: crc64nvme_of_whole(response), md5: md5_of(response), crc32c: crc32c_of_whole(response) }
}

/// The generation of the object that an answer is about, where the provider has those.
pub(super) fn generation(response: &Response) -> Option<String> {
    response.header(google::GENERATION).map(str::to_owned)
}

/// MD5 of the object that an answer is about. Where digests are told, only they say it: the ETag of an object that
/// was put together from parts is none at Google
/// (<https://cloud.google.com/storage/docs/xml-api/post-object-complete>).
pub(super) fn md5_of(response: &Response) -> Option<[u8; 16]> {
    if response.headers.contains_key(google::HASH) {
        return parse_md5(google::hash(&response.headers, "md5")?);
    }
    let etag = response.header(header::ETAG).map(unquote).filter(|_| is_etag_md5(response));
    etag.and_then(parse_md5_etag)
}

fn crc64nvme_of_whole(response: &Response) -> Option<u64> {
    if response.header(CHECKSUM_TYPE).is_some_and(|kind| kind != "FULL_OBJECT") {
        return None;
    }
    response.header(CRC64NVME).and_then(parse_crc64nvme)
}

/// Google tells it of every object
/// (<https://cloud.google.com/storage/docs/data-validation>).
pub(super) fn crc32c_of_whole(response: &Response) -> Option<u32> {
    let told = google::hash(&response.headers, "crc32c");
    // A service that doesn't say of what it is may have made it of those of the parts.
    let is_in_parts = || response.header(header::ETAG).is_some_and(|etag| etag.contains('-'));
    let is_whole = response.header(CHECKSUM_TYPE).map_or_else(|| !is_in_parts(), |kind| kind == "FULL_OBJECT");
    told.or_else(|| response.header(CRC32C).filter(|_| is_whole)).and_then(parse_crc32c)
}

/// Under SSE-KMS and SSE-C the ETag is no MD5
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>).
fn is_etag_md5(response: &Response) -> bool {
    let is_kms = response.header(ENCRYPTION).is_some_and(|kind| kind.starts_with("aws:kms"));
    !is_kms && !response.headers.contains_key(CUSTOMER_ENCRYPTION)
}

impl Bucket {
    /// Asks for this version, where one is named. At Google it is a generation, and those are numbers
    /// (<https://cloud.google.com/storage/docs/metadata#generation-number>): what isn't would only get an answer that
    /// doesn't say so.
    pub(super) fn of_version<'a>(
        &self,
        request: Request<'a>,
        version_id: Option<&'a str>,
    ) -> Result<Request<'a>, Error> {
        match version_id {
            Some(id) if self.client().provider().is_google() && id.parse::<u64>().is_err() => {
                let message = format!("{id:?} is no version here: Google Cloud Storage numbers them, by generations");
                Err(Error::local(ErrorKind::Other, request.operation, message).about(request.bucket, request.key))
            }
            Some(id) => Ok(request.query(VERSION_ID, id)),
            None => Ok(request),
        }
    }

    /// Asks what is known of an object; [`crate::ErrorKind::NotFound`] where it isn't there.
    pub async fn head_object(&self, object: HeadObject<'_>) -> Result<ObjectHead, Error> {
        let (name, value) = CHECKSUM_MODE;
        let request =
            Request::new(Operation::HeadObject, Method::HEAD).bucket(self.name()).key(object.key).header(name, value);
        let request = self.of_version(request, object.version_id)?;
        let read = |response: &Response| {
            // Of what is compressed Google tells no other length.
            let size = response
                .header(google::STORED_LENGTH)
                .or_else(|| response.header(header::CONTENT_LENGTH))
                .and_then(|length| length.parse().ok())
                .ok_or_else(|| Rejection::Unreadable("the answer has no Content-Length".to_owned()))?;
            ObjectHead::read(response, size)
        };
        let refused = match self.client().send_for(&request, read).await {
            Err(refused) if refused.code().is_none() => refused,
            answered => return answered,
        };
        // The answer to a HEAD has no body to say why: 400 is what an ended session gets
        // (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>, `ExpiredToken`), and 403 a key that
        // was taken back (`InvalidAccessKeyId`), among others. Objects that may not be read get that one by the
        // thousand, so that it is looked into now and then only.
        let _looking = match refused.status() {
            Some(400) => None,
            Some(403) => match self.client().look_into_denial().await {
                Some(looking) => Some(looking),
                None => return Err(refused),
            },
            _ => return Err(refused),
        };
        match self.first_byte(object).await {
            Err(why) if why.is_locked_out() => Err(why),
            Err(other) if other.status() == refused.status() => Err(refused),
            // The session was ended, and is a new one now.
            _ => self.client().send_for(&request, read).await,
        }
    }

    /// Bytes in the first part of an object that was uploaded in parts; `None` where it wasn't, or nobody can tell.
    pub async fn first_part_size(&self, object: HeadObject<'_>) -> Result<Option<u64>, Error> {
        let request = Request::new(Operation::HeadObject, Method::HEAD)
            .bucket(self.name())
            .key(object.key)
            .query("partNumber", "1");
        let request = self.of_version(request, object.version_id)?;
        let read = |response: &Response| {
            let number = |name: &HeaderName| response.header(name).and_then(|number| number.parse::<u64>().ok());
            // A service that knows nothing of parts answers with all of the object.
            let in_parts = number(&PARTS_COUNT).is_some_and(|count| count > 1);
            Ok(number(&header::CONTENT_LENGTH).filter(|_| in_parts))
        };
        self.client().send_for(&request, read).await
    }

    /// Asks for an object's first byte: the answer says why it is refused.
    async fn first_byte(&self, HeadObject { key, version_id }: HeadObject<'_>) -> Result<(), Error> {
        let first_byte = GetObject { key, version_id, range: Some(0..1), if_match: None, limit: 1 };
        self.get_object(first_byte).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;
    use crate::hashing::Hashes;

    #[test]
    fn what_is_in_an_archive_is_told_by_three_headers() {
        let table: [(&[(&str, &str)], bool); 8] = [
            (&[], false),
            (&[("x-amz-storage-class", "STANDARD_IA")], false),
            (&[("x-amz-storage-class", "GLACIER_IR")], false),
            (&[("x-amz-storage-class", "GLACIER")], true),
            (&[("x-amz-storage-class", "DEEP_ARCHIVE"), ("x-amz-restore", "ongoing-request=\"true\"")], true),
            (
                &[
                    ("x-amz-storage-class", "GLACIER"),
                    ("x-amz-restore", "ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2012 00:00:00 GMT\""),
                ],
                false,
            ),
            (&[("x-amz-storage-class", "INTELLIGENT_TIERING")], false),
            (&[("x-amz-storage-class", "INTELLIGENT_TIERING"), ("x-amz-archive-status", "ARCHIVE_ACCESS")], true),
        ];
        for (told, expected) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in told {
                headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static(value));
            }
            let (status, body, hashes) = (StatusCode::OK, Bytes::new(), Hashes::default());
            let response = Response { status, headers, body, hashes, after_lost_reply: false };
            assert_eq!(is_archived(&response), expected, "{told:?}");
        }
    }
}
