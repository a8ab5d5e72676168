//! What a failure means to a caller, and how it is told from what the service says.

use http::StatusCode;

/// What a caller decides on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The object isn't there.
    NotFound,
    /// The bucket isn't there.
    NoSuchBucket,
    /// The multipart upload isn't there: never begun, completed, or aborted.
    NoSuchUpload,
    /// The bucket is in another region, or at another endpoint.
    Elsewhere,
    /// These credentials may not do this.
    AccessDenied,
    /// The credentials are missing, wrong or expired.
    Credentials,
    /// The clocks are too far apart for a signature to count.
    Clock,
    /// A condition (`If-Match`, `If-None-Match`) didn't hold.
    PreconditionFailed,
    /// Another request to the same key was under way.
    Conflict,
    /// The service asked for fewer requests, to the end.
    Throttled,
    /// The service failed (5xx), to the end.
    ServerFault,
    /// No connection could be made or kept.
    Unreachable,
    /// The service's certificate isn't trusted.
    Certificate,
    /// A proxy refused to let requests through.
    Proxy,
    /// Nothing moved for too long.
    TimedOut,
    /// The object is in an archive, from which it has to be restored before it can be read.
    Archived,
    /// What arrived isn't what was sent: a checksum or a length differs.
    Corrupt,
    /// The key is longer than the service takes.
    KeyTooLong,
    /// The service doesn't have this operation or header.
    NotImplemented,
    /// The answer isn't one that S3 gives.
    BadAnswer,
    /// It was given up before its answer came: whether it was carried out is not known.
    Abandoned,
    /// Anything else that was refused.
    Other,
}

/// What a refusal means: by its code, and where there is none (a HEAD has no
/// body) or it is a stranger, by its status.
pub(crate) fn kind_of(status: StatusCode, code: Option<&str>, about_key: bool) -> ErrorKind {
    match code.unwrap_or_default() {
        "NoSuchKey" => ErrorKind::NotFound,
        "NoSuchBucket" => ErrorKind::NoSuchBucket,
        "NoSuchUpload" => ErrorKind::NoSuchUpload,
        "AccessDenied" | "AllAccessDisabled" | "AccountProblem" => ErrorKind::AccessDenied,
        "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "InvalidToken"
        | "TokenRefreshRequired"
        | "AuthorizationHeaderMalformed"
        | "NotSignedUp"
        | "AuthenticationRequired"
        | "InvalidSecurity" => ErrorKind::Credentials,
        // The one to who reads, the other one to who copies
        // (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_Errors>,
        // <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html#API_CopyObject_Errors>).
        "InvalidObjectState" | "ObjectNotInActiveTierError" => ErrorKind::Archived,
        "RequestTimeTooSkewed" => ErrorKind::Clock,
        "PreconditionFailed" => ErrorKind::PreconditionFailed,
        "ConditionalRequestConflict" | "OperationAborted" => ErrorKind::Conflict,
        "SlowDown" | "TooManyRequests" | "RequestLimitExceeded" | "Throttling" | "ThrottlingException" => {
            ErrorKind::Throttled
        }
        // A HEAD's refusal has no code. With this status S3 asks to reduce the rate of requests
        // (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>, `SlowDown`).
        "" if status == StatusCode::SERVICE_UNAVAILABLE => ErrorKind::Throttled,
        "RequestTimeout" => ErrorKind::TimedOut,
        "InternalError" | "ServiceUnavailable" => ErrorKind::ServerFault,
        "BadDigest" | "XAmzContentSHA256Mismatch" | "InvalidDigest" => ErrorKind::Corrupt,
        "KeyTooLongError" => ErrorKind::KeyTooLong,
        "NotImplemented" | "MethodNotAllowed" => ErrorKind::NotImplemented,
        // Conflicts that don't pass, whatever their status says.
        "BucketAlreadyExists" | "BucketAlreadyOwnedByYou" | "BucketNotEmpty" | "RestoreAlreadyInProgress" => {
            ErrorKind::Other
        }
        _ => kind_of_status(status, about_key),
    }
}

fn kind_of_status(status: StatusCode, about_key: bool) -> ErrorKind {
    match status {
        StatusCode::NOT_FOUND if about_key => ErrorKind::NotFound,
        StatusCode::NOT_FOUND => ErrorKind::NoSuchBucket,
        StatusCode::UNAUTHORIZED => ErrorKind::Credentials,
        // Only proxies answer so.
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => ErrorKind::Proxy,
        StatusCode::FORBIDDEN => ErrorKind::AccessDenied,
        StatusCode::PRECONDITION_FAILED => ErrorKind::PreconditionFailed,
        StatusCode::CONFLICT => ErrorKind::Conflict,
        StatusCode::TOO_MANY_REQUESTS => ErrorKind::Throttled,
        StatusCode::REQUEST_TIMEOUT => ErrorKind::TimedOut,
        StatusCode::NOT_IMPLEMENTED | StatusCode::METHOD_NOT_ALLOWED => ErrorKind::NotImplemented,
        status if is_redirect(status) => ErrorKind::Elsewhere,
        status if status.is_server_error() => ErrorKind::ServerFault,
        _ => ErrorKind::Other,
    }
}

/// Whether the service says to ask elsewhere: S3 does so with 301 and 307
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>).
pub(crate) fn is_redirect(status: StatusCode) -> bool {
    status.is_redirection() && status != StatusCode::NOT_MODIFIED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_decide_and_statuses_stand_in_for_them() {
        let table = [
            (404, "NoSuchKey", true, ErrorKind::NotFound),
            (404, "", true, ErrorKind::NotFound),
            (404, "", false, ErrorKind::NoSuchBucket),
            (404, "NoSuchBucket", true, ErrorKind::NoSuchBucket),
            (404, "NoSuchUpload", true, ErrorKind::NoSuchUpload),
            (403, "AccessDenied", true, ErrorKind::AccessDenied),
            (403, "Stranger", true, ErrorKind::AccessDenied),
            (403, "SignatureDoesNotMatch", true, ErrorKind::Credentials),
            (403, "RequestTimeTooSkewed", true, ErrorKind::Clock),
            (400, "ExpiredToken", true, ErrorKind::Credentials),
            (401, "", true, ErrorKind::Credentials),
            (407, "", true, ErrorKind::Proxy),
            (412, "", true, ErrorKind::PreconditionFailed),
            (409, "ConditionalRequestConflict", true, ErrorKind::Conflict),
            (409, "BucketAlreadyExists", false, ErrorKind::Other),
            (503, "SlowDown", true, ErrorKind::Throttled),
            (429, "", true, ErrorKind::Throttled),
            (503, "", true, ErrorKind::Throttled),
            (503, "ServiceUnavailable", true, ErrorKind::ServerFault),
            (503, "Stranger", true, ErrorKind::ServerFault),
            (301, "PermanentRedirect", true, ErrorKind::Elsewhere),
            (307, "", false, ErrorKind::Elsewhere),
            (304, "", true, ErrorKind::Other),
            (500, "", true, ErrorKind::ServerFault),
            (200, "InternalError", true, ErrorKind::ServerFault),
            (400, "RequestTimeout", true, ErrorKind::TimedOut),
            (400, "BadDigest", true, ErrorKind::Corrupt),
            (403, "InvalidObjectState", true, ErrorKind::Archived),
            (403, "ObjectNotInActiveTierError", true, ErrorKind::Archived),
            (409, "RestoreAlreadyInProgress", true, ErrorKind::Other),
            (400, "KeyTooLongError", true, ErrorKind::KeyTooLong),
            (501, "", true, ErrorKind::NotImplemented),
            (400, "InvalidArgument", true, ErrorKind::Other),
        ];
        for (status, code, about_key, kind) in table {
            let code = Some(code).filter(|code| !code.is_empty());
            assert_eq!(kind_of(StatusCode::from_u16(status).unwrap(), code, about_key), kind, "{status} {code:?}");
        }
    }
}
