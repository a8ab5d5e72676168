//! Errors that more than one module answers, and those of S3's that `s3s` has no
//! name for.

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode, s3_error};

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
