//! How a run may end: with everything in step, or with all that isn't named.

use std::collections::BTreeSet;

use brigade_engine::error::Why;
use brigade_engine::events::{Outcome, Side, Summary};
use brigade_store::memory::Call;
use brigade_store::{Extent, Key, Kind, Unknown};

use super::episode::Episode;
use super::model::{in_step, is_unknown, most_deletions, says_directory};
use super::scenario::kind;
use super::witness::{Cancelled, Objects, Witness};

const SOURCE: usize = Side::Source as usize;
const DEST: usize = Side::Dest as usize;

/// Whether a run, of which this was seen, could end as it did.
pub(crate) fn check(episode: &Episode<'_>, seen: &Witness<'_>) -> Result<(), String> {
    if let Some(objects) = seen_last(episode, seen, DEST) {
        let before = if seen.takes_up { seen.past.removed } else { 0 };
        let allowed = most_deletions(&episode.scenario.job, taking_part(episode, DEST, objects) + before);
        if seen.deletions > allowed {
            return Err(format!("{} were deleted, and --max-delete allows {allowed}", seen.deletions));
        }
    }
    let Some(ended) = &episode.ended else { return Ok(()) };
    match ended {
        Ok(summary) => {
            if seen.cancelled == Some(Cancelled::InTime) {
                return Err("it was told to stop, and says that it came to its end".into());
            }
            if seen.misses_a_page() {
                return Err("a listing broke off, and it says that it came to its end".into());
            }
            figures_add_up(episode, seen, summary)?;
            // A bucket whose order is wrong, and not known to be, has no place that a run could go on from.
            if seen.takes_up && episode.scenario.misleads() {
                return Ok(());
            }
            all_in_step_or_named(episode, seen, summary)
        }
        Err(error) => has_a_reason(episode, seen, &error.why),
    }
}

/// What the side held when it was last listed, or, in a run that takes up what was listed before, when it began.
fn seen_last<'a>(episode: &'a Episode<'_>, seen: &'a Witness<'_>, side: usize) -> Option<&'a Objects> {
    if seen.takes_up { Some(&episode.before[side]) } else { seen.listed[side].last() }
}

fn has_a_reason(episode: &Episode<'_>, seen: &Witness<'_>, why: &Why) -> Result<(), String> {
    let [source, dest] =
        [SOURCE, DEST].map(|side| seen_last(episode, seen, side).map(|it| taking_part(episode, side, it)));
    let has_one = match why {
        Why::Interrupted => seen.cancelled.is_some(),
        Why::Listing(_) => {
            !seen.struck.listings.is_empty() || ((seen.takes_up || seen.lists_ranges) && seen.struck.glimpse)
        }
        Why::Ledger(_) => seen.struck.durability,
        Why::Refused(_) => {
            let was_touched = seen.takes_up && seen.touched.iter().any(|touched| !touched.is_empty());
            let is_empty = source == Some(0) && dest > Some(0) || was_touched;
            seen.deletions == 0 && (is_empty || episode.scenario.job.delete.is_some())
        }
        _ => false,
    };
    if has_one { Ok(()) } else { Err(format!("it ended with {why:?} for no reason")) }
}

/// How many objects take part: those that are not excluded, not unknown, and more than a directory's name.
fn taking_part(episode: &Episode<'_>, side: usize, objects: &Objects) -> usize {
    let scenario = episode.scenario;
    let takes_part = |key: &Key| scenario.selection.includes(key) && !is_unknown(&scenario.unknowns[side], key);
    objects.iter().filter(|(key, version)| takes_part(key) && !says_directory(version)).count()
}

/// Each key is in one count, and each count is what was told.
fn figures_add_up(episode: &Episode<'_>, seen: &Witness<'_>, summary: &Summary) -> Result<(), String> {
    let touched = seen.touched.iter().any(|touched| !touched.is_empty());
    if seen.takes_up {
        let can_differ = touched || episode.scenario.misleads();
        return if can_differ { Ok(()) } else { counts_as_from_the_start(episode, seen, summary) };
    }
    if seen.reordered && touched {
        // What was sent before may have been changed by somebody before it was listed again.
        return Ok(());
    }
    let unknowns = &episode.scenario.unknowns;
    let listed = |side: usize| {
        let objects = seen.listed[side].last().into_iter().flat_map(|objects| objects.keys());
        objects.filter(move |key| !is_unknown(&unknowns[side], key))
    };
    let keys: BTreeSet<&Key> = listed(SOURCE).chain(listed(DEST)).collect();
    // A name that is left out is one of the keys, whatever it is the name of.
    let left_out =
        |unknown: &&Unknown| unknown.extent == Extent::Key && !episode.scenario.selection.includes(&unknown.key);
    let names_left_out: BTreeSet<&Key> =
        unknowns.iter().flatten().filter(left_out).map(|unknown| &unknown.key).collect();
    let places = (seen.unknowns_told.len() + names_left_out.difference(&keys).count()) as u64;
    let Summary { in_step, created, replaced, deleted, extra, deletions_held_back, excluded, held, .. } = summary;
    let Summary { over_limit, withdrawn, skipped, unrepresentable, failed, .. } = summary;
    let counted: u64 =
        [in_step, created, replaced, deleted, extra, deletions_held_back, excluded, held].into_iter().sum::<u64>()
            + [over_limit, withdrawn, skipped, unrepresentable, failed].into_iter().sum::<u64>();
    let expected = if seen.lists_ranges && touched {
        // Each range was listed at a time of its own: at the least, what was there each time, at the most, what was
        // once.
        let shows = |side: usize| seen.listed[side].iter().flat_map(|objects| objects.keys());
        let at_some_time: BTreeSet<&Key> = shows(SOURCE).chain(shows(DEST)).collect();
        let at_all_times = |key: &&&Key| {
            let was = |side: usize| {
                let listed = &seen.listed[side];
                !is_unknown(&unknowns[side], key) && listed.iter().all(|objects| objects.contains_key(**key))
            };
            was(SOURCE) || was(DEST)
        };
        at_some_time.iter().filter(at_all_times).count() as u64..=at_some_time.len() as u64 + places
    } else {
        let exactly = keys.len() as u64 + places;
        exactly..=exactly
    };
    if !expected.contains(&counted) && !seen.reordered {
        return Err(format!("{counted} are counted, and there were {expected:?}: {summary:?}"));
    }
    let told =
        |is_it: fn(&Outcome) -> bool| seen.told.values().flatten().filter(|outcome| is_it(outcome)).count() as u64;
    let failed_places = seen.unknowns_told.iter().filter(|unknown| unknown.reason.is_failure()).count() as u64;
    let table = [
        ("sent", created + replaced, told(|outcome| matches!(outcome, Outcome::Sent { .. }))),
        ("deleted", *deleted, told(|outcome| matches!(outcome, Outcome::Deleted))),
        ("failed", *failed, told(|outcome| matches!(outcome, Outcome::Failed(_))) + failed_places),
        ("withdrawn", *withdrawn, told(|outcome| matches!(outcome, Outcome::Withdrawn { .. }))),
        ("unrepresentable", *unrepresentable, told(|outcome| matches!(outcome, Outcome::Unrepresentable { .. }))),
    ];
    match table.iter().find(|(_, counted, told)| counted != told) {
        Some((what, counted, told)) if !seen.reordered => {
            Err(format!("{counted} {what} are counted, and {told} told of"))
        }
        _ => Ok(()),
    }
}

/// What a run that takes up another one's progress counts, where nobody else
/// wrote since: as many objects as one from the start would.
fn counts_as_from_the_start(episode: &Episode<'_>, seen: &Witness<'_>, summary: &Summary) -> Result<(), String> {
    let [source, dest] = [SOURCE, DEST].map(|side| taking_part(episode, side, &episode.before[side]) as u64);
    if summary.source_objects != source {
        return Err(format!("{} objects of {source} at the source are counted", summary.source_objects));
    }
    // What the run before it deleted had been listed by that one, and no pair says so.
    let deleted = seen.past.removed as u64;
    if !(dest..=dest + deleted).contains(&summary.dest_objects) {
        let counted = summary.dest_objects;
        return Err(format!("{counted} objects of {dest}, and {deleted} deleted ones, at the destination are counted"));
    }
    Ok(())
}

fn all_in_step_or_named(episode: &Episode<'_>, seen: &Witness<'_>, summary: &Summary) -> Result<(), String> {
    let keys: BTreeSet<&Key> = episode.after.iter().flat_map(Objects::keys).collect();
    for key in keys {
        if seen.touched.iter().any(|touched| touched.contains(key)) || is_right(episode, key) {
            continue;
        }
        let is_named = seen.told.get(key).into_iter().flatten().any(|outcome| match outcome {
            Outcome::Failed(_) | Outcome::Unrepresentable { .. } => !summary.complete(),
            Outcome::Sent { .. } | Outcome::Deleted => episode.scenario.options.dry_run,
            Outcome::InStep | Outcome::Withdrawn { .. } | Outcome::Restoring(_) => false,
        });
        let is_held_back = !episode.after[SOURCE].contains_key(key) && summary.deletions_held_back > 0;
        if !is_named && !is_held_back && summary.over_limit == 0 {
            return Err(format!("{key} is not in step, and nothing says so"));
        }
    }
    Ok(())
}

/// Whether the destination has of this key what the job asks for.
fn is_right(episode: &Episode<'_>, key: &Key) -> bool {
    let scenario = episode.scenario;
    if !scenario.selection.includes(key) || scenario.unknowns.iter().any(|unknowns| is_unknown(unknowns, key)) {
        return true;
    }
    match (episode.after[SOURCE].get(key), episode.after[DEST].get(key)) {
        (Some(source), Some(dest)) => in_step(&scenario.job, source, dest),
        // A tree lists no directories.
        (Some(source), None) => says_directory(source) && kind(&scenario.dest) == Kind::Local,
        (None, Some(dest)) => scenario.job.delete.is_none() || says_directory(dest),
        (None, None) => true,
    }
}

/// After everything was mended, a calm run brings it all in step; `false` where it was refused for an empty source.
pub(crate) fn is_in_step_after_mending(episode: &Episode<'_>) -> Result<bool, String> {
    if matches!(episode.why(), Some(Why::Refused(_))) && taking_part(episode, SOURCE, &episode.before[SOURCE]) == 0 {
        return Ok(false);
    }
    let ended = episode.ended.as_ref().ok_or("a calm run was killed")?;
    let summary = ended.as_ref().map_err(|error| format!("a calm run ended with {error}"))?;
    if !summary.complete() || summary.withdrawn > 0 {
        return Err(format!("a calm run is not complete: {summary:?}"));
    }
    let keys: BTreeSet<&Key> = episode.after.iter().flat_map(Objects::keys).collect();
    match keys.into_iter().find(|key| !is_right(episode, key)) {
        Some(key) => Err(format!("{key} is not in step after a calm run")),
        None => Ok(true),
    }
}

/// Once in step, a run changes nothing.
pub(crate) fn nothing_left_to_do(episode: &Episode<'_>) -> Result<(), String> {
    let ended = episode.ended.as_ref().ok_or("a second calm run was killed")?;
    let summary = ended.as_ref().map_err(|error| format!("a second calm run ended with {error}"))?;
    let changes: usize =
        [Call::Write, Call::Begin, Call::Remove].into_iter().map(|call| episode.count_at_dest(call)).sum();
    if changes > 0 || summary.created + summary.replaced + summary.deleted > 0 {
        return Err(format!("a second calm run had something to do: {summary:?}"));
    }
    Ok(())
}
