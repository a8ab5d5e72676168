//! What changes between a run that was killed and the next one that takes it up:
//! what the first had planned is judged anew, and nothing is deleted by it alone.

mod uploads;

use std::fs;
use std::process::Command;

use crate::harness::{Ended, Files, Scene};

/// Keys that the first run wanted to delete.
const LOST: [&str; 3] = ["lost/a", "lost/b", "lost/c"];

fn files() -> Files {
    let mut files = Files::default();
    for number in 0..40 {
        files.put(&format!("kept/{number:02}"), number.to_string());
    }
    for key in LOST {
        files.put(key, key);
    }
    files
}

fn files_but_the_lost() -> Files {
    let mut left = files();
    for key in LOST {
        left.take(key);
    }
    left
}

/// A sync of the tree with the bucket.
fn command(scene: &Scene, more: &[&str]) -> Command {
    let mut command = scene.brigade_command(["sync", &scene.arg("tree"), &scene.url(""), "--output", "json"]);
    // Only what is known to list in byte order is taken up.
    command.args(["--provider", "brigade-dev"]).args(more);
    command
}

/// A run that had listed everything, and was killed when it began to delete:
/// all that it wanted to delete waits in its ledger.
fn killed_before_it_deleted() -> Scene {
    let scene = Scene::public();
    scene.write("tree", &files());
    Ended::of(command(&scene, &[])).exits(0);
    scene.write("tree", &files_but_the_lost());
    scene.kill_at("DeleteObjects", command(&scene, &["--delete", "--jobs", "1"]));
    scene
}

/// The next run of the same command.
fn next(scene: &Scene) -> Ended {
    Ended::of(command(scene, &["--delete"]))
}

#[test]
fn what_waited_is_deleted_where_nothing_changed() {
    let scene = killed_before_it_deleted();
    let ended = next(&scene).exits(0);
    ended.summary().counts([("in_step", 40), ("deleted", 3)]);
    assert_eq!(ended.summary().0["taken_up"]["spooled"], 3, "{}", ended.stdout);
    assert_eq!(scene.log().received("ListObjectsV2"), 0, "what was listed is not listed again");
    scene.stored("").assert_are(&scene.read("tree"));
}

#[test]
fn without_delete_nothing_is_deleted() {
    let scene = killed_before_it_deleted();
    Ended::of(command(&scene, &[])).exits(0).summary().counts([("in_step", 40), ("extra", 3)]);
    assert_eq!(scene.log().deletions(), 0);
    // Nor does it come back, when the first command is given again after that.
    fs::create_dir_all(scene.path("tree/lost")).unwrap();
    fs::write(scene.path("tree/lost/a"), "lost/a").unwrap();
    next(&scene).exits(0).summary().counts([("in_step", 41), ("deleted", 2)]);
}

#[test]
fn what_other_filters_leave_out_is_not_deleted() {
    let scene = killed_before_it_deleted();
    let ended = Ended::of(command(&scene, &["--delete", "--exclude", "/lost/"])).exits(0);
    ended.summary().counts([("in_step", 40), ("excluded", 3)]);
    assert_eq!(scene.log().deletions(), 0);
    scene.stored("").assert_are(&files());
}

#[test]
fn a_lower_limit_for_deletions_holds() {
    let scene = killed_before_it_deleted();
    Ended::of(command(&scene, &["--delete", "--max-delete", "2"])).exits(4).complains("--max-delete");
    assert_eq!(scene.log().deletions(), 0);
    scene.stored("").assert_are(&files());
}

#[test]
fn a_file_that_is_there_again_stays_and_is_in_step() {
    let scene = killed_before_it_deleted();
    fs::create_dir_all(scene.path("tree/lost")).unwrap();
    fs::write(scene.path("tree/lost/b"), "lost/b").unwrap();
    let ended = next(&scene).exits(0);
    assert_eq!(ended.summary().0["deleted"], 2, "{}", ended.stdout);
    scene.stored("").assert_are(&scene.read("tree"));
}

#[test]
fn a_file_that_is_there_again_with_other_content_is_sent() {
    let scene = killed_before_it_deleted();
    fs::create_dir_all(scene.path("tree/lost")).unwrap();
    // Of one size with what was there, and of another.
    fs::write(scene.path("tree/lost/b"), "LOST/B").unwrap();
    fs::write(scene.path("tree/lost/c"), "longer than it was").unwrap();
    let ended = next(&scene).exits(0);
    assert_eq!(ended.summary().0["deleted"], 1, "{}", ended.stdout);
    scene.stored("").assert_are(&scene.read("tree"));
    next(&scene).exits(0).summary().counts([("in_step", 42)]);
}

#[test]
fn what_changed_behind_the_cursor_is_sent() {
    let scene = killed_before_it_deleted();
    fs::write(scene.path("tree/kept/07"), "OK").unwrap();
    fs::write(scene.path("tree/kept/08"), "longer than it was").unwrap();
    fs::write(scene.path("tree/kept/new"), "new").unwrap();
    fs::remove_file(scene.path("tree/kept/09")).unwrap();
    let ended = next(&scene).exits(0);
    ended.summary().counts([("in_step", 37), ("replaced", 2), ("created", 1), ("deleted", 4)]);
    scene.stored("").assert_are(&scene.read("tree"));
    next(&scene).exits(0).summary().counts([("in_step", 40)]);
}

#[test]
fn a_whole_source_that_is_gone_deletes_nothing() {
    let scene = killed_before_it_deleted();
    fs::rename(scene.path("tree"), scene.path("away")).unwrap();
    next(&scene).exits(1);
    fs::create_dir(scene.path("tree")).unwrap();
    next(&scene).exits(4).complains("--allow-empty-source");
    assert_eq!(scene.log().deletions(), 0);
    scene.stored("").assert_are(&files());
    fs::remove_dir(scene.path("tree")).unwrap();
    fs::rename(scene.path("away"), scene.path("tree")).unwrap();
    next(&scene).exits(0).summary().counts([("in_step", 40), ("deleted", 3)]);
}

/// The source of a backup that was put back with all its files new.
#[test]
fn a_source_that_was_restored_is_compared_and_not_sent() {
    let scene = killed_before_it_deleted();
    fs::rename(scene.path("tree"), scene.path("away")).unwrap();
    scene.write("tree", &files());
    next(&scene).exits(0);
    assert_eq!(scene.log().received("PutObject"), 0, "the content is what it was");
    scene.stored("").assert_are(&files());
    next(&scene).exits(0).summary().counts([("in_step", 43)]);
}

/// What somebody else wrote behind the cursor isn't listed by this run; the next one finds it.
#[test]
fn what_somebody_else_wrote_meanwhile_is_found_at_last() {
    let scene = killed_before_it_deleted();
    scene.put_exactly("kept/11", b"somebody else's");
    scene.put_exactly("kept/theirs", b"somebody else's");
    next(&scene).exits(0);
    next(&scene).exits(0);
    scene.stored("").assert_are(&scene.read("tree"));
    next(&scene).exits(0).summary().counts([("in_step", 40)]);
}

/// Where the store has conditions, it is never deleted by what was listed before.
#[test]
fn what_somebody_else_wrote_over_what_was_to_be_deleted_stays() {
    let scene = Scene::public();
    let more = ["--delete", "--jobs", "1"];
    scene.write("tree", &files());
    Ended::of(command(&scene, &more)).exits(0);
    let left = files_but_the_lost();
    scene.write("tree", &left);
    scene.kill_at("DeleteObjects", command(&scene, &more));
    scene.put_exactly("lost/b", b"somebody else's");
    Ended::of(command(&scene, &more)).exits(3).complains("lost/b");
    assert_eq!(scene.stored("").0["lost/b"], b"somebody else's");
    // Listed as it is now, it is what the source lacks.
    Ended::of(command(&scene, &more)).exits(0);
    scene.stored("").assert_are(&left);
}

/// A hundred settled files that are all gone are likelier a disk that isn't mounted.
#[test]
fn a_directory_that_lost_all_of_many_is_refused_until_it_is_allowed() {
    let scene = Scene::public();
    let mut all = files();
    for number in 0..100 {
        all.put(&format!("mount/{number:03}"), number.to_string());
    }
    scene.write("tree", &all);
    Ended::of(command(&scene, &[])).exits(0);
    fs::remove_dir_all(scene.path("tree/mount")).unwrap();
    for _ in 0..2 {
        let ended = next(&scene).exits(4).complains("mount/").complains("all 100 objects");
        ended.complains("--allow-empty-source");
        scene.stored("").assert_are(&all);
    }
    Ended::of(command(&scene, &["--delete", "--allow-empty-source"])).exits(0);
    scene.stored("").assert_are(&files());
}

/// The same by a run that is taken up: the loss is seen behind its cursor.
#[test]
fn a_loss_is_refused_by_a_run_that_is_taken_up_too() {
    let scene = Scene::public();
    let mut all = files();
    for number in 0..120 {
        all.put(&format!("mount/{number:03}"), number.to_string());
    }
    scene.write("tree", &all);
    Ended::of(command(&scene, &[])).exits(0);
    fs::remove_file(scene.path("tree/lost/a")).unwrap();
    scene.kill_at("DeleteObject", command(&scene, &["--delete", "--jobs", "1"]));
    fs::remove_dir_all(scene.path("tree/mount")).unwrap();
    next(&scene).exits(4).complains("mount/").complains("all 120 objects");
    assert_eq!(scene.log().deletions(), 0);
    Ended::of(command(&scene, &["--delete", "--allow-empty-source"])).exits(0);
    scene.stored("").assert_are(&scene.read("tree"));
}
