//! What a request says of its body where that is XML, which `s3s` reads itself
//! and doesn't compare.

use bytes::Bytes;
use http::HeaderMap;
use http::request::Parts;
use s3s::crypto::{Checksum as _, Md5, Sha256};
use s3s::{S3Result, s3_error};

use crate::checksums::{Algorithm, Hasher, base64, hex};
use crate::errors;

/// Compares a body of XML with its digests in the headers.
pub(crate) fn check(parts: &Parts, body: &Bytes) -> S3Result<()> {
    let said = |name: &str| parts.headers.get(name)?.to_str().ok();
    // Other values of the header say that the body isn't signed as a whole.
    let sha256 = said("x-amz-content-sha256").filter(|value| value.len() == 64);
    if sha256.is_some_and(|said| said != hex(Sha256::checksum(body))) {
        return Err(errors::payload_mismatch());
    }
    if said("content-md5").is_some_and(|said| said != base64(Md5::checksum(body))) {
        return Err(errors::bad_digest("Content-MD5"));
    }
    if !is_delete_objects(parts) {
        // The checksum of a Complete is of the object.
        return Ok(());
    }
    for algorithm in Algorithm::ALL {
        if let Some(said) = said(&algorithm.header()) {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(body);
            if said != hasher.finish() {
                return Err(errors::bad_digest(algorithm.name()));
            }
        }
    }
    Ok(())
}

fn is_delete_objects(parts: &Parts) -> bool {
    parts.uri.query().is_some_and(|query| query.split('&').any(|pair| matches!(pair, "delete" | "delete=")))
}

/// S3 takes a bulk deletion only with a digest of its body.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
pub(crate) fn require_digest(headers: &HeaderMap) -> S3Result<()> {
    let is_given = |algorithm: Algorithm| headers.contains_key(algorithm.header());
    if headers.contains_key("content-md5") || Algorithm::ALL.into_iter().any(is_given) {
        Ok(())
    } else {
        Err(s3_error!(InvalidRequest, "Missing required header for this request: Content-MD5"))
    }
}
