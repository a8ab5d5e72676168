//! Which version goes: pure, over versions in the order of their listing.
//!
//! Versions come key after key, of each key the newest first. What is old enough depends on the
//! version above, which came before; whether a delete marker goes depends on all below, which come later:
//! so markers wait for the end of their key.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use brigade_store::{Failure, FailureKind, KeptVersion, Key, Succession, Versioning};

use super::{JudgedVersion, VersionOutcome};

/// Delete markers of one key that wait for its end, at the most. Of more the newest stay, until the next run.
const MOST_WAITING: usize = 10_000;

/// What decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// How long ago a version must have been superseded.
    pub(super) older_than: Duration,
    /// How many objects of each key that are not current stay, whatever their age.
    pub(super) keep: u64,
    /// Whether the store may give an id again that was there before.
    pub(super) versioning: Versioning,
}

/// Judges versions one after the other.
pub(super) struct Judge {
    rules: Rules,
    succession: Succession,
    key: Option<OneKey>,
}

/// What is known of the key whose versions are being judged.
struct OneKey {
    key: Key,
    /// Objects so far that are not current.
    superseded: u64,
    /// Markers under which nothing lies so far that stays, the newest first.
    waiting: VecDeque<(KeptVersion, Duration)>,
}

/// What was decided.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It stays, or can't be told.
    Told(JudgedVersion),
    /// This object goes; so long ago it was superseded.
    Goes(KeptVersion, Duration),
    /// The key is at its end: these markers go if all of its objects went that were to go.
    MarkersGo(Vec<(KeptVersion, Duration)>),
}

impl Judge {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, succession: Succession::default(), key: None }
    }

    /// Judges the next version; `now` is the store's time.
    pub(super) fn next(&mut self, version: KeptVersion, now: SystemTime, decide: &mut impl FnMut(Decision)) {
        if self.key.as_ref().is_none_or(|known| known.key != version.key) {
            self.end(decide);
            let key = version.key.clone();
            self.key = Some(OneKey { key, superseded: 0, waiting: VecDeque::new() });
        }
        let Some(known) = &mut self.key else { return };
        let since = self.succession.superseded(&version).or(version.is_current.then_some(version.modified));
        let age = since.map(|since| now.duration_since(since).unwrap_or_default());
        let is_cut_off = version.is_cut_off;
        let is_superseded_object = !version.is_current && !version.is_delete_marker();
        known.superseded += u64::from(is_superseded_object);
        let stays = match age {
            _ if version.is_current && !version.is_delete_marker() => Some(VersionOutcome::Current),
            None => Some(VersionOutcome::Failed(Failure::new(
                FailureKind::Failed,
                "the service lists no current version above it, or above it a version dated earlier, so that \
                 nothing says since when it is superseded; run again",
            ))),
            Some(age) if age < self.rules.older_than => Some(VersionOutcome::Young),
            _ if is_superseded_object && known.superseded <= self.rules.keep => Some(VersionOutcome::Kept),
            Some(_) => self.rules.of_an_id_that_is_given_again(&version),
        };
        match (stays, age) {
            (Some(outcome), _) => {
                known.nothing_waits(decide);
                decide(Decision::Told(JudgedVersion { version, age, outcome }));
            }
            (None, Some(age)) if version.is_delete_marker() => known.wait(version, age, decide),
            (None, age) => decide(Decision::Goes(version, age.unwrap_or_default())),
        }
        if is_cut_off {
            known.nothing_waits(decide);
        }
    }

    /// There are no more versions: the last key is at its end.
    pub(super) fn end(&mut self, decide: &mut impl FnMut(Decision)) {
        let waiting = self.key.take().map(|known| known.waiting).unwrap_or_default();
        if !waiting.is_empty() {
            decide(Decision::MarkersGo(waiting.into()));
        }
    }
}

impl Rules {
    /// Why a version stays that could become another one between its listing and its removal.
    fn of_an_id_that_is_given_again(&self, version: &KeptVersion) -> Option<VersionOutcome> {
        let is_certain = self.versioning == Versioning::Enabled || !version.may_be_replaced();
        (!is_certain).then(|| VersionOutcome::Failed(given_again()))
    }
}

/// That a version could become another one before its removal.
pub(super) fn given_again() -> Failure {
    let reason = "the bucket is not known to have versioning enabled, so that whoever writes this key gives the \
                  version id null to something else, which would be deleted in its place; enable versioning, \
                  and allow s3:GetBucketVersioning";
    Failure::new(FailureKind::Failed, reason)
}

impl OneKey {
    /// Something lies under the markers that wait, and stays, or may lie there unseen.
    fn nothing_waits(&mut self, decide: &mut impl FnMut(Decision)) {
        for (version, age) in self.waiting.drain(..) {
            decide(Decision::Told(JudgedVersion { version, age: Some(age), outcome: VersionOutcome::Covering }));
        }
    }

    fn wait(&mut self, version: KeptVersion, age: Duration, decide: &mut impl FnMut(Decision)) {
        if self.waiting.len() == MOST_WAITING
            && let Some((version, age)) = self.waiting.pop_front()
        {
            decide(Decision::Told(JudgedVersion { version, age: Some(age), outcome: VersionOutcome::Covering }));
        }
        self.waiting.push_back((version, age));
    }
}

#[cfg(test)]
#[path = "judge/tests.rs"]
mod tests;
