//! `ListBuckets`, `CreateBucket`, `DeleteBucket`, `HeadBucket`, `GetBucketLocation`.

use std::sync::Arc;

use s3s::dto::{
    Bucket, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, DeleteBucketInput, DeleteBucketOutput,
    GetBucketLocationInput, GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput,
    ListBucketsOutput,
};
use s3s::{S3Request, S3Result, s3_error};

use super::owner;
use crate::storage::{Storage, Versioning, blocking};

/// The most buckets of one answer.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>
const MOST_BUCKETS: i32 = 10_000;

pub(crate) fn list(storage: &Storage, request: S3Request<ListBucketsInput>) -> S3Result<ListBucketsOutput> {
    let ListBucketsInput { continuation_token, max_buckets, prefix, .. } = request.input;
    let limit = max_buckets.unwrap_or(MOST_BUCKETS);
    let Some(limit) = usize::try_from(limit).ok().filter(|_| (1..=MOST_BUCKETS).contains(&limit)) else {
        return Err(s3_error!(InvalidArgument, "Argument max-buckets must be an integer between 1 and 10000"));
    };
    let mut rest = storage.buckets().into_iter().filter(|bucket| {
        prefix.as_ref().is_none_or(|prefix| bucket.name.starts_with(prefix))
            && continuation_token.as_ref().is_none_or(|after| bucket.name > *after)
    });
    let buckets: Vec<Bucket> = rest
        .by_ref()
        .take(limit)
        .map(|bucket| Bucket {
            bucket_region: None,
            creation_date: Some(bucket.created.clone()),
            name: Some(bucket.name.clone()),
        })
        .collect();
    let next = rest.next().and_then(|_| buckets.last()?.name.clone());
    Ok(ListBucketsOutput {
        buckets: Some(buckets),
        owner: Some(owner()),
        prefix: prefix.clone(),
        continuation_token: next,
    })
}

pub(crate) async fn create(
    storage: &Arc<Storage>,
    request: S3Request<CreateBucketInput>,
) -> S3Result<CreateBucketOutput> {
    let (storage, name) = (Arc::clone(storage), request.input.bucket);
    let locks = request.input.object_lock_enabled_for_bucket.unwrap_or(false);
    let constraint = request.input.create_bucket_configuration.and_then(|asked| asked.location_constraint);
    // An empty one is none.
    let region = constraint.map(|constraint| constraint.as_str().to_owned()).filter(|region| !region.is_empty());
    let location = format!("/{name}");
    blocking(move || {
        storage.create_bucket(&name, region)?;
        if locks {
            let bucket = storage.bucket(&name)?;
            bucket.set_versioning(Versioning::Enabled)?;
            bucket.enable_object_lock()?;
        }
        Ok(())
    })
    .await?;
    Ok(CreateBucketOutput { location: Some(location) })
}

pub(crate) async fn delete(
    storage: &Arc<Storage>,
    request: S3Request<DeleteBucketInput>,
) -> S3Result<DeleteBucketOutput> {
    let (storage, name) = (Arc::clone(storage), request.input.bucket);
    blocking(move || storage.delete_bucket(&name)).await?;
    Ok(DeleteBucketOutput::default())
}

pub(crate) fn head(storage: &Storage, request: S3Request<HeadBucketInput>) -> S3Result<HeadBucketOutput> {
    let HeadBucketInput { bucket, .. } = request.input;
    let region = storage.bucket(&bucket)?.region.clone();
    Ok(HeadBucketOutput { bucket_region: Some(region.unwrap_or_else(|| "us-east-1".to_owned())), ..Default::default() })
}

/// Without a location constraint it is in `us-east-1`: that is how S3 says so.
pub(crate) fn location(
    storage: &Storage,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<GetBucketLocationOutput> {
    let GetBucketLocationInput { bucket, .. } = request.input;
    let region = storage.bucket(&bucket)?.region.clone();
    Ok(GetBucketLocationOutput { location_constraint: region.map(BucketLocationConstraint::from) })
}
