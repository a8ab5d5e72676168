//! A request's body on its way to a temporary file: counted, hashed, checked.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::StreamingBlob;
use s3s::{Body, S3Error, S3Result, StdError, TrailingHeaders, s3_error};
use tempfile::NamedTempFile;

use super::blocking;
use crate::checksums::{Algorithm, Checksum, Hasher, Kind, base64, hex};
use crate::errors;

/// Bytes that are gathered before they are hashed and written in one go.
const BATCH: usize = 1 << 20;

/// What the request says of its body.
#[derive(Default)]
pub(crate) struct Expected {
    /// How many bytes, where it says so.
    pub(crate) length: Option<u64>,
    /// The MD5 in base64.
    pub(crate) md5: Option<String>,
    /// The checksum's algorithm; without one, S3's default is computed.
    pub(crate) algorithm: Option<Algorithm>,
    /// The checksum's value, where a header gives it.
    pub(crate) checksum: Option<String>,
    /// Else the trailers may.
    pub(crate) trailers: Option<TrailingHeaders>,
    /// Whether the request announces a checksum, so that it must come.
    pub(crate) announced: bool,
}

/// A body that was received whole and is what the request said.
pub(crate) struct Received {
    pub(crate) file: NamedTempFile,
    /// In bytes.
    pub(crate) size: u64,
    /// Its MD5 in hexadecimal.
    pub(crate) etag: String,
    pub(crate) checksum: Checksum,
}

/// Receives `body` into a temporary file in `directory`.
pub(crate) async fn receive(
    body: Option<StreamingBlob>,
    directory: &Path,
    mut expected: Expected,
) -> S3Result<Received> {
    let mut body = body.unwrap_or_else(|| StreamingBlob::from(Body::empty())).fuse();
    let mut writer = Writer::create(directory, expected.algorithm.unwrap_or(Algorithm::Crc64Nvme))?;
    loop {
        let batch = next_batch(&mut body).await?;
        if batch.is_empty() {
            break;
        }
        writer = blocking(move || writer.write(&batch)).await?;
    }
    if let (Some(algorithm), None) = (expected.algorithm, &expected.checksum) {
        expected.checksum = expected.trailers.take().and_then(|trailers| from_trailers(&trailers, algorithm));
    }
    if expected.announced && expected.checksum.is_none() {
        return Err(s3_error!(InvalidRequest, "A checksum was announced, but there is none in headers or trailers."));
    }
    writer.finish(&expected)
}

/// Copies `bytes` of a body to a temporary file in `directory`. Blocks.
pub(crate) fn copy_body(
    mut file: File,
    bytes: Range<u64>,
    directory: &Path,
    algorithm: Option<Algorithm>,
) -> S3Result<Received> {
    let mut writer = Writer::create(directory, algorithm.unwrap_or(Algorithm::Crc64Nvme))?;
    file.seek(SeekFrom::Start(bytes.start)).map_err(S3Error::internal_error)?;
    let mut left = bytes.end - bytes.start;
    while left > 0 {
        let mut chunk = Vec::new();
        let taken = Read::by_ref(&mut file).take(left.min(BATCH as u64)).read_to_end(&mut chunk);
        if taken.map_err(S3Error::internal_error)? == 0 {
            return Err(s3_error!(InternalError, "The object's file is shorter than its record says."));
        }
        left -= chunk.len() as u64;
        writer = writer.write(&[chunk.into()])?;
    }
    writer.finish(&Expected::default())
}

/// The next chunks, [`BATCH`] bytes or a little more; none at the end.
async fn next_batch(body: &mut (impl Stream<Item = Result<Bytes, StdError>> + Unpin)) -> S3Result<Vec<Bytes>> {
    let mut batch = Vec::new();
    let mut gathered = 0;
    while gathered < BATCH {
        let Some(chunk) = body.next().await.transpose().map_err(|error| broken_body(&error))? else { break };
        gathered += chunk.len();
        batch.push(chunk);
    }
    Ok(batch)
}

fn from_trailers(trailers: &TrailingHeaders, algorithm: Algorithm) -> Option<String> {
    trailers.read(|headers| headers.get(algorithm.header())?.to_str().ok().map(str::to_owned))?
}

/// Why a body could not be read, as S3 says it. `s3s` keeps the type of these
/// errors to itself, so their words are all there is to tell them by.
fn broken_body(error: &StdError) -> S3Error {
    let words = error.to_string();
    if words.contains("Sha256Mismatch") {
        errors::payload_mismatch()
    } else if words.contains("SignatureMismatch") {
        s3_error!(SignatureDoesNotMatch, "The signature of a chunk does not match.")
    } else {
        s3_error!(IncompleteBody, "The request body terminated unexpectedly: {words}")
    }
}

/// A body in the making.
struct Writer {
    file: NamedTempFile,
    size: u64,
    md5: Md5,
    algorithm: Algorithm,
    hasher: Hasher,
}

impl Writer {
    fn create(directory: &Path, algorithm: Algorithm) -> S3Result<Self> {
        let file = NamedTempFile::new_in(directory).map_err(S3Error::internal_error)?;
        Ok(Self { file, size: 0, md5: Md5::new(), algorithm, hasher: Hasher::new(algorithm) })
    }

    fn write(mut self, batch: &[Bytes]) -> S3Result<Self> {
        for chunk in batch {
            self.size += chunk.len() as u64;
            self.md5.update(chunk);
            self.hasher.update(chunk);
            self.file.write_all(chunk).map_err(S3Error::internal_error)?;
        }
        Ok(self)
    }

    fn finish(self, expected: &Expected) -> S3Result<Received> {
        if expected.length.is_some_and(|length| length != self.size) {
            return Err(s3_error!(IncompleteBody, "The request's length is not that of its body."));
        }
        let md5 = self.md5.finalize();
        if expected.md5.as_ref().is_some_and(|expected| *expected != base64(md5)) {
            return Err(errors::bad_digest("Content-MD5"));
        }
        let value = self.hasher.finish();
        if expected.checksum.as_ref().is_some_and(|expected| *expected != value) {
            return Err(errors::bad_digest(self.algorithm.name()));
        }
        let checksum = Checksum { algorithm: self.algorithm, kind: Kind::FullObject, value };
        Ok(Received { file: self.file, size: self.size, etag: hex(md5), checksum })
    }
}
