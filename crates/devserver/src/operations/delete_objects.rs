//! `DeleteObject` and `DeleteObjects`.

use std::sync::Arc;

use http::StatusCode;
use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETagCondition,
    Error, ObjectIdentifier,
};
use s3s::{S3Error, S3Request, S3Result, s3_error};

use crate::conditions::Writing;
use crate::errors;
use crate::faults::Faults;
use crate::google;
use crate::storage::{Removed, Storage, VersionId, blocking};
use crate::xml_bodies::require_digest;

/// The most keys of one `DeleteObjects`.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
const MOST_KEYS: usize = 1000;

/// `DeleteObject`. To delete what isn't there is no error, but for a condition.
pub(crate) async fn one(storage: &Arc<Storage>, request: S3Request<DeleteObjectInput>) -> S3Result<DeleteObjectOutput> {
    let input = request.input;
    let bucket = storage.bucket(&input.bucket)?;
    let conditions = Writing::of(&request.extensions, input.if_match, None);
    if google::is_google(&request.extensions) && conditions.generation.is_none() {
        // There, what isn't there can't be deleted.
        bucket.record(&input.key, None)?;
    }
    let version = VersionId::asked(input.version_id.as_deref())?;
    let bypass = input.bypass_governance_retention.unwrap_or(false);
    let removed = blocking(move || bucket.remove(&input.key, version.as_ref(), &conditions, bypass)).await?;
    Ok(DeleteObjectOutput {
        delete_marker: removed.delete_marker.then_some(true),
        version_id: removed.version.map(|id| id.to_string()),
        ..Default::default()
    })
}

/// `DeleteObjects`. Each key is accounted for by itself.
pub(crate) async fn many(
    storage: &Arc<Storage>,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<DeleteObjectsOutput> {
    let bucket = storage.bucket(&request.input.bucket)?;
    require_digest(&request.headers)?;
    let faults = request.extensions.get::<Arc<Faults>>().cloned().unwrap_or_default();
    let (extensions, delete) = (request.extensions, request.input.delete);
    if delete.objects.is_empty() || delete.objects.len() > MOST_KEYS {
        return Err(s3_error!(MalformedXML, "A request may have between 1 and 1000 keys."));
    }
    let bypass = request.input.bypass_governance_retention.unwrap_or(false);
    let quiet = delete.quiet.unwrap_or(false);
    blocking(move || {
        let (mut deleted, mut failed) = (Vec::new(), Vec::new());
        for ObjectIdentifier { key, e_tag, version_id, .. } in delete.objects {
            let removed = if let Some(code) = faults.strike_key("DeleteObjects", &key) {
                Err(errors::error(StatusCode::FORBIDDEN, &code, "A fault on order."))
            } else {
                let conditions = Writing::of(&extensions, e_tag.map(ETagCondition::ETag), None);
                VersionId::asked(version_id.as_deref())
                    .and_then(|version| bucket.remove(&key, version.as_ref(), &conditions, bypass))
            };
            match removed {
                Ok(_) if quiet => {}
                Ok(removed) => deleted.push(success(key, version_id, removed)),
                Err(error) => failed.push(failure(key, version_id, &error)),
            }
        }
        Ok(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(failed), ..Default::default() })
    })
    .await
}

/// What was asked for, and which delete marker was made or removed for it.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeletedObject.html>
fn success(key: String, version_id: Option<String>, removed: Removed) -> DeletedObject {
    let marker = removed.version.filter(|_| removed.delete_marker);
    DeletedObject {
        key: Some(key),
        version_id,
        delete_marker: marker.as_ref().map(|_| true),
        delete_marker_version_id: marker.map(|id| id.to_string()),
    }
}

fn failure(key: String, version_id: Option<String>, error: &S3Error) -> Error {
    Error {
        code: Some(error.code().as_str().to_owned()),
        key: Some(key),
        message: error.message().map(str::to_owned),
        version_id,
    }
}
