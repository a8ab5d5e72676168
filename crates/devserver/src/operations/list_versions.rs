//! `ListObjectVersions`.

use std::sync::Arc;

use s3s::dto::{
    ChecksumAlgorithm, ChecksumType, DeleteMarkerEntry, ListObjectVersionsInput, ListObjectVersionsOutput,
    ObjectStorageClass, ObjectVersion, ObjectVersionStorageClass,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::{Encoding, etag, limit, owner, shown, signed};
use crate::interleaving::DeleteMarkers;
use crate::storage::{Storage, VersionId};
use crate::version_page::{Element, Selection, page};

#[expect(clippy::unused_async, reason = "it is called as those are that wait")]
pub(crate) async fn list(
    storage: &Arc<Storage>,
    request: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let input = request.input;
    let encoding = Encoding::asked(input.encoding_type.as_ref())?;
    let limit = limit(input.max_keys)?;
    if input.delimiter.as_ref().is_some_and(|delimiter| !delimiter.is_empty()) {
        return Err(s3_error!(NotImplemented, "Versions are listed without a delimiter here."));
    }
    let order = storage.order();
    let (key, version) = marker(input.key_marker.as_deref(), input.version_id_marker.as_deref())?;
    let key = key.map(|key| order.sort_key(key));
    let prefix = order.sort_key(input.prefix.as_deref().unwrap_or_default());
    let selection = Selection {
        prefix: &prefix,
        after: key.as_deref().map(|key| (key, version.as_ref())),
        limit: limit.min(storage.page_limit()),
    };
    let mut output = ListObjectVersionsOutput {
        prefix: Some(encoding.write(input.prefix.as_deref().unwrap_or_default())),
        key_marker: Some(encoding.write(input.key_marker.as_deref().unwrap_or_default())),
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        encoding_type: input.encoding_type,
        max_keys: Some(shown(limit)),
        ..Default::default()
    };
    let markers = storage.bucket(&input.bucket)?.with_versions(|keys| {
        let page = page(keys, &selection);
        if let Some(last) = page.elements.last().filter(|_| page.truncated) {
            output.next_key_marker = Some(encoding.write(&last.record.key));
            output.next_version_id_marker = Some(last.record.version.to_string());
        }
        output.is_truncated = Some(page.truncated);
        let (markers, versions): (Vec<_>, Vec<_>) = page.elements.iter().partition(|it| it.record.delete_marker);
        output.versions = Some(versions.into_iter().map(|it| version_entry(it, encoding)).collect());
        output.delete_markers = Some(markers.into_iter().map(|it| marker_entry(it, encoding)).collect());
        page.elements.iter().map(|it| it.record.delete_marker).collect()
    });
    output.name = Some(input.bucket);
    let mut response = S3Response::new(output);
    response.extensions.insert(DeleteMarkers(markers));
    Ok(response)
}

/// Where the page begins.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>
fn marker<'a>(key: Option<&'a str>, version: Option<&str>) -> S3Result<(Option<&'a str>, Option<VersionId>)> {
    let key = key.filter(|key| !key.is_empty());
    match (key, version) {
        (None, Some(_)) => {
            Err(s3_error!(InvalidArgument, "A version-id marker cannot be specified without a key marker."))
        }
        (_, Some("")) => Err(s3_error!(InvalidArgument, "A version-id marker cannot be empty.")),
        (key, version) => Ok((key, VersionId::asked(version)?)),
    }
}

fn version_entry(element: &Element<'_>, encoding: Encoding) -> ObjectVersion {
    let record = element.record;
    let checksum = record.checksum.as_ref();
    let class = record.headers.storage_class.clone().unwrap_or_else(|| ObjectStorageClass::STANDARD.to_owned());
    ObjectVersion {
        checksum_algorithm: checksum.map(|sum| vec![ChecksumAlgorithm::from(sum.algorithm.name().to_owned())]),
        checksum_type: checksum.map(|sum| ChecksumType::from(sum.kind.name().to_owned())),
        e_tag: Some(etag(&record.etag)),
        is_latest: Some(element.is_latest),
        key: Some(encoding.write(&record.key)),
        last_modified: Some(record.modified.clone()),
        owner: Some(owner()),
        restore_status: None,
        size: Some(signed(record.size)),
        storage_class: Some(ObjectVersionStorageClass::from(class)),
        version_id: Some(record.version.to_string()),
    }
}

fn marker_entry(element: &Element<'_>, encoding: Encoding) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        is_latest: Some(element.is_latest),
        key: Some(encoding.write(&element.record.key)),
        last_modified: Some(element.record.modified.clone()),
        owner: Some(owner()),
        version_id: Some(element.record.version.to_string()),
    }
}
