//! Google Cloud Storage's names of headers and parameters, in the place of S3's.
//!
//! It takes S3's names too, with a signature of AWS's kind, but not a token, nor what guards a write; and never
//! both kinds in one request (`ExcessHeaderValues`):
//! <https://cloud.google.com/storage/docs/aws-simple-migration>,
//! <https://github.com/carrierwaveuploader/carrierwave/pull/2356>. So every request to it is in its own names.

use std::borrow::Cow;

use http::header::{ACCEPT_ENCODING, EXPIRES};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::request::VERSION_ID;

/// Guards a write or a removal: the number of the version that must be there, 0 for none
/// (<https://cloud.google.com/storage/docs/request-preconditions>).
pub(crate) const IF_GENERATION_MATCH: HeaderName = HeaderName::from_static("x-goog-if-generation-match");
/// The number of the version that is copied, which must still be there
/// (<https://cloud.google.com/storage/docs/xml-api/put-object-copy>).
pub(crate) const COPY_SOURCE_GENERATION: HeaderName = HeaderName::from_static("x-goog-copy-source-generation");
/// The number of the version that an answer is about.
pub(crate) const GENERATION: HeaderName = HeaderName::from_static("x-goog-generation");
/// Digests of the whole object: `crc32c=`, and `md5=` where it wasn't put together from parts
/// (<https://cloud.google.com/storage/docs/xml-api/reference-headers#xgooghash>).
pub(crate) const HASH: HeaderName = HeaderName::from_static("x-goog-hash");
/// Bytes of the object as it is stored, whatever is sent of it.
pub(crate) const STORED_LENGTH: HeaderName = HeaderName::from_static("x-goog-stored-content-length");

/// The project that pays (<https://cloud.google.com/storage/docs/requester-pays>).
pub(crate) const USER_PROJECT: HeaderName = HeaderName::from_static("x-goog-user-project");
/// The project that a bucket is made in (<https://cloud.google.com/storage/docs/xml-api/put-bucket-create>). Without it
/// it is the default one of an HMAC key.
pub(crate) const PROJECT: HeaderName = HeaderName::from_static("x-goog-project-id");
/// When a request was signed.
pub(crate) const DATE: HeaderName = HeaderName::from_static("x-goog-date");
/// What was signed of its body.
pub(crate) const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-goog-content-sha256");

/// The service of a signature, and its region: any will do, and this is what Google's own tools write
/// (<https://cloud.google.com/storage/docs/authentication/signatures>).
pub(crate) const SERVICE: &str = "storage";
/// See [`SERVICE`].
pub(crate) const REGION: &str = "auto";

/// Where it answers, whatever the bucket's location
/// (<https://cloud.google.com/storage/docs/request-endpoints>).
pub(crate) const ENDPOINT: &str = "https://storage.googleapis.com";

/// Whether it is the id of an HMAC key of Google's: those start with `GOOG`
/// (<https://cloud.google.com/storage/docs/authentication/hmackeys>).
pub(crate) fn is_access_id(id: &str) -> bool {
    id.starts_with("GOOG")
}

const S3: &str = "x-amz-";
const GOOGLE: &str = "x-goog-";
const METADATA: &str = "meta-";

/// What both have by the same name but for its beginning
/// (<https://cloud.google.com/storage/docs/xml-api/reference-headers>).
const TWINS: [&str; 11] = [
    "acl",
    "bypass-governance-retention",
    "copy-source",
    "copy-source-if-match",
    "copy-source-if-modified-since",
    "copy-source-if-none-match",
    "copy-source-if-unmodified-since",
    "metadata-directive",
    "object-lock-mode",
    "object-lock-retain-until-date",
    "storage-class",
];

/// What only asks for more to be told: Google always tells the digests that it has.
const NEEDLESS: [&str; 1] = ["checksum-mode"];

/// Writes the headers of a request in Google's names. `Err` is one that has none: left
/// out, what it asks for would silently not be done. `Expires` is one of answers alone there, and no object
/// keeps it (<https://cloud.google.com/storage/docs/metadata#editable>).
pub(crate) fn translate_request(headers: &mut HeaderMap) -> Result<(), HeaderName> {
    if headers.contains_key(EXPIRES) {
        return Err(EXPIRES);
    }
    let names: Vec<HeaderName> = headers.keys().filter(|name| name.as_str().starts_with(S3)).cloned().collect();
    for name in names {
        let (Some(value), Some(rest)) = (headers.remove(&name), name.as_str().strip_prefix(S3)) else { continue };
        if NEEDLESS.contains(&rest) {
            continue;
        }
        let has_twin = TWINS.contains(&rest) || rest.starts_with(METADATA);
        let twin = HeaderName::try_from(format!("{GOOGLE}{rest}")).ok().filter(|_| has_twin);
        headers.insert(twin.ok_or(name)?, value);
    }
    Ok(())
}

/// Writes the parameters of a request in Google's names: its versions are generations
/// (<https://cloud.google.com/storage/docs/xml-api/reference-headers>).
pub(crate) fn translate_query<'a>(query: &[(&'static str, Cow<'a, str>)]) -> Vec<(&'static str, Cow<'a, str>)> {
    let name = |name| if name == VERSION_ID { "generation" } else { name };
    query.iter().map(|(given, value)| (name(*given), value.clone())).collect()
}

/// Adds S3's names to the headers of an answer, of what both have.
pub(crate) fn translate_answer(headers: &mut HeaderMap) {
    let twins: Vec<(HeaderName, HeaderValue)> = headers
        .iter()
        .filter_map(|(name, value)| {
            let name = match name.as_str() {
                "x-guploader-uploadid" => "x-amz-request-id".to_owned(),
                name => {
                    let rest = name.strip_prefix(GOOGLE)?;
                    (rest == "storage-class" || rest.starts_with(METADATA)).then(|| format!("{S3}{rest}"))?
                }
            };
            Some((HeaderName::try_from(name).ok()?, value.clone()))
        })
        .collect();
    headers.extend(twins);
}

/// Asks for objects as they are stored: one with `Content-Encoding: gzip` is else decompressed on its way, and has
/// neither the length nor the digests that are told of it
/// (<https://cloud.google.com/storage/docs/transcoding>). To be added after a request
/// is signed: the service changes it before it checks the signature
/// (<https://github.com/rclone/rclone/issues/6670>).
pub(crate) fn ask_as_stored(headers: &mut HeaderMap) {
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
}

/// The digest of this kind (`md5`, `crc32c`) in the answer's `x-goog-hash`, in base64. It may be one header with
/// both, or one for each.
pub(crate) fn hash<'a>(headers: &'a HeaderMap, kind: &str) -> Option<&'a str> {
    let values = headers.get_all(HASH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).find_map(|hash| {
        let (found, digest) = hash.trim().split_once('=')?;
        (found == kind).then_some(digest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn requests_are_written_in_googles_names_alone() {
        let mut sent = headers(&[
            ("host", "h"),
            ("x-amz-acl", "private"),
            ("x-amz-meta-mtime", "1"),
            ("x-amz-storage-class", "NEARLINE"),
            ("x-amz-checksum-mode", "ENABLED"),
            ("x-goog-if-generation-match", "0"),
        ]);
        assert_eq!(translate_request(&mut sent), Ok(()));
        let expected = headers(&[
            ("host", "h"),
            ("x-goog-acl", "private"),
            ("x-goog-meta-mtime", "1"),
            ("x-goog-storage-class", "NEARLINE"),
            ("x-goog-if-generation-match", "0"),
        ]);
        assert_eq!(sent, expected);
    }

    #[test]
    fn versions_are_generations() {
        let query = [("versionId", Cow::from("7")), ("partNumber", Cow::from("1"))];
        let expected = [("generation", Cow::from("7")), ("partNumber", Cow::from("1"))];
        assert_eq!(translate_query(&query), expected);
    }

    #[test]
    fn what_google_lacks_is_not_left_out_silently() {
        for name in ["x-amz-tagging", "x-amz-checksum-crc64nvme", "x-amz-server-side-encryption", "expires"] {
            assert_eq!(translate_request(&mut headers(&[(name, "v")])), Err(HeaderName::from_static(name)));
        }
    }

    #[test]
    fn answers_have_both_names() {
        let mut answer =
            headers(&[("x-goog-meta-mtime", "1"), ("x-goog-generation", "7"), ("x-guploader-uploadid", "u")]);
        translate_answer(&mut answer);
        assert_eq!(answer.get("x-amz-meta-mtime"), Some(&HeaderValue::from_static("1")));
        assert_eq!(answer.get("x-amz-request-id"), Some(&HeaderValue::from_static("u")));
        assert_eq!(answer.get(GENERATION), Some(&HeaderValue::from_static("7")));
    }

    #[test]
    fn digests_stand_in_one_header_or_in_two() {
        let one = headers(&[("x-goog-hash", "crc32c=n03x6A==,md5=Ojk9c3dhfxgoKVVHYwFbHQ==")]);
        let mut two = headers(&[("x-goog-hash", "crc32c=n03x6A==")]);
        two.append(HASH, HeaderValue::from_static("md5=Ojk9c3dhfxgoKVVHYwFbHQ=="));
        for headers in [one, two] {
            assert_eq!(hash(&headers, "md5"), Some("Ojk9c3dhfxgoKVVHYwFbHQ=="));
            assert_eq!(hash(&headers, "crc32c"), Some("n03x6A=="));
            assert_eq!(hash(&headers, "sha1"), None);
        }
    }
}
