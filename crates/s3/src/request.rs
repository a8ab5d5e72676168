//! A request before it is signed, and what came back.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::AsHeaderName;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use crate::error::{Error, ErrorKind};
use crate::hashing::{Hashes, Wanted};
use crate::operations::Operation;

/// Bytes that an answer may have where it is a document: a page of a listing
/// of 1000 keys of 1024 bytes is under 5 MiB even when all is escaped.
pub(crate) const DOCUMENT_LIMIT: u64 = 16 << 20;

/// The parameter that names a version.
pub(crate) const VERSION_ID: &str = "versionId";

/// The header that gives a canned access control list.
pub(crate) const CANNED_ACL: &str = "x-amz-acl";

/// Headers for which a request has room from the beginning: a write's, signed.
const HEADERS: usize = 12;

/// A request before it has an address, a date and a signature: it can be sent
/// any number of times.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) operation: Operation,
    pub(crate) method: Method,
    pub(crate) bucket: Option<&'a str>,
    pub(crate) key: Option<&'a str>,
    /// Names and values as they are, in any order.
    pub(crate) query: Vec<(&'static str, Cow<'a, str>)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// SHA-256 of the body, where it was worked out already.
    pub(crate) sha256: Option<[u8; 32]>,
    /// Bytes that the answer's body may have.
    pub(crate) limit: u64,
    /// Which hashes of the answer's body are wanted, by its headers.
    pub(crate) hash_answer: fn(&Response) -> Wanted,
}

impl<'a> Request<'a> {
    /// A request about the service, without anything more.
    pub(crate) fn new(operation: Operation, method: Method) -> Self {
        Self {
            operation,
            method,
            bucket: None,
            key: None,
            query: Vec::new(),
            headers: HeaderMap::with_capacity(HEADERS),
            body: Bytes::new(),
            sha256: None,
            limit: DOCUMENT_LIMIT,
            hash_answer: |_| Wanted::default(),
        }
    }

    pub(crate) fn bucket(mut self, bucket: &'a str) -> Self {
        self.bucket = Some(bucket);
        self
    }

    pub(crate) fn key(mut self, key: &'a str) -> Self {
        self.key = Some(key);
        self
    }

    pub(crate) fn query(mut self, name: &'static str, value: impl Into<Cow<'a, str>>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Adds a header whose value comes from a caller, who may have given one
    /// that HTTP can't carry.
    pub(crate) fn text_header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let parsed = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
        let Some((header, value)) = parsed else {
            let message = format!("the header {name} cannot be sent with the value {value:?}");
            return Err(Error::local(ErrorKind::Other, self.operation, message).about(self.bucket, self.key));
        };
        self.headers.insert(header, value);
        Ok(self)
    }

    /// Adds a header that is never shown, and never compressed.
    pub(crate) fn secret_header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        self = self.text_header(name, value)?;
        if let Some(value) = self.headers.get_mut(name) {
            value.set_sensitive(true);
        }
        Ok(self)
    }

    /// Whether it says who is granted what: by a canned access control list, or grant by grant.
    pub(crate) fn brings_acl(&self) -> bool {
        self.headers.keys().any(|name| name == CANNED_ACL || name.as_str().starts_with("x-amz-grant-"))
    }

    pub(crate) fn body(self, body: Bytes) -> Self {
        Self { body, sha256: None, ..self }
    }

    /// A body whose hashes are known.
    pub(crate) fn hashed_body(self, body: Bytes, hashes: &Hashes) -> Self {
        Self { sha256: hashes.sha256, ..self.body(body) }
    }
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The hashes of the body that were wanted.
    pub(crate) hashes: Hashes,
    /// Whether an earlier attempt may have been carried out without our knowing.
    pub(crate) after_lost_reply: bool,
}

impl Response {
    /// A header's value, where it is there and text.
    pub(crate) fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The ETag without its quotes.
    pub(crate) fn etag(&self) -> Option<String> {
        self.header(header::ETAG).map(|etag| unquote(etag).to_owned())
    }
}

/// An ETag without its quotes.
pub(crate) fn unquote(etag: &str) -> &str {
    etag.strip_prefix('"').and_then(|etag| etag.strip_suffix('"')).unwrap_or(etag)
}
