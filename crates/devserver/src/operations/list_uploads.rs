//! `ListParts` and `ListMultipartUploads`.

use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, CommonPrefix, ListMultipartUploadsInput, ListMultipartUploadsOutput,
    ListPartsInput, ListPartsOutput, MultipartUpload, Part, StorageClass,
};
use s3s::{S3Request, S3Result};
use std::collections::BTreeSet;

use super::{Encoding, etag, limit, owner, shown, signed};
use crate::checksums::answer_checksum;
use crate::storage::{self, Storage, Upload};

/// `ListParts`.
pub(crate) fn parts(storage: &Storage, request: S3Request<ListPartsInput>) -> S3Result<ListPartsOutput> {
    let input = request.input;
    let upload = storage.bucket(&input.bucket)?.upload(&input.upload_id, &input.key)?;
    let limit = limit(input.max_parts)?;
    let marker = input.part_number_marker.unwrap_or(0);
    let state = upload.state()?;
    let mut rest = state.parts.values().filter(|part| part.number > marker);
    let parts: Vec<Part> = rest.by_ref().take(limit).map(listed_part).collect();
    let truncated = limit > 0 && rest.next().is_some();
    let checksum = upload.begun.checksum;
    Ok(ListPartsOutput {
        next_part_number_marker: parts.last().filter(|_| truncated).and_then(|part| part.part_number),
        parts: Some(parts),
        is_truncated: Some(truncated),
        max_parts: Some(shown(limit)),
        part_number_marker: Some(marker),
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        owner: Some(owner()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        checksum_algorithm: checksum.map(|(algorithm, _)| ChecksumAlgorithm::from(algorithm.name().to_owned())),
        checksum_type: checksum.map(|(_, kind)| ChecksumType::from(kind.name().to_owned())),
        ..Default::default()
    })
}

fn listed_part(part: &storage::Part) -> Part {
    let mut listed = Part {
        e_tag: Some(etag(&part.etag)),
        last_modified: Some(part.modified.clone()),
        part_number: Some(part.number),
        size: Some(signed(part.size)),
        ..Default::default()
    };
    if let Some(checksum) = &part.checksum {
        answer_checksum!(listed, checksum.algorithm, checksum.value.clone());
    }
    listed
}

/// `ListMultipartUploads`.
pub(crate) fn uploads(
    storage: &Storage,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<ListMultipartUploadsOutput> {
    let input = request.input;
    let encoding = Encoding::asked(input.encoding_type.as_ref())?;
    let limit = limit(input.max_uploads)?;
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
    let key_marker = input.key_marker.as_deref().unwrap_or_default();
    let id_marker = input.upload_id_marker.as_deref();
    let mut uploads = Vec::new();
    let mut common_prefixes = BTreeSet::new();
    let mut last: Option<(String, String)> = None;
    let mut truncated = false;
    for upload in storage.bucket(&input.bucket)?.uploads() {
        let Some(rest) = upload.begun.key.strip_prefix(prefix) else { continue };
        let rolled_up = delimiter
            .and_then(|delimiter| Some(rest.find(delimiter)? + delimiter.len()))
            .map(|end| format!("{prefix}{}", &rest[..end]));
        if !comes_after(&upload, rolled_up.as_deref(), key_marker, id_marker)
            || rolled_up.as_ref().is_some_and(|it| common_prefixes.contains(it))
        {
            continue;
        }
        if uploads.len() + common_prefixes.len() == limit {
            truncated = limit > 0;
            break;
        }
        last = Some((rolled_up.clone().unwrap_or_else(|| upload.begun.key.clone()), upload.id.clone()));
        match rolled_up {
            Some(rolled_up) => drop(common_prefixes.insert(rolled_up)),
            None => uploads.push(listed_upload(&upload, encoding)),
        }
    }
    let next = last.filter(|_| truncated);
    Ok(ListMultipartUploadsOutput {
        next_key_marker: next.as_ref().map(|(key, _)| encoding.write(key)),
        next_upload_id_marker: next.map(|(_, id)| id),
        uploads: Some(uploads),
        common_prefixes: Some(
            common_prefixes.iter().map(|it| CommonPrefix { prefix: Some(encoding.write(it)) }).collect(),
        ),
        is_truncated: Some(truncated),
        max_uploads: Some(shown(limit)),
        key_marker: Some(encoding.write(key_marker)),
        prefix: Some(encoding.write(prefix)),
        delimiter: input.delimiter.as_deref().map(|delimiter| encoding.write(delimiter)),
        upload_id_marker: input.upload_id_marker,
        encoding_type: input.encoding_type,
        bucket: Some(input.bucket),
        request_charged: None,
    })
}

/// Whether an upload comes after the markers: its key after the key marker, or
/// the same key and its id after the id marker. What was rolled up before stays
/// left out.
fn comes_after(upload: &Upload, rolled_up: Option<&str>, key_marker: &str, id_marker: Option<&str>) -> bool {
    let name = rolled_up.unwrap_or(&upload.begun.key);
    match id_marker {
        Some(id_marker) if rolled_up.is_none() => (name, upload.id.as_str()) > (key_marker, id_marker),
        _ => name > key_marker,
    }
}

fn listed_upload(upload: &Upload, encoding: Encoding) -> MultipartUpload {
    let checksum = upload.begun.checksum;
    MultipartUpload {
        key: Some(encoding.write(&upload.begun.key)),
        upload_id: Some(upload.id.clone()),
        initiated: Some(upload.begun.initiated.clone()),
        owner: Some(owner()),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        checksum_algorithm: checksum.map(|(algorithm, _)| ChecksumAlgorithm::from(algorithm.name().to_owned())),
        checksum_type: checksum.map(|(_, kind)| ChecksumType::from(kind.name().to_owned())),
        ..Default::default()
    }
}
