//! Pruning: finds the versions in a store that were superseded long ago, and removes them for good.

mod batches;
mod judge;

use std::time::{Duration, SystemTime};

use brigade_store::{ClockSkew, Failure, KeptVersion, Key, ListingError, Store, VersionListing, Versioning};
use futures_util::{Stream, StreamExt, stream};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::batches::Batches;
use self::judge::{Decision, Judge, Rules};
use crate::cleanup::at_the_store;
use crate::filters::{Filters, Matched};

/// Which versions are removed, and how.
#[derive(Clone, Copy, Debug)]
pub struct Prune {
    /// Those that were superseded at least this long ago, by the store's clock.
    pub older_than: Duration,
    /// How many of each key's superseded objects stay, the newest, whatever their age.
    pub keep: u64,
    /// Whether nothing is changed, and only told what would be.
    pub dry_run: bool,
    /// How many removals are in flight at once, each of [`brigade_store::Capabilities::removal_batch`]
    /// versions; at least 1.
    pub jobs: usize,
    /// Tells the local time, which the store's is reckoned from.
    pub local_clock: fn() -> SystemTime,
}

/// What came of one version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedVersion {
    /// The version.
    pub version: KeptVersion,
    /// How long ago it was superseded, or of a current one, was written; `None` where nothing says so.
    pub age: Option<Duration>,
    /// What was done about it.
    pub outcome: VersionOutcome,
}

/// What was done about a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionOutcome {
    /// It was removed; in a dry run: would be.
    Removed,
    /// It is what its key holds now, and was left alone.
    Current,
    /// It was superseded too short a time ago (a current delete marker: was made), and left alone.
    Young,
    /// It is one of those that stay whatever their age.
    Kept,
    /// It is a delete marker, and what lies under it stays: without it, that would come back.
    Covering,
    /// It could not be removed, or nothing says whether it should be.
    Failed(Failure),
}

/// How many versions came to what; together they are those that were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VersionCounts {
    /// Removed; in a dry run: to be removed.
    pub removed: u64,
    /// Bytes that those held.
    pub removed_bytes: u64,
    /// What their keys hold now.
    pub current: u64,
    /// Left alone because they are too young.
    pub young: u64,
    /// Left alone because they are among the newest.
    pub kept: u64,
    /// Delete markers over what stays.
    pub covering: u64,
    /// Not removed, for the reason told.
    pub failed: u64,
}

impl VersionCounts {
    /// All that were found.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.removed + self.current + self.young + self.kept + self.covering + self.failed
    }

    fn add(&mut self, judged: &JudgedVersion) {
        *match &judged.outcome {
            VersionOutcome::Removed => {
                self.removed_bytes += judged.version.content.as_ref().map_or(0, |content| content.size);
                &mut self.removed
            }
            VersionOutcome::Current => &mut self.current,
            VersionOutcome::Young => &mut self.young,
            VersionOutcome::Kept => &mut self.kept,
            VersionOutcome::Covering => &mut self.covering,
            VersionOutcome::Failed(_) => &mut self.failed,
        } += 1;
    }
}

/// Why a store could not be pruned, or not to its end.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PruneError {
    /// It keeps no versions.
    #[error(
        "{location} keeps no versions: there is nothing to prune, and what is replaced or deleted there is gone; \
         `aws s3api put-bucket-versioning` switches versions on"
    )]
    NoVersions {
        /// The store, as the user wrote it.
        location: String,
    },
    /// It doesn't say whether it does.
    #[error("could not ask whether {location} keeps versions: {reason}")]
    Unasked {
        /// The store, as the user wrote it.
        location: String,
        /// What went wrong and what to do about it.
        reason: String,
    },
    /// Its versions could not be listed.
    #[error(transparent)]
    Listing(#[from] ListingError),
    /// Its answers don't tell the time.
    #[error(
        "nothing more is removed from {location}: its answers don't tell the time (a Date header), and how long ago a version \
         was superseded is not reckoned by another clock than the service's; a proxy on the way may have taken it out"
    )]
    NoTime {
        /// The store, as the user wrote it.
        location: String,
    },
    /// It doesn't accept any more who asks.
    #[error("nothing more is removed from {location}: {reason}")]
    LockedOut {
        /// The store, as the user wrote it.
        location: String,
        /// What went wrong and what to do about it.
        reason: String,
    },
}

/// Whether the store keeps versions, or has a reason why there is nothing to prune.
pub async fn check_versions(store: &dyn Store) -> Result<Versioning, PruneError> {
    let location = || store.location().to_owned();
    match store.versioning().await {
        Ok(Versioning::Never) => Err(PruneError::NoVersions { location: location() }),
        Ok(versioning) => Ok(versioning),
        Err(failure) => Err(PruneError::Unasked { location: location(), reason: failure.reason }),
    }
}

/// Judges every version in the store (with `filters`, those of keys that take part and are not reserved), removes for
/// good those that were superseded long enough ago, and tells of each. It ends early, without an error, once `cancel`
/// is cancelled; what is in flight then is waited for. Whoever runs it again goes on: what is gone is not found any
/// more.
///
/// The counts hold whatever was done, also where the listing broke off.
pub async fn prune(
    store: &dyn Store,
    prune: &Prune,
    filters: Option<&Filters>,
    cancel: &CancellationToken,
    mut tell: impl FnMut(JudgedVersion),
) -> (VersionCounts, Result<(), PruneError>) {
    let mut counts = VersionCounts::default();
    let ended = match check_versions(store).await {
        Ok(versioning) => {
            let tell = |judged| {
                counts.add(&judged);
                tell(judged);
            };
            Pruning::new(store, *prune, filters, versioning, tell).run(cancel).await
        }
        Err(error) => Err(error),
    };
    (counts, ended)
}

/// A pruning under way.
struct Pruning<'a, T> {
    store: &'a dyn Store,
    prune: Prune,
    /// What takes part, and what matched so far.
    filters: Option<(&'a Filters, Matched)>,
    judge: Judge,
    batches: Batches<'a>,
    /// What was decided of the page before. It waits until the next one has come, which is asked for behind
    /// the last version of this one: nothing says that a service finds the place of a version that is gone.
    held: Vec<Decision>,
    tell: T,
}

impl<'a, T: FnMut(JudgedVersion)> Pruning<'a, T> {
    fn new(store: &'a dyn Store, prune: Prune, filters: Option<&'a Filters>, versioning: Versioning, tell: T) -> Self {
        let rules = Rules { older_than: prune.older_than, keep: prune.keep, versioning };
        let batches = Batches::new(store, prune.jobs.max(1));
        let filters = filters.map(|filters| (filters, filters.none_matched()));
        Self { store, prune, filters, judge: Judge::new(rules), batches, held: Vec::new(), tell }
    }

    async fn run(mut self, cancel: &CancellationToken) -> Result<(), PruneError> {
        let mut pages = std::pin::pin!(pages(self.store.list_versions(None)));
        let ended = loop {
            let due = self.batches.due();
            let page = tokio::select! {
                biased;
                () = cancel.cancelled() => break Ok(false),
                () = self.batches.one_done(&mut self.tell), if self.batches.is_under_way() => continue,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.batches.send(&mut self.tell).await;
                    continue;
                }
                page = pages.next() => page,
            };
            match page {
                Some(Ok(page)) => match self.store.clock_skew() {
                    Some(skew) => self.page(page, skew).await,
                    None => break Err(PruneError::NoTime { location: self.store.location().to_owned() }),
                },
                Some(Err(error)) => break Err(error.into()),
                None => break Ok(true),
            }
            if let Some(error) = self.locked_out() {
                break Err(error);
            }
        };
        // What a listing that broke off says of its last page, nothing follows from.
        if matches!(ended, Ok(true)) {
            let held = std::mem::take(&mut self.held);
            self.carry_out(held).await;
            let mut last = Vec::new();
            self.judge.end(&mut |decision| last.push(decision));
            self.carry_out(last).await;
            self.batches.send(&mut self.tell).await;
        }
        self.batches.all_done(&mut self.tell).await;
        match self.locked_out() {
            Some(error) => Err(error),
            None => ended.map(drop),
        }
    }

    /// Takes in a page, and carries out what was decided of the one before.
    async fn page(&mut self, page: Vec<KeptVersion>, skew: ClockSkew) {
        // The page's own answer may have told the store's time for the first time.
        let now = at_the_store((self.prune.local_clock)(), skew);
        let mut decided = Vec::with_capacity(page.len());
        for version in page {
            if !self.takes_part(&version.key) {
                continue;
            }
            self.judge.next(version, now, &mut |decision| decided.push(decision));
        }
        let held = std::mem::replace(&mut self.held, decided);
        self.carry_out(held).await;
    }

    fn takes_part(&mut self, key: &Key) -> bool {
        self.filters.as_mut().is_none_or(|(filters, matched)| !key.is_reserved() && filters.includes(key, matched))
    }

    async fn carry_out(&mut self, decisions: Vec<Decision>) {
        for decision in decisions {
            match decision {
                Decision::Told(judged) => (self.tell)(judged),
                Decision::Goes(version, age) if self.prune.dry_run => (self.tell)(removed(version, age)),
                Decision::MarkersGo(markers) if self.prune.dry_run => {
                    for (version, age) in markers {
                        (self.tell)(removed(version, age));
                    }
                }
                Decision::Goes(version, age) => self.batches.object(version, age, &mut self.tell).await,
                Decision::MarkersGo(markers) => self.batches.markers(markers, &mut self.tell).await,
            }
        }
    }

    fn locked_out(&self) -> Option<PruneError> {
        let failure = self.batches.locked_out()?;
        Some(PruneError::LockedOut { location: self.store.location().to_owned(), reason: failure.reason.clone() })
    }
}

fn removed(version: KeptVersion, age: Duration) -> JudgedVersion {
    JudgedVersion { version, age: Some(age), outcome: VersionOutcome::Removed }
}

/// The pages of a listing. One that was asked for goes on coming while something else is waited for.
fn pages(listing: Box<dyn VersionListing>) -> impl Stream<Item = Result<Vec<KeptVersion>, ListingError>> {
    stream::try_unfold(listing, |mut listing| async move { Ok(listing.next_page().await?.map(|page| (page, listing))) })
}

#[cfg(test)]
mod tests;
