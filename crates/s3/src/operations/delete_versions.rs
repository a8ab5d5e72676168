//! `DeleteObject` and `DeleteObjects` of versions: what they remove is gone for good.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeletingObjectVersions.html>

use std::collections::HashMap;

use http::Method;

use super::delete_objects::{BATCH, Named, Outcome, document};
use crate::client::Bucket;
use crate::error::{Error, ErrorKind};
use crate::operations::Operation;
use crate::request::{Request, VERSION_ID};
use crate::xml::can_carry;

/// One version of a key, or a delete marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VersionName<'a> {
    /// The key.
    pub key: &'a str,
    /// The service's name of the version.
    pub version_id: &'a str,
}

impl Bucket {
    /// Removes a version. One that isn't there (any more) is a success, so that it is no
    /// harm to ask again after an answer that was lost.
    pub async fn delete_version(&self, version: VersionName<'_>) -> Result<(), Error> {
        let request = Request::new(Operation::DeleteObject, Method::DELETE)
            .bucket(self.name())
            .key(version.key)
            .query(VERSION_ID, version.version_id);
        match self.client().send_for(&request, |_| Ok(())).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// Removes versions, up to 1000 in a request. One result for each, in the same order. What
    /// XML can't carry unchanged is removed one by one, and so is what the service failed to
    /// remove for the moment, or of which its answer says nothing; all of it, where the
    /// provider isn't known to have `DeleteObjects`.
    pub async fn delete_versions(&self, versions: &[VersionName<'_>]) -> Vec<Result<(), Error>> {
        let mut results: Vec<Option<Result<(), Error>>> = versions.iter().map(|_| None).collect();
        if self.dialect().bulk_delete.is_certain() && versions.len() > 1 {
            let fits = |name: &VersionName<'_>| can_carry(name.key) && can_carry(name.version_id);
            let together: Vec<usize> = (0..versions.len()).filter(|&place| fits(&versions[place])).collect();
            for places in together.chunks(BATCH) {
                let batch: Vec<VersionName<'_>> = places.iter().map(|&place| versions[place]).collect();
                let outcomes = self.delete_batch_of_versions(&batch).await;
                for (&place, outcome) in places.iter().zip(outcomes) {
                    results[place] = Some(outcome).filter(|outcome| !is_to_be_asked_again(outcome));
                }
            }
        }
        let mut finished = Vec::with_capacity(versions.len());
        for (result, version) in results.into_iter().zip(versions) {
            finished.push(match result {
                Some(result) => result,
                None => self.delete_version(*version).await,
            });
        }
        finished
    }

    async fn delete_batch_of_versions(&self, batch: &[VersionName<'_>]) -> Vec<Result<(), Error>> {
        let named =
            batch.iter().map(|version| Named { key: version.key, version_id: Some(version.version_id), etag: None });
        let about = |error: Error, key: &str| error.about(Some(self.name()), Some(key)).of_version(true);
        let answered = match self.send_deletions(document(named)).await {
            Ok((answered, _)) => answered,
            Err(error) => return batch.iter().map(|version| Err(about(error.clone(), version.key))).collect(),
        };
        let mut outcomes: HashMap<VersionName<'_>, &Outcome> = HashMap::with_capacity(answered.len());
        for answer in &answered {
            let Some(version_id) = answer.version_id.as_deref() else { continue };
            outcomes.insert(VersionName { key: &answer.key, version_id }, &answer.outcome);
        }
        let mut results = Vec::with_capacity(batch.len());
        for version in batch {
            let outcome = self.deleted(version.key, outcomes.get(version).copied());
            results.push(outcome.map_err(|error| about(error, version.key)));
        }
        results
    }
}

/// Whether the service only failed for the moment, forgot the version, or has no bulk deletion
/// after all. To ask for one version again is no harm, even where it was removed already.
fn is_to_be_asked_again(outcome: &Result<(), Error>) -> bool {
    matches!(
        outcome.as_ref().map_err(Error::kind),
        Err(ErrorKind::ServerFault
            | ErrorKind::Throttled
            | ErrorKind::TimedOut
            | ErrorKind::Conflict
            | ErrorKind::BadAnswer
            | ErrorKind::NotImplemented)
    )
}
