//! Google's names of headers, and S3's for the same
//! (<https://cloud.google.com/storage/docs/xml-api/reference-headers>).

use http::header::{AUTHORIZATION, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, Method};

pub(super) const PREFIX: &str = "x-goog-";
pub(super) const IF_GENERATION_MATCH: &str = "x-goog-if-generation-match";
pub(super) const COPY_SOURCE_GENERATION: &str = "x-goog-copy-source-generation";
pub(super) const USER_PROJECT: &str = "x-goog-user-project";
pub(super) const PROJECT: &str = "x-goog-project-id";
pub(super) const DATE: &str = "x-goog-date";
pub(super) const CONTENT_SHA256: &str = "x-goog-content-sha256";

const S3: &str = "x-amz-";

/// What is the same but for the beginning.
const TWINS: [&str; 9] = [
    "acl",
    "copy-source",
    "copy-source-if-match",
    "copy-source-if-modified-since",
    "copy-source-if-none-match",
    "copy-source-if-unmodified-since",
    "date",
    "metadata-directive",
    "storage-class",
];

/// Whether Google has a header of this name in requests.
pub(super) fn is_known(name: &str) -> bool {
    let own = [IF_GENERATION_MATCH, COPY_SOURCE_GENERATION, USER_PROJECT, PROJECT, DATE, CONTENT_SHA256];
    own.contains(&name) || name.strip_prefix(PREFIX).is_some_and(has_twin)
}

fn has_twin(rest: &str) -> bool {
    TWINS.contains(&rest) || rest.starts_with("meta-")
}

/// Writes the headers of a request in S3's names. What guards a write with an ETag at S3 does nothing at Google
/// (<https://cloud.google.com/storage/docs/request-preconditions>).
pub(super) fn to_s3(method: &Method, headers: &mut HeaderMap) {
    headers.remove(AUTHORIZATION);
    if method != Method::GET && method != Method::HEAD {
        headers.remove(IF_MATCH);
        headers.remove(IF_NONE_MATCH);
    }
    rename(headers, PREFIX, S3);
}

/// Writes the headers of an answer in Google's names; S3's alone are left out.
pub(super) fn to_google(headers: &mut HeaderMap) {
    rename(headers, S3, PREFIX);
}

/// Renames what both have, and removes the others of that beginning.
fn rename(headers: &mut HeaderMap, from: &str, to: &str) {
    let names: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().starts_with(from)).cloned().collect();
    for name in names {
        let (Some(value), Some(rest)) = (headers.remove(&name), name.as_str().strip_prefix(from)) else { continue };
        if has_twin(rest)
            && let Ok(twin) = HeaderName::try_from(format!("{to}{rest}"))
        {
            headers.insert(twin, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn requests_become_those_of_s3_but_for_what_guards_writes() {
        let sent = [
            ("authorization", "Bearer t"),
            ("if-match", "\"e\""),
            ("x-goog-meta-a", "1"),
            ("x-goog-copy-source", "/b/k"),
            ("x-goog-if-generation-match", "0"),
        ];
        let mut put = headers(&sent);
        to_s3(&Method::PUT, &mut put);
        assert_eq!(put, headers(&[("x-amz-meta-a", "1"), ("x-amz-copy-source", "/b/k")]));
        let mut get = headers(&sent[..2]);
        to_s3(&Method::GET, &mut get);
        assert_eq!(get, headers(&[("if-match", "\"e\"")]));
    }

    #[test]
    fn answers_say_nothing_in_s3s_names() {
        let mut answer = headers(&[("etag", "e"), ("x-amz-meta-a", "1"), ("x-amz-checksum-crc64nvme", "c")]);
        to_google(&mut answer);
        assert_eq!(answer, headers(&[("etag", "e"), ("x-goog-meta-a", "1")]));
    }
}
