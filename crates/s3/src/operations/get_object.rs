//! `GetObject`: an object's content, or a range of it.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>

use std::ops::Range;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};

use super::head_object::{CHECKSUM_MODE, known};
use super::put_object::quoted;
use crate::checksum::Verified;
use crate::client::{Bucket, Rejection};
use crate::dialect::google;
use crate::error::Error;
use crate::hashing::Wanted;
use crate::operations::{ObjectHead, Operation};
use crate::request::{Request, Response};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct GetObject<'a> {
    /// The object's key.
    pub key: &'a str,
    /// Its version, where it needn't be the current one.
    pub version_id: Option<&'a str>,
    /// Which of its bytes; never empty. Without one, all of them.
    pub range: Option<Range<u64>>,
    /// The ETag that it must still have, without quotes.
    pub if_match: Option<&'a str>,
    /// Bytes that are read into memory at most; a longer answer is an error.
    pub limit: u64,
}

/// What was asked for, whole.
#[derive(Clone, Debug)]
pub struct GotObject {
    /// What is known of the object.
    pub head: ObjectHead,
    /// The bytes asked for, all of them.
    pub body: Bytes,
    /// Whether the bytes were checked; a range of an object can't be.
    pub verified: Verified,
}

impl Bucket {
    /// Gets an object's bytes into memory. A body that breaks off, or isn't
    /// what its checksum says, is asked for again.
    pub async fn get_object(&self, wanted: GetObject<'_>) -> Result<GotObject, Error> {
        let (name, value) = CHECKSUM_MODE;
        let mut request =
            Request::new(Operation::GetObject, Method::GET).bucket(self.name()).key(wanted.key).header(name, value);
        request = self.of_version(request, wanted.version_id)?;
        request.limit = wanted.limit;
        request.hash_answer = |response| if is_whole(response) { known(response).wanted() } else { Wanted::default() };
        if let Some(range) = &wanted.range {
            let last = range.end.saturating_sub(1);
            request = request.text_header(header::RANGE.as_str(), &format!("bytes={}-{last}", range.start))?;
        }
        if let Some(etag) = wanted.if_match {
            request = request.text_header(header::IF_MATCH.as_str(), &quoted(etag))?;
        }
        self.client().send_for(&request, |response| read(response, wanted.range.as_ref())).await
    }
}

fn read(response: &Response, range: Option<&Range<u64>>) -> Result<GotObject, Rejection> {
    let length = response.body.len() as u64;
    let size = match (range, response.status) {
        (Some(range), StatusCode::PARTIAL_CONTENT) => {
            let (sent, size) = response
                .headers
                .get(header::CONTENT_RANGE)
                .and_then(parse_content_range)
                .ok_or_else(|| Rejection::Unreadable("the answer has no Content-Range".to_owned()))?;
            // A range that reaches beyond the end is answered with what there is.
            if sent.start != range.start || sent.end != range.end.min(size) || length != sent.end - sent.start {
                return Err(Rejection::Unreadable(format!("bytes {sent:?} came, {length} of them, not {range:?}")));
            }
            size
        }
        (Some(range), _) if *range != (0..length) => {
            return Err(Rejection::Unreadable(format!("{length} bytes came in place of the range {range:?}")));
        }
        _ => match response.header(google::STORED_LENGTH).and_then(|stored| stored.parse::<u64>().ok()) {
            Some(stored) if stored != length => {
                let what = format!("{length} bytes came of an object that is stored as {stored}: it was decompressed");
                return Err(Rejection::Unreadable(what));
            }
            _ => length,
        },
    };
    let head = ObjectHead::read(response, size)?;
    let verified = if length == size {
        head.known().verify(&response.body, &response.hashes).map_err(Rejection::Corrupt)?
    } else {
        Verified::Unverifiable
    };
    Ok(GotObject { head, body: response.body.clone(), verified })
}

/// Whether the answer holds all of the object: only that can be checked.
fn is_whole(response: &Response) -> bool {
    let range = response.headers.get(header::CONTENT_RANGE).and_then(parse_content_range);
    range.is_none_or(|(_, size)| size == response.body.len() as u64)
}

/// Reads `bytes 0-9/100` as the range `0..10` and the size 100.
fn parse_content_range(value: &HeaderValue) -> Option<(Range<u64>, u64)> {
    let (range, size) = value.to_str().ok()?.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    Some((first.parse().ok()?..last.parse::<u64>().ok()?.checked_add(1)?, size.parse().ok()?))
}
