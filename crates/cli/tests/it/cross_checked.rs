//! What brigade calls in step, other programs call in step, and the reverse.

use crate::harness::{Files, Scene, on_both_servers};

/// Asserts that other clients find the directory and the prefix in step, in both directions.
fn assert_others_agree(scene: &Scene, directory: &str, prefix: &str) {
    let (local, url, remote) = (scene.arg(directory), scene.url(prefix), scene.remote(prefix));
    // aws s3 merges two listings and trusts their order: where SeaweedFS breaks it, aws
    // would copy and delete these keys although they are the same.
    let unordered = if scene.is_seaweed() { "a[-.+]b" } else { "" };
    for (source, dest) in [(&local, &url), (&url, &local)] {
        let planned = scene.aws(["s3", "sync", source, dest, "--delete", "--dryrun", "--exclude", unordered]);
        assert_eq!(planned, "", "aws s3 sync {source} {dest}");
    }
    scene.rclone(["check", &local, &remote]);
    scene.rclone(["check", &local, &remote, "--download"]);
}

/// Asserts that brigade finds the directory and the prefix in step, in both
/// directions, and moves no content to find it.
fn assert_brigade_agrees(scene: &Scene, directory: &str, prefix: &str, objects: u64) {
    let (local, url) = (scene.arg(directory), scene.url(prefix));
    for (source, dest) in [(&local, &url), (&url, &local)] {
        let summary = scene.sync(source, dest, ["--delete"]);
        summary.counts([("in_step", objects)]);
        summary.changed_nothing();
        assert_eq!(summary.requests("GetObject"), 0, "{source} {dest}");
    }
}

on_both_servers! {
    fn others_find_in_step_what_brigade_copied(scene) {
        let files = Files::troublesome();
        scene.write("tree", &files);
        scene.sync(&scene.arg("tree"), &scene.url("site"), []);
        assert_others_agree(&scene, "tree", "site");
        scene.sync(&scene.url("site"), &scene.arg("back"), []);
        scene.read("back").assert_are(&files);
        assert_others_agree(&scene, "back", "site");
    }

    fn brigade_finds_in_step_what_aws_copied(scene) {
        let files = Files::troublesome();
        scene.write("tree", &files);
        scene.aws(["s3", "sync", "--quiet", &scene.arg("tree"), &scene.url("site")]);
        assert_brigade_agrees(&scene, "tree", "site", files.count());
        scene.aws(["s3", "sync", "--quiet", &scene.url("site"), &scene.arg("back")]);
        assert_brigade_agrees(&scene, "back", "site", files.count());
        scene.read("back").assert_are(&files);
    }

    fn brigade_finds_in_step_what_rclone_copied(scene) {
        let files = Files::troublesome();
        scene.write("tree", &files);
        scene.rclone(["copy", &scene.arg("tree"), &scene.remote("site")]);
        assert_brigade_agrees(&scene, "tree", "site", files.count());
        scene.rclone(["copy", &scene.remote("site"), &scene.arg("back")]);
        assert_brigade_agrees(&scene, "back", "site", files.count());
        scene.read("back").assert_are(&files);
    }
}
