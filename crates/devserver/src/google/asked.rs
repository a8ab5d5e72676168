//! What a request asks in Google's names, and what its answer is to tell: the generation and digests of its objects.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Response, header};
use s3s::crypto::{Checksum as _, Md5};
use s3s::{Body, S3Result, s3_error};

use super::names;
use crate::checksums::{Algorithm, Checksum, Kind};
use crate::gate::Exchange;
use crate::storage::Record;

/// The generation before the first one of a bucket. Google's count microseconds, so they are as long as this.
const BEFORE_FIRST: u64 = 1_700_000_000_000_000;

/// What a request asks, and what its answer tells.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// The generation that a write or removal must find, 0 for none.
    guard: Option<u64>,
    /// The generation that is read or copied.
    named: Option<u64>,
    told: Mutex<Vec<Told>>,
}

/// What is told of an object.
#[derive(Debug)]
struct Told {
    generation: u64,
    size: u64,
    /// In hexadecimal; none of an object that was uploaded in parts.
    md5: Option<String>,
    /// In base64; none of what was written at S3's port with another checksum.
    crc32c: Option<String>,
}

impl Asked {
    pub(super) fn of(parts: &Parts) -> Self {
        let header = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()?.parse().ok());
        let mut query = parts.uri.query().unwrap_or_default().split('&');
        let in_query = query.find_map(|pair| pair.strip_prefix("generation=")?.parse().ok());
        Self {
            guard: header(names::IF_GENERATION_MATCH),
            named: in_query.or_else(|| header(names::COPY_SOURCE_GENERATION)),
            told: Mutex::default(),
        }
    }

    /// The answer in Google's names, and with what only Google tells.
    pub(crate) fn describe(&self, mut response: Response<Body>) -> Response<Body> {
        names::to_google(response.headers_mut());
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let xml = response.body().bytes().filter(|xml| xml.windows(16).any(|it| it == b"ListBucketResult"));
        match (&told[..], xml) {
            (_, Some(xml)) => *response.body_mut() = Body::from(with_generations(&xml, &told)),
            ([one], None) if response.status().is_success() => one.describe(response.headers_mut()),
            _ => {}
        }
        response
    }
}

impl Told {
    fn describe(&self, headers: &mut HeaderMap) {
        headers.insert("x-goog-generation", self.generation.into());
        headers.insert("x-goog-metageneration", 1.into());
        headers.insert("x-goog-stored-content-length", self.size.into());
        let stored = headers.get(header::CONTENT_ENCODING).cloned();
        headers
            .insert("x-goog-stored-content-encoding", stored.unwrap_or_else(|| HeaderValue::from_static("identity")));
        let md5 = self.md5.as_ref().and_then(|md5| hex_simd::decode_to_vec(md5).ok());
        let md5 = md5.map(|md5| format!("md5={}", BASE64_STANDARD.encode(md5)));
        let crc32c = self.crc32c.as_ref().map(|crc32c| format!("crc32c={crc32c}"));
        let hashes: Vec<String> = [crc32c, md5].into_iter().flatten().collect();
        if let Some(hashes) = HeaderValue::try_from(hashes.join(",")).ok().filter(|_| !hashes.is_empty()) {
            headers.insert("x-goog-hash", hashes);
        }
    }
}

/// The listing with the generation of each of its objects.
fn with_generations(xml: &[u8], told: &[Told]) -> String {
    const END: &str = "</Contents>";
    let xml = String::from_utf8_lossy(xml);
    let mut objects = xml.split(END).peekable();
    let mut generations = told.iter();
    let mut written = String::with_capacity(xml.len() + 64 * told.len());
    while let Some(object) = objects.next() {
        written.push_str(object);
        if objects.peek().is_some() {
            let generation = generations.next().map_or(0, |told| told.generation);
            written.extend(["<Generation>", &generation.to_string(), "</Generation>", END]);
        }
    }
    written
}

/// The generation of what is kept.
pub(crate) fn generation(record: &Record) -> u64 {
    BEFORE_FIRST + record.sequence
}

fn asked(extensions: &Extensions) -> Option<&Asked> {
    extensions.get::<Arc<Exchange>>()?.asked_of_google()
}

/// Whether the request came to Google's port.
pub(crate) fn is_google(extensions: &Extensions) -> bool {
    asked(extensions).is_some()
}

/// The checksum that is worked out where the request names none: S3's, or Google's.
pub(crate) fn default_algorithm(extensions: &Extensions) -> Algorithm {
    if is_google(extensions) { Algorithm::Crc32c } else { Algorithm::Crc64Nvme }
}

/// The `ETag` of what is put together from parts, where it is another one than S3's: at Google nothing follows from it
/// (<https://cloud.google.com/storage/docs/xml-api/post-object-complete>). Here it is made of the upload's id, in
/// Google's form (<https://cloud.google.com/storage/docs/xml-api/reference-headers#etag>).
pub(crate) fn opaque_etag(extensions: &Extensions, upload_id: &str) -> Option<String> {
    is_google(extensions).then(|| format!("-{}", BASE64_STANDARD.encode(Md5::checksum(upload_id.as_bytes()))))
}

/// The generation that a write or removal must find, 0 for none.
pub(crate) fn guard(extensions: &Extensions) -> Option<u64> {
    asked(extensions)?.guard
}

/// Says that the answer is about this object.
pub(crate) fn tell(extensions: &Extensions, record: &Record) {
    let Some(asked) = asked(extensions) else { return };
    let md5 = Some(record.etag.clone()).filter(|_| record.parts.is_empty());
    let is_told = |checksum: &&Checksum| (checksum.algorithm, checksum.kind) == (Algorithm::Crc32c, Kind::FullObject);
    let crc32c = record.checksum.as_ref().filter(is_told).map(|checksum| checksum.value.clone());
    let told = Told { generation: generation(record), size: record.size, md5, crc32c };
    asked.told.lock().unwrap_or_else(PoisonError::into_inner).push(told);
}

/// Refuses another generation than the one that is named, as one that isn't there any more.
pub(crate) fn check_named(extensions: &Extensions, record: &Record) -> S3Result<()> {
    let named = asked(extensions).and_then(|asked| asked.named);
    if named.is_some_and(|named| named != generation(record)) {
        return Err(s3_error!(NoSuchKey, "The specified key does not exist."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_object_of_a_listing_has_its_generation() {
        let told = [4, 5].map(|generation| Told { generation, size: 0, md5: None, crc32c: None });
        let xml = b"<L><Contents>a</Contents><Contents>b</Contents></L>";
        let expected = "<L><Contents>a<Generation>4</Generation></Contents>\
                        <Contents>b<Generation>5</Generation></Contents></L>";
        assert_eq!(with_generations(xml, &told), expected);
        assert_eq!(with_generations(b"<L/>", &[]), "<L/>");
    }

    #[test]
    fn digests_are_told_as_far_as_there_are_any() {
        let told = |md5: Option<&str>, crc32c: Option<&str>| {
            let mut headers = HeaderMap::new();
            let [md5, crc32c] = [md5, crc32c].map(|digest| digest.map(str::to_owned));
            Told { generation: 4, size: 1, md5, crc32c }.describe(&mut headers);
            headers.get("x-goog-hash").map(|hash| hash.to_str().unwrap().to_owned())
        };
        let (md5, crc32c) = (Some("00000000000000000000000000000000"), Some("AAAAAA=="));
        assert_eq!(told(md5, crc32c).as_deref(), Some("crc32c=AAAAAA==,md5=AAAAAAAAAAAAAAAAAAAAAA=="));
        assert_eq!(told(None, crc32c).as_deref(), Some("crc32c=AAAAAA=="));
        assert_eq!(told(None, None), None);
    }
}
