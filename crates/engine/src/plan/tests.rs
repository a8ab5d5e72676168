//! The planner, case by case.

use std::time::{Duration, SystemTime};

use brigade_store::{Symlinks, Version};

use super::*;
use crate::filters::Rule;
use crate::job::{DeleteLimit, Indexing};
use crate::ledger::Fingerprint;

fn entry(key: &str, size: u64) -> Entry {
    let version = Version::object(format!("{size}"));
    Entry { key: Key::from(key), size, modified: SystemTime::UNIX_EPOCH, version }
}

fn decide(delete: bool, key: &str, left: Presence, right: Presence) -> Decision {
    let job = JobSpec {
        filters: Filters::new(&[Rule::Exclude("*.tmp".into())]).unwrap(),
        comparison: Comparison::Size,
        clock_fudge_factor: Duration::ZERO,
        delete: delete.then_some(DeleteLimit::Unlimited),
        symlinks: Symlinks::Follow,
        indexing: Indexing::Off,
        carries_tags: true,
        carries_grants: false,
        source_inventory: None,
    };
    Planner::new(&job, Kind::Local).decide(&Key::from(key), [left, right], None, Default::default())
}

fn in_step_now(entry: Entry, assumed: bool) -> Decision {
    Decision::InStep(Some(Box::new(Agreement { source: entry.clone(), dest: entry, assumed })))
}

#[test]
fn only_proven_absence_deletes_and_filters_judge_the_triple() {
    use Presence::{Absent, Present, Unknown};
    let here = |size| Present(entry("k", size));
    let deletion = Decision::Act(Phase::Deletions, Action::Delete(entry("k", 1)));
    let table = [
        ("new", true, "k", here(1), Absent, send(entry("k", 1), None, None)),
        ("changed", true, "k", here(1), here(2), send(entry("k", 1), Some(entry("k", 2)), None)),
        ("same", true, "k", here(1), here(1), in_step_now(entry("k", 1), true)),
        ("gone from the source", true, "k", Absent, here(1), deletion),
        ("gone, without --delete", false, "k", Absent, here(1), Decision::Extra),
        ("the source can't tell", true, "k", Unknown, here(1), Decision::Held),
        ("the destination can't tell", true, "k", here(1), Unknown, Decision::Blocked(entry("k", 1))),
        ("the destination can't tell of nothing", true, "k", Absent, Unknown, Decision::Held),
        ("excluded at the destination", true, "k.tmp", Absent, here(1), Decision::Excluded),
        ("excluded at the source", true, "k.tmp", here(1), Absent, Decision::Excluded),
        ("nowhere", true, "k", Absent, Absent, Decision::Gone),
        ("a marker at the destination", true, "d/", Absent, Present(entry("d/", 0)), Decision::Extra),
        (
            "a marker at the source",
            true,
            "d/",
            Present(entry("d/", 0)),
            Absent,
            Decision::Act(Phase::AfterDeletions, transfer(entry("d/", 0), None, false)),
        ),
    ];
    for (row, delete, key, left, right, expected) in table {
        assert_eq!(decide(delete, key, left, right), expected, "{row}");
    }
}

#[test]
fn a_source_that_holds_nothing_lacks_directories_too() {
    let job = |delete| JobSpec {
        filters: Filters::default(),
        comparison: Comparison::Size,
        clock_fudge_factor: Duration::ZERO,
        delete,
        symlinks: Symlinks::Follow,
        indexing: Indexing::Off,
        carries_tags: true,
        carries_grants: false,
        source_inventory: None,
    };
    let deletion = Decision::Act(Phase::Deletions, Action::Delete(entry("d/", 0)));
    for (delete, expected) in [(None, Decision::Extra), (Some(DeleteLimit::Unlimited), deletion)] {
        let mut planner = Planner::new(&job(delete), Kind::Remote);
        planner.set_source_nothing(true);
        let listed = [Presence::Absent, Presence::Present(entry("d/", 0))];
        assert_eq!(planner.decide(&Key::from("d/"), listed, None, Default::default()), expected);
        assert_eq!(planner.counts_at_dest(&entry("d/", 0)), delete.is_some(), "it is counted as what it is");
    }
}

#[test]
fn what_is_settled_is_no_better_known_because_a_run_is_taken_up() {
    let (key, here) = (Key::from("k"), entry("k", 1));
    let job = JobSpec {
        filters: Filters::default(),
        comparison: Comparison::Size,
        clock_fudge_factor: Duration::ZERO,
        delete: None,
        symlinks: Symlinks::Follow,
        indexing: Indexing::Off,
        carries_tags: true,
        carries_grants: false,
        source_inventory: None,
    };
    let side = Fingerprint::of(&here);
    let pair = |unsure, assumed, lost| {
        let (key, left, right) = (key.clone(), side.clone(), side.clone());
        SettledPair { key, left, right, digest: None, unsure, assumed, lost }
    };
    // A deletion that was planned may have been carried out.
    let looked_at_first = Decision::Act(Phase::Now, transfer(here.clone(), None, true));
    let table = [
        ("proven", pair(false, false, false), Decision::InStep(None)),
        ("assumed", pair(false, true, false), Decision::InStep(None)),
        ("assumed and fresh", pair(true, true, false), Decision::InStep(None)),
        ("assumed, and back", pair(false, true, true), looked_at_first.clone()),
        ("proven, and back", pair(false, false, true), looked_at_first),
        ("an edit could hide", pair(true, false, false), send_if_content_differs(here.clone(), None, here.clone())),
    ];
    for (row, pair, expected) in table {
        let mut planner = Planner::new(&job, Kind::Remote);
        planner.set_behind(true);
        let listed = [Presence::Present(here.clone()), Presence::Present(here.clone())];
        assert_eq!(planner.decide(&key, listed, Some(&pair), Default::default()), expected, "{row}");
    }
}

#[test]
fn what_a_bucket_may_have_unlisted_is_told() {
    let [source, older, newer] = [1, 2, 3].map(|size| entry("k", size));
    let pair = SettledPair {
        key: Key::from("k"),
        left: Fingerprint::of(&source),
        right: Fingerprint::of(&entry("k", 1)),
        digest: None,
        unsure: false,
        assumed: false,
        lost: false,
    };
    let told = Some(Box::new(pair.clone()));
    let assumed = SettledPair { assumed: true, ..pair.clone() };
    let table = [
        ("not listed", Kind::Remote, Comparison::Auto, &source, None, &pair, told.clone()),
        ("listed as before", Kind::Remote, Comparison::Auto, &source, Some(&older), &pair, told),
        ("a tree lists what is there", Kind::Local, Comparison::Auto, &source, None, &pair, None),
        ("changed since", Kind::Remote, Comparison::Auto, &newer, None, &pair, None),
        ("no pair counts", Kind::Remote, Comparison::Always, &source, None, &pair, None),
        ("only taken to be in step", Kind::Remote, Comparison::Auto, &source, None, &assumed, None),
    ];
    for (row, dest, comparison, source, listed, pair, unlisted) in table {
        let job = JobSpec {
            filters: Filters::new(&[]).unwrap(),
            comparison,
            clock_fudge_factor: Duration::ZERO,
            delete: None,
            symlinks: Symlinks::Follow,
            indexing: Indexing::Off,
            carries_tags: true,
            carries_grants: false,
            source_inventory: None,
        };
        let there = listed.map_or(Presence::Absent, |entry| Presence::Present(entry.clone()));
        let listed_both = [Presence::Present(source.clone()), there];
        let decision = Planner::new(&job, dest).decide(&Key::from("k"), listed_both, Some(pair), Default::default());
        assert_eq!(decision, send(source.clone(), listed.cloned(), unlisted), "{row}");
    }
}
