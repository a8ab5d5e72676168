//! A run that ends in the middle of a listing, between buckets: it deletes nothing, and neither does the next one of what
//! the first had not seen.

use std::process::Command;

use crate::harness::{Ended, Files, Running, Scene, Summary, ledgers_in, wait_until};

/// However many are to be deleted: no limit may be what keeps half a listing from doing harm.
const DELETING: [&str; 3] = ["--delete", "--max-delete", "100%"];

/// A service whose order of listings is not known, and one that is known to list in byte order: there the next run begins
/// behind what was seen.
const SERVICES: [&[&str]; 2] = [&[], &["--provider", "brigade-dev", "--listers", "1"]];

/// Nine keys in `from` and their copies in `to`, listed in pages of two, and at either end of the listings something that
/// is to be deleted and something that is to be copied.
fn scene_with_pages() -> (Scene, Files) {
    let scene = Scene::public_with_pages_of(2);
    for number in 1..=9 {
        scene.put_exactly(&format!("from/k{number}"), number.to_string().as_bytes());
    }
    scene.sync(&scene.url("from"), &scene.url("to"), ["--delete"]).counts([("created", 9)]);
    let copies = scene.stored("to");
    for (key, content) in [("to/a", "extra"), ("to/z", "extra"), ("from/b", "new"), ("from/y", "new")] {
        scene.put_exactly(key, content.as_bytes());
    }
    scene.log().forget_requests();
    (scene, copies)
}

fn sync(scene: &Scene, more: &[&str]) -> Command {
    let (from, to) = (scene.url("from"), scene.url("to"));
    scene.brigade_command(["sync", &from, &to, "--output", "json"].iter().chain(&DELETING).chain(more))
}

/// Asserts that the run that was cut short deleted nothing, and that the next one does what there is to do; its summary.
#[track_caller]
fn assert_nothing_is_lost(scene: &Scene, copies: &Files, more: &[&str], case: &str) -> Summary {
    scene.log().heal();
    assert_eq!(scene.log().deletions(), 0, "{case}");
    let left = scene.stored("to");
    let is_left = |(path, content): (&String, &Vec<u8>)| left.0.get(path) == Some(content);
    assert!(copies.0.iter().all(is_left), "{case}: of {:?} there is {:?}", copies.paths(), left.paths());

    scene.log().forget_requests();
    let next = Ended::of(sync(scene, more)).exits(0).summary();
    assert_eq!(next.0["deleted"], 2, "{case}: {}", next.0);
    let changes = scene.log().changes();
    let removed = changes.iter().filter(|change| change.after.is_none());
    let mut removed: Vec<&str> = removed.map(|change| change.key.as_str()).collect();
    removed.sort_unstable();
    assert_eq!(removed, ["to/a", "to/z"], "{case}");
    scene.stored("to").assert_are(&scene.stored("from"));
    next
}

/// A page of either side's listing that does not come before the run has ended.
const CUTS: [(&str, u64); 6] = [("from", 2), ("from", 4), ("from", 6), ("to", 2), ("to", 4), ("to", 6)];

/// heavy-sync took the pages that had come until it was killed for all that the source had, and deleted the rest of the
/// copy.
#[test]
fn killed_when_some_pages_of_a_side_have_come() {
    for more in SERVICES {
        for (side, page) in CUTS {
            let (scene, copies) = scene_with_pages();
            scene.log().hold_page(side, page);
            let running = Running::start(sync(&scene, more));
            scene.log().wait_for_page(side, page);
            // Dropped, it is killed.
            drop(running);
            assert_nothing_is_lost(&scene, &copies, more, &format!("page {page} of {side} {more:?}"));
        }
    }
}

/// By then its ledger tells the next run where to go on.
#[test]
fn killed_when_its_ledger_says_how_far_it_came() {
    let more = SERVICES[1];
    for (side, page) in CUTS.into_iter().filter(|(_, page)| *page > 2) {
        let (scene, copies) = scene_with_pages();
        scene.log().hold_page(side, page);
        let running = Running::start(sync(&scene, more));
        scene.log().wait_for_page(side, page);
        let ledger = ledgers_in(&scene.path(".local/state/brigade")).remove(0);
        wait_until("the ledger says nothing of how far the run came", || {
            let cursor = scene.in_ledger(&ledger, "SELECT CAST(through AS TEXT) FROM ranges");
            cursor.starts_with('k').then_some(())
        });
        drop(running);
        let case = format!("page {page} of {side}");
        let next = assert_nothing_is_lost(&scene, &copies, more, &case);
        assert!(next.0["taken_up"].is_object(), "{case}: {}", next.0);
    }
}

/// One that is asked to end does so in its own way, and says in its ledger how far it came.
#[test]
fn asked_to_end_when_some_pages_of_a_side_have_come() {
    for more in SERVICES {
        for (side, page) in CUTS {
            let (scene, copies) = scene_with_pages();
            scene.log().hold_page(side, page);
            let ended = Ended::of_watched(sync(&scene, more), |process| {
                scene.log().wait_for_page(side, page);
                assert!(Command::new("kill").args(["-TERM", &process.to_string()]).status().unwrap().success());
            });
            ended.exits(143);
            let case = format!("page {page} of {side} {more:?}");
            let next = assert_nothing_is_lost(&scene, &copies, more, &case);
            if more == SERVICES[1] && page > 2 {
                assert!(next.0["taken_up"].is_object(), "{case}: {}", next.0);
            }
        }
    }
}
