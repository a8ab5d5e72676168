//! `CreateMultipartUpload`, `UploadPart`, `AbortMultipartUpload`.

use std::sync::Arc;

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, ChecksumAlgorithm, ChecksumType, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Request, S3Result, s3_error};

use super::etag;
use super::put_object::{asked_checksum, body_length, check_metadata};
use crate::checksums::{Algorithm, Kind, answer_checksum, given_checksum};
use crate::encryption::{answer_encryption, given_key};
use crate::storage::{
    Begun, Bucket, Expected, Part, Received, Storage, Upload, blocking, receive, take_attributes, take_headers,
};

/// The most parts of an upload.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const MOST_PARTS: i32 = 10_000;

/// `CreateMultipartUpload`.
pub(crate) async fn create(
    storage: &Arc<Storage>,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<CreateMultipartUploadOutput> {
    let mut input = request.input;
    let bucket = storage.bucket(&input.bucket)?;
    let headers = take_headers!(input);
    let attributes = take_attributes!(input);
    check_metadata(&headers)?;
    let checksum = asked(input.checksum_algorithm.as_ref(), input.checksum_type.as_ref())?;
    let begun = Begun { key: input.key.clone(), headers, attributes, checksum, ..Begun::default() };
    let upload = blocking(move || bucket.begin_upload(begun)).await?;
    let mut output = CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(upload.id.clone()),
        checksum_algorithm: checksum.map(|(algorithm, _)| ChecksumAlgorithm::from(algorithm.name().to_owned())),
        checksum_type: checksum.map(|(_, kind)| ChecksumType::from(kind.name().to_owned())),
        ..Default::default()
    };
    answer_encryption!(output, &upload.begun.attributes.encryption);
    Ok(output)
}

/// The checksum that the object is to have, and the combinations that S3 has.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>
fn asked(algorithm: Option<&ChecksumAlgorithm>, kind: Option<&ChecksumType>) -> S3Result<Option<(Algorithm, Kind)>> {
    let Some(algorithm) = algorithm.map(|name| Algorithm::named(name.as_str())).transpose()? else {
        return match kind {
            None => Ok(None),
            Some(_) => Err(s3_error!(InvalidRequest, "A checksum type needs a checksum algorithm.")),
        };
    };
    let kind = match kind.map(ChecksumType::as_str) {
        Some(ChecksumType::FULL_OBJECT) => Kind::FullObject,
        None if algorithm == Algorithm::Crc64Nvme => Kind::FullObject,
        Some(ChecksumType::COMPOSITE) | None => Kind::Composite,
        Some(_) => return Err(s3_error!(InvalidRequest, "There is no such checksum type.")),
    };
    let possible = match kind {
        Kind::FullObject => !algorithm.is_cryptographic(),
        Kind::Composite => algorithm != Algorithm::Crc64Nvme,
    };
    if !possible {
        let (kind, algorithm) = (kind.name(), algorithm.name());
        return Err(s3_error!(
            InvalidRequest,
            "The {kind} checksum type cannot be used with the {algorithm} algorithm."
        ));
    }
    Ok(Some((algorithm, kind)))
}

/// `UploadPart`.
pub(crate) async fn part(storage: &Arc<Storage>, request: S3Request<UploadPartInput>) -> S3Result<UploadPartOutput> {
    let mut input = request.input;
    let bucket = storage.bucket(&input.bucket)?;
    let upload = bucket.upload(&input.upload_id, &input.key)?;
    check_number(input.part_number)?;
    let encryption = upload.begun.attributes.encryption.clone();
    encryption.check_part_key(given_key!(input)?.as_deref())?;
    let asked = asked_checksum(given_checksum!(input)?, input.checksum_algorithm.as_ref(), &request.headers)?;
    let expected = Expected {
        length: body_length(&request.headers)?,
        md5: input.content_md5.take(),
        algorithm: Some(part_algorithm(&upload, asked.algorithm)?),
        trailers: request.trailing_headers,
        ..asked
    };
    let received = receive(input.body, &bucket.temporary(), expected).await?;
    let part = keep(&bucket, upload, input.part_number, received).await?;
    let mut output = UploadPartOutput { e_tag: Some(etag(&part.etag)), ..Default::default() };
    answer_encryption!(output, &encryption);
    if let Some(checksum) = part.checksum {
        answer_checksum!(output, checksum.algorithm, checksum.value);
    }
    Ok(output)
}

/// Puts a part that was received.
pub(super) async fn keep(bucket: &Bucket, upload: Arc<Upload>, number: i32, received: Received) -> S3Result<Part> {
    let modified = bucket.now();
    let etag = upload.begun.attributes.encryption.etag(received.etag);
    let part = Part { number, size: received.size, etag, modified, checksum: Some(received.checksum) };
    blocking(move || upload.put_part(received.file, part.clone()).map(|()| part)).await
}

/// Part numbers go from 1 to 10,000.
pub(super) fn check_number(number: i32) -> S3Result<()> {
    if (1..=MOST_PARTS).contains(&number) {
        Ok(())
    } else {
        Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"))
    }
}

/// The algorithm for a part: the upload's, from which the part's own, if it has
/// one, may not differ. A composite checksum needs it of each part.
fn part_algorithm(upload: &Upload, given: Option<Algorithm>) -> S3Result<Algorithm> {
    let Some((expected, kind)) = upload.begun.checksum else { return Ok(given.unwrap_or(Algorithm::Crc64Nvme)) };
    let mismatch = |actual: &str| {
        let expected = expected.name().to_ascii_lowercase();
        s3_error!(
            InvalidRequest,
            "Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {actual}"
        )
    };
    match given {
        Some(given) if given != expected => Err(mismatch(&given.name().to_ascii_lowercase())),
        None if kind == Kind::Composite => Err(mismatch("null")),
        _ => Ok(expected),
    }
}

/// `AbortMultipartUpload`.
pub(crate) async fn abort(
    storage: &Arc<Storage>,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<AbortMultipartUploadOutput> {
    let input = request.input;
    let bucket = storage.bucket(&input.bucket)?;
    let upload = bucket.upload(&input.upload_id, &input.key)?;
    blocking(move || bucket.end_upload(&upload, upload.state()?)).await?;
    Ok(AbortMultipartUploadOutput::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_and_types_that_go_together() {
        let ask = |algorithm: &str, kind: &str| {
            let algorithm = Some(algorithm).filter(|name| !name.is_empty()).map(|name| name.to_owned().into());
            let kind = Some(kind).filter(|name| !name.is_empty()).map(|name| name.to_owned().into());
            asked(algorithm.as_ref(), kind.as_ref()).ok()
        };
        assert_eq!(ask("", ""), Some(None));
        assert_eq!(ask("CRC32", ""), Some(Some((Algorithm::Crc32, Kind::Composite))));
        assert_eq!(ask("CRC32", "FULL_OBJECT"), Some(Some((Algorithm::Crc32, Kind::FullObject))));
        assert_eq!(ask("CRC64NVME", ""), Some(Some((Algorithm::Crc64Nvme, Kind::FullObject))));
        assert_eq!(ask("SHA256", ""), Some(Some((Algorithm::Sha256, Kind::Composite))));
        assert_eq!(ask("SHA256", "FULL_OBJECT"), None);
        assert_eq!(ask("CRC64NVME", "COMPOSITE"), None);
        assert_eq!(ask("", "COMPOSITE"), None);
        assert_eq!(ask("CRC32", "HALF"), None);
    }
}
