//! Why one attempt at a request failed, before it is decided what to do about it.

use std::time::{Duration, SystemTime};

use http::{HeaderName, Method, StatusCode};

use crate::credentials::FetchError;
use crate::error::{Error, ErrorKind, Refusal, with_causes};
use crate::error_kind::{is_redirect, kind_of};
use crate::proxy::ProxyError;
use crate::request::{Request, Response, VERSION_ID};
use crate::timestamp::parse_http_date;
use crate::xml::{XmlError, walk};

/// Characters that are shown of an answer that isn't S3's.
const STRANGE_LENGTH: usize = 100;

/// Why one attempt at a request failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) kind: ErrorKind,
    pub(crate) refusal: Option<Box<Refusal>>,
    pub(crate) message: String,
    /// The region in which the bucket is, where it is another than the one asked.
    pub(crate) region: Option<String>,
    /// How long the service asks to wait.
    pub(crate) retry_after: Option<Duration>,
    /// Whether the request may have been carried out all the same.
    pub(crate) may_be_done: bool,
}

/// Why an answer that looked like a success isn't one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// The content isn't what its checksum says.
    Corrupt(String),
    /// It isn't what S3 answers.
    Unreadable(String),
}

impl From<XmlError> for Rejection {
    fn from(error: XmlError) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl Failure {
    fn new(kind: ErrorKind, message: String, may_be_done: bool) -> Self {
        Self { kind, refusal: None, message, region: None, retry_after: None, may_be_done }
    }

    /// No connection could be made: nothing was sent.
    pub(crate) fn unreachable(host: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        let message = format!("cannot connect to {host}: {}", with_causes(error.source().unwrap_or(error)));
        Self::new(kind_without_connection(error), message, false)
    }

    /// Whether the service asks who it is (401), as it does of a token that has ended.
    pub(crate) fn is_unauthorized(&self) -> bool {
        self.refusal.as_ref().is_some_and(|refusal| refusal.status == StatusCode::UNAUTHORIZED)
    }

    /// Whether no connection could be made.
    pub(crate) fn is_without_connection(&self) -> bool {
        self.refusal.is_none() && !self.may_be_done
    }

    /// The connection broke after the request had been sent, at least in part.
    pub(crate) fn broken(host: &str, error: &(dyn std::error::Error + 'static)) -> Self {
        let message = format!("the connection to {host} broke: {}", with_causes(error.source().unwrap_or(error)));
        let is_http = !causes(error).any(|cause| cause.downcast_ref().is_some_and(hyper::Error::is_parse));
        Self::new(if is_http { ErrorKind::Unreachable } else { ErrorKind::BadAnswer }, message, true)
    }

    /// Nothing moved for this long.
    pub(crate) fn stalled(host: &str, limit: Duration) -> Self {
        Self::new(ErrorKind::TimedOut, format!("{host} was silent for {} s", limit.as_secs()), true)
    }

    /// There are no credentials to sign with.
    pub(crate) fn without_credentials(error: &FetchError) -> Self {
        Self::new(ErrorKind::Credentials, error.to_string(), false)
    }

    /// The request can't be written down as HTTP.
    pub(crate) fn unsendable(error: &dyn std::error::Error) -> Self {
        Self::new(ErrorKind::Other, format!("the request cannot be sent: {}", with_causes(error)), false)
    }

    /// The provider has nothing like what this header asks for.
    pub(crate) fn untranslatable(name: &HeaderName) -> Self {
        let message = format!("Google Cloud Storage has nothing like {name}, and it is not left out silently");
        Self::new(ErrorKind::NotImplemented, message, false)
    }

    /// The answer is longer than it may be.
    pub(crate) fn too_long(limit: u64) -> Self {
        Self::new(ErrorKind::BadAnswer, format!("the answer is longer than {limit} bytes"), true)
    }

    /// An answer that looked like a success isn't one.
    pub(crate) fn rejected(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Corrupt(message) => Self::new(ErrorKind::Corrupt, shortened(&message), true),
            Rejection::Unreadable(message) => Self::new(ErrorKind::BadAnswer, shortened(&message), true),
        }
    }

    /// The service refused.
    pub(crate) fn refused(request: &Request<'_>, response: &Response, now: SystemTime) -> Self {
        let read = Stated::read(&response.body);
        let is_strange = read.is_none() && !response.body.trim_ascii().is_empty();
        let stated = read.unwrap_or_default();
        let header = |name| response.header(name).map(str::to_owned);
        let refusal = Refusal {
            status: response.status,
            request_id: header("x-amz-request-id").or(stated.request_id),
            code: stated.code,
        };
        let mut message = if is_strange { strange(&response.body) } else { stated.message };
        if let Some(location) = header("location").filter(|_| is_redirect(response.status)) {
            let separator = if message.is_empty() { "" } else { " " };
            message.push_str(separator);
            message.push_str("It points to ");
            message.push_str(&shortened(&location));
        }
        let kind = match kind_of(response.status, refusal.code.as_deref(), request.key.is_some()) {
            // A page that says so is none of S3's answers, and proves nothing.
            ErrorKind::NotFound
            | ErrorKind::NoSuchBucket
            | ErrorKind::AccessDenied
            | ErrorKind::NotImplemented
            | ErrorKind::Other
                if is_strange =>
            {
                ErrorKind::BadAnswer
            }
            _ if is_delete_marker(response) => ErrorKind::NotFound,
            kind => kind,
        };
        Self {
            kind,
            message,
            region: header("x-amz-bucket-region").or(stated.region).filter(|region| may_be_a_region(region)),
            retry_after: response.header("retry-after").and_then(|value| parse_retry_after(value, now)),
            may_be_done: response.status.is_server_error() || response.status.is_success(),
            refusal: Some(Box::new(refusal)),
        }
    }

    /// What the caller is told.
    pub(crate) fn into_error(self, request: &Request<'_>, after_lost_reply: bool) -> Error {
        Error::new(self.kind, request.operation, self.refusal, self.message)
            .about(request.bucket, request.key)
            .of_version(request.query.iter().any(|(name, _)| *name == VERSION_ID))
            .brought_acl(request.brings_acl())
            .after_lost_reply(after_lost_reply && request.method != Method::GET)
    }
}

/// Whether it is refused to read a version because that says that there is nothing
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html>).
fn is_delete_marker(response: &Response) -> bool {
    response.status == StatusCode::METHOD_NOT_ALLOWED && response.header("x-amz-delete-marker") == Some("true")
}

/// What the body of a refusal states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stated {
    pub(crate) code: Option<String>,
    message: String,
    region: Option<String>,
    request_id: Option<String>,
}

impl Stated {
    /// Reads `<Error>`; `None` where the body is something else.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let mut stated = Self::default();
        let mut is_error = false;
        walk(body, |path, text| {
            match path {
                "Error/Code" => stated.code = Some(shortened(text)),
                "Error/Message" => stated.message = shortened(text),
                "Error/Region" => stated.region = Some(text.to_owned()),
                "Error/RequestId" => stated.request_id = Some(shortened(text)),
                "Error" => is_error = true,
                _ => {}
            }
            Ok(())
        })
        .ok()?;
        is_error.then_some(stated)
    }
}

/// The longest text of a service that is kept, in bytes: S3's own are a few
/// hundred, and what is shown of 10,000 failures must fit a log.
const LONGEST_TEXT: usize = 1024;

/// The text of a service, or its beginning.
pub(crate) fn shortened(text: &str) -> String {
    if text.len() <= LONGEST_TEXT {
        return text.to_owned();
    }
    format!("{}...", &text[..text.floor_char_boundary(LONGEST_TEXT)])
}

/// Whether it can be the name of a region, which becomes a part of a host's
/// name: a service must not choose another host by it.
fn may_be_a_region(name: &str) -> bool {
    (1..=63).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// What it means that no connection could be made.
fn kind_without_connection(error: &(dyn std::error::Error + 'static)) -> ErrorKind {
    let kind = causes(error).find_map(|cause| match (cause.downcast_ref(), cause.downcast_ref()) {
        (Some(rustls::Error::InvalidCertificate(_)), _) => Some(ErrorKind::Certificate),
        // Nothing there speaks TLS.
        (Some(rustls::Error::InvalidMessage(_)), _) => Some(ErrorKind::BadAnswer),
        // With 5xx it says that the way behind it is closed, which may pass.
        (_, Some(ProxyError::Refused { status, .. })) if !status.is_server_error() => Some(ErrorKind::Proxy),
        _ => None,
    });
    kind.unwrap_or(ErrorKind::Unreachable)
}

/// An error and what caused it, outermost first.
fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| wrapped_in(*error))
}

/// What there is to say of a refusal that isn't S3's.
fn strange(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let start: String = words.chars().take(STRANGE_LENGTH).collect();
    let more = if start.len() < words.len() { "..." } else { "" };
    format!("the answer is not one of S3's, it says: {start}{more}")
}

/// What an error wraps, or else what caused it: an I/O error leaves out of its
/// `source` what it wraps.
fn wrapped_in<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a (dyn std::error::Error + 'static)> {
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

/// Seconds, or a date
/// (<https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3>).
pub(crate) fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    match value.trim().parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => Some(parse_http_date(value)?.duration_since(now).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::header::RETRY_AFTER;
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;
    use crate::hashing::Hashes;
    use crate::operations::Operation;

    #[test]
    fn refusals_are_read() {
        let body =
            b"<?xml version=\"1.0\"?><Error><Code>AuthorizationHeaderMalformed</Code><Message>expecting 'eu-west-1'\
            </Message><Region>eu-west-1</Region><RequestId>R1</RequestId><HostId>h</HostId></Error>";
        let stated = Stated::read(body).unwrap();
        assert_eq!(stated.code.as_deref(), Some("AuthorizationHeaderMalformed"));
        assert_eq!(stated.message, "expecting 'eu-west-1'");
        assert_eq!(stated.region.as_deref(), Some("eu-west-1"));
        assert_eq!(stated.request_id.as_deref(), Some("R1"));
        for other in [&b""[..], b"<html><p>Bad gateway", b"<DeleteResult/>"] {
            assert_eq!(Stated::read(other), None);
        }
    }

    #[test]
    fn a_page_of_somebody_else_proves_nothing() {
        let page = Bytes::from_static(b"<html>\n<title>404 Not Found</title>\n");
        let table = [
            (404, page.clone(), ErrorKind::BadAnswer, "the answer is not one of S3's, it says: <html> <title>404 Not"),
            (403, page.clone(), ErrorKind::BadAnswer, "the answer is not one of S3's"),
            (501, page.clone(), ErrorKind::BadAnswer, "the answer is not one of S3's"),
            (502, page, ErrorKind::ServerFault, "the answer is not one of S3's"),
            (404, Bytes::from_static(b" \n"), ErrorKind::NotFound, ""),
            (403, Bytes::from_static(b"<Error><Code>X</Code></Error>"), ErrorKind::AccessDenied, ""),
        ];
        for (status, body, kind, message) in table {
            let request = Request::new(Operation::GetObject, Method::GET).bucket("b").key("k");
            let status = StatusCode::from_u16(status).unwrap();
            let response = Response {
                status,
                headers: HeaderMap::new(),
                body,
                hashes: Hashes::default(),
                after_lost_reply: false,
            };
            let failure = Failure::refused(&request, &response, SystemTime::UNIX_EPOCH);
            assert_eq!(failure.kind, kind, "{status}");
            assert!(failure.message.starts_with(message), "{}", failure.message);
        }
        assert!(strange(&[b'x'; 1000]).len() < 200);
    }

    #[test]
    fn how_long_to_wait_is_read_from_an_answer() {
        let request = Request::new(Operation::ListBuckets, Method::GET);
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("7"))]);
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let response =
            Response { status, headers, body: Bytes::new(), hashes: Hashes::default(), after_lost_reply: false };
        let failure = Failure::refused(&request, &response, SystemTime::UNIX_EPOCH);
        assert_eq!((failure.kind, failure.retry_after), (ErrorKind::Throttled, Some(Duration::from_secs(7))));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = parse_http_date("Fri, 24 May 2013 00:00:00 GMT").unwrap();
        assert_eq!(parse_retry_after("3", now), Some(Duration::from_secs(3)));
        assert_eq!(parse_retry_after("Fri, 24 May 2013 00:00:05 GMT", now), Some(Duration::from_secs(5)));
        assert_eq!(parse_retry_after("Thu, 23 May 2013 00:00:05 GMT", now), Some(Duration::ZERO));
        assert_eq!(parse_retry_after("soon", now), None);
    }
}
