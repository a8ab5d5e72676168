//! What Google refuses of a request whoever sends it: pure.

use http::request::Parts;
use http::{Method, StatusCode, header};
use s3s::{S3Result, s3_error};

use super::names;
use crate::errors;

/// The parameters that it knows, of what this server does
/// (<https://cloud.google.com/storage/docs/xml-api/reference-methods>).
const PARAMETERS: [&str; 24] = [
    "acl",
    "continuation-token",
    "delete",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "generation",
    "key-marker",
    "list-type",
    "location",
    "marker",
    "max-keys",
    "max-parts",
    "max-uploads",
    "part-number-marker",
    "partNumber",
    "prefix",
    "start-after",
    "upload-id-marker",
    "uploadId",
    "uploads",
    "versioning",
    "versions",
    "website",
];

/// Refuses what Google refuses; and, as no client of ours should send that, what it leaves unheeded.
pub(super) fn check(parts: &Parts) -> S3Result<()> {
    check_headers(parts)?;
    let query: Vec<&str> = parts.uri.query().unwrap_or_default().split('&').collect();
    let names = || query.iter().map(|pair| pair.split_once('=').map_or(*pair, |(name, _)| name));
    if names().any(|name| !name.is_empty() && !PARAMETERS.contains(&name)) {
        return Err(s3_error!(InvalidArgument, "There is no such parameter."));
    }
    let has = |wanted: &str| names().any(|name| name == wanted);
    let headers = &parts.headers;
    let is_write = [Method::PUT, Method::POST].contains(&parts.method);
    if is_write && !headers.contains_key(header::CONTENT_LENGTH) && !headers.contains_key(header::TRANSFER_ENCODING) {
        // https://cloud.google.com/storage/docs/xml-api/reference-status#411-length-required
        let message = "You must provide the Content-Length HTTP header.";
        return Err(errors::error(StatusCode::LENGTH_REQUIRED, "MissingContentLength", message));
    }
    // https://cloud.google.com/storage/docs/multipart-uploads: "Preconditions are not supported in the requests."
    if headers.contains_key(names::IF_GENERATION_MATCH) && (has("uploads") || has("uploadId")) {
        return Err(not_implemented("Preconditions are not supported for multipart uploads."));
    }
    if headers.contains_key("x-goog-copy-source") && has("uploadId") {
        return Err(not_implemented("A part can't be copied."));
    }
    let makes_bucket = parts.method == Method::PUT && query == [""] && parts.uri.path().matches('/').count() == 1;
    if makes_bucket && !headers.contains_key(names::PROJECT) {
        return Err(s3_error!(InvalidArgument, "Which project is the bucket to be in?"));
    }
    let path = parts.uri.path().to_ascii_uppercase();
    if path.contains("%0A") || path.contains("%0D") {
        // https://cloud.google.com/storage/docs/objects#naming
        return Err(errors::error(StatusCode::BAD_REQUEST, "InvalidObjectName", "Names have no line ends."));
    }
    Ok(())
}

/// <https://github.com/carrierwaveuploader/carrierwave/pull/2356>
fn check_headers(parts: &Parts) -> S3Result<()> {
    let of = |prefix: &'static str| {
        parts.headers.keys().map(http::HeaderName::as_str).filter(move |it| it.starts_with(prefix))
    };
    let has_others = of("x-amz-").next().is_some();
    if has_others && of(names::PREFIX).next().is_some() {
        let message = "Requests cannot specify both x-amz and x-goog headers";
        return Err(errors::error(StatusCode::BAD_REQUEST, "ExcessHeaderValues", message));
    }
    if has_others || !of(names::PREFIX).all(names::is_known) {
        return Err(s3_error!(InvalidArgument, "There is no such header."));
    }
    // It is one of answers alone: https://cloud.google.com/storage/docs/xml-api/reference-headers#expires
    if parts.headers.contains_key(header::EXPIRES) {
        return Err(s3_error!(InvalidArgument, "Expires would not be kept."));
    }
    let guard = parts.headers.get(names::IF_GENERATION_MATCH);
    if guard.is_some_and(|value| value.to_str().ok().and_then(|value| value.parse::<u64>().ok()).is_none()) {
        return Err(s3_error!(InvalidArgument, "A generation is a number."));
    }
    Ok(())
}

fn not_implemented(message: &'static str) -> s3s::S3Error {
    errors::error(StatusCode::BAD_REQUEST, "NotImplemented", message)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    type Headers<'a> = &'a [(&'a str, &'a str)];

    fn code(method: &str, uri: &str, headers: Headers<'_>) -> Option<String> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        check(&parts).err().map(|error| error.code().as_str().to_owned())
    }

    #[test]
    fn what_google_refuses_is_refused() {
        let length = ("content-length", "0");
        let guard = ("x-goog-if-generation-match", "0");
        let copy = ("x-goog-copy-source", "/b/k");
        let table: [(&str, &str, Headers<'_>, Option<&str>); 17] = [
            ("GET", "/b?list-type=2&prefix=a", &[("x-goog-user-project", "p")], None),
            ("PUT", "/b/k", &[length, guard, ("x-goog-meta-a", "1")], None),
            ("PUT", "/b/k", &[("transfer-encoding", "chunked")], None),
            ("PUT", "/b/k", &[length, guard, ("x-amz-meta-a", "1")], Some("ExcessHeaderValues")),
            ("PUT", "/b/k", &[length, ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=")], Some("InvalidArgument")),
            ("PUT", "/b/k", &[length, ("x-goog-tagging", "a=b")], Some("InvalidArgument")),
            ("PUT", "/b/k", &[length, ("x-goog-if-generation-match", "x")], Some("InvalidArgument")),
            ("PUT", "/b/k", &[length, ("expires", "Fri, 24 May 2013 00:00:00 GMT")], Some("InvalidArgument")),
            ("PUT", "/b/k", &[], Some("MissingContentLength")),
            ("PUT", "/b/a%0ab", &[length], Some("InvalidObjectName")),
            ("POST", "/b/k?uploads", &[length, guard], Some("NotImplemented")),
            ("POST", "/b/k?uploadId=u", &[length, guard], Some("NotImplemented")),
            ("PUT", "/b/k?partNumber=1&uploadId=u", &[length, copy], Some("NotImplemented")),
            ("PUT", "/b", &[length], Some("InvalidArgument")),
            ("PUT", "/b", &[length, ("x-goog-project-id", "p")], None),
            ("GET", "/b/k?versionId=1", &[], Some("InvalidArgument")),
            ("GET", "/b/k?generation=1", &[], None),
        ];
        for (method, uri, headers, expected) in table {
            assert_eq!(code(method, uri, headers).as_deref(), expected, "{method} {uri} {headers:?}");
        }
    }
}
