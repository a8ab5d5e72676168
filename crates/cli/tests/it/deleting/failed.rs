//! Deletions that fail: each is named, the others are done, and the next run does what is left.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::{Direction, TEN, TRUSTED, both_ways, files, outcome, three_too_many};
use crate::harness::{Ended, Files, Scene, bound_by_permissions};

#[test]
fn a_deletion_that_is_denied_is_named() {
    let scene = three_too_many(Scene::embedded());
    scene.write("tree", &files(&TEN[..9]));
    scene.log().refuse("DeleteObject", "site/j");
    let ended = Direction::Up.sync(&scene, []).exits(3).complains("j: ").complains("AccessDenied");
    ended.summary().counts([("in_step", 9), ("failed", 1)]);
    scene.stored("site").assert_are(&files(&TEN));
    scene.log().heal();
    Direction::Up.sync(&scene, []).exits(0).summary().counts([("in_step", 9), ("deleted", 1)]);
}

#[test]
fn each_key_of_a_bulk_deletion_is_accounted_for() {
    let scene = three_too_many(Scene::embedded());
    scene.log().refuse("DeleteObjects", "site/i");
    let ended = Direction::Up.sync(&scene, TRUSTED).exits(3).complains("i: ").complains("AccessDenied");
    ended.summary().counts([("in_step", 7), ("deleted", 2), ("failed", 1)]);
    let told = ["h", "i", "j"].map(|key| outcome(&ended, key).0);
    assert_eq!(told, ["deleted", "failed", "deleted"]);
    assert_eq!(scene.stored("site").paths(), ["a", "b", "c", "d", "e", "f", "g", "i"]);
    scene.log().heal();
    Direction::Up.sync(&scene, TRUSTED).exits(0).summary().counts([("in_step", 7), ("deleted", 1)]);
}

#[test]
fn a_bulk_deletion_that_is_denied_names_each_key() {
    let scene = three_too_many(Scene::embedded());
    scene.log().refuse_all("DeleteObjects");
    let ended = Direction::Up.sync(&scene, TRUSTED).exits(3);
    ended.summary().counts([("in_step", 7), ("failed", 3)]);
    for key in ["h", "i", "j"] {
        let (told, reason) = outcome(&ended, key);
        assert!(told == "failed" && reason.contains("AccessDenied"), "{key}: {told}: {reason}");
    }
    scene.stored("site").assert_are(&files(&TEN));
}

#[test]
fn a_file_that_cannot_be_removed_is_named() {
    let [_, (direction, scene)] = both_ways(&Files::new([("a", b"same")]));
    for key in ["gone", "locked/gone"] {
        direction.add_to_dest(&scene, key, "extra");
    }
    let locked = scene.path("tree/locked");
    fs::set_permissions(&locked, Permissions::from_mode(0o555)).unwrap();
    let command = scene.brigade_command(direction.args(&scene));
    let ended = Ended::of(bound_by_permissions(&command)).exits(3).complains("locked/gone: ");
    fs::set_permissions(&locked, Permissions::from_mode(0o755)).unwrap();
    ended.summary().counts([("in_step", 1), ("deleted", 1), ("failed", 1)]);
    assert_eq!(scene.read("tree").paths(), ["a", "locked/gone"]);
    direction.sync(&scene, []).exits(0).summary().counts([("in_step", 1), ("deleted", 1)]);
    assert!(!fs::exists(&locked).unwrap(), "the directory is empty now");
}
