//! What is said of the objects that are written, as the S3 client wants it.

use brigade_store::s3::{Encryption, Writing};
use brigade_store::{Location, NewBucket};

use super::s3::Sides;
use super::{UsageError, s3};
use crate::arguments::{BucketArguments, WritingArguments};

/// What stands in the place of a canned access control list where each copy gets that of its source.
const OF_SOURCE: &str = "source";

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
        acl: arguments.acl.clone().filter(|acl| acl != OF_SOURCE),
        encryption: arguments.sse.as_deref().map(|how| match how {
            "aws:kms" => Encryption::Kms(id),
            "aws:kms:dsse" => Encryption::KmsTwice(id),
            _ => Encryption::Aes256,
        }),
        tagging: arguments.tagging.clone(),
    };
    Ok(Sides { source, dest })
}

/// Whether each copy gets the access control list of its source, which both sides must have as S3 has them.
pub(crate) fn carries_grants(
    arguments: &WritingArguments,
    [source, dest]: [&Location; 2],
    sides: &Sides,
) -> Result<bool, UsageError> {
    if arguments.acl.as_deref() != Some(OF_SOURCE) {
        return Ok(false);
    }
    for (place, side) in [(source, &sides.source), (dest, &sides.dest)] {
        match place {
            Location::Local(path) => return Err(UsageError::AclOfDirectory { path: path.display().to_string() }),
            Location::Bucket { service, written, .. } => {
                if s3::is_google(*service, side.provider) {
                    return Err(UsageError::AclAtGoogle(written.clone()));
                }
            }
        }
    }
    Ok(true)
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
