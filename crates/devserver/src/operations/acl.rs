//! `GetObjectAcl` and `PutObjectAcl`.

use std::sync::Arc;

use s3s::dto::{GetObjectAclInput, GetObjectAclOutput, PutObjectAclInput, PutObjectAclOutput};
use s3s::{S3Request, S3Result};

use super::owner;
use crate::acl::{Acl, given_acl};
use crate::storage::{Storage, VersionId, blocking};

pub(crate) fn get(storage: &Storage, request: S3Request<GetObjectAclInput>) -> S3Result<GetObjectAclOutput> {
    let GetObjectAclInput { bucket, key, version_id, .. } = request.input;
    let record = storage.bucket(&bucket)?.record(&key, VersionId::asked(version_id.as_deref())?.as_ref())?;
    let grants = Some(record.attributes.acl.to_grants());
    Ok(GetObjectAclOutput { grants, owner: Some(owner()), request_charged: None })
}

/// Takes the list from the body or, without one, from the headers.
pub(crate) async fn put(storage: &Arc<Storage>, request: S3Request<PutObjectAclInput>) -> S3Result<PutObjectAclOutput> {
    let mut input = request.input;
    let bucket = storage.bucket(&input.bucket)?;
    let version = VersionId::asked(input.version_id.as_deref())?;
    let acl = match input.access_control_policy.take() {
        Some(policy) => Acl::from_grants(policy.grants.unwrap_or_default())?,
        None => given_acl!(input)?,
    };
    blocking(move || {
        bucket.change(&input.key, version.as_ref(), |record| {
            record.attributes.acl = acl;
            Ok(())
        })
    })
    .await?;
    Ok(PutObjectAclOutput::default())
}
