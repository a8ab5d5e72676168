//! `GetObjectTagging`, `PutObjectTagging`, `DeleteObjectTagging`.

use std::sync::Arc;

use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput,
    PutObjectTaggingInput, PutObjectTaggingOutput,
};
use s3s::{S3Request, S3Result};

use crate::storage::{Storage, VersionId, blocking};
use crate::tags::Tags;

pub(crate) fn get(storage: &Storage, request: S3Request<GetObjectTaggingInput>) -> S3Result<GetObjectTaggingOutput> {
    let GetObjectTaggingInput { bucket, key, version_id, .. } = request.input;
    let bucket = storage.bucket(&bucket)?;
    let record = bucket.record(&key, VersionId::asked(version_id.as_deref())?.as_ref())?;
    Ok(GetObjectTaggingOutput { tag_set: record.attributes.tags.to_set(), version_id: bucket.shown(&record) })
}

pub(crate) async fn put(
    storage: &Arc<Storage>,
    request: S3Request<PutObjectTaggingInput>,
) -> S3Result<PutObjectTaggingOutput> {
    let input = request.input;
    let tags = Tags::from_set(input.tagging.tag_set)?;
    let version_id = replace(storage, &input.bucket, input.key, input.version_id.as_deref(), tags).await?;
    Ok(PutObjectTaggingOutput { version_id })
}

pub(crate) async fn delete(
    storage: &Arc<Storage>,
    request: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<DeleteObjectTaggingOutput> {
    let input = request.input;
    let version_id = replace(storage, &input.bucket, input.key, input.version_id.as_deref(), Tags::default()).await?;
    Ok(DeleteObjectTaggingOutput { version_id })
}

/// Gives a version these tags, and says which one it was.
async fn replace(
    storage: &Storage,
    bucket: &str,
    key: String,
    version: Option<&str>,
    tags: Tags,
) -> S3Result<Option<String>> {
    let bucket = storage.bucket(bucket)?;
    let version = VersionId::asked(version)?;
    blocking(move || {
        let record = bucket.change(&key, version.as_ref(), |record| {
            record.attributes.tags = tags;
            Ok(())
        })?;
        Ok(bucket.shown(&record))
    })
    .await
}
