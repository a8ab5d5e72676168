//! What goes with an object's content: the headers that it is written with, and that it comes back with.

use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, EXPIRES, HeaderName,
};

use crate::error::Error;
use crate::grants::Grants;
use crate::request::{CANNED_ACL, Request, Response};
use crate::writing::{Encryption, Writing};

/// The headers, besides `Content-Type`, that S3 keeps with an object as they are
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>).
const KEPT: [(&str, HeaderName); 6] = [
    ("cache-control", CACHE_CONTROL),
    ("content-disposition", CONTENT_DISPOSITION),
    ("content-encoding", CONTENT_ENCODING),
    ("content-language", CONTENT_LANGUAGE),
    ("expires", EXPIRES),
    (REDIRECT, HeaderName::from_static(REDIRECT)),
];

/// Where a website leads to in the place of the object.
pub(super) const REDIRECT: &str = "x-amz-website-redirect-location";

/// What goes with the content of an object that is about to be written.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewHeaders<'a> {
    /// Its `Content-Type`.
    pub content_type: Option<&'a str>,
    /// Other headers that S3 keeps, by their names in lower case: [`crate::ObjectHead::others`].
    pub others: &'a [(&'static str, String)],
    /// Its user metadata: names without `x-amz-meta-`, and values.
    pub metadata: &'a [(&'a str, &'a str)],
    /// Its storage class, where it isn't to be the service's usual one.
    pub storage_class: Option<&'a str>,
    /// Its tags, as in the query of a URL.
    pub tagging: Option<&'a str>,
    /// Who else is granted something; where the client gives a canned access control list, that goes instead.
    pub grants: Option<&'a Grants>,
}

/// Adds what goes with an object's content, and what the client adds to whatever it writes.
pub(super) fn with_headers<'a>(
    mut request: Request<'a>,
    headers: &NewHeaders<'_>,
    writing: &Writing,
) -> Result<Request<'a>, Error> {
    if let Some(content_type) = headers.content_type {
        request = request.text_header(CONTENT_TYPE.as_str(), content_type)?;
    }
    for (name, value) in headers.others {
        request = request.text_header(name, value)?;
    }
    for (name, value) in headers.metadata {
        request = request.text_header(&format!("x-amz-meta-{name}"), value)?;
    }
    let NewHeaders { storage_class, tagging, grants, .. } = *headers;
    with_writing(request, NewTerms { storage_class, tagging, grants }, writing)
}

/// What no metadata of an object is: it has to be said again for each copy of it. As in [`NewHeaders`].
#[derive(Clone, Copy)]
pub(super) struct NewTerms<'a> {
    pub(super) storage_class: Option<&'a str>,
    pub(super) tagging: Option<&'a str>,
    pub(super) grants: Option<&'a Grants>,
}

/// Whether something is asked for of what is written that no answer tells: what stands there after a lost answer can't
/// be known by it.
pub(super) fn leaves_no_trace(grants: Option<&Grants>, writing: &Writing) -> bool {
    grants.is_some_and(|grants| !grants.is_empty()) || writing.acl.is_some() || writing.encryption.is_some()
}

/// Adds them.
pub(super) fn with_writing<'a>(
    mut request: Request<'a>,
    NewTerms { storage_class, tagging, grants }: NewTerms<'_>,
    writing: &Writing,
) -> Result<Request<'a>, Error> {
    let encryption = writing.encryption.as_ref();
    let key_id = encryption.and_then(Encryption::key_id);
    let said = [
        ("x-amz-storage-class", writing.storage_class.as_deref().or(storage_class)),
        ("x-amz-tagging", writing.tagging.as_deref().or(tagging)),
        (CANNED_ACL, writing.acl.as_deref()),
        ("x-amz-server-side-encryption", encryption.map(Encryption::name)),
        ("x-amz-server-side-encryption-aws-kms-key-id", key_id),
    ];
    for (name, value) in said {
        if let Some(value) = value {
            request = request.text_header(name, value)?;
        }
    }
    for (name, grantees) in grants.filter(|_| writing.acl.is_none()).into_iter().flat_map(Grants::headers) {
        request = request.text_header(name, grantees)?;
    }
    Ok(request)
}

/// The kept headers of an answer.
pub(super) fn kept(response: &Response) -> Vec<(&'static str, String)> {
    let one = |(name, header): (&'static str, HeaderName)| {
        let value = text(response, &header)?;
        (!is_googles_own(response, name, value)).then(|| (name, value.to_owned()))
    };
    KEPT.into_iter().filter_map(one).collect()
}

/// A header of an object: S3 allows UTF-8, and a header is ASCII for others.
pub(super) fn text<'a>(response: &'a Response, header: &HeaderName) -> Option<&'a str> {
    std::str::from_utf8(response.headers.get(header)?.as_bytes()).ok()
}

/// The name of a header that is kept with an object, or of a piece of its metadata, whose value is no UTF-8 text.
pub(super) fn undecodable(response: &Response) -> Option<String> {
    let is_carried = |name: &HeaderName| {
        KEPT.iter().any(|(_, kept)| kept == name) || name == CONTENT_TYPE || name.as_str().starts_with("x-amz-meta-")
    };
    let mut odd = response.headers.iter().filter(|(_, value)| std::str::from_utf8(value.as_bytes()).is_err());
    odd.find(|(name, _)| is_carried(name)).map(|(name, _)| name.to_string())
}

/// What Google answers of an object that has no such header: an hour from now, for public ones
/// (<https://cloud.google.com/storage/docs/metadata#cache-control>).
fn is_googles_own(response: &Response, name: &str, value: &str) -> bool {
    let is_google = response.headers.contains_key("x-goog-generation");
    is_google && (name == "expires" || (name == "cache-control" && value == "public, max-age=3600"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;
    use crate::hashing::Hashes;

    fn answer(headers: &[(&'static str, &[u8])]) -> Response {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap()))
            .collect();
        let (status, body, hashes) = (StatusCode::OK, Bytes::new(), Hashes::default());
        Response { status, headers, body, hashes, after_lost_reply: false }
    }

    #[test]
    fn headers_are_kept_as_they_are_and_those_that_are_no_text_are_told() {
        let name = "attachment; filename=\"é.pdf\"";
        let told = answer(&[("content-disposition", name.as_bytes()), ("x-other", b"caf\xe9")]);
        assert_eq!((kept(&told), undecodable(&told)), (vec![("content-disposition", name.to_owned())], None));
        let typed = answer(&[("content-type", "text/plain; name=é".as_bytes())]);
        assert_eq!(super::text(&typed, &CONTENT_TYPE), Some("text/plain; name=é"));
        for odd in ["content-disposition", "content-type", "x-amz-meta-owner"] {
            assert_eq!(undecodable(&answer(&[(odd, b"caf\xe9")])).as_deref(), Some(odd));
        }
    }

    #[test]
    fn what_google_answers_by_itself_is_no_header_of_the_object() {
        let told = [("expires", &b"Thu, 01 Dec 1994 16:00:00 GMT"[..]), ("cache-control", b"public, max-age=3600")];
        let google = [&told[..], &[("x-goog-generation", &b"1"[..])]].concat();
        assert_eq!((kept(&answer(&told)).len(), kept(&answer(&google)).len()), (2, 0));
    }
}
