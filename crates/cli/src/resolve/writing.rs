//! What is said of the objects that are written, as the S3 client wants it.

use brigade_store::s3::{Encryption, Writing};
use brigade_store::{Location, NewBucket};

use super::UsageError;
use super::s3::Sides;
use crate::arguments::{BucketArguments, WritingArguments};

/// Adds to the destination's side what is said of objects.
pub(crate) fn resolve(sides: Sides, arguments: &WritingArguments, dest: &Location) -> Result<Sides, UsageError> {
    let is_said = [&arguments.storage_class, &arguments.acl, &arguments.sse, &arguments.tagging]
        .iter()
        .any(|said| said.is_some());
    if is_said && matches!(dest, Location::Local(_)) {
        return Err(UsageError::WrittenToDirectory);
    }
    if arguments.sse.as_deref() == Some("AES256") && arguments.sse_kms_key_id.is_some() {
        return Err(UsageError::KeyWithoutKms);
    }
    let Sides { source, mut dest } = sides;
    let id = arguments.sse_kms_key_id.clone();
    dest.writing = Writing {
        storage_class: arguments.storage_class.clone(),
        acl: arguments.acl.clone(),
        encryption: arguments.sse.as_deref().map(|how| match how {
            "aws:kms" => Encryption::Kms(id),
            "aws:kms:dsse" => Encryption::KmsTwice(id),
            _ => Encryption::Aes256,
        }),
        tagging: arguments.tagging.clone(),
    };
    Ok(Sides { source, dest })
}

/// What is done to the bucket of DEST, if anything is.
pub(crate) fn bucket(arguments: &BucketArguments, dest: &Location) -> Result<Option<NewBucket>, UsageError> {
    let BucketArguments { create_bucket, location, enable_versioning } = arguments;
    match dest {
        _ if !(*create_bucket || *enable_versioning) => Ok(None),
        Location::Local(_) => Err(UsageError::BucketOfDirectory),
        Location::Bucket { .. } => {
            Ok(Some(NewBucket { create: *create_bucket, region: location.clone(), keep_versions: *enable_versioning }))
        }
    }
}
