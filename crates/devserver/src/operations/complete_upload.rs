//! `CompleteMultipartUpload`.

use std::sync::Arc;

use s3s::dto::{ChecksumType, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, ETag};
use s3s::{S3Error, S3Request, S3Result, s3_error};
use tempfile::NamedTempFile;

use super::{etag, signed};
use crate::checksums::{Algorithm, Checksum, Hasher, Kind, answer_checksum, composite, given_checksum, multipart_etag};
use crate::conditions::Writing;
use crate::encryption::answer_service_encryption;
use crate::errors;
use crate::google;
use crate::storage::{Bucket, Part, Record, Storage, Upload, UploadState, blocking};

/// The least bytes of a part that isn't the last: 5 MiB.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const LEAST: u64 = 5 << 20;

/// What the request asks for, beside bucket and upload.
struct Asked {
    parts: Vec<CompletedPart>,
    checksum: Option<(Algorithm, String)>,
    checksum_type: Option<ChecksumType>,
    size: Option<i64>,
    conditions: Writing,
    /// The checksum of the whole that is worked out where the upload names none.
    default: Algorithm,
    /// What stands in the place of the parts' `ETag`.
    opaque_etag: Option<String>,
}

pub(crate) async fn complete(
    storage: &Arc<Storage>,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<CompleteMultipartUploadOutput> {
    let mut input = request.input;
    let bucket = storage.bucket(&input.bucket)?;
    let upload = bucket.upload(&input.upload_id, &input.key)?;
    let asked = Asked {
        checksum: given_checksum!(input)?,
        checksum_type: input.checksum_type.take(),
        parts: input.multipart_upload.take().and_then(|list| list.parts).unwrap_or_default(),
        size: input.mpu_object_size,
        conditions: Writing::of(&request.extensions, input.if_match.take(), input.if_none_match.take()),
        default: google::default_algorithm(&request.extensions),
        opaque_etag: google::opaque_etag(&request.extensions, &upload.id),
    };
    let joining = Arc::clone(&bucket);
    let record = blocking(move || join(&joining, &upload, asked)).await?;
    google::tell(&request.extensions, &record);
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(etag(&record.etag)),
        version_id: bucket.shown(&record),
        ..Default::default()
    };
    answer_service_encryption!(output, &record.attributes.encryption);
    if let Some(checksum) = &record.checksum {
        answer_checksum!(output, checksum.algorithm, checksum.value.clone());
        output.checksum_type = Some(ChecksumType::from(checksum.kind.name().to_owned()));
    }
    Ok(output)
}

/// Makes the object of the parts. While it does, no part can be put. Blocks.
fn join(bucket: &Bucket, upload: &Upload, mut asked: Asked) -> S3Result<Arc<Record>> {
    let state = upload.state()?;
    asked.conditions.check(bucket.record(&upload.begun.key, None).ok().as_deref())?;
    let named = std::mem::take(&mut asked.parts);
    let parts = chosen_parts(upload, &state, named)?;
    let size: u64 = parts.iter().map(|part| part.size).sum();
    if asked.size.is_some_and(|asked| asked != signed(size)) {
        return Err(s3_error!(InvalidRequest, "The provided x-amz-mp-object-size does not match what was computed."));
    }
    let (algorithm, kind) = upload.begun.checksum.unwrap_or((asked.default, Kind::FullObject));
    let mut hasher = Hasher::new(algorithm);
    let mut body = NamedTempFile::new_in(bucket.temporary()).map_err(S3Error::internal_error)?;
    upload.join(&parts, &mut body, &mut hasher).map_err(S3Error::internal_error)?;
    let checksum = match kind {
        Kind::FullObject => Checksum { algorithm, kind, value: hasher.finish() },
        Kind::Composite => composite(algorithm, parts.iter().map(part_checksum))?,
    };
    check_checksum(&asked, &checksum)?;
    let record = Record {
        key: upload.begun.key.clone(),
        size,
        etag: match asked.opaque_etag {
            Some(etag) => etag,
            None => multipart_etag(parts.iter().map(|part| part.etag.as_str()))?,
        },
        headers: upload.begun.headers.clone(),
        attributes: upload.begun.attributes.clone(),
        checksum: Some(checksum),
        parts: parts.iter().map(|part| part.size).collect(),
        ..Record::default()
    };
    let record = bucket.put(body, record, &asked.conditions)?;
    bucket.end_upload(upload, state)?;
    Ok(record)
}

/// The parts that the request names, checked against those that were uploaded.
fn chosen_parts(upload: &Upload, state: &UploadState, named: Vec<CompletedPart>) -> S3Result<Vec<Part>> {
    let mut chosen: Vec<Part> = Vec::with_capacity(named.len());
    for mut part in named {
        let (Some(number), Some(etag)) = (part.part_number, part.e_tag.take()) else {
            return Err(s3_error!(MalformedXML, "A part needs a number and an ETag."));
        };
        if chosen.last().is_some_and(|last| last.number >= number) {
            return Err(s3_error!(InvalidPartOrder, "The list of parts was not in ascending order."));
        }
        if chosen.last().is_some_and(|last| last.size < LEAST) {
            return Err(s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"));
        }
        let given = given_checksum!(part)?;
        chosen.push(uploaded(upload, state, number, &etag, given.as_ref())?.clone());
    }
    if chosen.is_empty() {
        return Err(s3_error!(MalformedXML, "You must specify at least one part"));
    }
    Ok(chosen)
}

fn uploaded<'a>(
    upload: &Upload,
    state: &'a UploadState,
    number: i32,
    etag: &ETag,
    given: Option<&(Algorithm, String)>,
) -> S3Result<&'a Part> {
    if let (None, Some((algorithm, Kind::Composite))) = (given, upload.begun.checksum) {
        let algorithm = algorithm.name().to_ascii_lowercase();
        return Err(s3_error!(
            InvalidRequest,
            "The upload was created using a {algorithm} checksum. The complete request must include the checksum for \
             each part. It was missing for part {number} in the request."
        ));
    }
    let is_it = |part: &&Part| {
        let kept = part.checksum.as_ref();
        let same = |(algorithm, value): &(Algorithm, String)| {
            kept.is_some_and(|kept| kept.algorithm == *algorithm && kept.value == *value)
        };
        part.etag == etag.value() && given.is_none_or(same)
    };
    state.parts.get(&number).filter(is_it).ok_or_else(|| {
        s3_error!(
            InvalidPart,
            "One or more of the specified parts could not be found. The part may not have been uploaded, or the \
             specified entity tag may not match the part's entity tag."
        )
    })
}

fn part_checksum(part: &Part) -> &str {
    part.checksum.as_ref().map(|checksum| checksum.value.as_str()).unwrap_or_default()
}

/// What the request says of the whole object's checksum.
fn check_checksum(asked: &Asked, checksum: &Checksum) -> S3Result<()> {
    let kind = checksum.kind.name();
    if asked.checksum_type.as_ref().is_some_and(|asked| asked.as_str() != kind) {
        return Err(s3_error!(InvalidRequest, "The upload was created using the {kind} checksum mode."));
    }
    let Some((algorithm, value)) = &asked.checksum else { return Ok(()) };
    if *algorithm != checksum.algorithm {
        let name = checksum.algorithm.name();
        return Err(s3_error!(InvalidRequest, "The upload was created using the {name} checksum algorithm."));
    }
    if *value != checksum.value {
        return Err(errors::bad_digest(algorithm.name()));
    }
    Ok(())
}
