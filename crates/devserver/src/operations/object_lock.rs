//! Object locks: of buckets whether there are any, of versions their retention and legal hold.

use std::sync::Arc;

use s3s::dto::{
    GetObjectLegalHoldInput, GetObjectLegalHoldOutput, GetObjectLockConfigurationInput,
    GetObjectLockConfigurationOutput, GetObjectRetentionInput, GetObjectRetentionOutput, ObjectLockConfiguration,
    ObjectLockEnabled, ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention, ObjectLockRetentionMode,
    PutObjectLegalHoldInput, PutObjectLegalHoldOutput, PutObjectLockConfigurationInput,
    PutObjectLockConfigurationOutput, PutObjectRetentionInput, PutObjectRetentionOutput,
};
use s3s::{S3Request, S3Result, s3_error};

use crate::object_lock::{Lock, checked};
use crate::storage::{Bucket, Storage, VersionId, blocking};

pub(crate) fn configuration(
    storage: &Storage,
    request: S3Request<GetObjectLockConfigurationInput>,
) -> S3Result<GetObjectLockConfigurationOutput> {
    let GetObjectLockConfigurationInput { bucket, .. } = request.input;
    if !storage.bucket(&bucket)?.has_object_lock() {
        let message = "Object Lock configuration does not exist for this bucket";
        return Err(s3_error!(ObjectLockConfigurationNotFoundError, "{message}"));
    }
    let enabled = Some(ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED));
    let configuration = ObjectLockConfiguration { object_lock_enabled: enabled, rule: None };
    Ok(GetObjectLockConfigurationOutput { object_lock_configuration: Some(configuration) })
}

/// There is no retention by default here.
pub(crate) async fn configure(
    storage: &Arc<Storage>,
    request: S3Request<PutObjectLockConfigurationInput>,
) -> S3Result<PutObjectLockConfigurationOutput> {
    let input = request.input;
    let bucket = storage.bucket(&input.bucket)?;
    if input.object_lock_configuration.is_some_and(|configuration| configuration.rule.is_some()) {
        return Err(s3_error!(NotImplemented, "Versions are not locked by default here."));
    }
    blocking(move || bucket.enable_object_lock()).await?;
    Ok(PutObjectLockConfigurationOutput::default())
}

pub(crate) fn retention(
    storage: &Storage,
    request: S3Request<GetObjectRetentionInput>,
) -> S3Result<GetObjectRetentionOutput> {
    let GetObjectRetentionInput { bucket, key, version_id, .. } = request.input;
    let lock = lock(storage, &bucket, &key, version_id.as_deref())?;
    let (mode, until) = lock.retention.ok_or_else(|| {
        s3_error!(NoSuchObjectLockConfiguration, "The specified object does not have a ObjectLock configuration")
    })?;
    let mode = Some(ObjectLockRetentionMode::from(mode));
    Ok(GetObjectRetentionOutput { retention: Some(ObjectLockRetention { mode, retain_until_date: Some(until) }) })
}

/// A retention that is there already is only made longer, but by who bypasses governance.
pub(crate) async fn retain(
    storage: &Arc<Storage>,
    request: S3Request<PutObjectRetentionInput>,
) -> S3Result<PutObjectRetentionOutput> {
    let input = request.input;
    let asked = input.retention.and_then(|retention| retention.mode.zip(retention.retain_until_date));
    let asked = asked.map(|(mode, until)| checked(mode.as_str(), until)).transpose()?;
    let bypass = input.bypass_governance_retention.unwrap_or(false);
    let bucket = storage.bucket(&input.bucket)?;
    change(&bucket, input.key, input.version_id.as_deref(), move |lock| {
        let is_longer = asked.as_ref().zip(lock.retention.as_ref()).is_some_and(|(asked, kept)| asked.1 >= kept.1);
        if lock.retention.is_some() && !is_longer {
            Lock { legal_hold: false, ..lock.clone() }.check_deletion(bypass)?;
        }
        lock.retention = asked;
        Ok(())
    })
    .await?;
    Ok(PutObjectRetentionOutput::default())
}

pub(crate) fn legal_hold(
    storage: &Storage,
    request: S3Request<GetObjectLegalHoldInput>,
) -> S3Result<GetObjectLegalHoldOutput> {
    let GetObjectLegalHoldInput { bucket, key, version_id, .. } = request.input;
    let lock = lock(storage, &bucket, &key, version_id.as_deref())?;
    let status = if lock.legal_hold { ObjectLockLegalHoldStatus::ON } else { ObjectLockLegalHoldStatus::OFF };
    let hold = ObjectLockLegalHold { status: Some(ObjectLockLegalHoldStatus::from_static(status)) };
    Ok(GetObjectLegalHoldOutput { legal_hold: Some(hold) })
}

pub(crate) async fn hold(
    storage: &Arc<Storage>,
    request: S3Request<PutObjectLegalHoldInput>,
) -> S3Result<PutObjectLegalHoldOutput> {
    let input = request.input;
    let status = input.legal_hold.and_then(|hold| hold.status);
    let held = match status.as_ref().map(ObjectLockLegalHoldStatus::as_str) {
        Some(ObjectLockLegalHoldStatus::ON) => true,
        Some(ObjectLockLegalHoldStatus::OFF) => false,
        _ => return Err(s3_error!(MalformedXML, "A legal hold is ON or OFF.")),
    };
    let bucket = storage.bucket(&input.bucket)?;
    change(&bucket, input.key, input.version_id.as_deref(), move |lock| {
        lock.legal_hold = held;
        Ok(())
    })
    .await?;
    Ok(PutObjectLegalHoldOutput::default())
}

fn lock(storage: &Storage, bucket: &str, key: &str, version: Option<&str>) -> S3Result<Lock> {
    let record = storage.bucket(bucket)?.record(key, VersionId::asked(version)?.as_ref())?;
    Ok(record.attributes.lock.clone())
}

async fn change(
    bucket: &Arc<Bucket>,
    key: String,
    version: Option<&str>,
    change: impl FnOnce(&mut Lock) -> S3Result<()> + Send + 'static,
) -> S3Result<()> {
    let version = VersionId::asked(version)?;
    let bucket = Arc::clone(bucket);
    bucket.check_object_lock()?;
    blocking(move || bucket.change(&key, version.as_ref(), |record| change(&mut record.attributes.lock)).map(drop))
        .await
}
