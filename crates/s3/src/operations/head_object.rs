//! `HeadObject`: what is known of an object, without its content.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>

use std::time::SystemTime;

use http::{HeaderName, HeaderValue, Method, header};

use crate::checksum::{CRC64NVME, Known, parse_crc64nvme, parse_md5_etag};
use crate::client::{Bucket, Rejection};
use crate::error::Error;
use crate::operations::{GetObject, Operation};
use crate::request::{Request, Response, unquote};
use crate::timestamp::parse_http_date;

/// Asks the service to send the checksums that it has.
pub(super) const CHECKSUM_MODE: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-amz-checksum-mode"), HeaderValue::from_static("ENABLED"));

/// Whether a checksum is one of the whole object, or of its parts' checksums.
const CHECKSUM_TYPE: HeaderName = HeaderName::from_static("x-amz-checksum-type");
const ENCRYPTION: HeaderName = HeaderName::from_static("x-amz-server-side-encryption");
const CUSTOMER_ENCRYPTION: HeaderName = HeaderName::from_static("x-amz-server-side-encryption-customer-algorithm");

/// Which object is asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeadObject<'a> {
    /// Its key.
    pub key: &'a str,
}

/// What is known of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// Its whole length in bytes.
    pub size: u64,
    /// Its ETag, without quotes; empty where the service gives none.
    pub etag: String,
    /// When it was written, by the service's clock.
    pub last_modified: SystemTime,
    /// Its `Content-Type`.
    pub content_type: Option<String>,
    /// Its user metadata: names without `x-amz-meta-`, in lower case, and values.
    pub metadata: Vec<(String, String)>,
    /// CRC-64/NVME of its whole content, where the service has it.
    pub crc64nvme: Option<u64>,
    /// MD5 of its whole content, where the ETag is known to be one: not under
    /// SSE-KMS or SSE-C, nor for a multipart upload.
    pub md5: Option<[u8; 16]>,
}

impl ObjectHead {
    /// The value of a piece of user metadata.
    #[must_use]
    pub fn metadata(&self, name: &str) -> Option<&str> {
        self.metadata.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// What the content can be checked against.
    pub(crate) fn known(&self) -> Known {
        Known { crc64nvme: self.crc64nvme, md5: self.md5 }
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
            last_modified,
            content_type: response.header(header::CONTENT_TYPE).map(str::to_owned),
            metadata: metadata.collect(),
            crc64nvme: known.crc64nvme,
            md5: known.md5,
            etag,
        })
    }
}

/// What the whole content can be checked against, by an answer's headers.
pub(super) fn known(response: &Response) -> Known {
    let etag = response.header(header::ETAG).map(unquote).filter(|_| is_etag_md5(response));
    Known { crc64nvme: crc64nvme_of_whole(response), md5: etag.and_then(parse_md5_etag) }
}

fn crc64nvme_of_whole(response: &Response) -> Option<u64> {
    if response.header(CHECKSUM_TYPE).is_some_and(|kind| kind != "FULL_OBJECT") {
        return None;
    }
    response.header(CRC64NVME).and_then(parse_crc64nvme)
}

/// Under SSE-KMS and SSE-C the ETag is no MD5
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>).
pub(super) fn is_etag_md5(response: &Response) -> bool {
    let is_kms = response.header(ENCRYPTION).is_some_and(|kind| kind.starts_with("aws:kms"));
    !is_kms && !response.headers.contains_key(CUSTOMER_ENCRYPTION)
}

impl Bucket {
    /// Asks what is known of an object; [`crate::ErrorKind::NotFound`] where it isn't there.
    pub async fn head_object(&self, object: HeadObject<'_>) -> Result<ObjectHead, Error> {
        let (name, value) = CHECKSUM_MODE;
        let request =
            Request::new(Operation::HeadObject, Method::HEAD).bucket(self.name()).key(object.key).header(name, value);
        let read = |response: &Response| {
            let size = response
                .header(header::CONTENT_LENGTH)
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
        match self.first_byte(object.key).await {
            Err(why) if why.is_locked_out() => Err(why),
            Err(other) if other.status() == refused.status() => Err(refused),
            // The session was ended, and is a new one now.
            _ => self.client().send_for(&request, read).await,
        }
    }

    /// Asks for an object's first byte: the answer says why it is refused.
    async fn first_byte(&self, key: &str) -> Result<(), Error> {
        let first_byte = GetObject { key, range: Some(0..1), if_match: None, limit: 1 };
        self.get_object(first_byte).await.map(drop)
    }
}
