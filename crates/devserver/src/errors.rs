//! Errors of S3's that `s3s` has no name for.

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

/// An error of this status, code and message.
pub(crate) fn error(status: StatusCode, code: &str, message: &'static str) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
    let mut error = S3Error::with_message(code, message);
    error.set_status_code(status);
    error
}
