//! Ledgers that can't be read, written, or kept: each is named with what to do,
//! and nothing is done to the destination by what one of them says.

mod places;

use std::fs;
use std::process::Command;

use crate::harness::{Ended, Files, Scene};

/// A scene whose tree and bucket are in step, and remembered so in the file `ledger`.
fn remembered() -> Scene {
    let scene = Scene::public();
    let mut files = Files::default();
    // So many that their pairs take several pages of the database.
    for number in 0..200 {
        files.put(&format!("d/{number:03}"), number.to_string());
    }
    scene.write("tree", &files);
    Ended::of(command(&scene, &[])).exits(0);
    scene
}

/// A sync of the tree with the bucket, remembered in the file `ledger`.
fn command(scene: &Scene, more: &[&str]) -> Command {
    let args = ["sync", &scene.arg("tree"), &scene.url(""), "--ledger", "ledger", "--output", "json"];
    let mut command = scene.brigade_command(args);
    // Only what is known to list in byte order is taken up.
    command.args(["--provider", "brigade-dev"]).args(more);
    command
}

/// With a file gone from the source, so that there is something to be deleted.
fn refuses(scene: &Scene, why: &str) -> Ended {
    fs::remove_file(scene.path("tree/d/000")).unwrap();
    scene.log().forget_requests();
    let ended = Ended::of(command(scene, &["--delete"])).exits(1).complains(why).complains("ledger");
    assert_eq!(scene.log().deletions() + scene.log().received("PutObject"), 0);
    ended
}

/// Without the ledger, the same command does all.
fn goes_on_without(scene: &Scene) {
    fs::remove_file(scene.path("ledger")).unwrap();
    Ended::of(command(scene, &["--delete"])).exits(0).summary().counts([("in_step", 199), ("deleted", 1)]);
    Ended::of(command(scene, &["--delete"])).exits(0).summary().counts([("in_step", 199)]);
}

#[test]
fn pages_of_garbage_are_damage() {
    let scene = remembered();
    let mut bytes = fs::read(scene.path("ledger")).unwrap();
    // All but the first page, which says what kind of file it is.
    bytes[4096..].fill(0xa5);
    fs::write(scene.path("ledger"), bytes).unwrap();
    refuses(&scene, "is damaged");
    goes_on_without(&scene);
}

#[test]
fn a_pair_that_does_not_read_is_damage() {
    let scene = remembered();
    scene.in_ledger(&scene.path("ledger"), "UPDATE settled SET pair = x'ffff' WHERE key = CAST('d/100' AS BLOB)");
    refuses(&scene, "is damaged");
    goes_on_without(&scene);
}

#[test]
fn a_table_of_other_columns_is_damage() {
    let scene = remembered();
    scene.in_ledger(&scene.path("ledger"), "ALTER TABLE settled RENAME COLUMN pair TO other");
    refuses(&scene, "is damaged");
    goes_on_without(&scene);
}

#[test]
fn a_file_that_was_cut_off_is_damage() {
    let scene = remembered();
    let file = fs::File::options().write(true).open(scene.path("ledger")).unwrap();
    file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    refuses(&scene, "is damaged");
    goes_on_without(&scene);
}

#[test]
fn a_file_that_is_no_ledger_is_left_alone() {
    for (what, content) in [("text", &b"my notes, which nobody else has\n".repeat(100)[..]), ("a short one", b"notes")]
    {
        let scene = remembered();
        fs::write(scene.path("ledger"), content).unwrap();
        refuses(&scene, "is no ledger; choose another file");
        assert_eq!(fs::read(scene.path("ledger")).unwrap(), content, "{what}");
        goes_on_without(&scene);
    }
}

#[test]
fn somebody_elses_database_is_left_alone() {
    let scene = remembered();
    fs::remove_file(scene.path("ledger")).unwrap();
    scene.in_ledger(&scene.path("ledger"), "CREATE TABLE theirs (precious TEXT)");
    refuses(&scene, "is no ledger");
    assert!(scene.in_ledger(&scene.path("ledger"), "SELECT name FROM sqlite_schema").contains("theirs"));
    goes_on_without(&scene);
}

#[test]
fn an_empty_file_becomes_a_ledger() {
    let scene = remembered();
    fs::write(scene.path("ledger"), "").unwrap();
    Ended::of(command(&scene, &["--dry-run"])).exits(0);
    assert_eq!(fs::read(scene.path("ledger")).unwrap(), b"", "a dry run makes none");
    Ended::of(command(&scene, &[])).exits(0).summary().counts([("in_step", 200)]);
    let counted = scene.in_ledger(&scene.path("ledger"), "SELECT count(*) FROM settled");
    assert_eq!(counted, "200");
}

#[test]
fn a_ledger_of_a_newer_version_is_left_alone() {
    let scene = remembered();
    scene.in_ledger(&scene.path("ledger"), "PRAGMA user_version = 99");
    let before = fs::read(scene.path("ledger")).unwrap();
    refuses(&scene, "newer brigade (format 99;");
    assert_eq!(fs::read(scene.path("ledger")).unwrap(), before);
    goes_on_without(&scene);
}

#[test]
fn a_ledger_of_other_places_is_named_with_both() {
    let scene = remembered();
    scene.write("other", &Files::new([("a", b"1")]));
    scene.log().forget_requests();
    let args = ["sync", &scene.arg("other"), &scene.url("elsewhere"), "--delete", "--ledger", "ledger"];
    let ended = scene.brigade(args).exits(1);
    ended.complains(&scene.arg("tree")).complains(&scene.arg("other")).complains("a --ledger of its own");
    let back = ["sync", &scene.url(""), &scene.arg("tree"), "--delete", "--ledger", "ledger"];
    scene.brigade(back).exits(1).complains("and not of");
    assert_eq!(scene.log().requests(), 0);
}

/// It says so, even though all is in step: the next run won't know.
#[test]
fn a_ledger_that_is_removed_meanwhile_is_missed_at_the_end() {
    let scene = remembered();
    scene.write("tree", &Files::new([("a", b"1"), ("b", b"2")]));
    scene.log().hold_the("PutObject", &[1]);
    scene.log().forget_requests();
    let ended = Ended::of_while(command(&scene, &["--delete", "--allow-empty-source"]), || {
        scene.log().wait_until_received("PutObject", 1);
        for name in ["ledger", "ledger-wal", "ledger-shm"] {
            // The companions are there or not, as SQLite likes.
            let _ = fs::remove_file(scene.path(name));
        }
        scene.log().heal();
    });
    ended.exits(0).complains("was removed or replaced while the run was on");
    assert_eq!(scene.stored("").paths(), ["a", "b"]);
    Ended::of(command(&scene, &[])).exits(0).summary().counts([("in_step", 2)]);
}

/// The listing of a run that was killed holds for a day.
#[test]
fn what_was_listed_a_day_ago_is_listed_again() {
    let hours_ago = [(0, true), (23, true), (25, false)];
    for (hours, is_taken_up) in hours_ago {
        let scene = killed_while_deleting();
        let ledger = scene.path("ledger");
        let sql = format!("UPDATE run SET begun_seconds = begun_seconds - {}", hours * 3600);
        scene.in_ledger(&ledger, &sql);
        scene.log().forget_requests();
        let ended = Ended::of(command(&scene, &["--delete"])).exits(0);
        let taken_up = &ended.summary().0["taken_up"];
        assert_eq!(!taken_up.is_null(), is_taken_up, "after {hours} hours: {taken_up}");
        assert_eq!(scene.log().received("ListObjectsV2") == 0, is_taken_up, "after {hours} hours");
        assert_eq!(scene.stored("").count(), 150);
    }
}

/// A run that had listed everything and was killed at its first deletion of fifty.
fn killed_while_deleting() -> Scene {
    let scene = remembered();
    for number in 0..50 {
        fs::remove_file(scene.path(&format!("tree/d/{number:03}"))).unwrap();
    }
    scene.kill_at("DeleteObjects", command(&scene, &["--delete", "--jobs", "1"]));
    scene
}
