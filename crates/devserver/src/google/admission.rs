//! Who may come in at Google's port: the owner of the HMAC key, and whoever brings a token that counts.
//! <https://cloud.google.com/storage/docs/authentication>

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::header::{ACCEPT_ENCODING, AUTHORIZATION};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use s3s::{S3Error, S3Result, s3_error};

use super::{GoogleTerms, names};
use crate::checksums::hex;
use crate::config::Credentials;
use crate::errors;

const ALGORITHM: &str = "GOOG4-HMAC-SHA256";

/// Refuses a request of nobody who is known.
pub(super) fn check(parts: &Parts, account: &Credentials, terms: &GoogleTerms) -> S3Result<()> {
    let authorization = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match authorization.and_then(|value| value.split_once(' ')) {
        None => Err(s3_error!(AccessDenied, "Anonymous caller does not have storage.objects access.")),
        Some(("Bearer", token)) if terms.accepts(token) || issuer(token).is_some_and(|it| terms.accepts(&it)) => Ok(()),
        // https://github.com/googleapis/google-cloud-go/issues/8764
        Some(("Bearer", _)) => {
            Err(errors::error(StatusCode::UNAUTHORIZED, "AuthenticationRequired", "Authentication required."))
        }
        Some((ALGORITHM, signature)) => check_signature(parts, signature, account),
        Some(_) => Err(s3_error!(NotImplemented, "Here, there are tokens and Google's kind of signature.")),
    }
}

/// Who issued a token that says it itself, signed with the key of a service account. The signature isn't looked at.
fn issuer(token: &str) -> Option<String> {
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    Some(claims.get("iss")?.as_str()?.to_owned())
}

/// <https://cloud.google.com/storage/docs/authentication/signatures>
fn check_signature(parts: &Parts, signature: &str, account: &Credentials) -> S3Result<()> {
    let field = |name: &str| {
        let mut fields = signature.split(',').filter_map(|field| field.trim().split_once('='));
        fields.find(|(found, _)| *found == name).map(|(_, value)| value).ok_or_else(mismatch)
    };
    let (id, scope) = field("Credential")?.split_once('/').ok_or_else(mismatch)?;
    if id.strip_prefix("GOOG") != Some(&account.access_key) {
        return Err(errors::error(StatusCode::FORBIDDEN, "InvalidSecurity", "The credentials are not valid."));
    }
    let to_sign = [
        ALGORITHM,
        header(&parts.headers, names::DATE).ok_or_else(mismatch)?,
        scope,
        &hex(digest::digest(&digest::SHA256, canonical(parts, field("SignedHeaders")?).as_bytes())),
    ];
    let first = format!("GOOG4{}", account.secret_key).into_bytes();
    let key = scope.split('/').fold(first, |key, part| sign(&key, part));
    if hex(sign(&key, &to_sign.join("\n"))) == field("Signature")? { Ok(()) } else { Err(mismatch()) }
}

/// The request as it is signed; but that an `Accept-Encoding` is changed on its way
/// (<https://github.com/rclone/rclone/issues/6670>), so that none can be signed.
fn canonical(parts: &Parts, signed: &str) -> String {
    let mut query: Vec<String> = parts.uri.query().unwrap_or_default().split('&').map(pair).collect();
    query.retain(|pair| pair != "=");
    query.sort();
    let mut lines = vec![parts.method.to_string(), parts.uri.path().to_owned(), query.join("&")];
    for name in signed.split(';') {
        let changed = if name == ACCEPT_ENCODING { ",gzip(gfe)" } else { "" };
        lines.push(format!("{name}:{}{changed}", header(&parts.headers, name).unwrap_or_default()));
    }
    let payload = header(&parts.headers, names::CONTENT_SHA256).unwrap_or("UNSIGNED-PAYLOAD");
    lines.extend(["", signed, payload].map(str::to_owned));
    lines.join("\n")
}

fn pair(parameter: &str) -> String {
    if parameter.contains('=') { parameter.to_owned() } else { format!("{parameter}=") }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn sign(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn mismatch() -> S3Error {
    s3_error!(SignatureDoesNotMatch, "Access denied.")
}
