//! Hears a chronicle from its beginning to its end, and objects to what must never happen.

mod judging;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use brigade_engine::events::{Outcome, Side};
use brigade_engine::job::AtOnce;
use brigade_engine::plan::Phase;
use brigade_store::memory::{Call, Strike};
use brigade_store::{Key, Unknown};

use super::chronicle::{Happened, Version};
use super::episode::Episode;
use super::past::Past;

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
    pub(crate) struck: Struck,
    last_call: Option<Call>,
    pub(crate) told: BTreeMap<Key, Vec<Outcome>>,
    pub(crate) unknowns_told: Vec<Unknown>,
    pub(crate) reordered: bool,
    /// Whether a range was listed that is not everything: what others change meanwhile, one may see and another not.
    pub(crate) lists_ranges: bool,
    /// After which keys ranges were listed, of each side.
    range_starts: [Vec<Key>; 2],
    pub(crate) deletions: usize,
    /// Objects that we removed from the destination.
    pub(crate) removed: usize,
    pub(crate) cancelled: Option<Cancelled>,
    sent_after_cancel: usize,
    stage: Stage,
    failed_before_deletions: Option<String>,
}

/// What went wrong at the stores.
#[derive(Default)]
pub(crate) struct Struck {
    pub(crate) listings: Vec<StruckPage>,
    /// Whether a look at a single place by listing did not succeed.
    pub(crate) glimpse: bool,
    /// Whether what is written was not made durable when that was asked for.
    pub(crate) durability: bool,
    /// Uploads that were begun, and the answer lost.
    pub(crate) begins: usize,
    /// Keys at the destination that could not be looked at.
    pub(crate) looks: BTreeSet<Key>,
    /// Keys of changes of which the answer was lost.
    changes: BTreeSet<Key>,
}

/// A page of a listing that broke off.
pub(crate) struct StruckPage {
    side: Side,
    /// The key that its range starts after; empty where that is the beginning.
    range_start: Key,
    /// The key that it was to come after.
    after: Key,
}

/// When a run was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cancelled {
    InTime,
    /// When no more than a commit was left to be done.
    Late,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Listing,
    Deleting,
    AfterDeletions,
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
            struck: Struck::default(),
            last_call: None,
            told: BTreeMap::new(),
            unknowns_told: vec![],
            reordered: false,
            lists_ranges: false,
            range_starts: [vec![], vec![]],
            deletions: 0,
            removed: 0,
            cancelled: None,
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
            Happened::Call { side, call, key, range_start, strike } => {
                return self.see_call(*side, *call, key, range_start.as_ref(), strike);
            }
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
            Happened::Phase(Phase::Deletions) => self.stage = Stage::Deleting,
            Happened::Phase(_) => self.stage = Stage::AfterDeletions,
            Happened::Reordered => {
                // What was concluded from the listings so far is forgotten.
                self.reordered = true;
                self.failed_before_deletions = None;
                self.struck.listings.clear();
                self.range_starts = [vec![], vec![]];
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
                let is_late = self.last_call == Some(Call::MakeDurable);
                self.cancelled = Some(if is_late { Cancelled::Late } else { Cancelled::InTime });
            }
            Happened::Ended(_) => self.stage = Stage::Returned,
        }
        Ok(())
    }

    /// Whether a page broke off that was needed. One was only fetched ahead, when the end of its range was drawn
    /// nearer, if another range starts between the start of its own and the key that it was to come after. Not at that
    /// key: a range is read until it shows a key beyond its end, and who proves that nothing lies between two ranges
    /// lists after the last key that the lower one showed.
    pub(crate) fn misses_a_page(&self) -> bool {
        self.struck.listings.iter().any(|page| {
            let mut starts = self.range_starts[page.side as usize].iter();
            !starts.any(|start| *start > page.range_start && *start < page.after)
        })
    }

    fn see_call(
        &mut self,
        side: Side,
        call: Call,
        key: &Key,
        range_start: Option<&Key>,
        strike: &Strike,
    ) -> Result<(), String> {
        if self.stage == Stage::Returned {
            return Err(format!("the run had returned, and called {call:?} of {key} at {side:?}"));
        }
        let changes = matches!(call, Call::Write | Call::Begin | Call::WritePart | Call::Finish | Call::Remove);
        if changes && (side == Side::Source || self.episode.scenario.options.dry_run) {
            return Err(format!("{call:?} of {key} at {side:?} is no call that this run may make"));
        }
        self.last_call = Some(call);
        // Where no range may be cut and none is taken up, only a look at one place lists so little.
        let may_be_cut = self.episode.scenario.options.listers != AtOnce::Exactly(1);
        let lists_range = (self.takes_up || may_be_cut) && self.stage == Stage::Listing;
        self.lists_ranges |= lists_range && call == Call::ListRange;
        match (call, strike) {
            (Call::ListRange | Call::ListRangeMore, _) if !lists_range => {
                self.struck.glimpse |= *strike != Strike::None;
            }
            (Call::List | Call::ListRange, Strike::None) => {
                if call == Call::ListRange {
                    self.range_starts[side as usize].push(key.clone());
                }
                self.listed[side as usize].push(self.now[side as usize].clone());
            }
            (Call::ListWithin, Strike::None) if self.takes_up => {
                self.listed[side as usize].push(self.now[side as usize].clone());
            }
            (Call::List | Call::ListMore | Call::ListRange | Call::ListRangeMore, _) if *strike != Strike::None => {
                let Some(range_start) = range_start.cloned() else {
                    return Err(format!("{call:?} of {key} at {side:?} is of no range"));
                };
                self.struck.listings.push(StruckPage { side, range_start, after: key.clone() });
            }
            // Where two ranges meet, it is looked whether anything lies between them.
            (Call::ListWithin | Call::FirstAfter, _) => self.struck.glimpse |= *strike != Strike::None,
            (Call::MakeDurable, _) => self.struck.durability |= *strike != Strike::None,
            (Call::Look, _) if side == Side::Dest && *strike != Strike::None => {
                self.struck.looks.insert(key.clone());
            }
            (Call::Look, Strike::None) if side == Side::Source => {
                self.looked_up.insert(key.clone(), self.now[SOURCE].contains_key(key));
            }
            // What is back at the source is looked at where a bucket is not listed again.
            (Call::Look, Strike::None) if self.takes_up => {
                let there = self.now[DEST].get(key).map(|version| (key.clone(), version.clone()));
                self.listed[DEST].insert(0, there.into_iter().collect());
            }
            (Call::Begin, Strike::AnswerLost(_)) => self.struck.begins += 1,
            (Call::Write | Call::Finish | Call::Remove, Strike::AnswerLost(_)) => {
                self.struck.changes.insert(key.clone());
            }
            _ => {}
        }
        Ok(())
    }
}
