//! `CopyObject` and `UploadPartCopy`.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

use http::{Extensions, HeaderMap};
use s3s::dto::{
    ChecksumType, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, CopySource, ETagCondition,
    MetadataDirective, TaggingDirective, UploadPartCopyInput, UploadPartCopyOutput,
};
use s3s::{S3ErrorCode, S3Request, S3Result, s3_error};

use super::etag;
use super::put_object::check_metadata;
use super::restore_object::check_readable;
use super::uploads::{check_number, keep};
use crate::checksums::{Algorithm, answer_checksum};
use crate::conditions::{Reading, Writing};
use crate::encryption::{Encryption, answer_encryption, given_key, given_source_key};
use crate::google;
use crate::storage::{Bucket, Record, Storage, VersionId, blocking, copy_body, take_attributes, take_headers};

/// Takes the conditions on the source out of a copying input.
macro_rules! reading_source {
    ($input:expr) => {
        Reading {
            if_match: $input.copy_source_if_match.take(),
            if_none_match: $input.copy_source_if_none_match.take(),
            if_modified_since: $input.copy_source_if_modified_since.take(),
            if_unmodified_since: $input.copy_source_if_unmodified_since.take(),
        }
    };
}

/// `CopyObject`.
pub(crate) async fn copy(storage: &Arc<Storage>, request: S3Request<CopyObjectInput>) -> S3Result<CopyObjectOutput> {
    let mut input = request.input;
    let bucket = storage.bucket(&input.bucket)?;
    let source = Source::named(storage, &input.copy_source, given_source_key!(input)?)?;
    let replaced = input.metadata_directive.as_ref().is_some_and(|it| it.as_str() == MetadataDirective::REPLACE);
    let retagged = input.tagging_directive.as_ref().is_some_and(|it| it.as_str() == TaggingDirective::REPLACE);
    let headers = take_headers!(input);
    let mut attributes = take_attributes!(input);
    let changed = replaced
        || headers.storage_class.is_some()
        || headers.website_redirect_location.is_some()
        || attributes.encryption != Encryption::Unsaid;
    let is_itself = source.bucket.name == bucket.name && source.key == input.key && source.version.is_none();
    if is_itself && !changed {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes."
        ));
    }
    check_metadata(&headers)?;
    let source_conditions = reading_source!(input);
    let conditions = writing(&request.headers, &request.extensions)?;
    let algorithm = input.checksum_algorithm.as_ref().map(|name| Algorithm::named(name.as_str())).transpose()?;
    let copying = Arc::clone(&bucket);
    let (record, source_version) = blocking(move || {
        let (from, file) = source.open(&source_conditions, &request.extensions)?;
        if !retagged {
            attributes.tags = from.attributes.tags.clone();
        }
        let default = google::default_algorithm(&request.extensions);
        let algorithm = algorithm.or(from.checksum.as_ref().map(|checksum| checksum.algorithm)).or(Some(default));
        let copied = copy_body(file, 0..from.size, &copying.temporary(), algorithm)?;
        let record = Record {
            key: input.key,
            size: copied.size,
            etag: attributes.encryption.etag(copied.etag),
            headers: if replaced { headers } else { headers.and_copied(&from.headers) },
            attributes,
            checksum: Some(copied.checksum),
            ..Record::default()
        };
        let record = copying.put(copied.file, record, &conditions)?;
        google::tell(&request.extensions, &record);
        Ok((record, source.bucket.shown(&from)))
    })
    .await?;
    let mut result = CopyObjectResult {
        e_tag: Some(etag(&record.etag)),
        last_modified: Some(record.modified.clone()),
        ..Default::default()
    };
    if let Some(checksum) = &record.checksum {
        answer_checksum!(result, checksum.algorithm, checksum.value.clone());
        result.checksum_type = Some(ChecksumType::from(checksum.kind.name().to_owned()));
    }
    let mut output = CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: source_version,
        version_id: bucket.shown(&record),
        ..Default::default()
    };
    answer_encryption!(output, &record.attributes.encryption);
    Ok(output)
}

/// `UploadPartCopy`.
pub(crate) async fn part(
    storage: &Arc<Storage>,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<UploadPartCopyOutput> {
    let mut input = request.input;
    let bucket = storage.bucket(&input.bucket)?;
    let upload = bucket.upload(&input.upload_id, &input.key)?;
    check_number(input.part_number)?;
    upload.begun.attributes.encryption.check_part_key(given_key!(input)?.as_deref())?;
    let source = Source::named(storage, &input.copy_source, given_source_key!(input)?)?;
    let source_conditions = reading_source!(input);
    let range = input.copy_source_range.take();
    let algorithm = upload.begun.checksum.map(|(algorithm, _)| algorithm);
    let temporary = bucket.temporary();
    let (copied, source_version) = blocking(move || {
        let (from, file) = source.open(&source_conditions, &request.extensions)?;
        let bytes = range.map_or(Ok(0..from.size), |range| source_range(&range, from.size))?;
        Ok((copy_body(file, bytes, &temporary, algorithm)?, source.bucket.shown(&from)))
    })
    .await?;
    let encryption = upload.begun.attributes.encryption.clone();
    let part = keep(&bucket, upload, input.part_number, copied).await?;
    let mut result =
        CopyPartResult { e_tag: Some(etag(&part.etag)), last_modified: Some(part.modified), ..Default::default() };
    if let Some(checksum) = part.checksum {
        answer_checksum!(result, checksum.algorithm, checksum.value);
    }
    let mut output = UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: source_version,
        ..Default::default()
    };
    answer_encryption!(output, &encryption);
    Ok(output)
}

/// What a copy is made of.
struct Source {
    bucket: Arc<Bucket>,
    key: String,
    /// `None`: the current one.
    version: Option<VersionId>,
    /// The MD5 of the customer's key that it is read with.
    customer_key: Option<String>,
}

impl Source {
    fn named(storage: &Storage, source: &CopySource, customer_key: Option<String>) -> S3Result<Self> {
        let CopySource::Bucket { bucket, key, version_id } = source else {
            return Err(s3_error!(NotImplemented, "There are no access points here."));
        };
        let version = VersionId::asked(version_id.as_deref())?;
        Ok(Self { bucket: storage.bucket(bucket)?, key: key.to_string(), version, customer_key })
    }

    /// Blocks.
    fn open(&self, conditions: &Reading, extensions: &Extensions) -> S3Result<(Arc<Record>, File)> {
        let opened = self.bucket.open_object(&self.key, self.version.as_ref());
        let (record, file) = opened.map_err(|error| match error.code() {
            S3ErrorCode::MethodNotAllowed => {
                s3_error!(
                    InvalidRequest,
                    "The source of a copy request may not refer to a delete marker by version id."
                )
            }
            _ => error,
        })?;
        google::check_named(extensions, &record)?;
        conditions.check_source(&record)?;
        check_readable(&record, extensions)?;
        record.attributes.encryption.check_key(self.customer_key.as_deref())?;
        Ok((record, file))
    }
}

/// The conditions on what a copy replaces, which `s3s` doesn't read.
fn writing(headers: &HeaderMap, extensions: &Extensions) -> S3Result<Writing> {
    let condition = |name| -> S3Result<Option<ETagCondition>> {
        let parse = |value: &http::HeaderValue| {
            ETagCondition::parse_http_header(value.as_bytes())
                .map_err(|_| s3_error!(InvalidArgument, "The header {name} is not an ETag."))
        };
        headers.get(name).map(parse).transpose()
    };
    let generation = google::guard(extensions);
    Ok(Writing { if_match: condition("if-match")?, if_none_match: condition("if-none-match")?, generation })
}

/// The bytes of `x-amz-copy-source-range`, which must be given from first to
/// last and lie in the source.
fn source_range(range: &str, size: u64) -> S3Result<Range<u64>> {
    match s3s::dto::Range::parse(range) {
        Ok(s3s::dto::Range::Int { first, last: Some(last) }) if last < size => Ok(first..last + 1),
        Ok(s3s::dto::Range::Int { last: Some(_), .. }) => {
            Err(s3_error!(InvalidRange, "The requested range is not satisfiable"))
        }
        _ => Err(s3_error!(InvalidArgument, "The x-amz-copy-source-range value must be of the form bytes=first-last")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_sources() {
        assert_eq!(source_range("bytes=0-9", 10).unwrap(), 0..10);
        assert!(source_range("bytes=0-10", 10).is_err());
        assert!(source_range("bytes=3-", 10).is_err());
        assert!(source_range("3-4", 10).is_err());
    }
}
