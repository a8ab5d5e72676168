//! What must never be done, or told, as far as the stores show it at that time.

use brigade_engine::events::{Outcome, Side};
use brigade_store::{Key, Kind};

use super::{DEST, SOURCE, Stage, Witness};
use crate::simulation::chronicle::Version;
use crate::simulation::model::{self, is_unknown, says_directory};
use crate::simulation::scenario::kind;

impl Witness<'_> {
    /// What may be written or removed at all.
    pub(super) fn judge_change(
        &self,
        side: Side,
        key: &Key,
        before: Option<&Version>,
        after: Option<&Version>,
    ) -> Result<(), String> {
        let scenario = self.episode.scenario;
        if side == Side::Source || self.stage == Stage::Returned {
            return Err(format!("{key} was changed at {side:?}: {:?}", self.stage));
        }
        if !scenario.selection.includes(key) {
            return Err(format!("{key} is excluded, and was changed"));
        }
        if scenario.unknowns.iter().any(|unknowns| is_unknown(unknowns, key)) {
            return Err(format!("{key} is unknown, and was changed"));
        }
        // In a bucket, the same content put again has the same ETag.
        let in_bucket = kind(&scenario.dest) == Kind::Remote;
        let is_same = |one: &Version, other: &Version| one == other || (in_bucket && one.body == other.body);
        let was_listed = |version: &Version| {
            let before = self.past.seen_at_dest.get(key).into_iter().flatten().filter(|_| self.takes_up);
            let mut listed = self.listed[DEST].iter().filter_map(|listed| listed.get(key)).chain(before);
            listed.any(|listed| is_same(listed, version))
        };
        if before.is_some_and(|before| !was_listed(before)) {
            return Err(format!("{key}: what was there had not been listed: somebody else wrote it meanwhile"));
        }
        match after {
            Some(after) => self.judge_content(key, after),
            None => self.judge_deletion(key, before),
        }
    }

    fn judge_content(&self, key: &Key, written: &Version) -> Result<(), String> {
        let had = self.had.get(key).is_some_and(|versions| versions.iter().any(|version| version.body == written.body));
        if had { Ok(()) } else { Err(format!("{key} was written with what the source never had: {written:?}")) }
    }

    fn judge_deletion(&self, key: &Key, removed: Option<&Version>) -> Result<(), String> {
        let scenario = self.episode.scenario;
        let wrong = |why: &str| Err(format!("{key} was deleted {why}"));
        if scenario.job.delete.is_none() || scenario.options.limit.is_some() {
            return wrong("though that was not asked for");
        }
        if self.stage != Stage::Deleting {
            return wrong("before the phase of deletions, or after it");
        }
        if self.looked_up.get(key) != Some(&false) {
            return wrong("though the source was not looked up, or had it then");
        }
        let was_at_source = self.listed[SOURCE].last().is_none_or(|listed| listed.contains_key(key));
        if was_at_source && !self.takes_up {
            return wrong("though the source had it when it was listed");
        }
        if !model::holds(kind(&scenario.source), key) {
            return wrong("though the source could not hold it");
        }
        if kind(&scenario.dest) == Kind::Remote && removed.is_some_and(says_directory) {
            return wrong("though it stands for a directory");
        }
        if !self.struck.listings.is_empty() {
            return wrong("after a listing broke off");
        }
        if let Some(failed) = &self.failed_before_deletions {
            return wrong(&format!("though {failed} had failed"));
        }
        Ok(())
    }

    /// What may be told, as far as the stores show it at that time.
    pub(super) fn judge_outcome(&mut self, key: &Key, outcome: &Outcome) -> Result<(), String> {
        let objection = |what: &str| Err(format!("{key} was told to be {outcome:?}, and {what}"));
        let scenario = self.episode.scenario;
        if self.stage == Stage::Returned {
            return objection("the run had returned");
        }
        if !scenario.selection.includes(key) {
            return objection("it is excluded");
        }
        // What an earlier run let wait for room is looked for, and tried again where that fails.
        let is_in_doubt = self.stage == Stage::AfterDeletions
            && self.struck.looks.contains(key)
            && matches!(outcome, Outcome::Failed(_));
        let may_be_told_again = self.takes_up && (self.was_touched(key) || is_in_doubt);
        if !self.reordered && self.told.contains_key(key) && !may_be_told_again {
            return objection("something had been told of it before");
        }
        if self.stage == Stage::Listing && matches!(outcome, Outcome::Failed(_) | Outcome::Unrepresentable { .. }) {
            self.failed_before_deletions = Some(key.to_string());
        }
        let ours = self.changed.get(key);
        let is_dry = scenario.options.dry_run;
        match outcome {
            Outcome::Sent { bytes, .. } if !is_dry && !key.is_marker() => match ours {
                Some(Some(version)) if version.entry.size == *bytes => self.count_after_cancel(key)?,
                _ => return objection("is not what was written"),
            },
            Outcome::Deleted if !is_dry && self.now[DEST].contains_key(key) && !self.touched[DEST].contains(key) => {
                return objection("is there");
            }
            Outcome::Deleted if !is_dry => self.deletions += 1,
            Outcome::Failed(_) if ours.is_some() && !self.struck.changes.contains(key) => {
                return objection("was done, and the store answered so");
            }
            Outcome::Withdrawn { .. } if !self.touched[SOURCE].contains(key) => {
                return objection("nobody touched it at the source");
            }
            Outcome::InStep if !is_dry && !self.is_same(key) => return objection("differs"),
            _ => {}
        }
        Ok(())
    }

    /// Whether somebody else wrote there, in this run or since the progress began that it takes up.
    fn was_touched(&self, key: &Key) -> bool {
        self.touched.iter().any(|touched| touched.contains(key))
    }

    fn count_after_cancel(&mut self, key: &Key) -> Result<(), String> {
        self.sent_after_cancel += usize::from(self.cancelled.is_some());
        if self.sent_after_cancel > self.episode.scenario.options.jobs.most() {
            return Err(format!("{key} was not in flight when the run was told to stop, and was sent"));
        }
        Ok(())
    }

    /// Whether both sides had the same content, as far as nobody else changed it.
    fn is_same(&self, key: &Key) -> bool {
        let touched = self.was_touched(key);
        let same = match (self.now[SOURCE].get(key), self.now[DEST].get(key)) {
            (Some(source), Some(dest)) => model::in_step(&self.episode.scenario.job, source, dest),
            _ => false,
        };
        touched || key.is_marker() || same
    }
}
