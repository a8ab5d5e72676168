//! AWS Signature Version 4, in the `Authorization` header.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_lc_rs::hmac;
use http::{HeaderMap, HeaderValue, Method, header};

use crate::checksum::sha256_hex;
use crate::encoding::{Keep, encode, hex};
use crate::timestamp::SigningTime;

/// What stands in `x-amz-content-sha256` where the payload isn't signed: over
/// TLS, which guards it already.
pub(crate) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// A request as it is signed: path and query already encoded, exactly as they are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signable<'a> {
    pub(crate) method: &'a Method,
    pub(crate) path: &'a str,
    /// From [`canonical_query`].
    pub(crate) query: &'a str,
    /// All of them are signed; `host` and `x-amz-date` among them.
    pub(crate) headers: &'a HeaderMap,
    /// The payload's SHA-256, or [`UNSIGNED_PAYLOAD`].
    pub(crate) payload: &'a str,
}

/// Whose signature it is, and where and when it counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) time: &'a SigningTime,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

/// Signs, and keeps the keys that it derived: one for each region is enough,
/// since a day ends for all of them at once.
#[derive(Default)]
pub(crate) struct Signer {
    keys: Mutex<HashMap<String, DerivedKey>>,
}

/// A key derived from a secret for one day, region and service.
#[derive(Clone)]
struct DerivedKey {
    access_key_id: String,
    day: String,
    service: String,
    key: hmac::Key,
}

impl Signer {
    /// The value of `Authorization`.
    pub(crate) fn authorization(&self, request: &Signable<'_>, scope: &Scope<'_>, credentials: &Credentials) -> String {
        let signed_headers = signed_headers(request.headers);
        let canonical = canonical_request(request, &signed_headers);
        let to_sign = string_to_sign(&canonical, scope);
        let signature = hmac::sign(&self.key(scope, credentials), to_sign.as_bytes());
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{}/{}/{}/aws4_request,SignedHeaders={signed_headers},Signature={}",
            credentials.access_key_id(),
            scope.time.day(),
            scope.region,
            scope.service,
            hex(signature.as_ref()),
        )
    }

    fn key(&self, scope: &Scope<'_>, credentials: &Credentials) -> hmac::Key {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(derived) = keys.get(scope.region)
            && derived.day == scope.time.day()
            && derived.service == scope.service
            && derived.access_key_id == credentials.access_key_id()
        {
            return derived.key.clone();
        }
        let key = derive_key(credentials.secret_access_key(), scope);
        let derived = DerivedKey {
            access_key_id: credentials.access_key_id().to_owned(),
            day: scope.time.day().to_owned(),
            service: scope.service.to_owned(),
            key: key.clone(),
        };
        keys.insert(scope.region.to_owned(), derived);
        key
    }
}

fn derive_key(secret: &str, scope: &Scope<'_>) -> hmac::Key {
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    for step in [scope.time.day(), scope.region, scope.service, "aws4_request"] {
        key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, step.as_bytes()).as_ref());
    }
    key
}

/// The query as it is signed and sent: encoded, sorted by name and value.
pub(crate) fn canonical_query(query: &[(impl AsRef<str>, Cow<'_, str>)]) -> String {
    let mut pairs: Vec<(String, String)> = query
        .iter()
        .map(|(name, value)| (encode(name.as_ref(), Keep::Unreserved), encode(value, Keep::Unreserved)))
        .collect();
    pairs.sort();
    let mut canonical = String::new();
    for (name, value) in pairs {
        if !canonical.is_empty() {
            canonical.push('&');
        }
        canonical.push_str(&name);
        canonical.push('=');
        canonical.push_str(&value);
    }
    canonical
}

/// `host;x-amz-date`: the names of the headers, sorted.
fn signed_headers(headers: &HeaderMap) -> String {
    let mut names: Vec<&str> = headers.keys().map(header::HeaderName::as_str).collect();
    names.sort_unstable();
    names.join(";")
}

fn canonical_request(request: &Signable<'_>, signed_headers: &str) -> String {
    let mut canonical = String::with_capacity(512 + request.path.len() + request.query.len());
    // Writing to a string can't fail.
    let _ = writeln!(canonical, "{}\n{}\n{}", request.method, request.path, request.query);
    for name in signed_headers.split(';') {
        canonical.push_str(name);
        canonical.push(':');
        for (place, value) in request.headers.get_all(name).iter().enumerate() {
            if place > 0 {
                canonical.push(',');
            }
            push_trimmed(&mut canonical, value);
        }
        canonical.push('\n');
    }
    let _ = write!(canonical, "\n{signed_headers}\n{}", request.payload);
    canonical
}

/// A header's value without blanks at its ends, and runs of them made one.
fn push_trimmed(canonical: &mut String, value: &HeaderValue) {
    let value = String::from_utf8_lossy(value.as_bytes());
    for (place, word) in value.split([' ', '\t']).filter(|word| !word.is_empty()).enumerate() {
        if place > 0 {
            canonical.push(' ');
        }
        canonical.push_str(word);
    }
}

fn string_to_sign(canonical_request: &str, scope: &Scope<'_>) -> String {
    format!(
        "AWS4-HMAC-SHA256\n{}\n{}/{}/{}/aws4_request\n{}",
        scope.time.full(),
        scope.time.day(),
        scope.region,
        scope.service,
        sha256_hex(canonical_request.as_bytes())
    )
}

#[cfg(test)]
mod vectors;
