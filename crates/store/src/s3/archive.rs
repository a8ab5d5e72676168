//! What lies in an archive: whether it can be read, and that it shall be.

use brigade_s3::RestoreObject;

use super::BucketStore;
use super::failures::{archived, failure};
use crate::{Entry, Failure, RestoreRequest, Restoring};

/// Classes of which an object may be in an archive
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects.html>).
const MAY_BE_ARCHIVED: [&str; 3] = ["GLACIER", "DEEP_ARCHIVE", SOMETIMES_ARCHIVED];

/// The class whose objects may be moved to an archive and are moved back whole, not for some days.
const SOMETIMES_ARCHIVED: &str = "INTELLIGENT_TIERING";

/// Fails as [`crate::FailureKind::Archived`] where the object can't be read. Of most, the listing tells that they can.
pub(super) async fn check_readable(store: &BucketStore, entry: &Entry) -> Result<(), Failure> {
    if !entry.storage_class().is_some_and(|class| MAY_BE_ARCHIVED.contains(&class)) {
        return Ok(());
    }
    if store.head_of(entry).await?.archived { Err(archived()) } else { Ok(()) }
}

/// Asks the service for it.
pub(super) async fn restore(store: &BucketStore, entry: &Entry, request: RestoreRequest) -> Result<Restoring, Failure> {
    let for_some_days = entry.storage_class() != Some(SOMETIMES_ARCHIVED);
    let restore = RestoreObject {
        key: &store.names.of(&entry.key)?,
        version_id: store.named(entry),
        days: for_some_days.then_some(request.days),
        tier: request.tier,
    };
    store.bucket.restore_object(restore).await.map_err(|error| failure(&error))
}
