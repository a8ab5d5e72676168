//! A bucket seen otherwise than it is now: as it was at a time, some of its keys in versions that were chosen, or
//! without generated pages. Only its listing differs, and what is looked up; what is read, is read from the bucket.

mod as_of;
mod chosen;
mod generated;
mod kept;
mod state;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;

use crate::s3::{BucketStore, Grants, Provider};
use crate::{
    Capabilities, ClockSkew, Digest, DigestKind, Entry, Failure, FailureKind, Forecast, Key, KeyRange, Listed, Listing,
    ListingError, NewObject, Object, Order, Reader, Receipt, RequestCount, RestoreRequest, Restoring, Store, Upload,
    VersionId, Versioning, Work, time,
};
use as_of::AsOf;
use chosen::Chosen;
use generated::WithoutGenerated;
use kept::{KeptReader, of_version};
use state::StateAt;

/// How a bucket is to be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// As it was then; as it is now without it.
    pub at: Option<Moment>,
    /// These keys in these versions, whatever else is seen of them.
    pub versions: Vec<(Key, VersionId)>,
    /// Whether generated pages are left out: objects called `index.html` that say so in their metadata.
    pub skip_generated: bool,
    /// Whether what is not seen is to be deleted elsewhere: then that it was not there has to be certain.
    pub deletes: bool,
}

/// A moment by a store's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// This one.
    At(SystemTime),
    /// So long ago.
    Ago(Duration),
}

/// A bucket as it is to be seen. Nothing can be written to it.
pub struct View {
    store: Arc<dyn Store>,
    at: Option<SystemTime>,
    chosen: BTreeMap<Key, Entry>,
    skip_generated: bool,
}

/// Why a bucket can't be seen so.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// It keeps nothing of what it was.
    #[error(
        "{location} keeps no versions, and never did: what it held before is not there any more. Without --at it is \
         restored as it is now"
    )]
    NeverKept {
        /// The bucket.
        location: String,
    },
    /// It doesn't say whether it keeps anything of what it was, and what isn't there any more was to be deleted
    /// elsewhere.
    #[error(
        "{location} does not say whether it keeps versions (s3:GetBucketVersioning): what it held at that time, and lost \
         while it kept none, would be deleted with --delete; allow that, or leave --delete out"
    )]
    KeepingUnsaid {
        /// The bucket.
        location: String,
    },
    /// A time that has yet to come.
    #[error("--at lies in the future, by the clock of {location}")]
    Future {
        /// The bucket.
        location: String,
    },
    /// How long ago something was can't be told by its clock.
    #[error(
        "the answers of {location} don't tell the time (a Date header), and how long ago something was is not reckoned by \
         another clock than the service's; give --at as a point in time"
    )]
    NoTime {
        /// The bucket.
        location: String,
    },
    /// A version that isn't there.
    #[error("{key} has no version {id}; `brigade versions` lists those that it has")]
    NoSuchVersion {
        /// The key.
        key: Key,
        /// What was asked for.
        id: String,
    },
    /// A version that is no object.
    #[error("version {id} of {key} is a delete marker, and no object; `brigade versions` lists its versions")]
    DeleteMarker {
        /// The key.
        key: Key,
        /// What was asked for.
        id: String,
    },
    /// The store would not say what a version is.
    #[error("could not look at version {id} of {key}: {reason}; `brigade versions` lists those that it has")]
    Unseen {
        /// The key.
        key: Key,
        /// What was asked for.
        id: String,
        /// Why.
        reason: Failure,
    },
    /// The store would not say what it keeps.
    #[error("{location} would not say whether it keeps versions: {reason}")]
    Unsaid {
        /// The bucket.
        location: String,
        /// Why.
        reason: Failure,
    },
}

impl View {
    /// Finds out what has to be known before anything is listed. `now` is the local time.
    pub async fn open(store: Arc<dyn Store>, wanted: Wanted, now: SystemTime) -> Result<Self, ViewError> {
        let at = match wanted.at {
            Some(moment) => {
                check_keeping(store.as_ref(), wanted.deletes).await?;
                let moment = moment_at(store.as_ref(), moment, now)?;
                if wanted.deletes {
                    tracing::warn!(
                        "versions that were removed from {} for good, by `brigade prune` or a lifecycle rule, leave no trace: \
                         what only they held counts as absent, and --delete takes it away",
                        store.location()
                    );
                }
                Some(moment)
            }
            None => None,
        };
        let mut chosen = BTreeMap::new();
        for (key, id) in wanted.versions {
            let entry = version_of(store.as_ref(), &key, &id).await?;
            chosen.insert(key, entry);
        }
        Ok(Self { store, at, chosen, skip_generated: wanted.skip_generated })
    }

    /// Whether it is there in a version that was asked for, and not as whatever the bucket holds now.
    fn is_of_a_version(&self, entry: &Entry) -> bool {
        self.at.is_some() || self.chosen.contains_key(&entry.key)
    }

    fn judged<T>(&self, entry: &Entry, read: Result<T, Failure>) -> Result<T, Failure> {
        read.map_err(|failure| if self.is_of_a_version(entry) { of_version(entry, failure) } else { failure })
    }

    /// What was at the key at that time.
    async fn look_at(&self, key: &Key, at: SystemTime) -> Result<Option<Entry>, Failure> {
        let mut listing = AsOf::new(self.store.list_versions(Some(key)), at, KeyRange::everything());
        let unlisted = |error: ListingError| Failure::new(FailureKind::Failed, error.reason);
        while let Some(page) = listing.next_page().await.map_err(unlisted)? {
            for listed in page {
                match listed {
                    Listed::Present(entry) if entry.key == *key => return Ok(Some(entry)),
                    Listed::Unknown(unknown) => {
                        return Err(Failure::new(FailureKind::Failed, unknown.reason.to_string()));
                    }
                    Listed::Present(_) => {}
                }
            }
        }
        Ok(None)
    }
}

/// Whether the store keeps, as far as it says, what it held.
async fn check_keeping(store: &dyn Store, deletes: bool) -> Result<(), ViewError> {
    let location = || store.location().to_owned();
    match store.versioning().await.map_err(|reason| ViewError::Unsaid { location: location(), reason })? {
        Versioning::Never => return Err(ViewError::NeverKept { location: location() }),
        Versioning::Unsaid if deletes => return Err(ViewError::KeepingUnsaid { location: location() }),
        Versioning::Unsaid => tracing::warn!(
            "{} does not say whether it keeps versions: objects that were deleted may be missing",
            store.location()
        ),
        Versioning::Enabled | Versioning::Suspended => {}
    }
    Ok(())
}

/// The moment by the store's clock, which it has told with an answer by then.
fn moment_at(store: &dyn Store, moment: Moment, now: SystemTime) -> Result<SystemTime, ViewError> {
    let skew = store.clock_skew();
    if skew.is_none() && matches!(moment, Moment::Ago(_)) {
        return Err(ViewError::NoTime { location: store.location().to_owned() });
    }
    let ClockSkew { by, store_ahead } = skew.unwrap_or_default();
    let there = if store_ahead { now.checked_add(by) } else { now.checked_sub(by) };
    let there = there.unwrap_or(now);
    match moment {
        Moment::At(at) if at > there => Err(ViewError::Future { location: store.location().to_owned() }),
        Moment::At(at) => Ok(at),
        Moment::Ago(ago) => Ok(there.checked_sub(ago).unwrap_or(SystemTime::UNIX_EPOCH)),
    }
}

async fn version_of(store: &dyn Store, key: &Key, id: &VersionId) -> Result<Entry, ViewError> {
    let found = store.look_at_version(key, id).await;
    let (key, id) = (key.clone(), id.as_str().to_owned());
    match found {
        Ok(Some(entry)) => Ok(entry),
        Ok(None) => Err(ViewError::NoSuchVersion { key, id }),
        Err(failure) if failure.kind == FailureKind::Absent => Err(ViewError::DeleteMarker { key, id }),
        Err(reason) => Err(ViewError::Unseen { key, id, reason }),
    }
}

fn unwritable() -> Failure {
    Failure::new(FailureKind::Failed, "what a bucket was can't be written to")
}

#[async_trait]
impl Store for View {
    fn location(&self) -> &str {
        self.store.location()
    }

    /// Nothing that is remembered of the bucket as it is may be believed of it as it was.
    fn identity(&self) -> String {
        let mut identity = self.store.identity();
        if let Some(at) = self.at {
            let (seconds, nanoseconds) = time::since_epoch(at);
            let _ = write!(identity, ", as it was at {seconds}.{nanoseconds:09}");
        }
        for (key, entry) in &self.chosen {
            let _ = write!(identity, ", {key} in version {}", entry.version_id().unwrap_or_default());
        }
        if self.skip_generated {
            identity.push_str(", without generated pages");
        }
        identity
    }

    fn capabilities(&self) -> Capabilities {
        let capabilities = self.store.capabilities();
        match self.at {
            // Versions are listed from the first one on.
            Some(_) => Capabilities { order: Order::Presumed, ..capabilities },
            None => capabilities,
        }
    }

    fn list(&self, range: &KeyRange) -> Box<dyn Listing> {
        let mut listing: Box<dyn Listing> = match self.at {
            Some(at) => {
                let only = range.through.as_ref().filter(|key| *range == KeyRange::around(key));
                Box::new(AsOf::new(self.store.list_versions(only), at, range.clone()))
            }
            None => self.store.list(range),
        };
        if !self.chosen.is_empty() {
            let chosen = self.chosen.values().filter(|entry| range.contains(&entry.key)).cloned();
            listing = Box::new(Chosen::new(listing, chosen));
        }
        if self.skip_generated {
            listing = Box::new(WithoutGenerated::new(listing, Arc::clone(&self.store)));
        }
        listing
    }

    async fn first_after(&self, key: &Key) -> Result<Option<Key>, ListingError> {
        if self.at.is_none() {
            return self.store.first_after(key).await;
        }
        let page = self.list(&KeyRange { after: Some(key.clone()), through: None }).next_page().await?;
        Ok(page.and_then(|page| page.first().map(|item| item.key().clone())))
    }

    async fn look(&self, key: &Key) -> Result<Option<Entry>, Failure> {
        match (self.chosen.get(key), self.at) {
            (Some(chosen), _) => Ok(Some(chosen.clone())),
            (None, Some(at)) => self.look_at(key, at).await,
            (None, None) => self.store.look(key).await,
        }
    }

    async fn read(&self, entry: &Entry) -> Result<Object, Failure> {
        self.judged(entry, self.store.read(entry).await)
    }

    async fn open(&self, entry: &Entry) -> Result<Box<dyn Reader>, Failure> {
        let reader = self.judged(entry, self.store.open(entry).await)?;
        Ok(if self.is_of_a_version(entry) { Box::new(KeptReader(reader)) } else { reader })
    }

    fn could_hold(&self, entry: &Entry) -> Result<(), Failure> {
        self.store.could_hold(entry)
    }

    async fn check_room(&self, _key: &Key) -> Result<(), Failure> {
        Err(unwritable())
    }

    async fn digests(&self, entry: &Entry, wanted: &[DigestKind]) -> Result<Vec<Digest>, Failure> {
        self.judged(entry, self.store.digests(entry, wanted).await)
    }

    async fn write(&self, _object: &NewObject, _body: Bytes) -> Result<Receipt, Failure> {
        Err(unwritable())
    }

    async fn tags(&self, entry: &Entry) -> Result<String, Failure> {
        self.judged(entry, self.store.tags(entry).await)
    }

    async fn grants(&self, entry: &Entry) -> Result<Grants, Failure> {
        self.judged(entry, self.store.grants(entry).await)
    }

    async fn check_readable(&self, entry: &Entry) -> Result<(), Failure> {
        self.judged(entry, self.store.check_readable(entry).await)
    }

    async fn restore(&self, entry: &Entry, request: RestoreRequest) -> Result<Restoring, Failure> {
        self.judged(entry, self.store.restore(entry, request).await)
    }

    async fn begin(&self, _object: &NewObject) -> Result<Box<dyn Upload>, Failure> {
        Err(unwritable())
    }

    async fn remove(&self, entries: &[Entry]) -> Vec<Result<(), Failure>> {
        entries.iter().map(|_| Err(unwritable())).collect()
    }

    async fn versioning(&self) -> Result<Versioning, Failure> {
        self.store.versioning().await
    }

    fn clock_skew(&self) -> Option<ClockSkew> {
        self.store.clock_skew()
    }

    fn requests(&self) -> Vec<RequestCount> {
        self.store.requests()
    }

    fn foresee(&self, work: Work<'_>, forecast: &mut Forecast) {
        self.store.foresee(work, forecast);
    }

    fn in_bucket(&self) -> Option<&BucketStore> {
        self.store.in_bucket()
    }

    fn provider(&self) -> Option<Provider> {
        self.store.provider()
    }
}

#[cfg(test)]
#[path = "view/tests.rs"]
mod tests;
