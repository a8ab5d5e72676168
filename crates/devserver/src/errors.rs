//! Errors that more than one module answers, and those of S3's that `s3s` has no
//! name for.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use s3s::{S3Error, S3ErrorCode, s3_error};

use crate::storage::Record;

/// An error of this status, code and message.
pub(crate) fn error(status: StatusCode, code: &str, message: &'static str) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut error = S3Error::with_message(code, message);
    error.set_status_code(status);
    error
}

/// The body isn't the one that was signed.
pub(crate) fn payload_mismatch() -> S3Error {
    let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
    error(StatusCode::BAD_REQUEST, "XAmzContentSHA256Mismatch", message)
}

/// The body's digest of that name isn't the one that the request says.
pub(crate) fn bad_digest(name: &str) -> S3Error {
    s3_error!(BadDigest, "The {name} you specified did not match what was computed.")
}

/// A condition of the request doesn't hold.
pub(crate) fn precondition_failed() -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

/// The key's current version is a delete marker.
pub(crate) fn deleted(marker: &Record) -> S3Error {
    with_headers(s3_error!(NoSuchKey, "The specified key does not exist."), marker)
}

/// The version that was asked for by its id is a delete marker.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html>
pub(crate) fn is_delete_marker(marker: &Record) -> S3Error {
    let message = "The specified method is not allowed against this resource.";
    with_headers(s3_error!(MethodNotAllowed, "{message}"), marker)
}

/// The error with what says of which delete marker it speaks.
fn with_headers(mut error: S3Error, marker: &Record) -> S3Error {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
    if let Ok(id) = HeaderValue::try_from(marker.version.to_string()) {
        headers.insert("x-amz-version-id", id);
    }
    if *error.code() == S3ErrorCode::MethodNotAllowed {
        headers.insert(header::ALLOW, HeaderValue::from_static("DELETE"));
    }
    error.set_headers(headers);
    error
}
