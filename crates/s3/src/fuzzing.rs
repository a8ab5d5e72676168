//! What must hold for any input whatever: what the fuzz targets assert, and
//! tests on the inputs that they found.

#![allow(clippy::missing_panics_doc, reason = "a check that fails panics: it is what they are for")]

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::address::{AwsHosts, Endpoint};
use crate::client::Rejection;
use crate::clock::Clock;
use crate::config::Addressing;
use crate::encoding::{Keep, decode_listed, encode};
use crate::failure::{Failure, parse_retry_after};
use crate::hashing::Hashes;
use crate::operations::list_objects_v2::{ListedPage, parse};
use crate::operations::{Operation, delete_objects, list_multipart_uploads, list_object_versions, list_parts};
use crate::request::{Request, Response};
use crate::timestamp::{SigningTime, parse_http_date, parse_iso8601};

/// The least that stands in a page for one object.
const SHORTEST_OBJECT: usize =
    "<Contents><Key/><Size>0</Size><LastModified>2000-01-01T00Z</LastModified></Contents>".len();

/// The longest error that fits a log.
const LONGEST_ERROR: usize = 8 << 10;

/// A page of a listing holds no more than its document said, and reads the
/// same when it is written again. What isn't one is refused in one short line.
pub fn listing(document: &[u8]) {
    match parse(document) {
        Ok(page) => {
            let keys = page.objects.iter().map(|object| object.key.len() + object.etag.len());
            assert!(keys.sum::<usize>() <= document.len(), "more text than there was");
            assert!(page.objects.len() * SHORTEST_OBJECT <= document.len(), "more objects than there were");
            let written = write(&page);
            assert_eq!(parse(written.as_bytes()).as_ref(), Ok(&page), "{written}");
        }
        Err(error) => assert_readable(Failure::rejected(Rejection::from(error))),
    }
    uploads(document);
}

/// The same of the listings of parts, of versions and of uploads.
fn uploads(document: &[u8]) {
    match list_parts::parse(document, true) {
        Ok(page) => {
            let etags = page.parts.iter().map(|part| part.etag.len()).sum::<usize>();
            assert!(etags <= document.len(), "more text than there was");
        }
        Err(error) => assert_readable(Failure::rejected(Rejection::from(error))),
    }
    match list_object_versions::parse(document, false) {
        Ok(page) => {
            let names = page.versions.iter().map(|version| version.key.len() + version.version_id.len());
            assert!(names.sum::<usize>() <= document.len(), "more text than there was");
            assert!(page.versions.is_sorted_by_key(|version| version.key.as_bytes()), "out of order");
        }
        Err(error) => assert_readable(Failure::rejected(Rejection::from(error))),
    }
    match list_multipart_uploads::parse(document) {
        Ok(page) => {
            let names = page.uploads.iter().map(|upload| upload.key.len() + upload.upload_id.len());
            assert!(names.sum::<usize>() <= document.len(), "more text than there was");
        }
        Err(error) => assert_readable(Failure::rejected(Rejection::from(error))),
    }
}

/// The page as a service would answer it.
fn write(page: &ListedPage) -> String {
    let mut document = String::from("<ListBucketResult><EncodingType>url</EncodingType>");
    if let Some(next) = &page.next {
        document.push_str("<IsTruncated>true</IsTruncated>");
        document.push_str(&element("NextContinuationToken", next));
    }
    for object in &page.objects {
        let modified = Timestamp::try_from(object.last_modified).map(|modified| modified.to_string());
        let fields = [
            element("Key", &encode(&object.key, Keep::Unreserved)),
            element("Size", &object.size.to_string()),
            element("LastModified", &modified.unwrap_or_default()),
            element("ETag", &format!("\"{}\"", object.etag)),
        ];
        document.push_str(&nested("Contents", &fields.concat()));
    }
    for prefix in &page.common_prefixes {
        let prefix = element("Prefix", &encode(prefix, Keep::Unreserved));
        document.push_str(&nested("CommonPrefixes", &prefix));
    }
    document.push_str("</ListBucketResult>");
    document
}

/// An element whose text is written by the numbers of its characters: no
/// parser can take it for something else.
fn element(name: &str, text: &str) -> String {
    let text: String = text
        .chars()
        .map(|character| match character {
            // No number stands for it, but the parser lets it through.
            '\0' => character.to_string(),
            _ => format!("&#{};", u32::from(character)),
        })
        .collect();
    nested(name, &text)
}

fn nested(name: &str, content: &str) -> String {
    format!("<{name}>{content}</{name}>")
}

/// A refusal is told in one short line, whatever the service wrote, and names
/// no region that could not be a part of a host's name.
pub fn error(document: &[u8]) {
    for status in
        [StatusCode::OK, StatusCode::MOVED_PERMANENTLY, StatusCode::FORBIDDEN, StatusCode::SERVICE_UNAVAILABLE]
    {
        let body = Bytes::copy_from_slice(document);
        let response =
            Response { status, headers: HeaderMap::new(), body, hashes: Hashes::default(), after_lost_reply: false };
        let failure = Failure::refused(&request(), &response, SystemTime::UNIX_EPOCH);
        if let Some(region) = &failure.region {
            assert!(region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{region:?}");
        }
        assert_readable(failure);
    }
    match delete_objects::parse(document) {
        Ok(outcomes) => {
            let keys = outcomes.iter().map(|answer| answer.key.len()).sum::<usize>();
            assert!(keys <= document.len(), "more keys than there were");
        }
        Err(rejection) => assert_readable(Failure::rejected(rejection)),
    }
}

/// Nothing in it commands a terminal, splits a line or fills a log.
fn assert_readable(failure: Failure) {
    let shown = failure.into_error(&request(), false).to_string();
    assert!(!shown.contains(char::is_control), "{shown:?}");
    assert!(shown.len() <= LONGEST_ERROR, "{} bytes: {shown:?}", shown.len());
}

fn request() -> Request<'static> {
    Request::new(Operation::ListObjectsV2, Method::GET).bucket("bucket")
}

/// An endpoint that is taken sends every key exactly where it belongs; one
/// that isn't is told in one line, and without what could be a password.
pub fn endpoint(written: &[u8]) {
    // No scheme and no host can have a `=`.
    const SECRET: &str = "hush=hush";
    let Ok(written) = std::str::from_utf8(written) else { return };
    let (url, key) = written.split_once('\n').unwrap_or((written, "key"));
    match Endpoint::choose(Some(url), AwsHosts::default(), "us-east-1") {
        Ok(endpoint) => assert_exact(&endpoint, key),
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error:?}"),
    }
    let (scheme, host) = url.split_once("://").unwrap_or(("https", url));
    if url.contains(SECRET) {
        return;
    }
    for with_secret in [format!("{scheme}://{SECRET}@{host}"), format!("{scheme}://user:{SECRET}@{host}")] {
        let endpoint = Endpoint::choose(Some(&with_secret), AwsHosts::default(), "us-east-1");
        assert!(!format!("{endpoint:?}").contains(SECRET), "{endpoint:?}");
        if let Err(error) = endpoint {
            assert!(!error.to_string().contains(SECRET), "{error}");
        }
    }
}

/// The host is nothing but one, and the path ends in the key, exactly.
fn assert_exact(endpoint: &Endpoint, key: &str) {
    for addressing in [Addressing::Auto, Addressing::Path, Addressing::Virtual] {
        let address = endpoint.address(addressing, "us-east-1", Some("bucket"), Some(key));
        let in_host = |byte: u8| byte.is_ascii_graphic() && !b"@/?#\\".contains(&byte);
        assert!(!address.host.is_empty() && address.host.bytes().all(in_host), "{address:?}");
        assert!(address.path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte)), "{address:?}");
        let sent = encode(key, Keep::UnreservedAndSlash);
        assert!(address.path.ends_with(&format!("/{sent}")), "{address:?}");
        assert_eq!(decode_listed(&sent).as_deref(), Some(key));
    }
}

/// A date that is taken is the same moment when it is written again, and no
/// date upsets what is reckoned with it.
pub fn date(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
    if let Some(moment) = parse_iso8601(text) {
        let written = Timestamp::try_from(moment).map(|moment| moment.to_string()).unwrap_or_default();
        assert_eq!(parse_iso8601(&written), Some(moment), "{written}");
    }
    if let Some(moment) = parse_http_date(text) {
        let stamp = Timestamp::try_from(moment).unwrap_or_default();
        let written = DateTimePrinter::new().timestamp_to_rfc9110_string(&stamp).unwrap_or_default();
        assert_eq!(parse_http_date(&written), Some(moment), "{written}");
        let clock = Clock::default();
        clock.observe(moment, now);
        clock.correct();
        let signed = SigningTime::of(clock.signing_time(now));
        assert!(signed.full().len() == 16 && signed.full().is_ascii(), "{signed:?}");
        let off = clock.signing_time(now).duration_since(moment).unwrap_or_else(|before| before.duration());
        assert!(off <= Duration::from_secs(1), "the signature would be {off:?} off");
        let pause = parse_retry_after(text, now);
        assert_eq!(pause, Some(moment.duration_since(now).unwrap_or_default()), "{text:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::replay::replay;

    #[test]
    fn listings() {
        replay("listing", super::listing);
    }

    #[test]
    fn errors() {
        replay("error", super::error);
    }

    #[test]
    fn endpoints() {
        replay("url", super::endpoint);
    }

    #[test]
    fn dates() {
        replay("date", super::date);
    }
}
