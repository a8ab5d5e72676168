//! What is never deleted, because its absence at the source isn't proven or says nothing.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use super::{both_ways, outcome};
use crate::harness::{Ended, Files, bound_by_permissions};

#[test]
fn what_is_excluded_stays() {
    for (direction, scene) in both_ways(&Files::new([("a", b"same")])) {
        for key in ["gone", "kept.log", "logs/kept", "logs/deep/kept"] {
            direction.add_to_dest(&scene, key, "extra");
        }
        let ended = direction.sync(&scene, ["--exclude", "*.log", "--exclude", "/logs/"]).exits(0);
        ended.summary().counts([("in_step", 1), ("deleted", 1), ("excluded", 3)]);
        assert_eq!(direction.dest(&scene).paths(), ["a", "kept.log", "logs/deep/kept", "logs/kept"], "{direction:?}");
    }
}

#[test]
fn what_lies_below_a_directory_that_cannot_be_read_stays_and_so_does_what_comes_after_it() {
    for (direction, scene) in both_ways(&Files::new([("a", b"same"), ("d/kept", b"same"), ("d/e/kept", b"same")])) {
        direction.add_to_dest(&scene, "z", "after it");
        let directory = scene.path("tree/d");
        fs::set_permissions(&directory, Permissions::from_mode(0o000)).unwrap();
        let command = scene.brigade_command(direction.args(&scene));
        let ended = Ended::of(bound_by_permissions(&command)).exits(3).complains("d/");
        fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
        assert_eq!(ended.summary().0["deleted"], 0, "{}", ended.stdout);
        assert_eq!(ended.summary().0["deletions_held_back"], 1, "{}", ended.stdout);
        assert_eq!(direction.dest(&scene).paths(), ["a", "d/e/kept", "d/kept", "z"], "{direction:?}");
        // Once it can be read, what is gone is deleted.
        direction.sync(&scene, []).exits(0).summary().counts([("in_step", 3), ("deleted", 1)]);
    }
}

#[test]
fn a_file_that_is_there_and_cannot_be_read_is_no_reason_to_delete_its_object() {
    let [(direction, scene), _] = both_ways(&Files::new([("a", b"same"), ("secret", b"before")]));
    let file = scene.path("tree/secret");
    fs::write(&file, "after that").unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o000)).unwrap();
    let command = scene.brigade_command(direction.args(&scene));
    Ended::of(bound_by_permissions(&command)).exits(3).complains("secret: ");
    assert_eq!(direction.dest(&scene).0["secret"], b"before");
}

#[test]
fn keys_that_a_tree_cannot_hold_stay_and_are_named() {
    let [(direction, scene), _] = both_ways(&Files::new([("a", b"same"), ("d/x", b"same")]));
    let odd = ["a//b", "d/", "e/", "../up", "d/./x"];
    for key in odd {
        direction.add_to_dest(&scene, key, "with content");
    }
    let ended = direction.sync(&scene, []).exits(3);
    ended.summary().counts([("in_step", 2), ("unrepresentable", 5)]);
    for key in odd {
        assert_eq!(outcome(&ended, key).0, "unrepresentable", "{key}");
    }
    assert_eq!(scene.log().deletions(), 0);
}

#[test]
fn markers_stay_in_a_bucket_with_children_or_without() {
    let [(direction, scene), _] = both_ways(&Files::new([("a", b"same"), ("d/x", b"same")]));
    for key in ["d/", "empty/", "gone/"] {
        direction.add_to_dest(&scene, key, "");
    }
    direction.add_to_dest(&scene, "gone/child", "extra");
    scene.log().forget_requests();
    let ended = direction.sync(&scene, []).exits(0);
    ended.summary().counts([("in_step", 3), ("extra", 2), ("deleted", 1)]);
    assert_eq!(outcome(&ended, "gone/child").0, "deleted");
    assert_eq!(scene.log().deletions(), 1);
}
