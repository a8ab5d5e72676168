//! `--compare`: what counts as the same.

use std::time::{Duration, SystemTime};

use crate::harness::{Files, Scene, set_modified};

/// A scene whose bucket has `same` as in the tree, and `other` with the same
/// size and another content. The files are years older than the objects.
fn same_and_other() -> Scene {
    let scene = Scene::embedded();
    scene.put("same", b"as it was");
    scene.put("other", b"as it was");
    scene.write("tree", &Files::new([("same", b"as it was"), ("other", b"AS IT IS!")]));
    scene
}

fn set_both_modified(scene: &Scene, modified: SystemTime) {
    for name in ["tree/same", "tree/other"] {
        set_modified(&scene.path(name), modified);
    }
}

#[test]
fn auto_finds_a_change_that_keeps_size_and_mtime() {
    let scene = same_and_other();
    scene.sync(&scene.arg("tree"), &scene.url(""), []).counts([("in_step", 1), ("replaced", 1)]);
    assert_eq!(scene.stored("").0["other"], b"AS IT IS!");
}

#[test]
fn auto_does_not_send_what_only_has_a_new_mtime() {
    let scene = same_and_other();
    scene.sync(&scene.arg("tree"), &scene.url(""), []);
    set_both_modified(&scene, SystemTime::now() + Duration::from_hours(24));
    let summary = scene.sync(&scene.arg("tree"), &scene.url(""), []);
    summary.counts([("in_step", 2)]);
    summary.changed_nothing();
}

#[test]
fn checksum_goes_by_the_content_in_both_directions() {
    let scene = same_and_other();
    let (tree, bucket) = (scene.arg("tree"), scene.url(""));
    scene.sync(&bucket, &tree, ["--compare", "checksum", "--dry-run"]).counts([("in_step", 1), ("replaced", 1)]);
    scene.sync(&tree, &bucket, ["--compare", "checksum"]).counts([("in_step", 1), ("replaced", 1)]);
    scene.sync(&bucket, &tree, ["--compare", "checksum"]).counts([("in_step", 2)]);
}

#[test]
fn size_looks_at_nothing_else() {
    let scene = same_and_other();
    scene.sync(&scene.arg("tree"), &scene.url(""), ["--compare", "size"]).counts([("in_step", 2)]);
    scene.sync(&scene.url(""), &scene.arg("tree"), ["--compare", "size"]).counts([("in_step", 2)]);
}

#[test]
fn mtime_sends_what_is_not_older_than_its_copy() {
    let scene = same_and_other();
    let (tree, bucket) = (scene.arg("tree"), scene.url(""));
    let by_mtime = ["--compare", "mtime", "--clock-fudge-factor", "60"];
    scene.sync(&tree, &bucket, by_mtime).counts([("in_step", 2)]);

    set_both_modified(&scene, SystemTime::now());
    let wide = ["--compare", "mtime", "--clock-fudge-factor", "3600", "--dry-run"];
    scene.sync(&tree, &bucket, wide).counts([("replaced", 2)]);

    set_both_modified(&scene, SystemTime::now() - Duration::from_mins(10));
    scene.sync(&tree, &bucket, wide).counts([("replaced", 2)]);
    scene.sync(&tree, &bucket, by_mtime).counts([("in_step", 2)]);

    set_both_modified(&scene, SystemTime::now() + Duration::from_hours(24));
    scene.sync(&tree, &bucket, by_mtime).counts([("replaced", 2)]);
}

#[test]
fn always_sends_everything() {
    let scene = same_and_other();
    scene.sync(&scene.arg("tree"), &scene.url(""), ["--compare", "always"]).counts([("replaced", 2)]);
    scene.sync(&scene.url(""), &scene.arg("tree"), ["--compare", "always"]).counts([("replaced", 2)]);
}
