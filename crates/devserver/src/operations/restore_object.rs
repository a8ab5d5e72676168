//! `RestoreObject`, and what can't be read without it.

use std::sync::Arc;

use http::{Extensions, StatusCode};
use s3s::dto::{RestoreObjectInput, RestoreObjectOutput, StorageClass, TimestampFormat};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use crate::errors;
use crate::layer::Answered;
use crate::storage::{Record, Storage, VersionId, blocking};

/// In a request's extensions: what is being restored isn't there yet.
#[derive(Clone, Copy)]
pub(crate) struct RestoresTakeLong;

/// Accepts a request with 202, or with 200 where the object is restored already.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_RestoreObject.html>
pub(crate) async fn restore(
    storage: &Arc<Storage>,
    request: S3Request<RestoreObjectInput>,
) -> S3Result<S3Response<RestoreObjectOutput>> {
    let slow = request.extensions.get::<RestoresTakeLong>().is_some();
    let input = request.input;
    let bucket = storage.bucket(&input.bucket)?;
    let version = VersionId::asked(input.version_id.as_deref())?;
    let days = input.restore_request.and_then(|request| request.days);
    let Some(days) = days.and_then(|days| u32::try_from(days).ok()).filter(|days| *days > 0) else {
        return Err(s3_error!(MalformedXML, "A restore request needs a number of days."));
    };
    let status = blocking(move || {
        let mut status = StatusCode::ACCEPTED;
        bucket.change(&input.key, version.as_ref(), |record| {
            if !is_archived(record) {
                return Err(invalid_state("Restore is not allowed for the object's current storage class"));
            }
            if record.attributes.is_restored() {
                if slow {
                    return Err(s3_error!(RestoreAlreadyInProgress, "Object restore is already in progress"));
                }
                status = StatusCode::OK;
            }
            record.attributes.restore(days);
            Ok(())
        })?;
        Ok(status)
    })
    .await?;
    let mut response = S3Response::new(RestoreObjectOutput::default());
    response.extensions.insert(Answered(status));
    Ok(response)
}

/// Refuses to read what is archived and not restored.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/archived-objects.html>
pub(crate) fn check_readable(record: &Record, extensions: &Extensions) -> S3Result<()> {
    let readable = record.attributes.is_restored() && extensions.get::<RestoresTakeLong>().is_none();
    if is_archived(record) && !readable {
        return Err(invalid_state("The operation is not valid for the object's storage class"));
    }
    Ok(())
}

/// `x-amz-restore` of an answer.
pub(crate) fn status(record: &Record, extensions: &Extensions) -> Option<String> {
    let until = record.attributes.restored_until.as_ref().filter(|_| record.attributes.is_restored())?;
    if extensions.get::<RestoresTakeLong>().is_some() {
        return Some("ongoing-request=\"true\"".to_owned());
    }
    let mut date = Vec::new();
    until.format(TimestampFormat::HttpDate, &mut date).ok()?;
    Some(format!("ongoing-request=\"false\", expiry-date=\"{}\"", String::from_utf8_lossy(&date)))
}

fn is_archived(record: &Record) -> bool {
    matches!(record.headers.storage_class.as_deref(), Some(StorageClass::GLACIER | StorageClass::DEEP_ARCHIVE))
}

fn invalid_state(message: &'static str) -> S3Error {
    errors::error(StatusCode::FORBIDDEN, "InvalidObjectState", message)
}
