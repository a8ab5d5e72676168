//! When nothing is deleted at all: a transfer failed, or a listing was cut short.

use super::{Direction, TEN, both_ways, files, three_too_many};
use crate::harness::{Files, Running, Scene};

#[test]
fn a_failed_transfer_holds_the_deletions_back() {
    for (direction, scene) in both_ways(&files(&TEN[..7])) {
        direction.add_to_dest(&scene, "extra", "kept");
        direction.add_to_source(&scene, "refused", "new");
        let operation = if matches!(direction, Direction::Up) { "PutObject" } else { "GetObject" };
        scene.log().refuse(operation, "site/refused");
        scene.log().forget_requests();
        let ended = direction.sync(&scene, []).exits(3).complains("refused: ");
        ended.summary().counts([("in_step", 7), ("failed", 1), ("deletions_held_back", 1)]);
        assert_eq!(scene.log().deletions(), 0);
        assert_eq!(direction.dest(&scene).0["extra"], b"kept", "{direction:?}");
        scene.log().heal();
        direction.sync(&scene, []).exits(0).summary().counts([("in_step", 7), ("created", 1), ("deleted", 1)]);
    }
}

/// A tree and a bucket of three pages, each with something that the other one lacks.
fn three_pages() -> Scene {
    let scene = Scene::embedded();
    let mut many = Files::default();
    for number in 0..2100 {
        many.put(&format!("{number:04}"), "");
    }
    scene.write("tree", &many);
    scene.sync(&scene.arg("tree"), &scene.url("site"), ["--compare", "size"]);
    std::fs::remove_file(scene.path("tree/0000")).unwrap();
    scene
}

#[test]
fn a_listing_that_is_cut_short_deletes_nothing_on_whichever_side_and_page() {
    let scene = three_pages();
    for (direction, extra) in [(Direction::Down, "zzz"), (Direction::Up, "0000")] {
        if matches!(direction, Direction::Down) {
            direction.add_to_dest(&scene, extra, "only here");
        }
        for page in 1..=3 {
            scene.log().forget_requests();
            scene.log().refuse_page(page);
            // From the first page on each time, and not from where the run before came to.
            let ended = direction.sync(&scene, ["--compare", "size", "--no-ledger"]).exits(1).complains("AccessDenied");
            assert_eq!(scene.log().received("ListObjectsV2"), page, "{direction:?}");
            assert_eq!(
                (scene.log().deletions(), &ended.summary().0["deleted"]),
                (0, &0.into()),
                "{direction:?} {page}"
            );
            scene.log().heal();
        }
        assert!(direction.dest(&scene).0.contains_key(extra), "{direction:?}");
    }
}

#[test]
fn a_run_killed_while_listing_deletes_nothing_and_leaves_no_half_list_behind() {
    let scene = three_pages();
    let whole = scene.read("tree");
    scene.log().forget_requests();
    scene.log().hold_the("ListObjectsV2", &[2]);
    let running = Running::start(scene.brigade_command(Direction::Down.args(&scene)));
    scene.log().wait_for_number("ListObjectsV2", 2);
    // Dropped, it is killed.
    drop(running);
    scene.log().heal();
    let left = scene.read("tree");
    assert!(whole.0.keys().all(|path| left.0.contains_key(path)), "something was deleted");
    // The killed run may have fetched what the tree lacked.
    let summary = Direction::Down.sync(&scene, ["--compare", "size"]).exits(0).summary();
    assert_eq!((&summary.0["source_objects"], &summary.0["deleted"]), (&2100.into(), &0.into()));
    assert_eq!(scene.read("tree").count(), 2100);
}

#[test]
fn deletions_that_were_not_asked_for_are_not_forgotten() {
    let scene = three_too_many(Scene::embedded());
    let (tree, site) = (scene.arg("tree"), scene.url("site"));
    scene.sync(&tree, &site, []).counts([("in_step", 7), ("extra", 3)]);
    scene.sync(&tree, &site, ["--delete"]).counts([("in_step", 7), ("deleted", 3)]);
}
