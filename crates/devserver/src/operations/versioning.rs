//! `GetBucketVersioning` and `PutBucketVersioning`.

use std::sync::Arc;

use s3s::dto::{
    BucketVersioningStatus, GetBucketVersioningInput, GetBucketVersioningOutput, PutBucketVersioningInput,
    PutBucketVersioningOutput,
};
use s3s::{S3Request, S3Result, s3_error};

use crate::storage::{Storage, Versioning, blocking};

/// A bucket that never had versions has no status.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>
pub(crate) fn get(
    storage: &Storage,
    request: S3Request<GetBucketVersioningInput>,
) -> S3Result<GetBucketVersioningOutput> {
    let GetBucketVersioningInput { bucket, .. } = request.input;
    let status = match storage.bucket(&bucket)?.versioning() {
        Versioning::Never => None,
        Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    Ok(GetBucketVersioningOutput { status: status.map(BucketVersioningStatus::from_static), ..Default::default() })
}

pub(crate) async fn put(
    storage: &Arc<Storage>,
    request: S3Request<PutBucketVersioningInput>,
) -> S3Result<PutBucketVersioningOutput> {
    let input = request.input;
    let bucket = storage.bucket(&input.bucket)?;
    let asked = input.versioning_configuration.status;
    let versioning = match asked.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        _ => return Err(s3_error!(IllegalVersioningConfigurationException, "The status is Enabled or Suspended.")),
    };
    blocking(move || bucket.set_versioning(versioning)).await?;
    Ok(PutBucketVersioningOutput::default())
}
