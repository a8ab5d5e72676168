//! `PutObject`: an object in one request.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>

use bytes::Bytes;
use http::Method;

use super::head_object::{generation, md5_of};
use super::object_headers::{leaves_no_trace, with_headers};
use crate::checksum::{CRC64NVME, Checksum, Verified, parse_crc64nvme};
use crate::client::{Bucket, Rejection};
use crate::error::Error;
use crate::hashing::Hashes;
use crate::operations::{HeadObject, NewHeaders, Operation};
use crate::request::{Request, Response};

/// An object that is about to be written.
#[derive(Clone, Debug, Default)]
pub struct PutObject<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its content; S3 takes up to 5 GiB at once.
    pub body: Bytes,
    /// What goes with it.
    pub headers: NewHeaders<'a>,
    /// What must hold for it to be written.
    pub condition: Condition<'a>,
}

/// What must hold of a key for a write to happen. It is sent only where the
/// provider is known to honour it ([`crate::Dialect`]); elsewhere the write
/// happens in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition<'a> {
    /// Nothing.
    #[default]
    Always,
    /// Nothing is there.
    IfAbsent,
    /// The object there has this ETag, without quotes.
    IfMatch(&'a str),
    /// The object there is this generation: where the provider guards writes by
    /// those ([`crate::Provider::is_google`]), and nowhere else.
    IfGeneration(&'a str),
}

/// What the service answered to a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The new object's ETag, without quotes.
    pub etag: String,
    /// Its generation, where the provider has those.
    pub generation: Option<String>,
    /// Whether the service confirmed a checksum of the content.
    pub verified: Verified,
}

impl Bucket {
    /// Writes an object: it appears whole, or not at all.
    pub async fn put_object(&self, object: PutObject<'_>) -> Result<Stored, Error> {
        let dialect = self.dialect();
        let (checksum, hashes) = self.client().hash_to_send(&object.body, dialect).await;
        let (name, value) = checksum.header();
        let request = Request::new(Operation::PutObject, Method::PUT)
            .bucket(self.name())
            .key(object.key)
            .header(name, value)
            .hashed_body(object.body.clone(), &hashes);
        let request = with_headers(request, &object.headers, &self.client().0.config.writing)?;
        let honoured = match object.condition {
            Condition::Always => false,
            Condition::IfAbsent => dialect.put_if_absent.is_certain(),
            Condition::IfMatch(_) | Condition::IfGeneration(_) => dialect.put_if_match.is_certain(),
        };
        let request = if honoured { self.guarded(request, object.condition).await? } else { request };
        match self.client().send_for(&request, |response| confirm(response, checksum)).await {
            Err(error) if may_be_ours(&error) => self.recognise(&object, error).await,
            result => result,
        }
    }

    /// A write whose answer was lost may be what stands there now, whatever
    /// became of it when it was sent again: it is ours if the content is.
    async fn recognise(&self, object: &PutObject<'_>, refused: Error) -> Result<Stored, Error> {
        if leaves_no_trace(object.headers.grants, &self.client().0.config.writing) {
            return Err(refused);
        }
        let Ok(head) = self.head_object(HeadObject { key: object.key, ..HeadObject::default() }).await else {
            return Err(refused);
        };
        let is_ours = head.size == object.body.len() as u64
            && matches!(head.known().verify(&object.body, &Hashes::default()), Ok(Verified::Yes))
            && object.headers.metadata.iter().all(|(name, value)| head.metadata(name) == Some(*value));
        if is_ours { Ok(head.stored(Verified::Yes)) } else { Err(refused) }
    }
}

/// Whether a write that failed may have been carried out all the same: its answer was lost, or
/// damaged, where it tells of another checksum than what stands there has.
pub(super) fn may_be_ours(error: &Error) -> bool {
    error.is_after_lost_reply()
}

/// Compares what the service says of the content with what was sent.
pub(super) fn confirm(response: &Response, sent: Checksum) -> Result<Stored, Rejection> {
    let etag = response.etag().unwrap_or_default();
    let generation = generation(response);
    let confirmed = match sent {
        Checksum::Crc64Nvme(crc) => response.header(CRC64NVME).and_then(parse_crc64nvme).map(|got| got == crc),
        Checksum::Md5(md5) => md5_of(response).map(|got| got == md5),
    };
    match confirmed {
        Some(true) => Ok(Stored { etag, generation, verified: Verified::Yes }),
        None => Ok(Stored { etag, generation, verified: Verified::Unverifiable }),
        Some(false) => {
            Err(Rejection::Corrupt("the checksum of what was stored is not that of what was sent".to_owned()))
        }
    }
}

/// An ETag as it stands in a header.
pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}
