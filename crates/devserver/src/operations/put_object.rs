//! `PutObject`.

use std::sync::Arc;

use http::HeaderMap;
use s3s::dto::{ChecksumAlgorithm, ChecksumType, PutObjectInput, PutObjectOutput};
use s3s::{S3Request, S3Result, s3_error};

use super::{etag, signed};
use crate::checksums::{Algorithm, answer_checksum, given_checksum};
use crate::conditions::Writing;
use crate::encryption::answer_encryption;
use crate::google;
use crate::storage::{Expected, ObjectHeaders, Record, Storage, blocking, receive, take_attributes, take_headers};

/// The most bytes that one `PutObject` or part may bring: 5 GiB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MOST: u64 = 5 << 30;

/// The most bytes of user metadata, names and values: 2 KB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>
const MOST_METADATA: usize = 2048;

pub(crate) async fn put(storage: &Arc<Storage>, request: S3Request<PutObjectInput>) -> S3Result<PutObjectOutput> {
    let mut input = request.input;
    let bucket = storage.bucket(&input.bucket)?;
    let headers = take_headers!(input);
    let attributes = take_attributes!(input);
    check_metadata(&headers)?;
    let asked = asked_checksum(given_checksum!(input)?, input.checksum_algorithm.as_ref(), &request.headers)?;
    let algorithm = asked.algorithm.unwrap_or_else(|| google::default_algorithm(&request.extensions));
    let expected = Expected {
        length: body_length(&request.headers)?,
        md5: input.content_md5.take(),
        trailers: request.trailing_headers,
        algorithm: Some(algorithm),
        ..asked
    };
    let conditions = Writing::of(&request.extensions, input.if_match, input.if_none_match);
    // Looked at once before, to refuse early; what counts is the second look,
    // under the lock.
    conditions.check(bucket.record(&input.key, None).ok().as_deref())?;
    let received = receive(input.body, &bucket.temporary(), expected).await?;
    let record = Record {
        key: input.key,
        size: received.size,
        etag: attributes.encryption.etag(received.etag),
        headers,
        checksum: Some(received.checksum),
        attributes,
        ..Record::default()
    };
    let putting = Arc::clone(&bucket);
    let record = blocking(move || putting.put(received.file, record, &conditions)).await?;
    google::tell(&request.extensions, &record);
    let mut output = PutObjectOutput {
        e_tag: Some(etag(&record.etag)),
        size: Some(signed(record.size)),
        version_id: bucket.shown(&record),
        ..Default::default()
    };
    answer_encryption!(output, &record.attributes.encryption);
    if let Some(checksum) = &record.checksum {
        answer_checksum!(output, checksum.algorithm, checksum.value.clone());
        output.checksum_type = Some(ChecksumType::from(checksum.kind.name().to_owned()));
    }
    Ok(output)
}

/// The length that the body is to have once it is decoded, if it is said.
pub(super) fn body_length(headers: &HeaderMap) -> S3Result<Option<u64>> {
    let header = |name| -> Option<u64> { headers.get(name)?.to_str().ok()?.parse().ok() };
    let length = header("x-amz-decoded-content-length").or_else(|| header("content-length"));
    if length.is_some_and(|length| length > MOST) {
        return Err(s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size"));
    }
    Ok(length)
}

/// The checksum that a request gives or announces: its trailers then bring it.
pub(super) fn asked_checksum(
    given: Option<(Algorithm, String)>,
    announced: Option<&ChecksumAlgorithm>,
    headers: &HeaderMap,
) -> S3Result<Expected> {
    if let Some((algorithm, checksum)) = given {
        return Ok(Expected { algorithm: Some(algorithm), checksum: Some(checksum), ..Expected::default() });
    }
    let announced =
        announced.map(ChecksumAlgorithm::as_str).or_else(|| headers.get("x-amz-sdk-checksum-algorithm")?.to_str().ok());
    let algorithm = announced.map(Algorithm::named).transpose()?;
    Ok(Expected { algorithm, announced: algorithm.is_some(), ..Expected::default() })
}

/// Refuses more user metadata than S3 keeps.
pub(super) fn check_metadata(headers: &ObjectHeaders) -> S3Result<()> {
    let bytes: usize = headers.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MOST_METADATA {
        return Err(s3_error!(MetadataTooLarge, "Your metadata headers exceed the maximum allowed metadata size"));
    }
    Ok(())
}
