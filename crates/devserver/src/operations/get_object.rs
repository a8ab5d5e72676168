//! `GetObject` and `HeadObject`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use s3s::dto::{
    ChecksumMode, ChecksumType, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput,
    ObjectLockLegalHoldStatus, ObjectLockMode, StorageClass, StreamingBlob,
};
use s3s::{Body, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, s3_error};

use super::restore_object::{self, check_readable};
use super::{etag, signed};
use crate::checksums::answer_checksum;
use crate::conditions::Reading;
use crate::encryption::{answer_encryption, given_key};
use crate::errors;
use crate::google;
use crate::storage::{Record, Storage, VersionId, blocking};

/// Bytes that are read from a file in one go; a body up to this long is read
/// at once.
const CHUNK: u64 = 1 << 20;

/// What a range or part number chose of an object.
struct Chosen {
    bytes: Range<u64>,
    /// `Content-Range`, where the answer is a part of the object.
    content_range: Option<String>,
    parts_count: Option<i32>,
}

/// Takes the conditions out of an input that reads.
macro_rules! reading {
    ($input:expr) => {
        Reading {
            if_match: $input.if_match.take(),
            if_none_match: $input.if_none_match.take(),
            if_modified_since: $input.if_modified_since.take(),
            if_unmodified_since: $input.if_unmodified_since.take(),
        }
    };
}

/// An output with all that `GET` and `HEAD` answer alike.
macro_rules! answer {
    ($output:ident, $record:expr, $chosen:expr, $mode:expr, $extensions:expr) => {{
        let (record, chosen): (&Record, &Chosen) = ($record, $chosen);
        let (headers, lock) = (&record.headers, &record.attributes.lock);
        let mut output = $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: headers.cache_control.clone(),
            content_disposition: headers.content_disposition.clone(),
            content_encoding: headers.content_encoding.clone(),
            content_language: headers.content_language.clone(),
            content_length: Some(signed(chosen.bytes.end - chosen.bytes.start)),
            content_range: chosen.content_range.clone(),
            content_type: Some(headers.content_type.clone().unwrap_or_else(|| "binary/octet-stream".to_owned())),
            e_tag: Some(etag(&record.etag)),
            expires: headers.expires.clone(),
            last_modified: Some(record.modified.clone()),
            metadata: Some(headers.metadata.clone()),
            parts_count: chosen.parts_count,
            object_lock_legal_hold_status: lock
                .legal_hold
                .then(|| ObjectLockLegalHoldStatus::from_static(ObjectLockLegalHoldStatus::ON)),
            object_lock_mode: lock.retention.clone().map(|(mode, _)| ObjectLockMode::from(mode)),
            object_lock_retain_until_date: lock.retention.clone().map(|(_, until)| until),
            restore: restore_object::status(record, $extensions),
            storage_class: headers.storage_class.clone().filter(|class| class != "STANDARD").map(StorageClass::from),
            website_redirect_location: headers.website_redirect_location.clone(),
            ..Default::default()
        };
        answer_encryption!(output, &record.attributes.encryption);
        let enabled = $mode.as_ref().is_some_and(|mode: &ChecksumMode| mode.as_str() == ChecksumMode::ENABLED);
        // A checksum of the whole would be taken for one of the part.
        if let Some(checksum) = record.checksum.as_ref().filter(|_| enabled && chosen.content_range.is_none()) {
            answer_checksum!(output, checksum.algorithm, checksum.value.clone());
            output.checksum_type = Some(ChecksumType::from(checksum.kind.name().to_owned()));
        }
        output
    }};
}

pub(crate) async fn get(storage: &Arc<Storage>, request: S3Request<GetObjectInput>) -> S3Result<GetObjectOutput> {
    let mut input = request.input;
    let conditions = reading!(input);
    let bucket = storage.bucket(&input.bucket)?;
    let version = VersionId::asked(input.version_id.as_deref())?;
    let customer_key = given_key!(input)?;
    let (key, range, part) = (input.key, input.range, input.part_number);
    let (reading, extensions) = (Arc::clone(&bucket), request.extensions.clone());
    let (record, chosen, body) = blocking(move || {
        let (record, mut file) = reading.open_object(&key, version.as_ref())?;
        record.attributes.encryption.check_key(customer_key.as_deref())?;
        google::check_named(&extensions, &record)?;
        conditions.check(&record)?;
        check_readable(&record, &extensions)?;
        let chosen = choose(&record, range.as_ref(), part)?;
        let first = read_chunk(&mut file, &chosen.bytes).map_err(S3Error::internal_error)?;
        let body = body(file, first, chosen.bytes.clone());
        Ok((record, chosen, body))
    })
    .await?;
    google::tell(&request.extensions, &record);
    let mut output = answer!(GetObjectOutput, &record, &chosen, input.checksum_mode, &request.extensions);
    output.body = Some(body);
    output.tag_count = record.attributes.tags.count();
    output.version_id = bucket.shown(&record);
    Ok(output)
}

#[expect(clippy::unused_async, reason = "it is called as those are that wait")]
pub(crate) async fn head(
    storage: &Arc<Storage>,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let mut input = request.input;
    let bucket = storage.bucket(&input.bucket)?;
    let record = bucket.record(&input.key, VersionId::asked(input.version_id.as_deref())?.as_ref())?;
    record.attributes.encryption.check_key(given_key!(input)?.as_deref())?;
    google::check_named(&request.extensions, &record)?;
    reading!(input).check(&record)?;
    let chosen = choose(&record, input.range.as_ref(), input.part_number)?;
    google::tell(&request.extensions, &record);
    let mut output = answer!(HeadObjectOutput, &record, &chosen, input.checksum_mode, &request.extensions);
    output.version_id = bucket.shown(&record);
    let mut response = S3Response::new(output);
    if let Some(count) = record.attributes.tags.count() {
        // `s3s` has no field for it.
        response.headers.insert("x-amz-tagging-count", count.into());
    }
    Ok(response)
}

/// The bytes that a range or part number asks for, or 416.
fn choose(record: &Record, range: Option<&s3s::dto::Range>, part: Option<i32>) -> S3Result<Chosen> {
    let size = record.size;
    let bytes = match (range, part) {
        (Some(_), Some(_)) => {
            return Err(s3_error!(InvalidRequest, "Cannot specify both Range header and partNumber query parameter"));
        }
        (Some(range), None) => Some(range.check(size).map_err(|_| not_satisfiable(size))?),
        (None, Some(number)) => part_bytes(record, number)?,
        (None, None) => None,
    };
    let parts_count = part.and_then(|_| i32::try_from(record.parts.len()).ok()).filter(|count| *count > 0);
    let content_range =
        bytes.as_ref().map(|bytes| format!("bytes {}-{}/{size}", bytes.start, bytes.end.saturating_sub(1)));
    Ok(Chosen { bytes: bytes.unwrap_or(0..size), content_range, parts_count })
}

/// Where part `number` lies; `None` for all of an empty object.
fn part_bytes(record: &Record, number: i32) -> S3Result<Option<Range<u64>>> {
    let whole = [record.size];
    let parts = if record.parts.is_empty() { &whole[..] } else { &record.parts[..] };
    let before = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let Some((before, size)) = before.and_then(|before| Some((before, parts.get(before)?))) else {
        let message = "The requested partnumber is not satisfiable";
        return Err(errors::error(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidPartNumber", message));
    };
    let start: u64 = parts.iter().take(before).sum();
    Ok((record.size > 0).then_some(start..start + size))
}

fn not_satisfiable(size: u64) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::InvalidRange, "The requested range is not satisfiable");
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    if let Ok(range) = HeaderValue::try_from(format!("bytes */{size}")) {
        headers.insert(header::CONTENT_RANGE, range);
    }
    error.set_headers(headers);
    error
}

/// The first bytes of what is chosen, [`CHUNK`] at the most.
fn read_chunk(file: &mut File, bytes: &Range<u64>) -> io::Result<Bytes> {
    let length = (bytes.end - bytes.start).min(CHUNK);
    file.seek(SeekFrom::Start(bytes.start))?;
    let mut chunk = Vec::new();
    Read::by_ref(file).take(length).read_to_end(&mut chunk)?;
    if chunk.len() as u64 == length { Ok(chunk.into()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// A body that begins with `first` and reads on from the file as it is sent.
fn body(file: File, first: Bytes, bytes: Range<u64>) -> StreamingBlob {
    let rest = bytes.start + first.len() as u64..bytes.end;
    if rest.is_empty() {
        return StreamingBlob::from(Body::from(first));
    }
    let chunks = stream::try_unfold((Some(first), file, rest), |(ready, file, rest)| async move {
        if let Some(ready) = ready {
            return Ok(Some((ready, (None, file, rest))));
        }
        if rest.is_empty() {
            return Ok(None);
        }
        let read = tokio::task::spawn_blocking(move || {
            let mut file = file;
            let chunk = read_chunk(&mut file, &rest)?;
            let rest = rest.start + chunk.len() as u64..rest.end;
            io::Result::Ok(Some((chunk, (None, file, rest))))
        });
        read.await.map_err(io::Error::other)?
    });
    StreamingBlob::wrap(chunks)
}

#[cfg(test)]
mod tests {
    use s3s::dto::Range as Asked;

    use super::*;

    fn object(size: u64, parts: &[u64]) -> Record {
        Record { size, parts: parts.to_vec(), ..Record::default() }
    }

    #[test]
    fn ranges() {
        let chosen = |size, header: &str| {
            let range = Asked::parse(header).unwrap();
            choose(&object(size, &[]), Some(&range), None).ok().map(|chosen| (chosen.bytes, chosen.content_range))
        };
        let some = |bytes, text: &str| Some((bytes, Some(text.to_owned())));
        assert_eq!(chosen(10, "bytes=0-3"), some(0..4, "bytes 0-3/10"));
        assert_eq!(chosen(10, "bytes=8-"), some(8..10, "bytes 8-9/10"));
        assert_eq!(chosen(10, "bytes=8-99"), some(8..10, "bytes 8-9/10"));
        assert_eq!(chosen(10, "bytes=-3"), some(7..10, "bytes 7-9/10"));
        assert_eq!(chosen(10, "bytes=-99"), some(0..10, "bytes 0-9/10"));
        assert_eq!(chosen(10, "bytes=10-"), None);
        assert_eq!(chosen(0, "bytes=0-"), None);
        let error = choose(&object(10, &[]), Some(&Asked::parse("bytes=10-").unwrap()), None).err().unwrap();
        assert_eq!(error.headers().unwrap()["content-range"], "bytes */10");
    }

    #[test]
    fn part_numbers() {
        let chosen = |object: &Record, part| {
            choose(object, None, Some(part)).ok().map(|chosen| (chosen.bytes, chosen.parts_count))
        };
        let parts = object(10, &[4, 4, 2]);
        assert_eq!(chosen(&parts, 1), Some((0..4, Some(3))));
        assert_eq!(chosen(&parts, 3), Some((8..10, Some(3))));
        assert_eq!(chosen(&parts, 4), None);
        assert_eq!(chosen(&parts, 0), None);
        assert_eq!(chosen(&object(10, &[]), 1), Some((0..10, None)));
        assert_eq!(chosen(&object(0, &[]), 1), Some((0..0, None)));
        assert_eq!(chosen(&object(10, &[]), 2), None);
    }
}
