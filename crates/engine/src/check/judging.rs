//! Judging one key: what the listings tell of it, or its content; and once more,
//! by what is there then, before it is told that something is wrong.

use brigade_store::{Entry, Failure, FailureKind, Key, Kind};

use super::verifying::Verdict;
use super::walking::Pair;
use super::{Checking, Difference, Evidence, Found};
use crate::events::Side;
use crate::ledger::Proven;
use crate::sighting::{Sighting, sight};
use crate::transfer::{Halt, LockedOut};

/// A failure, and the side that it is due to.
#[derive(Debug)]
pub(super) struct Blamed {
    pub(super) side: Side,
    pub(super) failure: Failure,
}

impl Pair {
    /// The key, which both have.
    fn key(&self) -> Option<&Key> {
        self.source.as_ref().or(self.dest.as_ref()).map(|entry| &entry.key)
    }

    /// Whether both show the same versions.
    fn shows_the_same_as(&self, other: &Self) -> bool {
        [(&self.source, &other.source), (&self.dest, &other.dest)].into_iter().all(|sides| match sides {
            (Some(one), Some(other)) => one.same_version(other),
            (None, None) => true,
            _ => false,
        })
    }
}

impl Checking {
    /// Finds out about one key, counts it and tells of it; of what was cut short, nothing is told.
    pub(super) async fn judge(&self, pair: Pair) -> Result<(), Halt> {
        let Some(key) = pair.key().cloned() else { return Ok(()) };
        let since = (self.clock)();
        let (found, now) = self.find(pair.clone(), &key).await;
        if let Found::Unchecked { side, failure } = &found {
            self.heed(*side, failure);
        }
        if self.cancel.is_cancelled() && !matches!(found, Found::Same(_)) {
            return Ok(());
        }
        if let Some(remembering) = &self.remembering {
            match (&found, &now.source, &now.dest) {
                (Found::Same(evidence), Some(source), Some(dest)) => {
                    let is_read = !matches!(evidence, Evidence::Stored(_));
                    let proven = Proven { is_read, has_metadata: self.options.metadata };
                    remembering.good(source, dest, proven, since).await?;
                }
                _ => remembering.forget(key.clone()).await?,
            }
        }
        self.tally.object(&key, &found, pair.is_sampled);
        Ok(())
    }

    /// What is found of a key, and in which versions.
    async fn find(&self, listed: Pair, key: &Key) -> (Found, Pair) {
        let first = self.attempt(&listed).await;
        let is_final = match &first {
            Found::Same(_) => true,
            Found::Unchecked { failure, .. } => !may_have_changed(failure),
            _ => false,
        };
        if is_final {
            return (first, listed);
        }
        let now = match self.look_again(key, &listed).await {
            Ok(now) => now,
            // What was listed, or read, stands.
            Err(blamed) => {
                let Blamed { side, failure } = blamed;
                let is_known = !matches!(first, Found::Unchecked { .. });
                return (if is_known { first } else { Found::Unchecked { side, failure } }, listed);
            }
        };
        let is_unchanged = now.shows_the_same_as(&listed);
        if is_unchanged && !matches!(first, Found::Unchecked { .. }) {
            return (first, listed);
        }
        let again = self.attempt(&now).await;
        let found = match again {
            Found::Unchecked { ref failure, .. } if may_have_changed(failure) => Found::Changed,
            Found::Same(_) | Found::Unchecked { .. } => again,
            again if is_unchanged => again,
            _ if now.key().is_none() => Found::Gone,
            _ => Found::Changed,
        };
        (found, now)
    }

    /// What is found of what is listed.
    async fn attempt(&self, pair: &Pair) -> Found {
        match (&pair.source, &pair.dest) {
            (Some(source), Some(dest)) => {
                self.attempt_both(source, dest).await.unwrap_or_else(|Blamed { side, failure }| {
                    if failure.kind != FailureKind::Corrupt {
                        return Found::Unchecked { side, failure };
                    }
                    let location = self.store(side).location();
                    let reason = format!("what {location} sends is not what its own checksum says: {failure}");
                    Found::Different(Difference::Content(reason))
                })
            }
            (Some(_), None) => Found::Missing,
            (None, Some(_)) => Found::Extra,
            (None, None) => Found::Gone,
        }
    }

    async fn attempt_both(&self, source: &Entry, dest: &Entry) -> Result<Found, Blamed> {
        // What a tree has there is a directory.
        if source.key.is_marker() && [source, dest].iter().all(|entry| entry.size == 0 || entry.etag().is_none()) {
            return Ok(Found::Same(Evidence::Directory));
        }
        if source.size != dest.size {
            return Ok(Found::Different(Difference::Size { source: source.size, dest: dest.size }));
        }
        let evidence = match self.verify(source, dest).await? {
            Verdict::Same(evidence) => evidence,
            Verdict::Differs(reason) => return Ok(Found::Different(Difference::Content(reason))),
        };
        let differences = if self.options.metadata { self.compare_headers(source, dest).await? } else { vec![] };
        Ok(if differences.is_empty() {
            Found::Same(evidence)
        } else {
            Found::Different(Difference::Metadata(differences))
        })
    }

    /// What is at the key now, on both sides.
    async fn look_again(&self, key: &Key, listed: &Pair) -> Result<Pair, Blamed> {
        let source = self.look(Side::Source, key, listed.source.is_some()).await?;
        let dest = self.look(Side::Dest, key, listed.dest.is_some()).await?;
        Ok(Pair { source, dest, is_sampled: listed.is_sampled })
    }

    /// What is at the key now. A file system that folds names finds `A` where `a` is: a file that no listing has shown
    /// has to have this very name. A directory may be there that no listing shows.
    async fn look(&self, side: Side, key: &Key, was_listed: bool) -> Result<Option<Entry>, Blamed> {
        let _request = self.permits.request().await;
        let store = self.store(side);
        let found = store.look(key).await.map_err(|failure| Blamed { side, failure })?;
        let is_certain = found.is_none() || was_listed || key.is_marker();
        let may_fold = store.capabilities().kind == Kind::Local;
        Ok(if is_certain || !may_fold || self.lists(side, key).await? { found } else { None })
    }

    /// Whether a listing shows this very name now.
    async fn lists(&self, side: Side, key: &Key) -> Result<bool, Blamed> {
        let unknown = |reason: String| Blamed {
            side,
            failure: Failure::new(FailureKind::Failed, format!("its name could not be looked for: {reason}")),
        };
        match sight(self.store(side).as_ref(), key).await {
            Ok(Sighting::Present(_)) => Ok(true),
            Ok(Sighting::Absent) => Ok(false),
            Ok(Sighting::Unknown(_)) => Err(unknown("what is around it can't be listed".to_owned())),
            Err(error) => Err(unknown(error.to_string())),
        }
    }

    /// Ends the check, as if the person had asked to stop, where a store doesn't accept who asks any more.
    fn heed(&self, side: Side, failure: &Failure) {
        if failure.kind == FailureKind::LockedOut && !self.cancel.is_cancelled() {
            let location = self.store(side).location().to_owned();
            // The first reason stands.
            let _ = self.locked_out.set(LockedOut { location, reason: failure.reason.clone() });
            self.cancel.cancel();
        }
    }
}

/// Whether it failed because it isn't what was listed any more.
fn may_have_changed(failure: &Failure) -> bool {
    matches!(failure.kind, FailureKind::Changed | FailureKind::Absent)
}
