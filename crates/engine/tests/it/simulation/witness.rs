//! Hears a chronicle from its beginning to its end, and objects to what must never happen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use brigade_engine::events::{Outcome, Side};
use brigade_engine::plan::Phase;
use brigade_store::memory::{Call, Strike};
use brigade_store::{Key, Kind, Unknown};

use super::chronicle::{Happened, Version};
use super::course::Episode;
use super::model::{self, is_unknown, says_directory};
use super::past::Past;
use super::scenario::kind;

/// What a store holds.
pub(crate) type Objects = BTreeMap<Key, Version>;

/// What was seen of a run so far.
pub(crate) struct Witness<'a> {
    episode: &'a Episode<'a>,
    pub(crate) past: &'a Past,
    /// Whether the run goes on with what an earlier one left.
    pub(crate) takes_up: bool,
    /// What the stores hold at this time: source, destination.
    now: [Objects; 2],
    /// Every content that the source had under a key.
    had: BTreeMap<Key, Vec<Version>>,
    /// What the sides held whenever a listing of them began.
    pub(crate) listed: [Vec<Objects>; 2],
    /// Whether the source had the key when it was last looked up.
    looked_up: BTreeMap<Key, bool>,
    /// Where somebody else wrote or removed: at the source, at the destination.
    pub(crate) touched: [BTreeSet<Key>; 2],
    /// What we wrote and removed at the destination.
    pub(crate) changed: BTreeMap<Key, Option<Version>>,
    /// Keys of changes of which the answer was lost.
    lost_changes: BTreeSet<Key>,
    pub(crate) lost_begins: usize,
    pub(crate) broken_listings: Vec<Side>,
    /// Whether a look at a single key by listing did not succeed.
    pub(crate) broken_glimpse: bool,
    /// Whether a later phase has begun, in which single places are listed.
    in_phases: bool,
    /// Whether it was told to stop when no more than a commit was left to be done.
    pub(crate) cancelled_late: bool,
    last_call: Option<Call>,
    /// Whether what is written was not made durable when that was asked for.
    pub(crate) not_durable: bool,
    pub(crate) told: BTreeMap<Key, Vec<Outcome>>,
    pub(crate) unknowns_told: Vec<Unknown>,
    pub(crate) reordered: bool,
    pub(crate) deletions: usize,
    /// Objects that we removed from the destination.
    pub(crate) removed: usize,
    pub(crate) cancelled: bool,
    sent_after_cancel: usize,
    stage: Stage,
    failed_before_deletions: Option<String>,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Listing,
    Deleting,
    Returned,
}

const SOURCE: usize = Side::Source as usize;
const DEST: usize = Side::Dest as usize;

impl<'a> Witness<'a> {
    /// Hears it all.
    pub(crate) fn hear(episode: &'a Episode<'a>, past: &'a Past) -> Result<Self, String> {
        let had = episode.before[SOURCE].iter().map(|(key, version)| (key.clone(), vec![version.clone()])).collect();
        let mut witness = Self {
            episode,
            past,
            takes_up: false,
            now: episode.before.clone(),
            had,
            listed: [vec![], vec![]],
            looked_up: BTreeMap::new(),
            touched: [BTreeSet::new(), BTreeSet::new()],
            changed: BTreeMap::new(),
            lost_changes: BTreeSet::new(),
            lost_begins: 0,
            broken_listings: vec![],
            broken_glimpse: false,
            in_phases: false,
            cancelled_late: false,
            last_call: None,
            not_durable: false,
            told: BTreeMap::new(),
            unknowns_told: vec![],
            reordered: false,
            deletions: 0,
            removed: 0,
            cancelled: false,
            sent_after_cancel: 0,
            stage: Stage::Listing,
            failed_before_deletions: None,
        };
        for (time, happened) in &episode.records {
            witness.see(happened).map_err(|objection| format!("at {time} ms: {objection}"))?;
        }
        Ok(witness)
    }

    fn see(&mut self, happened: &Happened) -> Result<(), String> {
        match happened {
            Happened::Call { side, call, key, strike } => return self.see_call(*side, *call, key, strike),
            Happened::Changed { side, key, before, after, by_us } => {
                if *by_us {
                    self.judge_change(*side, key, before.as_ref(), after.as_ref())?;
                    self.changed.insert(key.clone(), after.clone());
                    self.removed += usize::from(after.is_none());
                } else {
                    self.touched[*side as usize].insert(key.clone());
                }
                if let (Side::Source, Some(version)) = (side, after) {
                    self.had.entry(key.clone()).or_default().push(version.clone());
                }
                match after {
                    Some(version) => self.now[*side as usize].insert(key.clone(), version.clone()),
                    None => self.now[*side as usize].remove(key),
                };
            }
            Happened::Told { key, outcome } => {
                self.judge_outcome(key, outcome)?;
                self.told.entry(key.clone()).or_default().push(outcome.clone());
            }
            Happened::Unknown { unknown, .. } => {
                if unknown.reason.is_failure() && self.stage == Stage::Listing {
                    self.failed_before_deletions = Some(unknown.key.to_string());
                }
                self.unknowns_told.push(unknown.clone());
            }
            Happened::Phase(phase) => {
                self.in_phases = true;
                self.stage = if *phase == Phase::Deletions { Stage::Deleting } else { self.stage }
            }
            Happened::Reordered => {
                // What was concluded from the listings so far is forgotten.
                self.reordered = true;
                self.failed_before_deletions = None;
                self.broken_listings.clear();
                self.unknowns_told.clear();
                self.changed.clear();
            }
            Happened::TakenUp(_) => {
                self.takes_up = true;
                let age = self.past.begun.and_then(|begun| self.episode.begun.duration_since(begun).ok());
                if age.is_none_or(|age| age >= Duration::from_hours(24)) {
                    return Err(format!("it takes up what is {age:?} old, by the clock"));
                }
                for (touched, before) in self.touched.iter_mut().zip(&self.past.touched) {
                    touched.extend(before.iter().cloned());
                }
            }
            Happened::Committed(_) if self.stage == Stage::Returned => {
                return Err("it commits after it returned".into());
            }
            // After a crash, only what was on its way arrives.
            Happened::Committed(_) | Happened::Crashed(_) => {}
            Happened::Cancelled => {
                self.cancelled = true;
                self.cancelled_late = self.last_call == Some(Call::MakeDurable);
            }
            Happened::Ended(_) => self.stage = Stage::Returned,
        }
        Ok(())
    }

    fn see_call(&mut self, side: Side, call: Call, key: &Key, strike: &Strike) -> Result<(), String> {
        if self.stage == Stage::Returned {
            return Err(format!("the run had returned, and called {call:?} of {key} at {side:?}"));
        }
        let changes = matches!(call, Call::Write | Call::Begin | Call::WritePart | Call::Finish | Call::Remove);
        if changes && (side == Side::Source || self.episode.scenario.options.dry_run) {
            return Err(format!("{call:?} of {key} at {side:?} is no call that this run may make"));
        }
        self.last_call = Some(call);
        // Beside a run that is taken up, only a look at one place lists so little.
        let lists_range = self.takes_up && !self.in_phases;
        match (call, strike) {
            (Call::ListRange | Call::ListRangeMore, _) if !lists_range => {
                self.broken_glimpse |= *strike != Strike::None;
            }
            (Call::List | Call::ListRange, Strike::None) => {
                self.listed[side as usize].push(self.now[side as usize].clone())
            }
            (Call::ListWithin, Strike::None) if self.takes_up => {
                self.listed[side as usize].push(self.now[side as usize].clone());
            }
            (Call::List | Call::ListMore | Call::ListRange | Call::ListRangeMore, _) if *strike != Strike::None => {
                self.broken_listings.push(side);
            }
            (Call::ListWithin, _) => self.broken_glimpse |= *strike != Strike::None,
            (Call::MakeDurable, _) => self.not_durable |= *strike != Strike::None,
            (Call::Look, Strike::None) if side == Side::Source => {
                self.looked_up.insert(key.clone(), self.now[SOURCE].contains_key(key));
            }
            (Call::Begin, Strike::AnswerLost(_)) => self.lost_begins += 1,
            (Call::Write | Call::Finish | Call::Remove, Strike::AnswerLost(_)) => {
                self.lost_changes.insert(key.clone());
            }
            _ => {}
        }
        Ok(())
    }

    /// What may be written or removed at all.
    fn judge_change(
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
        if self.stage == Stage::Listing {
            return wrong("before the phase of deletions");
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
        if !self.broken_listings.is_empty() {
            return wrong("after a listing broke off");
        }
        if let Some(failed) = &self.failed_before_deletions {
            return wrong(&format!("though {failed} had failed"));
        }
        Ok(())
    }

    /// What may be told, as far as the stores show it at that time.
    fn judge_outcome(&mut self, key: &Key, outcome: &Outcome) -> Result<(), String> {
        let objection = |what: &str| Err(format!("{key} was told to be {outcome:?}, and {what}"));
        let scenario = self.episode.scenario;
        if self.stage == Stage::Returned {
            return objection("the run had returned");
        }
        if !scenario.selection.includes(key) {
            return objection("it is excluded");
        }
        if !self.reordered && self.told.contains_key(key) && !(self.takes_up && self.was_touched(key)) {
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
            Outcome::Failed(_) if ours.is_some() && !self.lost_changes.contains(key) => {
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
        self.sent_after_cancel += usize::from(self.cancelled);
        if self.sent_after_cancel > self.episode.scenario.options.jobs {
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
