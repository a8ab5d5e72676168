//! Removals, gathered into batches of which several are under way at once.
//!
//! A delete marker goes only after all objects under it are gone: were it the other way round, what it
//! covers would come back. So a batch removes its objects first, and then those markers whose keys lost
//! all that was to go; and where a key's objects went into batches before, those are waited for.

use std::collections::HashSet;
use std::time::Duration;

use brigade_store::{Failure, FailureKind, KeptVersion, Key, Store, Versioning};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::judge::given_again;
use super::{JudgedVersion, VersionOutcome, removed};

/// How long a batch waits for more. What somebody does meanwhile, such as taking away the delete marker
/// that lies over it, is not seen.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A version that goes, and for how long it was superseded.
type Going = (KeptVersion, Duration);

/// The removals of a run.
pub(super) struct Batches<'a> {
    store: &'a dyn Store,
    /// Versions in a batch at most.
    size: usize,
    /// Batches under way at most.
    at_once: usize,
    /// What is gathered.
    batch: Batch,
    /// Since when something is.
    since: Option<Instant>,
    under_way: FuturesUnordered<BoxFuture<'a, Vec<JudgedVersion>>>,
    /// The key whose objects are in batches that were sent, and which may have markers yet.
    open: Option<Open>,
    locked_out: Option<Failure>,
}

/// What is sent together.
#[derive(Default)]
struct Batch {
    objects: Vec<Going>,
    markers: Vec<Going>,
}

/// A key that goes over several batches.
struct Open {
    key: Key,
    /// Whether something of it could not be removed.
    failed: bool,
}

impl Batch {
    fn len(&self) -> usize {
        self.objects.len() + self.markers.len()
    }
}

impl<'a> Batches<'a> {
    pub(super) fn new(store: &'a dyn Store, at_once: usize) -> Self {
        let size = store.capabilities().removal_batch.max(1);
        let under_way = FuturesUnordered::new();
        Self { store, size, at_once, batch: Batch::default(), since: None, under_way, open: None, locked_out: None }
    }

    /// Whether there is anything that [`Self::one_done`] could wait for.
    pub(super) fn is_under_way(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// When what is gathered is to be sent, if there is anything.
    pub(super) fn due(&self) -> Option<Instant> {
        Some(self.since? + LONGEST_WAIT)
    }

    /// Why no removal will go better.
    pub(super) fn locked_out(&self) -> Option<&Failure> {
        self.locked_out.as_ref()
    }

    /// Removes an object.
    pub(super) async fn object(&mut self, version: KeptVersion, age: Duration, tell: &mut impl FnMut(JudgedVersion)) {
        if self.batch.len() >= self.size {
            self.send(tell).await;
        }
        self.since.get_or_insert_with(Instant::now);
        self.batch.objects.push((version, age));
    }

    /// Removes markers, all of one key, after its objects.
    pub(super) async fn markers(&mut self, markers: Vec<Going>, tell: &mut impl FnMut(JudgedVersion)) {
        let Some(key) = markers.first().map(|(version, _)| version.key.clone()) else { return };
        // Together with the key's last objects, or after them.
        if self.batch.len() + markers.len() > self.size && self.batch.objects.iter().any(|(it, _)| it.key == key) {
            self.send(tell).await;
        }
        if self.open.as_ref().is_some_and(|open| open.key == key) {
            self.send(tell).await;
            self.all_done(tell).await;
            if self.open.take().is_some_and(|open| open.failed) {
                for (version, age) in markers {
                    tell(covering(version, age));
                }
                return;
            }
        }
        for marker in markers {
            if self.batch.len() >= self.size {
                self.send(tell).await;
            }
            self.since.get_or_insert_with(Instant::now);
            self.batch.markers.push(marker);
        }
    }

    /// Sends what is gathered, when there is room for it.
    pub(super) async fn send(&mut self, tell: &mut impl FnMut(JudgedVersion)) {
        let batch = std::mem::take(&mut self.batch);
        self.since = None;
        let Some(last) = batch.objects.last().or(batch.markers.last()) else { return };
        let key = &last.0.key;
        // Nothing is known to be wrong with a key that only begins here.
        if self.open.as_ref().is_none_or(|open| open.key != *key) {
            self.open = Some(Open { key: key.clone(), failed: false });
        }
        while self.under_way.len() >= self.at_once {
            self.one_done(tell).await;
        }
        self.under_way.push(Box::pin(remove(self.store, batch)));
    }

    /// Waits for one batch, and tells what came of it.
    pub(super) async fn one_done(&mut self, tell: &mut impl FnMut(JudgedVersion)) {
        let Some(done) = self.under_way.next().await else { return };
        for judged in done {
            if let VersionOutcome::Failed(failure) = &judged.outcome {
                if let Some(open) = self.open.as_mut().filter(|open| open.key == judged.version.key) {
                    open.failed = true;
                }
                if failure.kind == FailureKind::LockedOut {
                    self.locked_out.get_or_insert_with(|| failure.clone());
                }
            }
            tell(judged);
        }
    }

    /// Waits for all that were sent.
    pub(super) async fn all_done(&mut self, tell: &mut impl FnMut(JudgedVersion)) {
        while self.is_under_way() {
            self.one_done(tell).await;
        }
    }
}

/// Removes the objects, and then the markers of keys of which none failed.
async fn remove(store: &dyn Store, batch: Batch) -> Vec<JudgedVersion> {
    let mut judged = removed_of(store, batch.objects).await;
    let failed: HashSet<Key> = judged
        .iter()
        .filter(|judged| judged.outcome != VersionOutcome::Removed)
        .map(|judged| judged.version.key.clone())
        .collect();
    let (covers, goes): (Vec<Going>, Vec<Going>) =
        batch.markers.into_iter().partition(|(version, _)| failed.contains(&version.key));
    judged.extend(removed_of(store, goes).await);
    judged.extend(covers.into_iter().map(|(version, age)| covering(version, age)));
    judged
}

async fn removed_of(store: &dyn Store, going: Vec<Going>) -> Vec<JudgedVersion> {
    if going.is_empty() {
        return Vec::new();
    }
    let (unsure, going) = ids_given_again(store, going).await;
    let (versions, ages): (Vec<KeptVersion>, Vec<Duration>) = going.into_iter().unzip();
    let results = store.remove_versions(&versions).await;
    let judged = versions.into_iter().zip(ages).zip(results).map(|((version, age), result)| match result {
        Ok(()) => removed(version, age),
        Err(failure) => JudgedVersion { version, age: Some(age), outcome: VersionOutcome::Failed(failure) },
    });
    judged.chain(unsure).collect()
}

/// Those whose ids may have become something else's since the run began, and the others.
async fn ids_given_again(store: &dyn Store, going: Vec<Going>) -> (Vec<JudgedVersion>, Vec<Going>) {
    let may_be_replaced = |(version, _): &Going| version.may_be_replaced();
    if !going.iter().any(may_be_replaced) {
        return (Vec::new(), going);
    }
    let why = match store.versioning().await {
        Ok(Versioning::Enabled) => return (Vec::new(), going),
        Ok(_) => given_again(),
        Err(failure) => failure,
    };
    let (unsure, going): (Vec<Going>, Vec<Going>) = going.into_iter().partition(may_be_replaced);
    let unsure = unsure.into_iter().map(|(version, age)| JudgedVersion {
        version,
        age: Some(age),
        outcome: VersionOutcome::Failed(why.clone()),
    });
    (unsure.collect(), going)
}

fn covering(version: KeptVersion, age: Duration) -> JudgedVersion {
    JudgedVersion { version, age: Some(age), outcome: VersionOutcome::Covering }
}
