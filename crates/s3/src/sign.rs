//! AWS Signature Version 4, in the `Authorization` header, and Google's, which is the same but for names.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>
//! <https://cloud.google.com/storage/docs/authentication/signatures>

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_lc_rs::hmac;
use http::{HeaderMap, HeaderValue, Method};

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

/// What the two kinds of signature call things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scheme {
    algorithm: &'static str,
    /// What stands before the secret.
    prefix: &'static str,
    /// What a scope ends in.
    end: &'static str,
}

impl Scheme {
    /// AWS's: headers of the service begin with `x-amz-`.
    pub(crate) const AWS: Self = Self { algorithm: "AWS4-HMAC-SHA256", prefix: "AWS4", end: "aws4_request" };
    /// Google's, with an HMAC key: they begin with `x-goog-`
    /// (<https://cloud.google.com/storage/docs/aws-simple-migration>, "Use the Authorization header").
    pub(crate) const GOOGLE: Self = Self { algorithm: "GOOG4-HMAC-SHA256", prefix: "GOOG4", end: "goog4_request" };
}

/// Whose signature it is, and where and when it counts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) time: &'a SigningTime,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

/// Signs, and keeps the keys that it derived: one for each region is enough,
/// since a day ends for all of them at once.
#[derive(Default)]
pub(crate) struct Signer {
    keys: Mutex<Vec<Arc<DerivedKey>>>,
}

/// A key derived from a secret for one day, region and service.
struct DerivedKey {
    scheme: Scheme,
    access_key_id: String,
    region: String,
    day: String,
    service: String,
    key: hmac::Key,
}

impl Signer {
    /// The value of `Authorization`.
    pub(crate) fn authorization(&self, request: &Signable<'_>, scope: &Scope<'_>, credentials: &Credentials) -> String {
        let (canonical, signed_headers) = canonical_request(request);
        let to_sign = string_to_sign(&canonical, scope);
        let signature = hmac::sign(&self.key(scope, credentials).key, to_sign.as_bytes());
        let mut authorization = String::with_capacity(256 + signed_headers.len());
        for piece in [
            scope.scheme.algorithm,
            " Credential=",
            credentials.access_key_id(),
            "/",
            scope.time.day(),
            "/",
            scope.region,
            "/",
            scope.service,
            "/",
            scope.scheme.end,
            ",SignedHeaders=",
            &signed_headers,
            ",Signature=",
            &hex(signature.as_ref()),
        ] {
            authorization.push_str(piece);
        }
        authorization
    }

    fn key(&self, scope: &Scope<'_>, credentials: &Credentials) -> Arc<DerivedKey> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let held = keys.iter().position(|key| key.region == scope.region);
        if let Some(key) = held.map(|place| &keys[place])
            && key.day == scope.time.day()
            && key.scheme == scope.scheme
            && key.service == scope.service
            && key.access_key_id == credentials.access_key_id()
        {
            return Arc::clone(key);
        }
        let derived = Arc::new(DerivedKey {
            scheme: scope.scheme,
            access_key_id: credentials.access_key_id().to_owned(),
            region: scope.region.to_owned(),
            day: scope.time.day().to_owned(),
            service: scope.service.to_owned(),
            key: derive_key(credentials.secret_access_key(), scope),
        });
        match held {
            Some(place) => keys[place] = Arc::clone(&derived),
            None => keys.push(Arc::clone(&derived)),
        }
        derived
    }
}

fn derive_key(secret: &str, scope: &Scope<'_>) -> hmac::Key {
    let mut key = hmac::Key::new(hmac::HMAC_SHA256, format!("{}{secret}", scope.scheme.prefix).as_bytes());
    for step in [scope.time.day(), scope.region, scope.service, scope.scheme.end] {
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

/// The request in its canonical form, and `host;x-amz-date`: the names of its headers, sorted.
fn canonical_request(request: &Signable<'_>) -> (String, String) {
    // The order of several values of one name counts, and stays.
    let mut headers: Vec<(&str, &HeaderValue)> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value)).collect();
    headers.sort_by_key(|(name, _)| *name);
    let mut signed_headers = String::with_capacity(192);
    let mut canonical = String::with_capacity(1024 + request.path.len() + request.query.len());
    for piece in [request.method.as_str(), "\n", request.path, "\n", request.query, "\n"] {
        canonical.push_str(piece);
    }
    for same in headers.chunk_by(|one, other| one.0 == other.0) {
        for (place, (name, value)) in same.iter().enumerate() {
            if place == 0 {
                if !signed_headers.is_empty() {
                    signed_headers.push(';');
                }
                signed_headers.push_str(name);
                canonical.push_str(name);
            }
            canonical.push(if place == 0 { ':' } else { ',' });
            push_trimmed(&mut canonical, value);
        }
        canonical.push('\n');
    }
    for piece in ["\n", &signed_headers, "\n", request.payload] {
        canonical.push_str(piece);
    }
    (canonical, signed_headers)
}

/// A header's value without blanks at its ends, and runs of them made one.
fn push_trimmed(canonical: &mut String, value: &HeaderValue) {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    // Most have no blank at all.
    if let Ok(value) = value.to_str()
        && !value.as_bytes().iter().any(is_blank)
    {
        return canonical.push_str(value);
    }
    let value = String::from_utf8_lossy(value.as_bytes());
    for (place, word) in value.split([' ', '\t']).filter(|word| !word.is_empty()).enumerate() {
        if place > 0 {
            canonical.push(' ');
        }
        canonical.push_str(word);
    }
}

fn string_to_sign(canonical_request: &str, scope: &Scope<'_>) -> String {
    let mut to_sign = String::with_capacity(192);
    for piece in [
        scope.scheme.algorithm,
        "\n",
        scope.time.full(),
        "\n",
        scope.time.day(),
        "/",
        scope.region,
        "/",
        scope.service,
        "/",
        scope.scheme.end,
        "\n",
        &sha256_hex(canonical_request.as_bytes()),
    ] {
        to_sign.push_str(piece);
    }
    to_sign
}

#[cfg(test)]
mod vectors;
