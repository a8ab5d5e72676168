//! The layer around `s3s`: log, what befalls answers, and what S3 answers that
//! `s3s` doesn't.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use s3s::S3Error;
use s3s::service::S3Service;

use crate::bodies::{RequestBody, ResponseBody};
use crate::faults::Action;
use crate::gate::Exchange;
use crate::google::Google;
use crate::interleaving::interleaved;
use crate::request_log::{Entry, RequestLog};
use crate::terms::Terms;
use crate::xml_bodies;

/// The most bytes of XML that are read to be compared. `s3s` takes no more.
const MOST_XML: u64 = 20 << 20;

/// The headers that a request is conditional with.
const CONDITIONS: [&str; 3] = ["if-match", "if-none-match", "x-goog-if-generation-match"];

/// What answers requests.
pub(crate) struct Layer {
    pub(crate) service: S3Service,
    /// `None` where requests aren't kept.
    pub(crate) log: Option<Arc<RequestLog>>,
    pub(crate) requests: Arc<AtomicU64>,
    pub(crate) terms: Arc<Terms>,
    /// Where this is Google's port.
    pub(crate) google: Option<Google>,
}

/// A connection is to be closed in the place of an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer")]
pub(crate) struct Closed;

impl Layer {
    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Result<Response<ResponseBody>, Closed> {
        let conditional = CONDITIONS.iter().any(|name| request.headers().contains_key(*name));
        let entry = Arc::new(Entry::new(request.uri().query().unwrap_or_default(), conditional));
        if let Some(log) = &self.log {
            log.push(Arc::clone(&entry));
        }
        let pretends = conditional && request.method() == Method::PUT && self.terms.refuses_conditions();
        let head = request.method() == Method::HEAD;
        // Such a client waits for a sign before it sends the body. Without one
        // it never sends it, and takes any other answer as the final one.
        let waits = request.headers().contains_key(header::EXPECT);
        let (mut parts, incoming) = request.into_parts();
        let body = RequestBody::new(incoming);
        let (asked, judged) = self.google.as_ref().map(|google| google.receive(&mut parts)).unzip();
        let (handed_on, refusal) = hand_on(&parts, &body).await?;
        let exchange = Arc::new(Exchange::new(entry, judged.flatten().or(refusal), asked));
        parts.extensions.insert(Arc::clone(&exchange));
        let response = self.service.call(Request::from_parts(parts, handed_on)).await.map_err(|_| Closed)?;
        if matches!(exchange.fault(), Some(Action::Reset | Action::Stall | Action::ApplyThenReset)) {
            return Err(Closed);
        }
        if !body.is_end_stream() && (!waits || body.was_read()) {
            body.drain().await;
        }
        let response = if pretends { refused() } else { response };
        let response = escape_controls(interleaved(partial(with_status(response))));
        let response = match exchange.asked_of_google() {
            Some(asked) => asked.describe(response),
            None => response,
        };
        let response = self.name_server(response);
        let response = if exchange.fault() == Some(&Action::WrongDigests) { misdescribed(response) } else { response };
        exchange.entry.answered(response.status().as_u16());
        let half = length(&response) / 2;
        Ok(response.map(|body| match exchange.fault() {
            Some(Action::TruncatedBody) if !head => ResponseBody::cut_off(body, half),
            Some(Action::FlippedByte) if !head => ResponseBody::flipped(body, half),
            _ => ResponseBody::whole(body),
        }))
    }

    fn name_server(&self, mut response: Response<s3s::Body>) -> Response<s3s::Body> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let headers = response.headers_mut();
        if let Some(date) = self.terms.date() {
            headers.insert(header::DATE, date);
        }
        headers.insert(header::SERVER, HeaderValue::from_static("Brigade-Development-Server"));
        if let Ok(id) = HeaderValue::try_from(format!("{number:016X}")) {
            let name = if self.google.is_some() { "x-guploader-uploadid" } else { "x-amz-request-id" };
            headers.insert(name, id);
        }
        response
    }
}

/// The body for `s3s`, and what is wrong with it. The body of a `POST` is XML and
/// short, and is read here to compare it with its digests.
async fn hand_on(parts: &Parts, body: &RequestBody) -> Result<(s3s::Body, Option<S3Error>), Closed> {
    let is_short = body.size_hint().upper().is_some_and(|most| most <= MOST_XML);
    if parts.method != Method::POST || !is_short {
        return Ok((s3s::Body::http_body(body.clone()), None));
    }
    let whole = body.clone().collect().await.map_err(|_| Closed)?.to_bytes();
    let refusal = xml_bodies::check(parts, &whole).err();
    Ok((s3s::Body::from(whole), refusal))
}

/// The answer to a condition that doesn't hold.
fn refused() -> Response<s3s::Body> {
    let body = "<Error><Code>PreconditionFailed</Code><Message>A fault on order.</Message></Error>";
    let mut response = Response::new(s3s::Body::from(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = StatusCode::PRECONDITION_FAILED;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

/// The length of the body, where it is known; else 0.
fn length(response: &Response<s3s::Body>) -> u64 {
    let header = response.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    header.or_else(|| response.body().size_hint().exact()).unwrap_or(0)
}

/// In a response's extensions: its status, where `s3s` has another one for the operation.
#[derive(Clone, Copy)]
pub(crate) struct Answered(pub(crate) StatusCode);

/// The status that the operation says.
fn with_status(mut response: Response<s3s::Body>) -> Response<s3s::Body> {
    if let Some(Answered(status)) = response.extensions_mut().remove() {
        *response.status_mut() = status;
    }
    response
}

/// The status 206 for a part of an object, to `HEAD` too.
fn partial(mut response: Response<s3s::Body>) -> Response<s3s::Body> {
    if response.status() == StatusCode::OK && response.headers().contains_key(header::CONTENT_RANGE) {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

/// The answer with digests that look like those of something else.
fn misdescribed(mut response: Response<s3s::Body>) -> Response<s3s::Body> {
    for (name, value) in response.headers_mut() {
        if *name == header::ETAG || is_checksum(name.as_str()) {
            let other = HeaderValue::from_bytes(&another(value.as_bytes()));
            *value = other.unwrap_or_else(|_| value.clone());
        }
    }
    response
}

fn is_checksum(header: &str) -> bool {
    header.strip_prefix("x-amz-checksum-").is_some_and(|kind| kind != "type")
}

/// Another digest of the same form, in hexadecimal as in base64.
fn another(digest: &[u8]) -> Vec<u8> {
    let mut other = digest.to_vec();
    if let Some(first) = other.iter_mut().find(|byte| byte.is_ascii_alphanumeric()) {
        *first = if *first == b'0' { b'1' } else { b'0' };
    }
    other
}

/// Writes control characters in XML as references, as S3 does, since a raw
/// carriage return would be read as a line feed. (Most others can't be in XML
/// 1.0 either way: clients ask for `encoding-type=url`.)
fn escape_controls(mut response: Response<s3s::Body>) -> Response<s3s::Body> {
    let is_xml = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/xml");
    if is_xml
        && let Some(xml) = response.body().bytes()
        && xml.iter().any(|byte| is_escaped(*byte))
    {
        *response.body_mut() = s3s::Body::from(escaped(&xml));
    }
    response
}

fn is_escaped(byte: u8) -> bool {
    byte < b' ' && byte != b'\n' && byte != b'\t'
}

fn escaped(xml: &Bytes) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(xml.len() + 64);
    for byte in xml {
        if is_escaped(*byte) {
            escaped.extend_from_slice(format!("&#x{byte:X};").as_bytes());
        } else {
            escaped.push(*byte);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_become_others_of_the_same_form() {
        assert_eq!(another(b"\"0cc1-2\""), b"\"1cc1-2\"");
        assert_eq!(another(b"+Z5wYQ=="), b"+05wYQ==");
    }

    #[test]
    fn control_characters_become_references() {
        assert_eq!(escaped(&Bytes::from_static(b"<Key>a\r\n\x01\tb</Key>")), b"<Key>a&#xD;\n&#x1;\tb</Key>");
    }
}
