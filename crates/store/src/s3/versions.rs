//! The versions that a bucket keeps, page by page, and their removal.

use async_trait::async_trait;
use brigade_s3::{
    Bucket, ErrorKind, HeadObject, ListObjectVersions, ListedVersion, ObjectHead, VersionName, VersionsContinuation,
};

use super::failures::{failure, unanswered};
use super::names::Names;
use super::{BucketStore, entry};
use crate::versions::delete_marker;
use crate::{
    Entry, Failure, FailureKind, KeptContent, KeptVersion, Key, ListingError, Store, Version, VersionId,
    VersionListing, Versioning,
};

/// A listing under way.
pub(super) struct BucketVersions {
    bucket: Bucket,
    names: Names,
    location: String,
    /// The only key that is wanted.
    of: Option<Key>,
    continuation: VersionsContinuation,
    last: Option<Key>,
    is_over: bool,
}

impl BucketVersions {
    pub(super) fn new(bucket: Bucket, names: Names, location: String, of: Option<Key>) -> Self {
        Self { bucket, names, location, of, continuation: VersionsContinuation::default(), last: None, is_over: false }
    }

    fn error(&self, reason: impl Into<String>) -> ListingError {
        ListingError { location: self.location.clone(), reason: reason.into() }
    }

    /// What all wanted names begin with.
    fn prefix(&self) -> Result<String, ListingError> {
        match &self.of {
            None => Ok(self.names.prefix().to_owned()),
            Some(key) => self.names.of_any(key).map_err(|failure| self.error(failure.reason)),
        }
    }

    fn version(&self, listed: ListedVersion) -> Result<KeptVersion, ListingError> {
        let key = self.names.below_prefix(&listed.key).map_err(|reason| self.error(reason))?;
        Ok(KeptVersion {
            key: Key::from(key),
            id: VersionId::from(listed.version_id.as_str()),
            modified: listed.last_modified,
            is_current: listed.is_latest,
            is_placed: listed.is_placed,
            is_cut_off: false,
            content: listed.content.map(|content| KeptContent {
                size: content.size,
                etag: content.etag,
                storage_class: content.storage_class.map(String::into_boxed_str),
            }),
        })
    }

    /// A page is in order by itself. Is what came before it, too, a key's versions stand together.
    fn check_order(&mut self, page: &[KeptVersion]) -> Result<(), ListingError> {
        let first = page.first().map(|version| &version.key);
        if let Some((last, first)) = self.last.as_ref().zip(first).filter(|(last, first)| last > first) {
            return Err(self.error(format!(
                "the service lists the versions of {first} after those of {last}, out of byte order: what belongs \
                 together can't be told from such a listing"
            )));
        }
        self.last = page.last().map(|version| version.key.clone()).or_else(|| self.last.take());
        Ok(())
    }
}

#[async_trait]
impl VersionListing for BucketVersions {
    async fn next_page(&mut self) -> Result<Option<Vec<KeptVersion>>, ListingError> {
        let prefix = self.prefix()?;
        while !self.is_over {
            let after = self.continuation.marker();
            let wanted = ListObjectVersions { prefix: &prefix, after, max_keys: None };
            let page = self.bucket.list_object_versions(wanted).await.map_err(|error| self.error(error.reason()))?;
            let follows = self.continuation.advance(&page);
            // Asked to go on behind a key alone, S3 goes on with the next one.
            let is_cut_off = page.next.as_ref().is_some_and(|next| next.version_id.is_none());
            self.is_over = !follows.map_err(|endless| self.error(endless.to_string()))?;
            let versions = page.versions.into_iter().map(|listed| self.version(listed));
            let mut versions: Vec<KeptVersion> = versions.collect::<Result<_, _>>()?;
            self.check_order(&versions)?;
            if let Some(last) = versions.last_mut() {
                last.is_cut_off = is_cut_off;
            }
            if let Some(of) = &self.of {
                // The key itself comes before all that only begin so.
                self.is_over |= versions.iter().any(|version| version.key != *of);
                versions.retain(|version| version.key == *of);
            }
            if !versions.is_empty() {
                return Ok(Some(versions));
            }
        }
        Ok(None)
    }
}

/// The status of the answer to who asks for a delete marker by its id
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html>).
const IS_DELETE_MARKER: u16 = 405;
const IS_BAD_REQUEST: u16 = 400;

/// What this version is. Whoever may read it need not be allowed to list versions.
pub(super) async fn look_at(store: &BucketStore, key: &Key, id: &VersionId) -> Result<Option<Entry>, Failure> {
    let name = store.name_of_present(key)?;
    let head = match store.bucket.head_object(HeadObject { key: &name, version_id: Some(id.as_str()) }).await {
        Ok(head) => head,
        // It is no object either, but more can be said of it.
        Err(error) if error.kind() == ErrorKind::NotFound && error.status() == Some(IS_DELETE_MARKER) => {
            return Err(delete_marker());
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        // So is whoever asks for what can't be a version's id answered, and who lacks the key that it is encrypted
        // with.
        Err(error) if error.status() == Some(IS_BAD_REQUEST) && matches!(listed(store, key, id).await, Ok(None)) => {
            return Ok(None);
        }
        Err(error) => return Err(failure(&error)),
    };
    check_is_it(store, key, id, &head).await?;
    let mut found = entry(key, &head);
    if let Version::Object { id: named, .. } = &mut found.version {
        *named = Some(id.clone());
    }
    Ok(Some(found))
}

/// That the answer is of the version that was asked for: a service that doesn't know versions answers with what is
/// there now. Where it doesn't say, its listing of versions does.
async fn check_is_it(store: &BucketStore, key: &Key, id: &VersionId, head: &ObjectHead) -> Result<(), Failure> {
    let is_it = if let Some(told) = head.version_id.as_ref().or(head.generation.as_ref()) {
        told == id.as_str()
    } else {
        let listed = listed(store, key, id).await.map_err(|error| Failure::new(FailureKind::Failed, error.reason))?;
        let content = listed.and_then(|version| version.content);
        content.is_some_and(|content| content.etag == head.etag && content.size == head.size)
    };
    if is_it {
        return Ok(());
    }
    let reason = format!("the service does not show that what it answers with is version {}", id.as_str());
    Err(Failure::new(FailureKind::Failed, reason))
}

/// This version of the key, as versions are listed.
async fn listed(store: &BucketStore, key: &Key, id: &VersionId) -> Result<Option<KeptVersion>, ListingError> {
    let mut listing = store.list_versions(Some(key));
    while let Some(page) = listing.next_page().await? {
        if let Some(found) = page.into_iter().find(|version| version.id == *id) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Whether the bucket keeps versions.
pub(super) async fn versioning(bucket: &Bucket) -> Result<Versioning, Failure> {
    match bucket.get_bucket_versioning().await {
        Ok(brigade_s3::Versioning::Never) => Ok(Versioning::Never),
        Ok(brigade_s3::Versioning::Enabled) => Ok(Versioning::Enabled),
        Ok(brigade_s3::Versioning::Suspended) => Ok(Versioning::Suspended),
        // Who may prune need not be allowed to ask, and not every service answers.
        Err(error) if matches!(error.kind(), ErrorKind::AccessDenied | ErrorKind::NotImplemented) => {
            Ok(Versioning::Unsaid)
        }
        Err(error) => Err(failure(&error)),
    }
}

/// Removes versions; one result for each.
pub(super) async fn remove(bucket: &Bucket, names: &Names, versions: &[KeptVersion]) -> Vec<Result<(), Failure>> {
    let keys: Vec<Result<String, Failure>> = versions.iter().map(|version| names.of_any(&version.key)).collect();
    let asked: Vec<VersionName<'_>> = versions
        .iter()
        .zip(&keys)
        .filter_map(|(version, key)| Some(VersionName { key: key.as_ref().ok()?, version_id: version.id.as_str() }))
        .collect();
    let mut removed = bucket.delete_versions(&asked).await.into_iter();
    let outcome = |key: Result<String, Failure>| {
        key?;
        // There is one result for each version that has a name.
        removed.next().map_or(Err(unanswered()), |result| result.map_err(|error| failure(&error)))
    };
    keys.into_iter().map(outcome).collect()
}
