//! Nothing is done twice: what a ledger remembers is not sent again, and what it says is so.

use std::collections::{BTreeMap, BTreeSet};

use brigade_engine::events::Side;
use brigade_engine::job::{Comparison, JobSpec};
use brigade_engine::ledger::{Progress as _, SettledPair};
use brigade_store::memory::{Call, MemoryStore};
use brigade_store::{Condition, Entry, Key, NewObject, ObjectHeaders, Store as _};

use super::chronicle::{Happened, Version};
use super::episode::Episode;
use super::model;
use super::scenario::Scenario;
use super::witness::{Objects, Witness};

const SOURCE: usize = Side::Source as usize;
const DEST: usize = Side::Dest as usize;

/// What a run needn't do, because an earlier one did it.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Keys of which neither side has changed since they were settled.
    settled: BTreeSet<Key>,
    /// How many parts are left to be sent of uploads that can be taken up.
    parts_left: BTreeMap<Key, usize>,
    /// The uploads that are under way: those that are remembered, and all.
    remembered: BTreeSet<(Key, String)>,
    under_way: BTreeSet<(Key, String)>,
    /// Those that were sent a part.
    begun: BTreeSet<(Key, String)>,
}

impl Done {
    /// As it is now.
    pub(crate) async fn by_now(scenario: &Scenario, objects: &[Objects; 2]) -> Self {
        let mut done = Self { under_way: uploads_under_way(&scenario.dest).await, ..Self::default() };
        let Some(ledger) = &scenario.ledger else { return done };
        for (key, id) in &done.under_way {
            if parts_sent(&scenario.dest, key, id).await > Some(0) {
                done.begun.insert((key.clone(), id.clone()));
            }
        }
        let pairs = ledger.pairs();
        // Where an edit could hide, the content decides.
        let is_true = |pair: &&SettledPair| {
            let stands = |[source, dest]: [&Version; 2]| !pair.unsure || source.body == dest.body;
            !pair.assumed && !pair.lost && shown(pair, objects).is_some_and(stands)
        };
        done.settled = pairs.iter().filter(is_true).map(|pair| pair.key.clone()).collect();
        for begun in ledger.progress().await.unwrap().uploads {
            let source = objects[SOURCE].get(&begun.key).map(|version| &version.entry);
            let can_be_taken_up = |source: &&Entry| !begun.unsure && begun.source.shows_in(source);
            if let Some(source) = source.filter(can_be_taken_up)
                && let Some(sent) = parts_sent(&scenario.dest, &begun.key, &begun.upload_id).await
            {
                let all = usize::try_from(source.size.div_ceil(begun.part_size)).unwrap();
                done.parts_left.insert(begun.key.clone(), all.saturating_sub(sent));
            }
            done.remembered.insert((begun.key, begun.upload_id));
        }
        done
    }

    /// Whether a run did none of it again.
    pub(crate) fn check(&self, episode: &Episode<'_>, seen: &Witness<'_>) -> Result<(), String> {
        let is_touched = |key: &Key| seen.touched.iter().any(|touched| touched.contains(key));
        let Scenario { job, .. } = episode.scenario;
        let judges_by_pairs = matches!(job.comparison, Comparison::Auto | Comparison::Size | Comparison::Checksum)
            && !episode.scenario.misleads();
        let mut parts = BTreeMap::<&Key, usize>::new();
        for (_, happened) in &episode.records {
            let Happened::Call { side: Side::Dest, call, key, .. } = happened else { continue };
            let sends = matches!(call, Call::Write | Call::Begin);
            if sends && judges_by_pairs && self.settled.contains(key) && !is_touched(key) {
                return Err(format!("{key} was settled and did not change, and was sent again"));
            }
            *parts.entry(key).or_default() += usize::from(*call == Call::WritePart);
        }
        let is_calm = episode.weather.is_calm() && !seen.reordered;
        match self.parts_left.iter().find(|(key, left)| is_calm && parts.get(key).is_some_and(|sent| sent > *left)) {
            Some((key, left)) => Err(format!("{} parts of {key} were sent, and {left} were left", parts[key])),
            None => Ok(()),
        }
    }

    /// Whether all uploads that this run began, or that were remembered before it, are ended or remembered;
    /// of a run that was killed, all that were sent a part.
    pub(crate) fn check_uploads(&self, now: &Self, episode: &Episode<'_>, seen: &Witness<'_>) -> Result<(), String> {
        if let Some((key, _)) =
            now.begun.iter().find(|upload| !self.under_way.contains(*upload) && !now.remembered.contains(*upload))
        {
            return Err(format!("a part of {key} was sent before its upload was remembered"));
        }
        let Some(ended) = &episode.ended else { return Ok(()) };
        let known = |upload: &&(Key, String)| !self.under_way.contains(*upload) || self.remembered.contains(*upload);
        let left = now.under_way.iter().filter(known).filter(|upload| !now.remembered.contains(*upload));
        if left.count() > seen.struck.begins {
            return Err("an upload was neither finished nor given up, and is not remembered".into());
        }
        let options = &episode.scenario.options;
        let has_to_end = ended.is_ok() && episode.weather.is_calm() && !options.dry_run && options.limit.is_none();
        if has_to_end && !now.remembered.is_empty() {
            return Err(format!("uploads are remembered after the end: {:?}", now.remembered));
        }
        Ok(())
    }
}

/// Whether every pair that both sides still show is of one content, or of two that a rule takes for one.
pub(crate) fn pairs_are_true(scenario: &Scenario, objects: &[Objects; 2]) -> Result<(), String> {
    let Some(ledger) = &scenario.ledger else { return Ok(()) };
    let auto = JobSpec { comparison: Comparison::Auto, ..scenario.job.clone() };
    for pair in ledger.pairs().iter().filter(|pair| !pair.assumed && !pair.unsure) {
        if let Some([source, dest]) = shown(pair, objects)
            && !model::in_step(&auto, source, dest)
        {
            return Err(format!("{} is settled as in step, and is not: {source:?}, {dest:?}", pair.key));
        }
    }
    Ok(())
}

/// What both sides have, where it is what was settled.
fn shown<'a>(pair: &SettledPair, objects: &'a [Objects; 2]) -> Option<[&'a Version; 2]> {
    let [source, dest] = [SOURCE, DEST].map(|side| objects[side].get(&pair.key));
    let (source, dest) = (source?, dest?);
    pair.shows_in(&source.entry, &dest.entry).then_some([source, dest])
}

async fn uploads_under_way(dest: &MemoryStore) -> BTreeSet<(Key, String)> {
    let mut all = BTreeSet::new();
    let mut listing = dest.open_uploads();
    while let Some(page) = listing.next_page().await.unwrap() {
        all.extend(page.into_iter().map(|upload| (upload.key, upload.id)));
    }
    all
}

/// How many parts of it are there.
async fn parts_sent(dest: &MemoryStore, key: &Key, upload_id: &str) -> Option<usize> {
    let (key, headers) = (key.clone(), ObjectHeaders::default());
    let object = NewObject { key, size: 0, headers, condition: Condition::Absent, part_size: None, digest: None };
    let resumed = dest.resume(&object, upload_id).await.unwrap()?;
    Some(resumed.parts.len())
}
